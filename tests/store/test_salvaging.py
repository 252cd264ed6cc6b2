from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from monitors.config.alerting import SinkSettings, Thresholds
from monitors.incidents.model import Event, EventKind, NoticeKind, Told
from monitors.incidents.planning import Surroundings, plan
from monitors.memory import Memory
from monitors.memory.folding import Baseline
from monitors.memory.ledger import Ledger, Sighting, observe
from monitors.memory.traits import Trait
from monitors.model import Level
from monitors.store import (
    FILE_NAME,
    Filter,
    Store,
    StoreDamagedError,
    StoreFullError,
    open_store,
    salvage,
    sqlite_url,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from pathlib import Path

    from monitors.incidents.model import Book, Incident, Notice
    from monitors.model import Finding
    from monitors.store import Probed

PAGE = 4096
COUNT = 2_000


@pytest.fixture
def path(
    tmp_path: Path,
    start: datetime,
    probe: Callable[..., Probed],
    finding: Callable[..., Finding],
    fill: Callable[[Store], None],
) -> Path:
    """Return a full store with a backup, closed."""
    path = tmp_path / FILE_NAME
    with open_store(sqlite_url(path)) as store:
        fill(store)
        with store.writing() as writing:
            traits = frozenset({Trait("$", "object")})
            writing.put_memory(Memory(), Memory(observe(Ledger(), Sighting("US5", "run", start, traits))))
            writing.keep_baseline("US5", "42", Baseline(start, "x", {"a": 1}))
            for n in range(COUNT):
                bad = n % 100 == 0
                seen = probe(
                    at=start + n * timedelta(minutes=1),
                    available=not bad,
                    verdict="breaking" if bad else "none",
                    findings=(finding(message=str(n)),) if bad else (),
                    body=str(n).encode() if bad else b"",
                )
                writing.add_probes("", [seen])
        store.roll_up()
        store.backup()
    return path


def checkpointed(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").close()


def overwrite(path: Path, pages: list[int], content: bytes = b"\xab" * PAGE) -> None:
    checkpointed(path)
    with path.open("rb+") as file:
        for page in pages:
            file.seek((page - 1) * PAGE)
            file.write(content)


def ahead(book: Book, by: int = 1_000) -> Book:
    """Return a book whose numbers go on well ahead; the fixture's last ones are an incident 2 and a notice 1."""
    told = {key: replace(each, number=each.number + by) for key, each in book.told.items()}
    return replace(book, next_id=3 + by, told=told, first_notice=1 + by)


def root_of(path: Path, name: str) -> int:
    with closing(sqlite3.connect(path)) as connection:
        return int(connection.execute("SELECT rootpage FROM sqlite_master WHERE name = ?", (name,)).fetchone()[0])


def test_a_sound_file_is_carried_over_whole(path: Path) -> None:
    with open_store(sqlite_url(path)) as store:
        book, memory, events = store.book(), store.memory(), store.events(1)
        probes, uptime, waiting = list(store.probes(Filter())), store.uptime(Filter()), store.undelivered()
    outcome = salvage(path)
    assert outcome.lost == outcome.from_backup == {}
    assert outcome.kept["probes"] == COUNT
    assert outcome.aside.name.startswith(f"{FILE_NAME}.damaged-2")
    assert outcome.aside.exists()
    with open_store(sqlite_url(path)) as store:
        assert store.check() == []
        assert (store.book(), store.memory(), store.events(1)) == (book, memory, events)
        assert (list(store.probes(Filter())), store.uptime(Filter()), store.undelivered()) == (probes, uptime, waiting)
        assert store.baseline("US5", "42") is not None
        assert store.roll_up() == 0


def test_a_file_of_an_earlier_revision_is_carried_over_whole(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("ALTER TABLE probes DROP COLUMN again")
        connection.execute("UPDATE alembic_version SET version_num = '0001'")
        connection.commit()
    outcome = salvage(path)
    assert (outcome.lost, outcome.kept["probes"]) == ({}, COUNT)
    with open_store(sqlite_url(path)) as store:
        assert store.check() == []
        assert len(list(store.probes(Filter()))) == COUNT


def test_a_table_that_lacks_more_than_it_may_gives_its_place_to_the_backup(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("ALTER TABLE events DROP COLUMN by_whom")
    assert salvage(path).from_backup["events"] == 1


def test_what_was_written_last_is_carried_over_too(path: Path, start: datetime, probe: Callable[..., Probed]) -> None:
    with open_store(sqlite_url(path)) as store:
        with store.writing() as writing:
            writing.add_probes("", [probe("EU1", at=start)])
        for name in (FILE_NAME, f"{FILE_NAME}-wal"):
            shutil.copy(path.with_name(name), path.with_name(f"copy-{name}"))
    path.with_name(f"copy-{FILE_NAME}").rename(path)
    path.with_name(f"copy-{FILE_NAME}-wal").rename(path.with_name(f"{FILE_NAME}-wal"))
    assert salvage(path).kept["probes"] == COUNT + 1


def test_a_file_that_is_no_database_gives_its_place_to_the_backup(path: Path) -> None:
    with open_store(sqlite_url(path)) as store:
        book = store.book()
    checkpointed(path)
    path.write_bytes(b"no database at all")
    with pytest.raises(StoreDamagedError):
        open_store(sqlite_url(path))
    outcome = salvage(path)
    assert outcome.kept == {}
    assert set(outcome.lost.values()) == {None}
    assert outcome.from_backup["incidents"] == 2
    with open_store(sqlite_url(path)) as store:
        assert store.book() == ahead(book)
        assert store.baseline("US5", "42") is not None
        assert list(store.probes(Filter())) == []
        assert sum(row.probes for row in store.uptime(Filter())) == COUNT
        # What is in the sums is not counted again under ids that were used.
        assert store.roll_up() == 0


def test_without_a_backup_a_new_store_begins(path: Path) -> None:
    checkpointed(path)
    path.write_bytes(b"")
    path.with_name(f"{FILE_NAME}.backup").unlink()
    outcome = salvage(path)
    assert (outcome.kept, outcome.from_backup) == ({}, {})
    with open_store(sqlite_url(path)) as store:
        assert store.book().next_id == 1
        assert store.check() == []


def test_only_the_rows_on_a_broken_page_are_lost(path: Path) -> None:
    checkpointed(path)
    with closing(sqlite3.connect(path)) as connection:
        (page,) = connection.execute(
            "SELECT pageno FROM dbstat WHERE name = 'probes' AND pagetype = 'leaf' ORDER BY pageno LIMIT 1 OFFSET 3"
        ).fetchone()
    overwrite(path, [page])
    outcome = salvage(path)
    lost = outcome.lost["probes"]
    assert lost is not None
    assert 0 < lost < 200
    assert outcome.kept["probes"] == COUNT - lost
    with open_store(sqlite_url(path)) as store:
        assert store.check() == []
        assert sum(row.probes for row in store.uptime(Filter())) == COUNT


@pytest.mark.parametrize("name", ["incidents", "tracks", "told", "silences", "outbox", "memory", "baselines", "meta"])
def test_a_small_table_that_is_lost_comes_from_the_backup(name: str, path: Path) -> None:
    with open_store(sqlite_url(path)) as store:
        book, memory, waiting = store.book(), store.memory(), store.undelivered()
    overwrite(path, [root_of(path, name)])
    outcome = salvage(path)
    assert outcome.from_backup[name]
    assert list(outcome.lost) == [name]
    with open_store(sqlite_url(path)) as store:
        kept = book if name in {"memory", "baselines"} else ahead(book)
        assert (store.book(), store.memory(), store.undelivered()) == (kept, memory, waiting)
        assert store.baseline("US5", "42") is not None
        assert store.check() == []
        assert store.roll_up() == 0


SINKS = (SinkSettings("chat", "stdout"), SinkSettings("mail", "stdout"))


def live(path: Path, at: datetime, incident: Callable[..., Incident]) -> dict[str, tuple[object, ...]]:
    """Open an incident, tell of everything there is, end all of it; returns what each key was used for."""
    with open_store(sqlite_url(path)) as store, store.writing() as writing:
        before = writing.book()
        number, opened = before.next_id, at + timedelta(hours=1)
        made = {**before.incidents, number: incident(number, since=at, opened=opened)}
        book = replace(before, incidents=made, next_id=number + 1)
        over = {key: replace(each, resolved=opened, why_resolved="recovered") for key, each in made.items()}
        notices: list[Notice] = []
        for incidents in (made, over):
            planned = plan(replace(book, incidents=incidents), Surroundings(opened, SINKS, Thresholds()))
            book = planned.book
            notices += planned.notices
        writing.put_book(before, book)
        writing.queue(notices)
    return {notice.key: (number, notice.incident, notice.kind, at) for notice in notices}


def test_a_store_from_its_backup_uses_no_key_again_however_often_it_is_mended(
    path: Path, start: datetime, incident: Callable[..., Incident]
) -> None:
    with open_store(sqlite_url(path)) as store, store.writing() as writing:
        # Silenced so far: of the second incident nobody was told yet.
        book = writing.book()
        writing.put_book(book, replace(book, silences=()))
    with open_store(sqlite_url(path)) as store:
        store.backup()
    used: dict[str, tuple[object, ...]] = {}
    for hour in range(4):
        checkpointed(path)
        lived = live(path, start + hour * timedelta(hours=1), incident)
        assert len(lived) >= 6
        assert used.keys() & lived.keys() == set()
        used |= lived
        path.with_name(f"{FILE_NAME}-wal").unlink(missing_ok=True)
        path.write_bytes(b"no database at all")
        assert salvage(path).from_backup["incidents"] == 2
    installations = {key.partition("-")[0] for key in used}
    assert len(installations) == 1


def test_what_was_written_last_may_be_lost_without_a_row_that_is(path: Path) -> None:
    checkpointed(path)
    with open_store(sqlite_url(path)) as store:
        book = store.book()
    # Whatever this was, SQLite does not open a file beside which there is a directory of that name.
    path.with_name(f"{FILE_NAME}-wal").unlink(missing_ok=True)
    path.with_name(f"{FILE_NAME}-wal").mkdir()
    outcome = salvage(path)
    assert (outcome.lost, outcome.from_backup) == ({}, {})
    with open_store(sqlite_url(path)) as store:
        assert store.book() == ahead(book)


def test_probes_that_are_lost_change_no_number(path: Path) -> None:
    with open_store(sqlite_url(path)) as store:
        book = store.book()
    overwrite(path, [root_of(path, "probes")])
    assert "probes" in salvage(path).lost
    with open_store(sqlite_url(path)) as store:
        assert store.book() == book


def test_series_that_are_lost_come_from_the_backup_and_keep_their_probes(path: Path) -> None:
    overwrite(path, [root_of(path, "series")])
    outcome = salvage(path)
    assert outcome.from_backup == {"series": 1}
    assert outcome.kept["probes"] == COUNT


def test_an_incident_does_not_go_back_to_before_its_end(path: Path, start: datetime) -> None:
    over = start + timedelta(hours=9)
    with open_store(sqlite_url(path)) as store, store.writing() as writing:
        book = writing.book()
        done = replace(book.incidents[1], resolved=over, why_resolved="recovered")
        after = replace(book, incidents={**book.incidents, 1: done}, next_id=9)
        writing.put_book(book, after, [Event(1, over, EventKind.RESOLVED, "recovered")])
    overwrite(path, [root_of(path, "incidents")])
    salvage(path)
    with open_store(sqlite_url(path)) as store:
        assert {number: each.resolved for number, each in store.book().incidents.items()} == {1: over, 2: None}
        assert store.book().next_id == 1_009


def test_notices_are_counted_on_from_the_last_one(path: Path, start: datetime, notice: Callable[..., Notice]) -> None:
    with open_store(sqlite_url(path)) as store, store.writing() as writing:
        book = writing.book()
        told = Told(1, "chat", 4, NoticeKind.UPDATED, start, ("US5",), Level.BREAKING)
        writing.put_book(book, replace(book, told={(1, "chat"): told}))
        writing.queue([notice(number=4)])
    overwrite(path, [root_of(path, "told")])
    salvage(path)
    with open_store(sqlite_url(path)) as store:
        assert store.book().told[1, "chat"].number == 1_004


def test_a_lost_meta_table_loses_no_number_of_an_incident(path: Path) -> None:
    with open_store(sqlite_url(path)) as store:
        installation = store.book().installation
    path.with_name(f"{FILE_NAME}.backup").unlink()
    overwrite(path, [root_of(path, "meta")])
    outcome = salvage(path)
    assert outcome.lost == {"meta": None}
    with open_store(sqlite_url(path)) as store:
        # The keys of notices begin with another word from here on.
        assert store.book().installation != installation
        assert store.book().next_id == 3
        assert store.check() == []
        assert store.roll_up() == 0


@pytest.mark.parametrize(
    ("statement", "lost"),
    [
        ("UPDATE incidents SET finding = 'x' WHERE id = 1", {"incidents": 1}),
        ("UPDATE bodies SET content = 'x' WHERE id = 3", {"bodies": 1}),
        ("UPDATE rollups SET latencies = 'x' WHERE period = 2", {"rollups": 2}),
        ("UPDATE probes SET verdict = 77 WHERE id = 7", {"probes": 1}),
        ("UPDATE probes SET total_us = 'x' WHERE id = 7", {"probes": 1}),
        ("UPDATE probes SET rule = x'00' WHERE id = 1", {"probes": 1, "probe_findings": 1}),
        ("UPDATE probes SET series = 99 WHERE id = 7", {"probes": 1}),
        ("DELETE FROM bodies WHERE id = 3", {}),
        ("UPDATE series SET rolled_available = 7", {"series": 1}),
        ("DROP TABLE tracks", {"tracks": None}),
        ("ALTER TABLE told ADD COLUMN more", {}),
        ("ALTER TABLE told RENAME COLUMN number TO numbes", {}),
        ("ALTER TABLE probes RENAME COLUMN at_ms TO at_mr", {}),
        ("DELETE FROM meta WHERE key = 'installation'", {"meta": 1}),
    ],
)
def test_rows_that_make_no_sense_are_refused(statement: str, lost: dict[str, int | None], path: Path) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA foreign_keys = OFF")
        connection.execute(statement)
    assert salvage(path).lost == lost
    with open_store(sqlite_url(path)) as store:
        assert store.check() == []


def test_two_salvages_within_a_second_keep_both_files(path: Path) -> None:
    first, second = salvage(path), salvage(path)
    assert first.aside.exists()
    assert second.aside.exists()
    assert first.aside != second.aside


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_damage_leaves_a_sound_store(data: st.DataObject, path: Path) -> None:
    kept = path.with_name("whole")
    if not kept.exists():
        checkpointed(path)
        shutil.copy(path, kept)
    content = bytearray(kept.read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(content) - 1))
        more: Any = data.draw(st.binary(min_size=1, max_size=3_000))
        content[at : at + len(more)] = more
    if data.draw(st.booleans()):
        del content[data.draw(st.integers(0, len(content))) :]
    path.write_bytes(content)
    salvage(path)
    with open_store(sqlite_url(path)) as store:
        assert store.check() == []
        assert store.book().next_id >= 3


def test_a_damaged_file_does_not_replace_a_backup_that_is_sound(path: Path) -> None:
    checkpointed(path)
    with closing(sqlite3.connect(path)) as connection:
        (page,) = connection.execute(
            "SELECT pageno FROM dbstat WHERE name = 'probes' AND pagetype = 'leaf' ORDER BY pageno LIMIT 1 OFFSET 3"
        ).fetchone()
    overwrite(path, [page])
    backup = path.with_name(f"{FILE_NAME}.backup")
    before = backup.read_bytes()
    with open_store(sqlite_url(path)) as store:
        with pytest.raises(StoreDamagedError, match="the file is damaged: "):
            store.backup()
        assert "the file is damaged" in store.check()[-1]
    assert backup.read_bytes() == before


def test_a_backup_that_cannot_be_written_is_told(path: Path) -> None:
    backup = path.with_name(f"{FILE_NAME}.backup")
    backup.unlink()
    backup.mkdir()
    with (
        open_store(sqlite_url(path)) as store,
        pytest.raises(StoreFullError, match=r"\.backup: cannot be written to: "),
    ):
        store.backup()
    assert [each.name for each in path.parent.iterdir() if each.name.startswith(".")] == []
