"""From what came of a round to a batch that can be kept: what is the monitor's own trouble is taken out of it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from monitors.cycle import HarnessFailure, Result, shows_resolver
from monitors.model import Skipped
from monitors.reconciling import reconcile
from monitors.transport import ResolverError, is_loopback
from monitors.watching import health
from monitors.watching.keeper import Batch

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from monitors.config.alerting import WatchSettings
    from monitors.cycle import Outcome, Prober
    from monitors.memory import Notes
    from monitors.memory.folding import Note
    from monitors.model import Finding
    from monitors.watching.asking import Made
    from monitors.watching.clock import Clock

_FRESH_S = 120.0
_SHOWN_FAILURES = 3


@dataclass(slots=True)
class Batcher:
    """Judges rounds in the light of how this machine is.

    `folder` is where the store lies, None where that is another machine's business.
    """

    prober: Prober
    notes: Notes
    clock: Clock
    settings: WatchSettings
    folder: Path | None = None
    dial: health.Dial = health.dial
    skipped: list[Skipped] = field(default_factory=list)
    failures: list[HarnessFailure] = field(default_factory=list)
    unjudged: int = 0
    _held: list[Note] = field(default_factory=list)
    _latest: dict[tuple[str | None, str | None], tuple[float, Result]] = field(default_factory=dict)
    _answered_s: float = float("-inf")
    _resolved_s: float = float("-inf")
    _jumped_s: float = float("-inf")

    def jumped(self) -> None:
        """Note that the clocks came apart: a machine that slept cuts off whatever it was waiting for."""
        self._jumped_s = self.clock.monotonic()

    def batch(self, made: Sequence[Made]) -> Batch:
        """Return what a round came to; `skipped`, `failures` and `unjudged` then speak of this round."""
        now_s, at = self.clock.monotonic(), self.clock.now()
        self._note_signs_of_life(made, now_s)
        outcomes = [self._settled(entry, now_s) for entry in made]
        self.skipped = [outcome for outcome in outcomes if isinstance(outcome, Skipped)]
        self.failures = [outcome for outcome in outcomes if isinstance(outcome, HarnessFailure)]
        results = [
            (entry, outcome) for entry, outcome in zip(made, outcomes, strict=True) if isinstance(outcome, Result)
        ]
        own = self._own(made, [outcome for _, outcome in results])
        judged = tuple(outcome for entry, outcome in results if self._counts(entry, outcome, own))
        self.unjudged = len(results) - len(judged)
        notes, unremembered = self.notes.take()
        kept = self._notes_of(judged, made, notes)
        return Batch(at, self._reconciled(judged, now_s), kept, own, unremembered)

    def _notes_of(self, judged: Sequence[Result], made: Sequence[Made], taken: Sequence[Note]) -> tuple[Note, ...]:
        """Return the notes of what counts; one whose probe is still on its way to us waits for it."""
        notes = [*self._held, *taken]
        here = {_moment(result) for result in judged}
        gone = {_moment(entry.outcome) for entry in made if isinstance(entry.outcome, Result)}
        self._held = [note for note in notes if _moment_of(note) not in gone | here]
        return tuple(note for note in notes if _moment_of(note) in here)

    def _note_signs_of_life(self, made: Sequence[Made], now_s: float) -> None:
        if any(isinstance(entry.outcome, Result) and health.answered(entry.outcome.observation) for entry in made):
            self._answered_s = now_s
        if any(shows_resolver(entry.outcome) for entry in made):
            self._resolved_s = now_s

    def _settled(self, entry: Made, now_s: float) -> Outcome:
        """Return the outcome; a name without an answer is the site's failure where other names have one."""
        if not isinstance(entry.outcome, ResolverError):
            return entry.outcome
        works = now_s - self._resolved_s <= _FRESH_S and self._resolved_s >= entry.started_s
        return self.prober.unresolved(entry.target, entry.check, entry.outcome, resolver_works=works)

    def _own(self, made: Sequence[Made], results: Sequence[Result]) -> dict[str, Finding | None]:
        """Return how the monitor itself is, as far as this round tells."""
        now = self.clock.now()
        seen = [result.observation for result in results]
        own: dict[str, Finding | None] = {}
        offline = self._offline(made)
        if offline is not None or results:
            own[health.OFFLINE] = offline
        own[health.DISK] = health.disk_trouble(self.folder, self.settings.min_free_mb, now)
        clock = health.clock_trouble(seen, now, self.settings.max_clock_error_s)
        if clock is not None or health.tells_time(seen):
            own[health.CLOCK] = clock
        if self.failures and offline is None:
            messages = list(dict.fromkeys(failure.message for failure in self.failures))
            said = "; ".join(messages[:_SHOWN_FAILURES])
            own[health.PROBING] = health.own(health.PROBING, said, now)
        elif results:
            own[health.PROBING] = None
        return own

    def _offline(self, made: Sequence[Made]) -> Finding | None:
        """Return the finding that nothing can be reached from here, None where something can or nothing is known.

        Only a round in which somebody could not be reached and nobody answered raises the question.
        """
        lost = [entry for entry in made if _is_lost(entry) and not _is_local(entry)]
        if not lost or self._answered_s >= min(entry.started_s for entry in lost):
            return None
        return health.network_trouble(self.settings.connectivity, self.clock.now(), self.dial)

    def _counts(self, entry: Made, result: Result, own: dict[str, Finding | None]) -> bool:
        """Tell whether a result says something of the site, and nothing of this machine."""
        if own.get(health.OFFLINE) is not None and not _is_local(entry):
            return False
        if result.observation.failure is not None and self._jumped_s >= entry.started_s:
            return False
        return own.get(health.CLOCK) is None or not any(map(health.is_of_time, result.findings))

    def _reconciled(self, judged: Sequence[Result], now_s: float) -> tuple[Result, ...]:
        """Correct the findings by what was answered lately, in this round or the one before.

        What was answered longer ago says nothing of now: an endpoint may be withdrawn between two rare checks.
        """
        here = {_place(result) for result in judged}
        self._latest = {
            place: (at_s, known)
            for place, (at_s, known) in self._latest.items()
            if place not in here and now_s - at_s <= _FRESH_S
        }
        known = [*judged, *(known for _, known in self._latest.values())]
        corrected = reconcile([entry.observation for entry in known], [entry.findings for entry in known])
        for result in judged:
            self._latest[_place(result)] = now_s, replace(result, observation=result.observation.without_body())
        return tuple(replace(result, findings=tuple(found)) for result, found in zip(judged, corrected, strict=False))


def _moment(result: Result) -> tuple[object, ...]:
    return result.observation.site, result.observation.check, result.observation.at


def _moment_of(note: Note) -> tuple[object, ...]:
    return note.sighting.site, note.sighting.check, note.sighting.at


def _place(result: Result) -> tuple[str | None, str | None]:
    return result.observation.site, result.observation.check


def _is_lost(entry: Made) -> bool:
    """Tell whether nothing came back, for a reason that may lie here."""
    if isinstance(entry.outcome, Result):
        return not health.answered(entry.outcome.observation)
    return isinstance(entry.outcome, HarnessFailure | ResolverError)


def _is_local(entry: Made) -> bool:
    """Tell whether the site was looked for on this machine, which takes no network."""
    if isinstance(entry.outcome, Result):
        address = entry.outcome.observation.address
        return address is not None and is_loopback(address)
    return False
