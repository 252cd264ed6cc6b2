"""What the store holds that cannot be what it should be: damage, whoever reads it, and what mends damage mends it."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing, suppress
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from monitors.config.alerting import Retention
from monitors.memory import Memory
from monitors.memory.folding import Baseline
from monitors.memory.ledger import Ledger, Sighting, observe
from monitors.memory.traits import Trait
from monitors.store import (
    FILE_NAME,
    Filter,
    IncidentFilter,
    Store,
    StoreDamagedError,
    StoreNewerError,
    open_store,
    salvage,
    sqlite_url,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from pathlib import Path

    from monitors.model import Finding
    from monitors.store import Probed


def remembered(start: datetime) -> Memory:
    return Memory(observe(Ledger(), Sighting("US5", "run", start, frozenset({Trait("$", "object")}))))


@pytest.fixture
def path(
    tmp_path: Path,
    start: datetime,
    probe: Callable[..., Probed],
    finding: Callable[..., Finding],
    fill: Callable[[Store], None],
) -> Path:
    """Return a small store that has something of everything, with a backup, closed and all in its file."""
    path = tmp_path / FILE_NAME
    with open_store(sqlite_url(path)) as store:
        fill(store)
        with store.writing() as writing:
            writing.put_memory(Memory(), remembered(start))
            writing.keep_baseline("US5", "42", Baseline(start, "x", {"a": 1}))
            writing.add_probes("", [probe(at=start, findings=(finding(),), body=b"bad", available=False)])
        store.roll_up()
        with store.writing() as writing:
            writing.add_probes("", [probe(at=start + timedelta(minutes=n)) for n in range(1, 4)])
        store.backup()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").close()
    return path


def change(path: Path, statement: str) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA foreign_keys = OFF")
        connection.execute(statement)
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").close()


def use(path: Path, start: datetime, probe: Callable[..., Probed]) -> None:
    """Do with a store what commands and `watch` do."""
    at = start + timedelta(minutes=9)
    with open_store(sqlite_url(path)) as store:
        store.book(), store.memory(), store.memory_revision(), store.baseline("US5", "42")
        store.incidents(IncidentFilter()), store.incident(1), store.events(1), store.notices(1)
        store.due("chat", at), store.next_due("chat"), store.undelivered()
        for row in store.probes(Filter()):
            if row.body:
                store.body(row.body)
        store.uptime(Filter(), by="check")
        with store.writing() as writing:
            before, memory = writing.book(), writing.memory()
            writing.put_last_batches([*writing.last_batches(), "a"])
            writing.add_probes("", [probe(at=at), probe("EU1", at=at, body=b"worse")])
            writing.put_book(before, replace(before, tracks={}, next_id=before.next_id + 1))
            writing.put_memory(memory, remembered(at))
        store.mark_delivered(1, at)
        store.roll_up()
        store.retain(at, Retention())
        list(store.export())
        store.backup()


ROT = [
    "UPDATE incidents SET finding = 'x' || substr(finding, 2)",
    "UPDATE incidents SET level = 99",
    "UPDATE incidents SET spells = '{}'",
    "UPDATE incidents SET acknowledged = '[1]'",
    "UPDATE tracks SET finding = '[]'",
    "UPDATE tracks SET results = 'y'",
    "UPDATE told SET kind = 'odd'",
    "UPDATE silences SET content = '[]'",
    "UPDATE events SET kind = 'odd'",
    "UPDATE outbox SET content = '{'",
    "UPDATE outbox SET next_at_us = 'soon'",
    "UPDATE meta SET value = 'x' WHERE key = 'next_incident'",
    "UPDATE meta SET value = '1' WHERE key = 'next_incident'",
    "UPDATE meta SET value = 'x' WHERE key = 'rolled_up_to'",
    "UPDATE meta SET value = 'x' WHERE key = 'memory_revision'",
    "UPDATE meta SET value = x'ff' WHERE key = 'program'",
    "DELETE FROM meta WHERE key = 'installation'",
    "UPDATE memory SET content = x'00'",
    "UPDATE memory SET site = CAST(x'ff' AS TEXT)",
    "UPDATE baselines SET content = x'00'",
    "UPDATE bodies SET content = x'00'",
    "UPDATE findings SET content = '{}'",
    "UPDATE series SET site = CAST(x'ff' AS TEXT)",
    "DELETE FROM series",
    "UPDATE rollups SET latencies = x'07'",
    "UPDATE probes SET at_ms = 'then' WHERE id = 4",
    "UPDATE probes SET total_us = -1 WHERE id = 4",
    "UPDATE probes SET verdict = 9 WHERE id = 1",
    "UPDATE alembic_version SET version_num = 'xx'",
    "DELETE FROM alembic_version",
    "ALTER TABLE incidents RENAME COLUMN why_resolved TO why_resolvec",
    "DROP TABLE tracks",
]


@pytest.mark.parametrize("statement", ROT)
def test_a_row_that_makes_no_sense_is_damage_and_mended_as_damage_is(
    statement: str, path: Path, start: datetime, probe: Callable[..., Probed]
) -> None:
    change(path, statement)
    with pytest.raises(
        StoreDamagedError, match=r"the file is damaged: .*; `model-lab-monitor db check --salvage`"
    ) as found:
        use(path, start, probe)
    assert found.value.path == path
    assert "\n" not in str(found.value)
    salvage(path)
    with open_store(sqlite_url(path)) as store:
        assert store.check() == []
    use(path, start, probe)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b"why_resolved", b"why_resolvec"),
        (b"why_resolved", b"why_resolve\xff"),
        (b"CREATE TABLE incidents", b"CREATE TABLE incident\xff"),
        (b"CREATE TABLE incidents", b"CREATE TABLF incidents"),
        (b"CREATE TABLE told", b"CREATE TABLE to\xffd"),
        (b"rule TEXT", b"rule TEX\xff"),
        (b"CREATE INDEX ix_events_incident", b"CREATE INDEX ix_events_inciden\xff"),
    ],
)
def test_damage_in_the_definitions_of_tables_is_mended_too(
    before: bytes, after: bytes, path: Path, start: datetime, probe: Callable[..., Probed]
) -> None:
    content = path.read_bytes()
    assert before in content
    path.write_bytes(content.replace(before, after))
    with suppress(StoreDamagedError):
        use(path, start, probe)
        pytest.fail("it is damaged")
    salvage(path)
    with open_store(sqlite_url(path)) as store:
        assert store.check() == []
        assert sorted(store.book().incidents) == [1, 2]
    use(path, start, probe)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_byte_that_flips_is_never_a_mystery(
    data: st.DataObject, path: Path, start: datetime, probe: Callable[..., Probed]
) -> None:
    kept = path.with_name("whole")
    if not kept.exists():
        shutil.copy(path, kept)
        shutil.copy(path.with_name(f"{FILE_NAME}.backup"), path.with_name("copy"))
    shutil.copy(path.with_name("copy"), path.with_name(f"{FILE_NAME}.backup"))
    content = bytearray(kept.read_bytes())
    # The first hundred say what kind of file it is.
    used = [at for at in range(100, len(content)) if content[at]]
    at = data.draw(st.sampled_from(used))
    content[at] ^= data.draw(st.integers(1, 255))
    for end in ("-wal", "-shm"):
        path.with_name(FILE_NAME + end).unlink(missing_ok=True)
    path.write_bytes(content)
    with suppress(StoreDamagedError, StoreNewerError):
        use(path, start, probe)
    salvage(path)
    with open_store(sqlite_url(path)) as store:
        assert store.check() == []


def test_a_backup_of_rows_that_make_sense_is_not_replaced_by_others(path: Path) -> None:
    backup = path.with_name(f"{FILE_NAME}.backup")
    before = backup.read_bytes()
    change(path, "UPDATE incidents SET finding = 'x' WHERE id = 2")
    with open_store(sqlite_url(path)) as store, pytest.raises(StoreDamagedError, match="incidents: row 2") as found:
        store.backup()
    assert found.value.path == path
    assert backup.read_bytes() == before


def test_a_mistake_of_the_program_is_not_taken_for_damage(path: Path) -> None:
    mine = "mine"
    with open_store(sqlite_url(path)) as store:
        with pytest.raises(KeyError, match="mine"), store.writing():
            raise KeyError(mine)
        change(path, "UPDATE incidents SET finding = 'x' WHERE id = 2")
        with pytest.raises(StoreDamagedError, match="incidents: row 2"), store.writing():
            raise KeyError(mine)


def test_an_id_that_is_far_from_all_others_takes_no_age_to_salvage(path: Path) -> None:
    change(path, "UPDATE events SET id = 1 << 61 WHERE id = 1")
    assert salvage(path).kept["events"] == 1


def test_on_a_server_a_row_that_makes_no_sense_is_told_with_another_way_out(store: Store, fill: Any) -> None:
    fill(store)
    with store.writing() as writing:
        writing.connection.exec_driver_sql("UPDATE incidents SET spells = '{'")
    with pytest.raises(StoreDamagedError) as found:
        store.book()
    way_out = "`model-lab-monitor db check --salvage`" if store.path else "restore a backup of the server"
    assert f'incidents: row 1: "spells" must be a list of spells; {way_out}' in str(found.value)
    assert found.value.path == store.path
