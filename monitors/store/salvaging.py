"""A damaged file: put aside, and what can still be read of it carried into a fresh one, completed from the backup.

Nothing goes back in time: what the damaged file still tells counts before the backup, and where it lost an incident's
row but not its events, the backup's older row is brought up to them.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, select, update

from monitors.incidents.model import EventKind
from monitors.store import sql, tables
from monitors.store.book_keeping import AHEAD, go_ahead, next_incident
from monitors.store.damaged import Source
from monitors.store.engine import Database, make_file, sqlite_url
from monitors.store.keys import INSTALLATION, MARK, NEXT_INCIDENT
from monitors.store.migrating import prepare
from monitors.store.reading import meta
from monitors.store.sense import READS
from monitors.store.upkeep import BACKUP
from monitors.store.values import Salvaged

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path

    from sqlalchemy import Connection, Table

_WAL, _SHM = "-wal", "-shm"
_ORDER: tuple[Table, ...] = (
    tables.meta,
    tables.series,
    tables.incidents,
    tables.events,
    tables.tracks,
    tables.told,
    tables.silences,
    tables.outbox,
    tables.memory,
    tables.baselines,
    tables.findings,
    tables.bodies,
    tables.rollups,
    tables.probes,
    tables.probe_findings,
)
"""What others refer to comes first, and of all else the most precious."""
_BOOK = frozenset({"meta", "incidents", "events", "tracks", "told", "silences", "outbox"})
_BULKY = frozenset({"bodies", "probes", "probe_findings", "findings"})
_CHUNK = 2_000
_BODY = tables.probes.columns.keys().index("body")


def salvage(path: Path) -> Salvaged:
    """Put a damaged file aside, make a fresh store in its place, and carry over what can be read; nobody may use it.

    Small tables that lost rows are completed from `NAME.backup`. Where the book did, or may have lost what was written
    last, incidents and notices are numbered well ahead of what is known, in the backup too. Raises the errors of the
    store where the disk does not take the fresh one; the damaged file then lies aside, and nothing of it is lost.
    """
    aside = _put_aside(path)
    make_file(path)
    database = Database(sqlite_url(path), 5.0)
    try:
        prepare(database, migrate=True)
        outcome = Salvaged(aside)
        copy = path.with_name(BACKUP.format(name=path.name))
        with database.writing() as connection, closing(Source(aside)) as damaged:
            fresh = meta(connection)[INSTALLATION]
            with closing(Source(copy)) as backup:
                for table in _ORDER:
                    _carry(connection, table, damaged, backup, outcome)
            _mend(connection, outcome)
            known = meta(connection)
            lost = damaged.is_behind or _BOOK & (outcome.lost.keys() | outcome.from_backup.keys())
            # The keys of notices begin with its word: under a new one none was ever used.
            if lost and known[INSTALLATION] != fresh:
                _pass_on(copy, go_ahead(connection, known))
    finally:
        database.close()
    return outcome


def _put_aside(path: Path) -> Path:
    """Rename the file with what SQLite keeps beside it; returns its new name."""
    stamp = f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}"
    aside, number = path.with_name(f"{path.name}.damaged-{stamp}"), 1
    while aside.exists():
        number += 1
        aside = path.with_name(f"{path.name}.damaged-{stamp}-{number}")
    for end in ("", _WAL, _SHM):
        part = path.with_name(path.name + end)
        if part.exists():
            part.rename(aside.with_name(aside.name + end))
    return aside


def _carry(connection: Connection, table: Table, damaged: Source, backup: Source, outcome: Salvaged) -> None:
    """Copy one table: the rows the damaged file gives, and where it lost some, those of the backup that are missing."""
    kept = set(connection.execute(select(tables.bodies.c.id)).scalars()) if table is tables.probes else set()

    def fits(row: tuple[Any, ...]) -> tuple[Any, ...] | None:
        """Return a row that makes sense, a probe without its body where that is lost."""
        try:
            READS[table.name](row)
        except Exception:  # noqa: BLE001 - damage comes in any form
            return None
        if table is not tables.probes or row[_BODY] is None or row[_BODY] in kept:
            return row
        return (*row[:_BODY], None, *row[_BODY + 1 :])

    put = _Putting(connection, table, fits)
    put.all(damaged.rows(table))
    lost = damaged.lost(table)
    if table is tables.meta and lost is not None and (INSTALLATION,) not in put.seen:
        # No store is without it.
        lost += 1
    if put.kept:
        outcome.kept[table.name] = put.kept
    if lost is None or lost + put.refused:
        if table.name not in _BULKY:
            more = _Putting(connection, table, fits, seen=put.seen)
            more.all(backup.rows(table))
            if more.kept:
                outcome.from_backup[table.name] = more.kept
        outcome.lost[table.name] = None if lost is None else lost + put.refused


class _Putting:
    """Puts rows into a table, each key once; counts those kept, and those refused because they make no sense."""

    def __init__(
        self,
        connection: Connection,
        table: Table,
        fits: Callable[[tuple[Any, ...]], tuple[Any, ...] | None],
        seen: set[Any] | None = None,
    ) -> None:
        self._connection, self._table, self._fits = connection, table, fits
        self._key = [position for position, column in enumerate(table.columns) if column.primary_key]
        self.seen: set[Any] = set() if seen is None else seen
        self.kept = self.refused = 0

    def all(self, rows: Iterable[tuple[Any, ...]]) -> None:
        chunk: list[tuple[Any, ...]] = []
        for row in rows:
            key = tuple(row[position] for position in self._key)
            if key in self.seen:
                continue
            fitting = self._fits(row)
            if fitting is None:
                self.refused += 1
                continue
            self.seen.add(key)
            chunk.append(fitting)
            if len(chunk) >= _CHUNK:
                self._put(chunk)
                chunk = []
        self._put(chunk)

    def _put(self, chunk: list[tuple[Any, ...]]) -> None:
        """Put rows together, or one by one where one of them breaks a rule of the table."""
        try:
            with self._connection.begin_nested():
                sql.upsert(self._connection, self._table, chunk)
            self.kept += len(chunk)
        except Exception as error:
            if not isinstance(getattr(error, "orig", None), sqlite3.IntegrityError):
                raise
            if len(chunk) == 1:
                self.refused += 1
                return
            for row in chunk:
                self._put([row])


# --- nothing goes back in time ---------------------------------------------------------------------------------------


def _mend(connection: Connection, outcome: Salvaged) -> None:
    """Bring what came from the backup up to what the damaged file still tells."""
    if "incidents" in outcome.lost:
        _resolve_as_told(connection)
    if "told" in outcome.lost:
        _number_as_queued(connection)
    known = dict(meta(connection))
    changed = [(NEXT_INCIDENT, str(next_incident(connection, known)))]
    if "meta" in outcome.lost:
        # Of probes that are in the sums perhaps, none is counted twice.
        last = connection.execute(select(func.max(tables.probes.c.id))).scalar_one() or 0
        changed.append((MARK, str(max(last, int(known.get(MARK, "0"))))))
    sql.upsert(connection, tables.meta, changed)


def _resolve_as_told(connection: Connection) -> None:
    """Let an incident be over whose end is on its timeline."""
    event, incident = tables.events.c, tables.incidents.c
    ends = select(event.incident, func.max(event.at_us)).where(event.kind == str(EventKind.RESOLVED))
    for number, at_us in connection.execute(ends.group_by(event.incident)).all():
        connection.execute(
            update(tables.incidents)
            .where(incident.id == number, incident.resolved_us.is_(None))
            .values(resolved_us=at_us, why_resolved="recovered")
        )


def _number_as_queued(connection: Connection) -> None:
    """Let notices be counted on from the last in the outbox: a number used again would be taken for a repetition."""
    queued, known = tables.outbox.c, tables.told.c
    counted = select(queued.incident, queued.sink, func.max(queued.number)).where(queued.incident > 0)
    for number, sink, last in connection.execute(counted.group_by(queued.incident, queued.sink)).all():
        connection.execute(
            update(tables.told)
            .where(known.incident == number, known.sink == sink, known.number < last)
            .values(number=last)
        )


def _pass_on(backup: Path, numbers: Mapping[str, str]) -> None:
    """Let the backup know how numbers go on: what is mended from it once more is not to use the same again."""
    try:
        with closing(sqlite3.connect(f"{backup.absolute().as_uri()}?mode=rw", uri=True)) as copy, copy:
            copy.executemany("REPLACE INTO meta VALUES (?, ?)", list(numbers.items()))
            copy.execute("UPDATE told SET number = number + ?", (AHEAD,))
    except sqlite3.Error:
        # None there, or damaged too: nothing will be taken from it.
        return
