"""One transaction of the store: what a cycle brought, decided and has to tell, all of it or nothing."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from monitors.store import book_keeping, memories, outbox, reading, sql, tables
from monitors.store.keys import FIRST_NOTICE, GENERATION, MARK, NEXT_INCIDENT, REVISION
from monitors.store.probes import ProbeWriter

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from sqlalchemy import Connection

    from monitors.incidents.model import Book, Event, Notice
    from monitors.memory.folding import Baseline, Memory
    from monitors.store.cache import Cache
    from monitors.store.values import Probed

LAST_BATCHES = "last_batches"


class Writing:
    """What may be done within one transaction; made by `Store.writing`, and of no use once that has ended."""

    def __init__(self, connection: Connection, cache: Cache) -> None:
        """Begin; `cache` is that of the store, of which a copy is used."""
        self.connection = connection
        self._meta = reading.meta(connection)
        self.cache = cache.at(self._meta.get(GENERATION, ""))

    @cached_property
    def probe_writer(self) -> ProbeWriter:
        """What takes the probes of this transaction."""
        return ProbeWriter(self.connection, self.cache, int(self._meta.get(MARK, "0")))

    def finish(self) -> None:
        """Write what was only gathered yet."""
        if "probe_writer" in self.__dict__:
            self.probe_writer.flush()

    def meta(self, key: str) -> str | None:
        """Return what the store knows of itself under a key."""
        return self._meta.get(key)

    def put_meta(self, key: str, value: str) -> None:
        """Let the store know something of itself."""
        self._meta[key] = value
        sql.upsert(self.connection, tables.meta, [(key, value)])

    def last_batches(self) -> frozenset[str]:
        """Return the ids of the batches kept last, by which one knows those whose commit was never answered."""
        return frozenset((self.meta(LAST_BATCHES) or "").split())

    def put_last_batches(self, ids: Sequence[str]) -> None:
        """Let the store know which batches this transaction keeps; an id has no space in it."""
        self.put_meta(LAST_BATCHES, " ".join(ids))

    def book(self) -> Book:
        """Return the book of incidents as it stands in this transaction."""
        return book_keeping.read(self.connection, self._meta)

    def put_book(self, before: Book, after: Book, events: Sequence[Event] = ()) -> None:
        """Write what changed from one book to the other, and the events that tell of it."""
        book_keeping.write_difference(self.connection, before, after)
        self._meta[NEXT_INCIDENT] = str(after.next_id)
        self._meta[FIRST_NOTICE] = str(after.first_notice)
        book_keeping.add_events(self.connection, events)

    def add_event(self, event: Event) -> None:
        """Append a line to the timeline of an incident."""
        book_keeping.add_events(self.connection, (event,))

    def queue(self, notices: Sequence[Notice], taken: Mapping[tuple[str, str], datetime] | None = None) -> None:
        """Put notices into the outbox; one whose key is there for its sink already is not put in again.

        `taken` are those, by key and sink, that a sink has taken already, and when: they stand there as delivered.
        """
        outbox.queue(self.connection, notices, taken or {})

    def add_probes(self, vantage: str, probes: Sequence[Probed]) -> None:
        """Keep probes, made from a place; raises `ValueError` for one that names no site, check or time."""
        self.probe_writer.add(vantage, probes)

    def memory(self) -> Memory:
        """Return the memory."""
        return memories.read(self.connection)

    def memory_revision(self) -> int:
        """Return a number that moves with every change of the memory."""
        return int(self._meta.get(REVISION, "0"))

    def put_memory(self, before: Memory, after: Memory) -> int:
        """Write the parts of the memory that changed; returns its revision, a new one where any did."""
        if memories.write_difference(self.connection, before, after):
            self._next_revision()
        return self.memory_revision()

    def baseline(self, site: str, run_id: str) -> Baseline | None:
        """Return how a canary run was first seen."""
        return memories.baseline(self.connection, site, run_id)

    def keep_baseline(self, site: str, run_id: str, baseline: Baseline) -> None:
        """Put a baseline in place of the one before."""
        memories.keep_baseline(self.connection, site, run_id, baseline)

    def forget_baselines(self, site: str) -> int:
        """Forget how the canary runs of a site were first seen; returns how many."""
        forgotten = memories.forget_baselines(self.connection, site)
        if forgotten:
            # Whoever has baselines at hand asks anew.
            self._next_revision()
        return forgotten

    def _next_revision(self) -> None:
        self.put_meta(REVISION, str(self.memory_revision() + 1))
