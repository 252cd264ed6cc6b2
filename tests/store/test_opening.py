from __future__ import annotations

import gc
import multiprocessing
import os
import stat
import subprocess
import sys
import threading
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import monitors.store
from monitors import __version__
from monitors.config.servers import server_url
from monitors.config.urls import literal_store_url, store_url
from monitors.errors import UsageError
from monitors.store import (
    Filter,
    HeldError,
    Store,
    StoreBusyError,
    StoreDamagedError,
    StoreError,
    StoreFullError,
    StoreNewerError,
    StoreUnreachableError,
    errors,
    open_store,
    sqlite_url,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Server

    from monitors.store import Probed


def test_the_tree_of_errors_is_the_one_that_is_written_down() -> None:
    named = {name for name in (errors.__doc__ or "").replace("─", " ").split() if name.endswith("Error")}
    assert named == {name for name in vars(errors) if name.endswith("Error")}


def test_only_the_owner_may_look_into_a_file(file_store: Store, probe: Callable[..., Probed]) -> None:
    with file_store.writing() as writing:
        writing.add_probes("", [probe()])
    path = file_store.database.path
    assert path is not None
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()}
    assert set(modes) == {"monitor.sqlite", "monitor.sqlite-wal", "monitor.sqlite-shm"}
    assert set(modes.values()) == {0o600}


def test_a_file_is_as_durable_as_a_file_can_be(file_store: Store) -> None:
    with file_store.database.reading() as connection:
        said = {name: connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in (
            "journal_mode", "synchronous", "foreign_keys", "busy_timeout",
        )}  # fmt: skip
    assert said == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "busy_timeout": 5000}


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("sqlite:///", "names no file"),
        ("sqlite://", "a store of the kind 'sqlite' is none of ours; write sqlite:///PATH or postgresql://"),
        ("mysql://u:geheim@h/d", "a store of the kind 'mysql' is none of ours"),
        ("geheim", "cannot be read"),
        ("postgresql://u:geheim@h:port/d", "cannot be read"),
    ],
)
def test_a_url_that_is_none_of_ours_is_a_mistake_of_the_user(url: str, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        open_store(url)
    assert message in str(caught.value)
    assert "geheim" not in str(caught.value)


@pytest.mark.parametrize(
    "form",
    [
        "postgresql://tester@/{name}?host={home}",
        "postgresql:///{name}?host={home}&user=tester",
        "postgresql:///?host={home}&user=tester&dbname={name}",
        "postgresql+psycopg://tester@/{name}?host={quoted}",
        "postgresql://tester@{quoted}/{name}",
        "postgres://tester@{quoted}:5432/{name}?application_name=x",
    ],
)
def test_a_server_is_reached_by_its_socket_as_libpq_has_it(form: str, server: Server) -> None:
    name = server.make_database().partition("?")[0].rpartition("/")[2]
    home = str(server.home)
    url = store_url(form.format(name=name, home=home, quoted=home.replace("/", "%2F")), None)
    with open_store(url) as store:
        assert store.check() == []
        assert f"?host={home}" in store.url_shown
        assert "tester" not in store.url_shown
        assert server_url(url) == server_url(literal_store_url(url))


def test_a_place_that_cannot_be_a_file_is_a_mistake_of_the_user(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for path in (tmp_path / "file" / "monitor.sqlite", tmp_path / "nul\0byte"):
        with pytest.raises(UsageError, match=r"cannot be written to: .*; name another directory with --state-dir"):
            open_store(sqlite_url(path))


def test_a_directory_in_place_of_the_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(StoreFullError, match="is a directory"):
        open_store(sqlite_url(tmp_path))


@pytest.mark.parametrize("content", [b"no database at all" * 100, b"SQLite format 3\0" + b"\xff" * 5000])
def test_a_file_that_is_no_database_is_damaged(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "monitor.sqlite").write_bytes(content)
    with pytest.raises(StoreDamagedError, match="the file is damaged"):
        open_store(sqlite_url(tmp_path / "monitor.sqlite"))
    assert (tmp_path / "monitor.sqlite").read_bytes() == content


def test_a_full_disk_is_told_and_what_is_there_stays(file_store: Store, probe: Callable[..., Probed]) -> None:
    with file_store.writing() as writing:
        writing.add_probes("", [probe()])

    def fill() -> None:
        with file_store.writing() as writing:
            # What SQLite says where a disk is full, it says where a file may not grow.
            writing.connection.exec_driver_sql("PRAGMA max_page_count = 1")
            for _ in range(2_000):
                writing.add_probes("", [probe(total_s=1.5)] * 10)

    with pytest.raises(StoreFullError, match="cannot be written to: the disk is full"):
        fill()
    assert len(list(file_store.probes(Filter()))) == 1


def test_a_file_that_may_only_be_read_is_told(file_store: Store, probe: Callable[..., Probed]) -> None:
    def write() -> None:
        with file_store.writing() as writing:
            writing.connection.exec_driver_sql("PRAGMA query_only = ON")
            writing.add_probes("", [probe()])

    with pytest.raises(StoreFullError, match="cannot be written to: it may only be read"):
        write()


def test_a_store_that_others_hold_too_long_is_busy(url: str, store: Store) -> None:
    with open_store(url, busy_timeout_s=0.1) as other, store.writing():
        assert list(other.probes(Filter())) == []
        with (
            pytest.raises(StoreBusyError, match="another process holds the store; try again when it is done"),
            other.writing(),
        ):
            pass
    with open_store(url, busy_timeout_s=0.1) as other, other.writing():
        pass


def test_a_thread_that_writes_too_long_is_told(tmp_path: Path) -> None:
    busy = pytest.raises(StoreBusyError, match="another thread of this process")
    with open_store(sqlite_url(tmp_path / "s"), busy_timeout_s=0.1) as store, store.writing(), busy, store.writing():
        pass


def test_threads_of_one_process_write_one_after_the_other(store: Store, probe: Callable[..., Probed]) -> None:
    def write(site: str) -> None:
        for _ in range(20):
            with store.writing() as writing:
                before = writing.book()
                writing.put_book(before, replace(before, next_id=before.next_id + 1))
                writing.add_probes("", [probe(site)])

    threads = [threading.Thread(target=write, args=(site,)) for site in ("US1", "US5", "EU1")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert store.book().next_id == 61
    assert len(list(store.probes(Filter()))) == 60


def _open_and_write(url: str, probed: Any) -> None:
    with open_store(url, busy_timeout_s=60) as store:
        for _ in range(10):
            with store.writing() as writing:
                writing.add_probes("", [probed])


def test_processes_that_open_a_new_store_at_once_share_it(url: str, probe: Callable[..., Probed]) -> None:
    spawn = multiprocessing.get_context("spawn")
    sites = ("US1", "US5", "EU1")
    both = [spawn.Process(target=_open_and_write, args=(url, probe(site))) for site in sites]
    for process in both:
        process.start()
    for process in both:
        process.join(60)
    assert [process.exitcode for process in both] == [0, 0, 0]
    with open_store(url) as store:
        assert sorted(row.site for row in store.probes(Filter())) == sorted(sites * 10)


def test_what_a_database_says_beside_that_is_told_in_its_words(store: Store) -> None:
    def insert() -> None:
        with store.writing() as writing:
            for _ in range(2):
                writing.connection.exec_driver_sql("INSERT INTO meta VALUES ('geheim', 'geheim')")

    with pytest.raises(StoreError, match=r"UniqueViolation|IntegrityError") as caught:
        insert()
    # What was to be written is not repeated.
    assert "geheim" not in str(caught.value)


def test_a_server_needs_its_driver(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(UsageError, match=r"needs its driver: pip install 'model-lab-monitor\[postgresql\]'"):
        open_store("postgresql://u@h/d")


def test_a_store_that_nobody_closed_leaves_no_connection_open(tmp_path: Path) -> None:
    path = tmp_path / "monitor.sqlite"
    store = open_store(sqlite_url(path))
    assert store.book().next_id == 1
    assert path.with_name("monitor.sqlite-wal").exists()
    del store
    gc.collect()
    assert not path.with_name("monitor.sqlite-wal").exists()


def test_the_package_has_nothing_but_its_names() -> None:
    assert monitors.store.salvage is not None
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        _ = monitors.store.nothing


# --- one instance ----------------------------------------------------------------------------------------------------


def test_a_second_instance_is_told_who_is_the_first(url: str, store: Store) -> None:
    with open_store(url) as other:
        with store.hold("watch"):
            with pytest.raises(HeldError) as caught, other.hold("watch --once"):
                pass
            assert f": `watch` runs on this store, process {os.getpid()} on " in str(caught.value)
            assert str(caught.value).endswith(" UTC; stop it first")
            with other.writing():
                pass
        with other.hold("watch --once"), pytest.raises(HeldError, match="`watch --once` runs"), store.hold("watch"):
            pass


def test_a_store_is_held_after_an_exception_no_more(store: Store) -> None:
    with pytest.raises(ZeroDivisionError), store.hold("watch"):
        raise ZeroDivisionError
    with store.hold("watch"):
        pass


HOLDING = """
import sys, time
from monitors.store import open_store
store = open_store(sys.argv[1])
with store.hold("watch"):
    print("held", flush=True)
    time.sleep(60)
"""


def test_a_holder_that_is_killed_holds_nothing(url: str, store: Store) -> None:
    process = subprocess.Popen(  # noqa: S603 - this test's own program
        [sys.executable, "-c", HOLDING, url], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    with pytest.raises(HeldError, match=f"process {process.pid} on"), store.hold("watch"):
        pass
    process.kill()
    process.wait()
    process.stdout.close()
    for _ in range(200):  # the server takes a moment to see the connection gone
        try:
            with store.hold("watch"):
                return
        except HeldError:
            threading.Event().wait(0.05)
    pytest.fail("still held")


def test_a_holder_that_wrote_nothing_down_is_told_without_a_name(file_store: Store, tmp_path: Path) -> None:
    lock = tmp_path / "state" / "monitor.sqlite.lock"
    with file_store.hold("watch"):
        lock.write_text("no JSON")
        with pytest.raises(HeldError, match="another instance of the monitor runs on this store"), file_store.hold("x"):
            pass


def test_a_lock_that_cannot_be_made_is_told(file_store: Store, tmp_path: Path) -> None:
    (tmp_path / "state" / "monitor.sqlite.lock").mkdir()
    with pytest.raises(StoreFullError, match=r"monitor\.sqlite\.lock: cannot be written to"), file_store.hold("watch"):
        pass


# --- a server that goes away -----------------------------------------------------------------------------------------


def test_after_a_restart_of_the_server_the_next_call_works_and_the_hold_is_taken_anew(
    server: Server, probe: Callable[..., Probed]
) -> None:
    url = server.make_database()
    with open_store(url) as store, open_store(url) as other, store.hold("watch"):
        with store.writing() as writing:
            writing.add_probes("", [probe()])
        server.stop()
        try:
            with pytest.raises(StoreUnreachableError, match=r"^postgresql:///\w+\?host=/\S+: cannot be reached: "):
                store.book()
        finally:
            server.start()
        assert len(list(store.probes(Filter()))) == 1
        with store.writing() as writing:
            writing.add_probes("", [probe()])
        with pytest.raises(HeldError, match="`watch` runs on this store"), other.hold("watch"):
            pass
    with open_store(url) as store:
        assert len(list(store.probes(Filter()))) == 2


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("monitors.store.engine._SILENCE_S", 1.5)
    monkeypatch.setitem(monitors.store.engine._NETWORK, "connect_timeout", 1)


@pytest.mark.usefixtures("hasty")
def test_a_server_that_hangs_is_given_up_and_works_again_once_it_does(
    server: Server, probe: Callable[..., Probed]
) -> None:
    url = server.make_database()
    with open_store(url, busy_timeout_s=0.1) as store, store.hold("watch"):

        def write() -> None:
            with store.writing() as writing:
                writing.add_probes("", [probe()])

        write()
        with server.hanging():
            with pytest.raises(StoreUnreachableError, match=r"cannot be reached: "):
                write()
            with pytest.raises(StoreUnreachableError, match=r"cannot be reached: "):
                store.book()
        write()
        assert len(list(store.probes(Filter()))) == 2
        with open_store(url) as other, pytest.raises(HeldError, match="`watch` runs on this store"), other.hold("x"):
            pass


@pytest.mark.usefixtures("hasty")
def test_a_server_that_begins_to_hang_within_a_transaction_is_given_up(
    server: Server, probe: Callable[..., Probed]
) -> None:
    with open_store(server.make_database(), busy_timeout_s=0.1) as store:

        def write() -> None:
            with store.writing() as writing, server.hanging():
                writing.add_probes("", [probe()])

        with pytest.raises(StoreUnreachableError, match=r"cannot be reached: the server has not answered for 1\.6 s"):
            write()
        assert list(store.probes(Filter())) == []


@pytest.mark.usefixtures("hasty")
def test_a_server_that_is_at_work_is_not_given_up_where_that_may_take_long(server: Server) -> None:
    with open_store(server.make_database(), busy_timeout_s=0.1) as store:
        with store.database.connect_alone(patient=True) as connection:
            connection.exec_driver_sql("SELECT pg_sleep(3)")
        store.vacuum()
        with (
            pytest.raises(StoreUnreachableError, match="has not answered"),
            store.database.translated(),
            store.database.connect_alone() as connection,
        ):
            connection.exec_driver_sql("SELECT pg_sleep(30)")


@pytest.mark.usefixtures("hasty")
def test_a_server_whose_answer_takes_long_and_comes_all_the_time_is_not_given_up(server: Server) -> None:
    with open_store(server.make_database(), busy_timeout_s=0.1) as store, store.database.reading() as connection:
        # Each row fills what the server gathers before it sends.
        query = "SELECT repeat('x', 20000), pg_sleep(0.1) FROM generate_series(1, 30)"
        assert len(connection.exec_driver_sql(query).all()) == 30


def test_what_the_url_says_of_the_network_counts_first(server: Server) -> None:
    with open_store(f"{server.make_database()}&connect_timeout=3&keepalives_idle=7") as store:
        with store.database.reading() as connection:
            raw: Any = connection.connection.dbapi_connection
        said = raw.info.get_parameters()
        assert (said["connect_timeout"], said["keepalives_idle"], said["tcp_user_timeout"]) == ("3", "7", "30000")


def test_a_hold_that_another_took_after_a_restart_is_told(server: Server) -> None:
    url = server.make_database()
    with open_store(url) as store, open_store(url) as other, store.hold("first"):
        server.stop()
        server.start()
        with other.hold("second"), pytest.raises(HeldError, match="`second` runs on this store"), store.writing():
            pass


def test_a_connection_lost_within_a_transaction_keeps_nothing(server: Server, probe: Callable[..., Probed]) -> None:
    with open_store(server.make_database()) as store:

        def write() -> None:
            with store.writing() as writing:
                writing.add_probes("", [probe()])
                server.stop()
                server.start()

        with pytest.raises(StoreUnreachableError):
            write()
        assert list(store.probes(Filter())) == []


@pytest.mark.parametrize("url", ["postgresql://u:geheim@127.0.0.1:1/d", "postgres://u:geheim@127.0.0.1:1/d"])
def test_a_server_that_is_not_there_is_told_without_the_password(url: str) -> None:
    with pytest.raises(StoreUnreachableError) as caught:
        open_store(url)
    assert str(caught.value).startswith("postgresql://127.0.0.1:1/d: cannot be reached: ")
    assert "geheim" not in str(caught.value)


@pytest.mark.parametrize(
    "form",
    [
        "postgresql://me:{}@127.0.0.1:1/x",
        "postgresql://{}@127.0.0.1:1/x",
        "postgresql://{}:{}@127.0.0.1:1",
        "postgresql://me:p@ss:{}@127.0.0.1:1/x",
        "postgresql://127.0.0.1:1/x?password={}",
        "postgresql://127.0.0.1:1/x?user={}&sslpassword={}",
        "postgresql://127.0.0.1:1/x?password=a&password={}",
        "postgresql://127.0.0.1:1/x?passwort={}",
        "postgresql://127.0.0.1:1/x?{}",
        "postgresql://127.0.0.1:1/x?{}=y",
        "postgresql://127.0.0.1:1/x?sslcert={}&sslkey={}&sslrootcert={}&sslmode=verify-full",
        "postgresql://127.0.0.1:1/x?options=-c%20a%3D{}",
        "postgresql://127.0.0.1:1/x?plugin={}",
        "postgresql://me:{}@",
        "me:{}@127.0.0.1:1/x",
        "mysql://me:{}@127.0.0.1:1/x",
        "sqlite://me:{}@/x",
    ],
)
@settings(max_examples=25, deadline=None)
@given(st.text("pwé0@/?#&=%:[] +'\"\\", max_size=5), st.text("pwé0@/?#&=%:[] +'\"\\", max_size=5))
@example("", "")
@example("p@", "")
@example("", "@b/c?d=")
def test_no_message_shows_a_password_wherever_it_stands(form: str, before: str, after: str) -> None:
    with pytest.raises((UsageError, StoreError)) as caught:
        open_store(form.replace("{}", f"{before}SECRET{after}"))
    assert "SECRET" not in str(caught.value)


def test_a_login_that_is_refused_is_told_without_who_it_was(server: Server) -> None:
    with pytest.raises(StoreUnreachableError) as caught:
        open_store(server.url("postgres").replace("tester@", "geheim:pw@"))
    assert 'role "***" does not exist' in str(caught.value)
    assert "geheim" not in str(caught.value)


def test_a_database_that_is_not_there_is_told(server: Server) -> None:
    with pytest.raises(StoreUnreachableError, match='database "nowhere" does not exist'):
        open_store(server.url("nowhere"))


# --- revisions -------------------------------------------------------------------------------------------------------


def test_the_store_of_a_newer_program_is_refused(url: str) -> None:
    with open_store(url) as store, store.writing() as writing:
        writing.connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
        writing.put_meta("program", "9.9.9")
    with pytest.raises(StoreNewerError) as caught:
        open_store(url)
    assert ": the store is of revision 9999, written by model-lab-monitor 9.9.9; this is 0.1.0, which knows" in str(
        caught.value
    )
    assert "upgrade the program, or name another store" in str(caught.value)


def test_a_store_of_a_later_build_of_the_same_version_is_not_said_to_need_an_upgrade_to_it(url: str) -> None:
    with open_store(url) as store, store.writing() as writing:
        writing.connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(StoreNewerError) as caught:
        open_store(url)
    assert (
        f": the store is of revision 9999, written by a later build of model-lab-monitor {__version__} than this one, "
        "which knows revisions up to 0002: install the build that wrote it (in a checkout, a later commit), or name "
        "another store"
    ) in str(caught.value)
