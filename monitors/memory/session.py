"""One cycle remembered: notes are taken while answers are judged, and folded into the memory once all are in."""

from __future__ import annotations

import hashlib
from collections import OrderedDict, deque
from dataclasses import dataclass, field, replace
from threading import Lock
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

from monitors import jsonbody
from monitors.checks import CHECKS
from monitors.drift.shape import learn
from monitors.errors import HarnessError
from monitors.memory.canary import compare, is_finished
from monitors.memory.folding import Baseline, Note, Recollection, fold
from monitors.memory.ledger import Sighting
from monitors.memory.patience import Patience
from monitors.memory.promises import enumerated
from monitors.memory.traits import traits
from monitors.model import Kind, Level
from monitors.rules import judge as judged

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from contextlib import AbstractContextManager

    from monitors.drift.shape import Shape
    from monitors.memory.folding import Memory
    from monitors.memory.traits import Trait
    from monitors.model import JSON, Change, Finding, Observation

    Judge = Callable[[Observation], Sequence[Finding]]

_CACHED_ANSWERS = 64
_NOT_THE_API = frozenset({"edge-answer", "endpoint-not-deployed"})


class Shelf(Protocol):
    """Where the memory lies between cycles."""

    def locked(self) -> AbstractContextManager[None]:
        """Keep every other process out for as long as the context lasts."""

    def load(self) -> Memory:
        """Return the memory."""

    def save(self, memory: Memory) -> None:
        """Put the memory in place of the one before."""

    def baseline(self, site: str, run_id: str) -> Baseline | None:
        """Return how a canary run was first seen."""

    def keep_baseline(self, site: str, run_id: str, baseline: Baseline) -> None:
        """Put a baseline in place of the one before."""


_T = TypeVar("_T")


class _Recent(Generic[_T]):
    """What was worked out lately, by what it was worked out from; bounded, and safe to ask from any thread."""

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[str, str], _T] = OrderedDict()
        self._lock = Lock()

    def get(self, key: tuple[str, str], work_out: Callable[[], _T]) -> _T:
        """Return what belongs to a key, worked out now if it was not lately."""
        with self._lock:
            if key in self._kept:
                return self._kept[key]
        made = work_out()
        with self._lock:
            self._kept[key] = made
            while len(self._kept) > _CACHED_ANSWERS:
                self._kept.popitem(last=False)
        return made


class Baselines(Protocol):
    """Who knows how canary runs were first seen."""

    def baseline(self, site: str, run_id: str) -> Baseline | None:
        """Return how a canary run was first seen."""


@dataclass(slots=True)
class Notes:
    """Takes notes of answers, from any thread, while their bodies are there."""

    baselines: Baselines
    _notes: deque[Note] = field(default_factory=deque)
    _failures: deque[str] = field(default_factory=deque)
    _learned: _Recent[tuple[Shape, frozenset[Trait]]] = field(default_factory=_Recent)
    _compared: _Recent[list[Change]] = field(default_factory=_Recent)

    def judging(self, judge: Judge) -> Judge:
        """Return a judge that says the same and has notes taken, while the body is there."""

        def noting(observation: Observation) -> Sequence[Finding]:
            findings = judge(observation)
            self.hear(observation, findings)
            return findings

        return noting

    def hear(self, observation: Observation, findings: Sequence[Finding]) -> None:
        """Take a note of an answer and what the contract says of it; never raises."""
        try:
            note = self._note(observation, findings)
        except HarnessError as error:
            self._failures.append(str(error))
        except Exception as error:  # noqa: BLE001 - a bug of the memory must not cost the site its verdict
            said = f"{observation.site} {observation.check} not remembered: {type(error).__name__}: {error}"
            self._failures.append(f"a bug of the harness: {said}")
        else:
            if note is not None:
                self._notes.append(note)

    def take(self) -> tuple[list[Note], tuple[str, ...]]:
        """Hand over the notes taken so far, in the order of their answers, and what went wrong with taking them."""
        # Others may be taking notes meanwhile: each is moved by itself, so none is lost between two lists.
        taken = [self._notes.popleft() for _ in range(len(self._notes))]
        failed = [self._failures.popleft() for _ in range(len(self._failures))]
        notes = sorted(taken, key=lambda note: (note.sighting.at, note.sighting.site, note.sighting.check))
        return notes, tuple(dict.fromkeys(failed))

    def _note(self, seen: Observation, findings: Sequence[Finding]) -> Note | None:
        if seen.site is None or seen.check is None or seen.at is None or not _is_answer(seen, findings):
            return None
        parsed = jsonbody.parse(seen.body)
        if not parsed.usable:
            return None
        digest = hashlib.sha256(seen.body).hexdigest()
        shape, shown = self._learn(seen.check, digest, parsed.value)
        sighting = Sighting(seen.site, seen.check, seen.at, shown)
        if CHECKS[seen.check].run_id is not None:
            return Note(sighting, shape)
        known = self.baselines.baseline(seen.site, seen.run_id)
        kept = max((finding.level for finding in findings), default=Level.INFO) < Level.WARNING
        fresh = Baseline(seen.at, digest, parsed.value) if kept else None
        if known is None:
            return Note(sighting, shape, seen.run_id, baseline=fresh)
        changes = self._compare(known, digest, parsed.value)
        drift = _beyond(findings, judged(changes, site=seen.site, check=seen.check, source=seen.source, at=seen.at))
        finishes = not drift and is_finished(parsed.value) and not is_finished(known.body)
        return Note(sighting, shape, seen.run_id, compared=True, drift=drift, baseline=fresh if finishes else None)

    def _learn(self, check: str, digest: str, value: JSON) -> tuple[Shape, frozenset[Trait]]:
        """Learn from a body, or remember having learned from its like: a canary run mostly answers the same bytes."""

        def learned() -> tuple[Shape, frozenset[Trait]]:
            shape = learn([value], enumerated(check))
            return shape, traits(shape, check)

        return self._learned.get((check, digest), learned)

    def _compare(self, known: Baseline, digest: str, value: JSON) -> list[Change]:
        """Compare a canary run with its baseline, or remember how that went: a drift mostly stays as it is."""
        if known.digest == digest:
            return []
        return self._compared.get((known.digest, digest), lambda: compare(known.body, value))


@dataclass(slots=True)
class Session:
    """One cycle remembered on a shelf: takes notes of answers, and concludes with what they come to."""

    shelf: Shelf
    patience: Patience = field(default_factory=Patience)
    notes: Notes = field(init=False)

    def __post_init__(self) -> None:
        """Take notes in the light of the shelf's baselines."""
        self.notes = Notes(self.shelf)

    def judging(self, judge: Judge) -> Judge:
        """Return a judge that says the same and lets the session take its notes, while the body is there."""
        return self.notes.judging(judge)

    def hear(self, observation: Observation, findings: Sequence[Finding]) -> None:
        """Take a note of an answer and what the contract says of it; never raises."""
        self.notes.hear(observation, findings)

    def conclude(self) -> Recollection:
        """Fold the notes into the memory and return what they come to; a memory out of reach is told, not raised."""
        notes, failures = self.notes.take()
        try:
            with self.shelf.locked():
                memory, found = fold(self.shelf.load(), notes, self.patience)
                for note in notes:
                    self._keep_baseline(note)
                self.shelf.save(memory)
        except HarnessError as error:
            return Recollection(failures=(*failures, str(error)))
        return replace(found, failures=failures)

    def _keep_baseline(self, note: Note) -> None:
        if note.baseline is None:
            return
        known = self.shelf.baseline(note.sighting.site, note.run_id)
        if replaces(note.baseline, known):
            self.shelf.keep_baseline(note.sighting.site, note.run_id, note.baseline)


def replaces(fresh: Baseline, known: Baseline | None) -> bool:
    """Tell whether a baseline takes the place of the known one: another process may have been first.

    The first finished form counts.
    """
    return known is None or (is_finished(fresh.body) and not is_finished(known.body))


def _is_answer(seen: Observation, findings: Sequence[Finding]) -> bool:
    """Tell whether this is what the API itself answers to the check."""
    expected = seen.status in CHECKS[seen.check or ""].expected
    return seen.failure is None and expected and not any(finding.rule in _NOT_THE_API for finding in findings)


def _beyond(told: Sequence[Finding], drift: Sequence[Finding]) -> tuple[Finding, ...]:
    """Return the drift that the contract's findings do not tell already, at the same place or around it."""
    return tuple(
        finding
        for finding in drift
        if not any(
            other.kind is not Kind.AVAILABILITY and other.level >= finding.level and _around(other, finding)
            for other in told
        )
    )


def _around(outer: Finding, inner: Finding) -> bool:
    if outer.location is None or inner.location is None:
        return False
    return inner.location == outer.location or inner.location.startswith((outer.location + ".", outer.location + "["))
