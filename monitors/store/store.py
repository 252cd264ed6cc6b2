"""The store: everything the monitor keeps, in one SQLite file or one PostgreSQL database."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Self

from monitors.store import (
    book_keeping,
    exporting,
    holding,
    importing,
    memories,
    outbox,
    outcomes,
    reading,
    rollups,
    upkeep,
    uptimes,
)
from monitors.store.cache import Cache
from monitors.store.engine import Database, make_file
from monitors.store.errors import StoreBusyError, StoreDamagedError
from monitors.store.forms import from_millis
from monitors.store.keys import GENERATION, HOURS_FROM, MARK, REVISION, SUCCESSES_FROM
from monitors.store.migrating import prepare
from monitors.store.retention import CHUNK, SUCCESSES, delete_some, hours_from, steps, successes_from
from monitors.store.shelf import take_over
from monitors.store.values import Counts, Taken
from monitors.store.writing import Writing

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator
    from datetime import datetime
    from pathlib import Path

    from monitors.config.alerting import Retention
    from monitors.incidents.model import Book, Event, Incident
    from monitors.memory.folding import Baseline, Memory
    from monitors.store.outcomes import Outcome
    from monitors.store.values import Body, Filter, IncidentFilter, OutboxRow, ProbeRow, Queued, UptimeRow


def open_store(url: str, *, migrate: bool = True, busy_timeout_s: float = 5.0) -> Store:
    """Return the store at a URL, `sqlite:///PATH` or `postgresql://…`, made where there is none yet.

    Tables of an earlier program are moved forward unless `migrate` says no, and what still earlier ones kept in files
    of a state directory is taken over. Waits `busy_timeout_s` at most for other
    processes. Raises `UsageError` for a URL or path that cannot be, and the errors of `monitors.store.errors`.
    """
    database = Database(url, busy_timeout_s)
    try:
        if database.path is not None:
            make_file(database.path)
        prepare(database, migrate=migrate)
        store = Store(database)
        take_over(store)
    except BaseException:
        database.close()
        raise
    return store


class Store:
    """An open store; safe to use from any thread. Every method may raise the errors of `monitors.store.errors`."""

    def __init__(self, database: Database) -> None:
        """Take a database whose tables are there."""
        self.database = database
        self.url_shown = database.shown
        self._cache = Cache()
        self._lock = threading.Lock()
        self._hold: holding.FileHold | holding.ServerHold | None = None

    def __enter__(self) -> Self:
        """Return the store itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close it."""
        self.close()

    @property
    def path(self) -> Path | None:
        """The file of the store, None for a server."""
        return self.database.path

    @property
    def folder(self) -> Path | None:
        """The directory of the store's file, None for a server."""
        return None if self.path is None else self.path.parent

    def close(self) -> None:
        """Close every connection."""
        self.database.close()

    @contextmanager
    def writing(self) -> Iterator[Writing]:
        """Give one transaction that no other writer is in; it is kept whole, or after any exception not at all.

        Within it, nothing else of the store may be written to by the same thread: it would wait for itself.
        """
        if not self._lock.acquire(timeout=self.database.busy_timeout_s):
            message = f"{self.url_shown}: another thread of this process writes to the store for too long"
            raise StoreBusyError(message)
        try:
            self.database.assure_file()
            if self._hold is not None:
                self._hold.assure()
            with self.database.writing() as connection:
                writing = Writing(connection, self._cache)
                yield writing
                writing.finish()
            self._cache = writing.cache
        finally:
            self._lock.release()

    @contextmanager
    def hold(self, who: str) -> Iterator[None]:
        """Keep the store for this instance of the monitor alone; raises `HeldError` naming the one that has it.

        Others may still read and write: one instance is meant, not one process.
        """
        if self.database.path is not None:
            hold: holding.FileHold | holding.ServerHold = holding.FileHold(self.database.path, self.url_shown, who)
        else:
            hold = holding.ServerHold(self.database, who)
        before, self._hold = self._hold, hold
        try:
            yield
        finally:
            self._hold = before
            hold.release()

    def succeed(self, before: Store) -> None:
        """Take the place of a store in the same file, and the hold on it; raises `HeldError` where another has it."""
        if before._hold is not None:
            before._hold.assure()
            self._hold = before._hold

    # --- incidents and memory ----------------------------------------------------------------------------------------

    def book(self) -> Book:
        """Return the book of incidents."""
        with self.database.reading() as connection:
            return book_keeping.read(connection, reading.meta(connection))

    def incidents(self, wanted: IncidentFilter) -> list[Incident]:
        """Return the incidents a filter asks for: open ones first, then the newest first."""
        with self.database.reading() as connection:
            return reading.incidents(connection, wanted)

    def incident(self, number: int) -> Incident | None:
        """Return an incident by its id."""
        with self.database.reading() as connection:
            return reading.incident(connection, number)

    def events(self, incident: int) -> list[Event]:
        """Return the timeline of an incident, in order."""
        with self.database.reading() as connection:
            return reading.events(connection, incident)

    def notices(self, incident: int) -> list[OutboxRow]:
        """Return every notice of an incident, in order."""
        with self.database.reading() as connection:
            return outbox.of_incident(connection, incident)

    def memory(self) -> Memory:
        """Return what the drift engine remembers."""
        with self.database.reading() as connection:
            return memories.read(connection)

    def memory_revision(self) -> int:
        """Return a number that moves with every change of the memory."""
        with self.database.reading() as connection:
            return int(reading.meta(connection).get(REVISION, "0"))

    def baseline(self, site: str, run_id: str) -> Baseline | None:
        """Return how a canary run was first seen."""
        with self.database.reading() as connection:
            return memories.baseline(connection, site, run_id)

    # --- history -----------------------------------------------------------------------------------------------------

    def probes(self, wanted: Filter, *, newest_first: bool = False, limit: int | None = None) -> Iterator[ProbeRow]:
        """Yield the probes a filter asks for by time, each with its findings; memory stays flat."""
        with self.database.reading() as connection:
            yield from reading.probes(connection, wanted, newest_first=newest_first, limit=limit)

    def outcomes(self, wanted: Filter) -> Iterator[Outcome]:
        """Yield how the probes of the span went by time, each in a word, and where it is not known what lay between."""
        with self.database.reading() as connection:
            yield from outcomes.outcomes(connection, wanted)

    def complete_from(self) -> datetime | None:
        """Return from when on every probe is kept; None where none was deleted yet."""
        with self.database.reading() as connection:
            known = reading.meta(connection).get(SUCCESSES_FROM)
        return None if known is None else from_millis(int(known))

    def uptime(self, wanted: Filter, *, by: str = "site") -> list[UptimeRow]:
        """Return how each site (`by` "site") or check of a site ("check") did in the span a filter asks for.

        The span is widened to whole hours, and to whole days where it is older than hours are kept.
        """
        with self.database.reading() as connection:
            return uptimes.uptime(connection, wanted, by)

    def body(self, name: str) -> Body | None:
        """Return a body that was kept, by its hash."""
        with self.database.reading() as connection:
            return reading.body(connection, name)

    # --- outbox ------------------------------------------------------------------------------------------------------

    def due(self, sink: str, now: datetime, limit: int = 50) -> list[Queued]:
        """Return what a sink is to get now, oldest first: of each incident only the first that is not delivered."""
        with self.database.reading() as connection:
            return outbox.due(connection, sink, now, limit)

    def next_due(self, sink: str) -> datetime | None:
        """Return when a sink is to get something next, None where nothing waits for it."""
        with self.database.reading() as connection:
            return outbox.next_due(connection, sink)

    def undelivered(self) -> list[OutboxRow]:
        """Return every notice that waits, oldest first."""
        with self.database.reading() as connection:
            return outbox.undelivered(connection)

    def mark_delivered(self, queued_id: int, at: datetime) -> None:
        """Note that a sink has taken a notice."""
        with self.writing() as writing:
            outbox.delivered(writing.connection, queued_id, at)

    def mark_failed(self, queued_id: int, at: datetime, error: str, next_at: datetime) -> None:
        """Note that a sink has not taken a notice, why, and when it is tried again."""
        with self.writing() as writing:
            outbox.failed(writing.connection, queued_id, at, error, next_at)

    def mark_abandoned(self, queued_id: int, at: datetime, reason: str) -> None:
        """Note that a notice is given up, and why."""
        with self.writing() as writing:
            outbox.abandoned(writing.connection, queued_id, at, reason)

    def abandon_of_nobody(self, sinks: Collection[str], now: datetime) -> int:
        """Give up what has waited for a week for sinks that are none of these; returns how many notices that were."""
        with self.writing() as writing:
            return outbox.abandon_of_nobody(writing.connection, sinks, now - outbox.WAITS_FOR_A_SINK)

    # --- upkeep ------------------------------------------------------------------------------------------------------

    def roll_up(self) -> int:
        """Add new probes to the sums per hour and day; returns how many. Uptime is right without it, but slower."""
        total = 0
        while True:
            with self.writing() as writing:
                count, mark = rollups.roll_up(writing.connection, int(writing.meta(MARK) or "0"))
                if count:
                    writing.put_meta(MARK, str(mark))
            total += count
            if count < rollups.CHUNK:
                return total

    def retain(self, now: datetime, retention: Retention) -> Counts:
        """Delete what need not be kept any longer, of probes only what is rolled up; returns how much that was."""
        with self.database.reading() as connection:
            mark = int(reading.meta(connection).get(MARK, "0"))
        gone: dict[str, int] = {}
        for name, table, condition in steps(now, retention, mark):
            count = -1
            while count < 0 or count == CHUNK:
                with self.writing() as writing:
                    count = delete_some(writing.connection, table, condition)
                    if count and name in {"findings", "bodies"}:
                        # Whoever has ids of them at hand looks them up anew.
                        writing.put_meta(GENERATION, str(int(writing.meta(GENERATION) or "0") + 1))
                    if count and name == "hours":
                        writing.put_meta(HOURS_FROM, str(hours_from(now, retention)))
                    if count and name == SUCCESSES:
                        before = int(writing.meta(SUCCESSES_FROM) or "0")
                        writing.put_meta(SUCCESSES_FROM, str(max(before, successes_from(now, retention) or 0)))
                counted = "probes" if name == SUCCESSES else name
                gone[counted] = gone.get(counted, 0) + count
        return Counts(**gone)

    def export(self) -> Iterator[str]:
        """Yield everything the store holds, as of one moment, as lines of JSON; memory stays flat."""
        with self.database.reading() as connection:
            yield from exporting.lines(connection)

    def take(self, lines: Iterable[str], name: str, *, merge: bool = False, ahead: bool = False) -> Taken:
        """Take an export, all of it or nothing; `name` is what errors call it.

        A store that holds something is refused unless it is to `merge`: then the probes that are not there are added,
        but for hours that are summed up already, and all else is left aside. Where it is to go on in place of a store
        that went on after the export, incidents and notices are numbered well `ahead`. Raises `UsageError`.
        """
        with self.writing() as writing:
            taking = importing.Import(writing, name, merge=merge)
            taking.take(lines)
            if ahead:
                book_keeping.go_ahead(writing.connection, reading.meta(writing.connection))
        return Taken(taking.counts, taking.known, taking.counted)

    def vacuum(self) -> bool:
        """Give room that is no longer used back to the disk; takes as long as copying the store.

        Returns whether the disk has it by now: others that read in the store's log have it wait.
        """
        return upkeep.vacuum(self.database)

    def size(self) -> int | None:
        """Return how many bytes the store takes, those in SQLite's log in their place; None for a server."""
        return upkeep.size(self.database)

    def check(self) -> list[str]:
        """Return what is wrong with the store, one line each; empty where it is sound."""
        found: list[str] = []
        try:
            with self.database.reading() as connection:
                found.extend(upkeep.problems(connection))
        except StoreDamagedError as error:
            # So damaged that not even all of it can be looked at.
            found.append(str(error))
        return found

    def backup(self) -> Path | None:
        """Copy a store in a file to `NAME.backup` beside it, whole or not at all; None for a server."""
        return upkeep.backup(self.database)
