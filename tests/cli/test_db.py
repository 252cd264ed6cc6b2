from __future__ import annotations

import gzip
import io
import json
import os
import re
import sqlite3
import subprocess
import sys
from contextlib import ExitStack, closing
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from monitors.store import FILE_NAME, Filter, open_store, sqlite_url
from monitors.store.migrating import HEAD

if TYPE_CHECKING:
    from conftest import Cli

    from monitors.store import Store

PROBE = ("probe", "--mock", "--site", "US5", "--run-id", "1004", "--state-dir", "state")
STATE = ("--state-dir", "state")
FILE = Path("state") / FILE_NAME
DAMAGED = "state/monitor.sqlite: the file is damaged; `model-lab-monitor db check --salvage` keeps what can be read\n"


def opened(folder: str = "state") -> Store:
    return open_store(sqlite_url(Path(folder) / FILE_NAME))


@pytest.fixture
def full(cli: Cli) -> Cli:
    """Let the store hold a memory and an incident number."""
    assert cli(*PROBE).code == 0
    with opened() as store, store.writing() as writing:
        book = writing.book()
        writing.put_book(book, replace(book, next_id=7))
    return cli


# --- upgrade, check, vacuum ------------------------------------------------------------------------------------------


def test_upgrade_makes_a_store_where_there_is_none(cli: Cli) -> None:
    ran = cli("db", "upgrade", *STATE)
    assert (ran.code, ran.out, ran.err) == (0, "", f"state/monitor.sqlite: the store is of revision {HEAD}\n")
    assert FILE.exists()


def test_a_store_of_a_newer_program_is_refused_by_every_command(full: Cli) -> None:
    with opened() as store, store.writing() as writing:
        writing.connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    for arguments in (("db", "upgrade"), ("db", "check"), ("history",), ("uptime",), ("export",), PROBE[:-2]):
        ran = full(*arguments, *STATE)
        assert ran.code == 4, arguments
        assert "the store is of revision 9999" in ran.err
        assert ran.err.count("\n") == 1


def test_a_sound_store_is_said_to_be(full: Cli) -> None:
    ran = full("db", "check", *STATE)
    assert (ran.code, ran.out) == (0, "state/monitor.sqlite: the store is sound\n")


def test_problems_are_listed_and_salvaged(full: Cli) -> None:
    with opened() as store, store.writing() as writing:
        writing.connection.exec_driver_sql("UPDATE memory SET content = 'x'")
    ran = full("db", "check", *STATE)
    assert ran.code == 4
    assert 'memory: row run US5: "content" must be bytes\n' in ran.out
    assert ran.err == "state/monitor.sqlite: `model-lab-monitor db check --salvage` keeps what can be read\n"
    ran = full("db", "check", "--salvage", *STATE)
    assert ran.code == 0
    assert "  memory: 0 kept, at most 4 lost\n" in ran.out
    assert full("db", "check", *STATE).code == 0


@pytest.mark.parametrize("command", [("history",), ("uptime",), ("ledger",), ("db", "check"), ("export",), PROBE[:-2]])
def test_a_damaged_file_is_told_with_what_to_do(command: tuple[str, ...], cli: Cli) -> None:
    FILE.parent.mkdir()
    FILE.write_bytes(b"no database at all")
    ran = cli(*command, *STATE)
    assert (ran.code, ran.out) == (4, "")
    assert ran.err == f"error: {DAMAGED}"


def test_a_damaged_file_is_salvaged_from_its_backup(full: Cli) -> None:
    with opened() as store:
        store.backup()
    FILE.write_bytes(b"no database at all")
    ran = full("db", "check", "--salvage", *STATE)
    assert ran.code == 0
    assert ran.err == DAMAGED
    assert ran.out.startswith("state/monitor.sqlite: a fresh store; the damaged file is monitor.sqlite.damaged-2")
    assert "  memory: 0 kept, 4 from the backup, an unknown number lost\n" in ran.out
    with opened() as store:
        assert store.book().next_id == 1_007


def test_of_an_empty_file_it_is_said_that_nothing_was_kept(cli: Cli) -> None:
    FILE.parent.mkdir()
    FILE.touch()
    for arguments in (("db", "check"), ("db", "check", "--salvage")):
        ran = cli(*arguments, *STATE)
        assert (ran.code, ran.out) == (2, "")
        said = "state/monitor.sqlite: the file is empty: nothing has been kept yet; `model-lab-monitor watch` begins"
        assert ran.err == f"error: {said}\n"
    assert FILE.stat().st_size == 0


def test_an_empty_file_beside_a_backup_is_damage(full: Cli) -> None:
    with opened() as store:
        store.backup()
    FILE.write_bytes(b"")
    for end in ("-wal", "-shm"):
        FILE.with_name(f"{FILE.name}{end}").unlink(missing_ok=True)
    ran = full("db", "check", *STATE)
    assert (ran.code, ran.out) == (4, "")
    assert "the file is empty, and monitor.sqlite.backup beside it is not; `model-lab-monitor db check --salvage`" in (
        ran.err
    )
    assert full("db", "check", "--salvage", *STATE).code == 0
    with opened() as store:
        assert store.book().next_id == 1_007


def test_nothing_is_salvaged_under_a_running_monitor(full: Cli) -> None:
    with opened() as store, store.hold("watch"):
        FILE.write_bytes(b"no database at all")
        ran = full("db", "check", "--salvage", *STATE)
    assert ran.code == 4
    assert "`watch` runs on this store, process " in ran.err
    assert [path.name for path in FILE.parent.iterdir() if "damaged" in path.name] == []


def test_vacuum_says_what_it_gave_back(full: Cli) -> None:
    with closing(sqlite3.connect(FILE)) as connection:
        connection.execute("CREATE TABLE room AS WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n "
                           "WHERE x < 20000) SELECT x, hex(randomblob(50)) FROM n")  # fmt: skip
        connection.execute("DROP TABLE room")
        connection.commit()
    ran = full("db", "vacuum", *STATE)
    assert ran.code == 0
    before, now = (float(part.split()[0]) for part in ran.err.removeprefix("state/monitor.sqlite: ").split(", "))
    assert now < before


def test_vacuum_beside_a_monitor_says_no_more_now_than_before(full: Cli) -> None:
    with opened() as store:
        with store.writing() as writing:
            writing.connection.exec_driver_sql("CREATE TABLE room AS SELECT randomblob(400000) AS x")
        with store.writing() as writing:
            writing.connection.exec_driver_sql("DROP TABLE room")
        ran = full("db", "vacuum", *STATE)
        before, now = re.findall(r"([0-9.]+) MB", ran.err)
        assert float(now) + 0.3 < float(before)
        assert FILE.stat().st_size == store.size()
        with store.database.reading() as connection:
            connection.exec_driver_sql("SELECT count(*) FROM meta").scalar()
            with open_store(sqlite_url(FILE), busy_timeout_s=0.1) as other:
                assert not other.vacuum()


@pytest.mark.parametrize("command", [("db", "check"), ("db", "vacuum"), ("export",)])
def test_a_store_that_is_not_there_is_a_mistake(command: tuple[str, ...], cli: Cli) -> None:
    ran = cli(*command)
    assert (ran.code, ran.out) == (2, "")
    assert "nothing is kept yet" in ran.err


# --- export, import --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["export.ndjson", "export.ndjson.gz"])
def test_an_export_is_read_back_whole(name: str, full: Cli) -> None:
    ran = full("export", name, *STATE)
    assert ran.code == 0
    text = (gzip.decompress if name.endswith(".gz") else bytes)(Path(name).read_bytes()).decode()
    assert ran.err == f"{name}: {text.count(chr(10)):,} lines\n"
    ran = full("import", name, "--state-dir", "other")
    assert (ran.code, ran.out, ran.err) == (0, "", f"{name}: an export of an empty store\n")
    assert full("export", "--state-dir", "other").out == text
    with opened("other") as store:
        assert store.book().next_id == 7
        assert store.memory().ledger.answers


def test_an_export_that_was_cut_off_is_refused_and_one_of_before_it_said_so_is_read_with_a_warning(full: Cli) -> None:
    *lines, last = full("export", "-", *STATE).out.splitlines(keepends=True)
    assert json.loads(last) == {"table": "end", "lines": len(lines)}
    Path("cut.ndjson").write_text("".join(lines))
    ran = full("import", "cut.ndjson", "--state-dir", "other")
    assert (ran.code, ran.out) == (2, "")
    assert f'cut.ndjson:{len(lines)}: the export ends early: its last line would be of the table "end"' in ran.err
    assert not Path("other").exists()
    Path("old.ndjson").write_text("".join(lines).replace(f'"revision":"{HEAD}"', '"revision":"0001"'))
    ran = full("import", "old.ndjson", "--state-dir", "other")
    assert ran.code == 0
    assert ran.err.startswith("warning: old.ndjson: written by an earlier program, which did not count its lines: ")


def test_an_export_of_many_lines_is_whole(full: Cli) -> None:
    with opened() as store, store.writing() as writing:
        for number in range(2_500):
            writing.put_meta(f"key-{number}", "x")
    full("export", "export.ndjson", *STATE)
    lines = Path("export.ndjson").read_text().splitlines()
    assert lines == full("export", *STATE).out.splitlines()
    assert len(lines) > 2_500


def test_the_same_store_gives_the_same_file(full: Cli) -> None:
    for name in ("a.gz", "b.gz"):
        full("export", name, *STATE)
    assert Path("a.gz").read_bytes() == Path("b.gz").read_bytes()
    assert Path("a.gz").stat().st_mode & 0o777 == 0o600


def test_an_export_goes_through_a_pipe(full: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    text = full("export", "-", *STATE).out

    class Stdin:
        buffer = io.BufferedReader(io.BytesIO(text.encode()))  # type: ignore[arg-type] # as stdin has it

    monkeypatch.setattr(sys, "stdin", Stdin)
    assert full("import", "-", "--state-dir", "other").code == 0
    assert full("export", "--state-dir", "other").out == text


def test_a_store_that_holds_something_is_merged_with_where_that_is_said(full: Cli) -> None:
    full("export", "export.ndjson", *STATE)
    ran = full("import", "export.ndjson", *STATE)
    assert (ran.code, ran.out) == (2, "")
    assert "the store holds memory, baselines already; name an empty one with --state-dir, or say --merge" in ran.err
    ran = full("import", "--merge", "export.ndjson", *STATE)
    assert ran.code == 0
    assert ran.err == "export.ndjson: 0 probes added, 0 were there or summed up already; all else is left aside\n"


def test_an_older_export_is_gone_on_from_well_ahead(full: Cli) -> None:
    full("export", "export.ndjson", *STATE)
    assert full("import", "--continue", "export.ndjson", "--state-dir", "other").code == 0
    with opened("other") as store:
        assert (store.book().next_id, store.book().first_notice) == (1_007, 1_001)
    ran = full("import", "--continue", "--merge", "export.ndjson", "--state-dir", "other")
    assert (ran.code, ran.out) == (2, "")
    assert "there is nothing to --continue" in ran.err


@pytest.fixture
def export(full: Cli) -> bytes:
    full("export", "export.gz", *STATE)
    return Path("export.gz").read_bytes()


@pytest.mark.parametrize("cut", [1, 200])
def test_an_import_that_fails_leaves_nothing_of_a_store_it_made(cut: int, export: bytes, full: Cli) -> None:
    Path("cut.gz").write_bytes(export[:-cut])
    ran = full("import", "cut.gz", "--state-dir", "new/other")
    assert (ran.code, ran.out) == (2, "")
    assert "cut.gz: not an export, or one that was cut off" in ran.err
    assert not Path("new").exists()


def test_an_import_that_fails_keeps_the_directory_and_the_store_that_were_there(export: bytes, full: Cli) -> None:
    Path("cut.gz").write_bytes(export[:-1])
    Path("there").mkdir()
    assert full("import", "cut.gz", "--state-dir", "there").code == 2
    assert list(Path("there").iterdir()) == []
    opened("other").close()
    assert full("import", "cut.gz", "--state-dir", "other").code == 2
    with opened("other") as store:
        assert store.book().next_id == 1
        assert list(store.probes(Filter())) == []


def test_an_import_that_fails_keeps_a_store_on_which_a_monitor_began(
    export: bytes, full: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun = ExitStack()

    class Slow(io.RawIOBase):
        """An export that is cut off, and so slow that a monitor is started before its end."""

        text = gzip.decompress(export)[:-30]

        def readable(self) -> bool:
            return True

        def readinto(self, buffer: Any) -> int:
            part, self.text = self.text[: len(buffer)], self.text[len(buffer) :]
            if not part and not list(Path("other").glob("*.lock")):
                begun.enter_context(begun.enter_context(opened("other")).hold("watch"))
            buffer[: len(part)] = part
            return len(part)

    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BufferedReader(Slow())))
    with begun:
        assert full("import", "-", "--state-dir", "other").code == 2
        assert Path("other", FILE_NAME).exists()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"\xff\xfe", "f: not an export: not in UTF-8"),
        (b"", "f:0: nothing is in it"),
        (b"{}", 'f:1: "kind" is not "model-lab-monitor/export"; this is no export of a store'),
        (b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03\xff\xff", "f: not an export, or one that was cut off"),
    ],
)
def test_a_file_that_is_no_export_is_a_mistake(content: bytes, message: str, cli: Cli) -> None:
    Path("f").write_bytes(content)
    ran = cli("import", "f")
    assert (ran.code, ran.out) == (2, "")
    assert message in ran.err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("import", "nowhere"), "nowhere: cannot be read: no such file or directory"),
        (("import", "."), ".: cannot be read: is a directory"),
        (("export", "nowhere/x", *STATE), "nowhere/x: cannot be written: no such file or directory"),
        (("export", "state", *STATE), "state: cannot be written: is a directory"),
    ],
)
def test_files_that_cannot_be_are_a_mistake(arguments: tuple[str, ...], message: str, full: Cli) -> None:
    ran = full(*arguments)
    assert (ran.code, ran.out) == (2, "")
    assert message in ran.err
    assert [path.name for path in Path().iterdir() if path.name.startswith(".")] == []


MAIN = f"import sys; sys.path[:0] = {sys.path!r}; from monitors.cli import main; main(sys.argv[1:])"


@pytest.mark.parametrize("rows", [0, 5_000])
def test_an_export_that_nobody_reads_to_its_end_ends_without_a_word(rows: int, full: Cli) -> None:
    with opened() as store, store.writing() as writing:
        for number in range(rows):
            writing.put_meta(f"key-{number}", "x" * 100)
    reading, writing_end = os.pipe()
    if not rows:
        os.close(reading)
    exporting = [sys.executable, "-c", MAIN, "export", *STATE]
    with subprocess.Popen(exporting, stdout=writing_end, stderr=subprocess.PIPE, text=True) as process:  # noqa: S603
        os.close(writing_end)
        assert process.stderr is not None
        if rows:
            with open(reading, encoding="utf-8") as out:  # noqa: PTH123 - a number, not a path
                assert json.loads(out.readline())["version"] == 1
        said = process.stderr.read()
        assert process.wait(60) == 141
    assert said == ""
    assert full("db", "check", *STATE).code == 0


def test_without_standard_output_a_file_is_asked_for(full: Cli) -> None:
    closing_it = ["sh", "-c", 'exec "$@" >&-', "sh", sys.executable, "-c", MAIN, "export", *STATE]
    ran = subprocess.run(closing_it, check=False, capture_output=True, text=True)  # noqa: S603 - this test's own program
    assert (ran.returncode, ran.stderr) == (2, "error: standard output is closed; name a file\n")
    assert full("export", "export.ndjson", *STATE).code == 0
