"""What a batch of probes comes to: one transaction that holds all of it, or none."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING
from uuid import uuid4

from monitors.incidents.deciding import Result as Weighed
from monitors.incidents.deciding import Round, decide
from monitors.incidents.maintenance import under_maintenance
from monitors.incidents.planning import Surroundings, plan, silenced_from_the_start
from monitors.incidents.problems import OUTAGE, problem_of
from monitors.memory.folding import Recollection, fold
from monitors.memory.patience import Patience
from monitors.memory.session import replaces
from monitors.model import Level, verdict
from monitors.store import Probed

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from monitors.config.alerting import Maintenance, SinkSettings, Thresholds
    from monitors.cycle import Result
    from monitors.incidents.model import Book, Event, Notice
    from monitors.memory.folding import Baseline, Memory, Note
    from monitors.model import Finding
    from monitors.store import Writing
    from monitors.watching.current import Current

    Accept = Callable[[Sequence[Finding]], Sequence[Finding]]

_FLUSH_S = 300.0
_THROTTLED = "throttled"


@dataclass(frozen=True, slots=True)
class Batch:
    """Probes that are judged and wait to be kept: `notes` are the memory's, `own` is how the monitor itself is.

    `unremembered` are lines about notes that could not be taken. `at` is when the batch was complete (UTC). By its `id`
    the store knows it. `again` says that it looks at what was seen just before. `rules` are those that were in force
    when it began to wait for the store, None where it never did: it leads to what was told of it then.
    """

    at: datetime
    results: tuple[Result, ...] = ()
    notes: tuple[Note, ...] = ()
    own: Mapping[str, Finding | None] = field(default_factory=dict)
    unremembered: tuple[str, ...] = ()
    again: bool = False
    rules: Rules | None = None
    id: str = field(default_factory=lambda: uuid4().hex)


@dataclass(frozen=True, slots=True)
class Kept:
    """What a batch came to, once it is in the store."""

    batch: Batch
    recalled: Recollection
    events: tuple[Event, ...]
    notices: tuple[Notice, ...]
    book: Book


@dataclass(frozen=True, slots=True)
class Rules:
    """What the configuration says of keeping and alerting; replaced as a whole when it changes.

    `watched` are the sites and checks that are configured, `urls` what they ask for.
    """

    thresholds: Thresholds
    patience: Patience = field(default_factory=Patience)
    sinks: tuple[SinkSettings, ...] = ()
    maintenance: tuple[Maintenance, ...] = ()
    watched: frozenset[tuple[str, str]] = frozenset()
    urls: Mapping[tuple[str, str], str] = field(default_factory=dict)
    vantage: str = ""

    @property
    def sites(self) -> int:
        """How many sites are watched."""
        return len({site for site, _ in self.watched})


@dataclass(frozen=True, slots=True)
class Step:
    """What a batch leads to from a book and a memory: those that follow, what happened, and what is to be told.

    `decided` is the book before anybody is told; `findings` and `drift` are what each result shows, by its `id()`.
    """

    recalled: Recollection
    memory: Memory
    decided: Book
    book: Book
    events: tuple[Event, ...]
    notices: tuple[Notice, ...]
    findings: Mapping[int, tuple[Finding, ...]]
    drift: Mapping[int, tuple[Finding, ...] | None]


@dataclass(frozen=True, slots=True)
class _Held:
    """The memory as it is, and as it was last `written`, when, with the revision that gave it in the store."""

    memory: Memory
    written: Memory
    revision: int
    written_at: datetime


def _firsts(memory: Memory) -> tuple[int, int]:
    """Return how many rows the ledger has, and on how many sites: it grows with whatever is seen for the first time."""
    rows = memory.ledger.rows
    return len(rows), sum(map(len, rows.values()))


def is_available(findings: Sequence[Finding]) -> bool | None:
    """Tell whether a probe found the site up; None where it was throttled, which says neither."""
    problems = {problem_of(finding) for finding in findings}
    if OUTAGE in problems:
        return False
    return None if _THROTTLED in problems else True


class Keeper:
    """Puts batches into the store, with the incidents and notices they lead to.

    The book is read anew in each transaction, as people change it from other processes. The memory is large and
    changes by us alone, but for a rare `ledger --new-baseline` or `probe`: it is held here, and read again where its
    revision in the store is another one. What only counts sightings is written every five minutes, all else at once.
    """

    def __init__(self, store: Current, rules: Rules, accept: Accept) -> None:
        """Keep in a store; `accept` marks the findings that people have accepted."""
        self.store, self.rules, self._accept = store, rules, accept
        self._memory: _Held | None = None
        self._baselines: dict[tuple[str, str], Baseline | None] = {}

    # --- the memory's shelf, as far as a session needs it while answers come in ---

    def baseline(self, site: str, run_id: str) -> Baseline | None:
        """Return how a canary run was first seen, asking the store once; raises `HarnessError`."""
        key = (site, run_id)
        if key not in self._baselines:
            self._baselines[key] = self.store.baseline(site, run_id)
        return self._baselines[key]

    # --- batches ---

    def keep(self, batch: Batch) -> Kept:
        """Put one batch into the store; raises `StoreError`, and then nothing of it is there."""
        return self.keep_all([batch])[0]

    def keep_all(self, batches: Sequence[Batch]) -> list[Kept]:
        """Put batches into the store in one transaction, in order; raises `StoreError`, and then none is there.

        But where the store went away with its answer to the commit, all of them may be there: whoever offers them again
        gets them back without events and notices, which are where they belong, and nothing is counted twice.
        """
        with self.store.writing() as tx:
            held, last = self._held(tx, batches[0].at), tx.last_batches()
            book, kept, ids = tx.book(), list[Kept](), list[str]()
            for batch in batches:
                if batch.id in last:
                    kept.append(Kept(batch, Recollection(), (), (), book))
                    continue
                done, held = self._keep(tx, batch, book, held)
                book = done.book
                kept.append(done)
                if batch.results:
                    # All else comes to the same when it is kept again.
                    ids.append(batch.id)
            if ids:
                # Those that were there may be more than are offered at once.
                tx.put_last_batches(ids if last.isdisjoint(batch.id for batch in batches) else sorted({*last, *ids}))
        self._memory = held
        return kept

    def _keep(self, tx: Writing, batch: Batch, book: Book, held: _Held) -> tuple[Kept, _Held]:
        step = self.step(batch, book, held.memory)
        rules = batch.rules or self.rules
        tx.add_probes(rules.vantage, [self._probed(batch, result, step) for result in batch.results])
        if step.book is not book or step.events:
            # In two steps: an incident that everybody has been told the end of leaves the book, with that end.
            tx.put_book(book, step.decided, step.events)
            tx.put_book(step.decided, step.book)
        if step.notices:
            tx.queue(step.notices, self.store.delivered)
        kept = Kept(batch, step.recalled, step.events, step.notices, step.book)
        return kept, self._put_memory(tx, held, step.memory, batch)

    def step(self, batch: Batch, book: Book, memory: Memory) -> Step:
        """Return what a batch leads to; the same for the same book and memory, and nothing is kept."""
        rules = batch.rules or self.rules
        recalled = Recollection(failures=batch.unremembered)
        if batch.notes:
            memory, told = fold(memory, batch.notes, rules.patience)
            recalled = replace(told, failures=batch.unremembered)
        drift = self._drift(batch, recalled)
        findings = {id(result): tuple(self._accept(result.findings)) for result in batch.results}
        seen = self._round(batch, rules, recalled, drift, findings)
        decision = decide(book, seen, rules.thresholds)
        around = surroundings(rules, batch.at, seen.maintenance, late=batch.rules is not None)
        planned = plan(decision.book, around)
        silenced = silenced_from_the_start(decision.book, decision.events, batch.at)
        events = (*decision.events, *silenced, *planned.events)
        return Step(recalled, memory, decision.book, planned.book, events, planned.notices, findings, drift)

    @property
    def memory(self) -> Memory | None:
        """The memory as it is held, None where none was read yet."""
        return None if self._memory is None else self._memory.memory

    def flush(self, at: datetime) -> None:
        """Write what the memory has not written yet; raises `StoreError`."""
        held = self._memory
        if held is None or held.memory is held.written:
            return
        with self.store.writing() as tx:
            if tx.memory_revision() != held.revision:
                return
            revision = tx.put_memory(held.written, held.memory)
        self._memory = _Held(held.memory, held.memory, revision, at)

    def forget(self) -> None:
        """Drop what is held of the store: it is another one now."""
        self._memory = None
        self._baselines.clear()

    def restore(self, tx: Writing) -> None:
        """Give a store that was mended the memory as it is held, and the baselines it has lost."""
        held, baselines = self._memory, dict(self._baselines)
        self.forget()
        if held is not None:
            tx.put_memory(tx.memory(), held.memory)
        for (site, run_id), baseline in baselines.items():
            if baseline is not None and tx.baseline(site, run_id) is None:
                tx.keep_baseline(site, run_id, baseline)

    def _held(self, tx: Writing, at: datetime) -> _Held:
        """Return the memory, read anew where it is not ours that the store holds."""
        revision = tx.memory_revision()
        if self._memory is not None and self._memory.revision == revision:
            return self._memory
        memory = tx.memory()
        self._baselines.clear()
        return _Held(memory, memory, revision, at)

    def _put_memory(self, tx: Writing, held: _Held, memory: Memory, batch: Batch) -> _Held:
        """Write what has to be written now, and return the memory as it is held from here on."""
        kept = False
        for note in batch.notes:
            site, run_id = note.sighting.site, note.run_id
            if note.baseline is not None and replaces(note.baseline, tx.baseline(site, run_id)):
                tx.keep_baseline(site, run_id, note.baseline)
                self._baselines.pop((site, run_id), None)
                kept = True
        if memory is held.memory and not kept:
            return held
        before = held.written
        news = kept or memory.drifts != before.drifts or _firsts(memory) != _firsts(before)
        late = abs((batch.at - held.written_at).total_seconds()) >= _FLUSH_S
        if not (news or late):
            return replace(held, memory=memory)
        return _Held(memory, memory, tx.put_memory(before, memory), batch.at)

    def _drift(self, batch: Batch, recalled: Recollection) -> dict[int, tuple[Finding, ...] | None]:
        """Return the drift that is told of each result's answer, None where the memory took no note of it."""
        noted = {(note.sighting.site, note.sighting.check, note.sighting.at) for note in batch.notes}
        told: dict[tuple[str | None, str | None], list[Finding]] = {}
        for finding in self._accept(recalled.declared):
            told.setdefault((finding.site, finding.check), []).append(finding)
        return {
            id(result): tuple(told.get((seen.site, seen.check), ()))
            if (seen.site, seen.check, seen.at) in noted
            else None
            for result in batch.results
            for seen in (result.observation,)
        }

    def _round(
        self,
        batch: Batch,
        rules: Rules,
        recalled: Recollection,
        drift: Mapping[int, tuple[Finding, ...] | None],
        findings: Mapping[int, tuple[Finding, ...]],
    ) -> Round:
        return Round(
            batch.at,
            tuple(
                Weighed(seen.site or "", seen.check or "", seen.at or batch.at, findings[id(result)], drift[id(result)])
                for result in batch.results
                for seen in (result.observation,)
            ),
            across=None if recalled.across is None else tuple(self._accept(recalled.across)),
            own=batch.own,
            watched=rules.watched,
            maintenance=under_maintenance(rules.maintenance, batch.at),
        )

    def _probed(self, batch: Batch, result: Result, step: Step) -> Probed:
        told = (*step.findings[id(result)], *(step.drift[id(result)] or ()))
        telling = any(finding.level >= Level.WARNING for finding in told)
        return Probed(result.observation, told, verdict(told), is_available(told), telling, batch.again)


def surroundings(rules: Rules, at: datetime, maintenance: frozenset[str], *, late: bool) -> Surroundings:
    """Return what planning notices needs to know."""
    return Surroundings(
        at, rules.sinks, rules.thresholds, rules.vantage, rules.urls, rules.sites, maintenance, late=late
    )
