"""One pass over all due probes: every site at once, one probe in flight per site, each answer judged as it comes."""

from __future__ import annotations

import threading
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from queue import SimpleQueue
from typing import TYPE_CHECKING

from monitors.errors import MonitorError
from monitors.model import Skipped
from monitors.probe import probe
from monitors.transport import ResolverError, is_loopback

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from monitors.checks import Check
    from monitors.model import Finding, Observation
    from monitors.probe import Target

    Judge = Callable[[Observation], Sequence[Finding]]

_LARGE_BODY_BYTES = 2**20
_TOO_MANY_REQUESTS = 429


@dataclass(frozen=True, slots=True)
class Result:
    """One probe, judged; the observation's body is dropped, or cut where it is wanted."""

    observation: Observation
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class HarnessFailure:
    """A check whose outcome is unknown because the harness itself failed; nothing is said of the site."""

    site: str
    check: str
    message: str


@dataclass(frozen=True, slots=True)
class CycleOutcome:
    """Everything one cycle brought, in the order of targets and checks, whatever came first."""

    results: tuple[Result, ...] = ()
    skipped: tuple[Skipped, ...] = ()
    harness_failures: tuple[HarnessFailure, ...] = ()


Outcome = Result | Skipped | HarnessFailure
"""What becomes of one check on one site."""


def run_cycle(
    targets: Sequence[Target],
    checks: Sequence[Check],
    judge: Judge,
    on_result: Callable[[Outcome], None] | None = None,
) -> CycleOutcome:
    """Probe all targets at once, each one's checks in order, and judge every answer as soon as it is there.

    `on_result` hears of every outcome in the calling thread, as it comes. After a 429 the site's remaining checks with
    keys are skipped: its budget is for whoever works there. A resolver that answers for other names has told that a
    site's name does not resolve; one that answers for none is the harness's failure. An interrupt sends nothing more.
    """
    cycle = _Cycle(checks, Prober(judge))
    outcomes: dict[tuple[int, int], Outcome] = {}
    unresolved: list[tuple[tuple[int, int], ResolverError]] = []

    def settle(place: tuple[int, int], outcome: Outcome) -> None:
        outcomes[place] = outcome
        if on_result is not None:
            on_result(outcome)

    try:
        for row, target in enumerate(targets):
            cycle.start(row, target)
        for _ in range(len(targets) * len(checks)):
            place, event = cycle.events.get()
            if isinstance(event, ResolverError):
                unresolved.append((place, event))
            else:
                settle(place, event)
    finally:
        cycle.stop.set()
    resolver_works = any(shows_resolver(outcome) for outcome in outcomes.values())
    for (row, column), error in unresolved:
        outcome = cycle.prober.unresolved(targets[row], checks[column], error, resolver_works=resolver_works)
        settle((row, column), outcome)
    return _in_order(outcomes)


class Prober:
    """Makes checks and judges what comes back, from any thread; whatever goes wrong is an outcome."""

    def __init__(self, judge: Judge, *, kept_bytes: int = 0) -> None:
        """Judge every answer by `judge`, which may be called from several threads.

        Of each body so many bytes stay in the result, 0 for none.
        """
        self._judge, self._kept_bytes = judge, kept_bytes
        # Judging one large body at a time keeps memory flat: its value takes many times the room of its bytes.
        self._large = threading.Lock()

    def make(self, target: Target, check: Check) -> Outcome | ResolverError:
        """Make one check; a resolver without an answer is for whoever knows whether it answers for other names."""
        site = target.site.key
        if reason := target.lacks(check):
            return Skipped(site, check.name, reason)
        try:
            return self._judged(target, probe(target, check))
        except ResolverError as error:
            return error
        except MonitorError as error:
            return HarnessFailure(site, check.name, str(error))
        except Exception as error:  # noqa: BLE001 - one site's bug must not cost the other sites their results
            said = target.sealed.mask_text(f"{type(error).__name__}: {error}")
            return HarnessFailure(site, check.name, f"a bug of the harness: {said}")

    def unresolved(self, target: Target, check: Check, error: ResolverError, *, resolver_works: bool) -> Outcome:
        """Return what a name without an answer comes to."""
        if resolver_works and error.observation is not None:
            return self._judged(target, error.observation)
        return HarnessFailure(target.site.key, check.name, str(error))

    def _judged(self, target: Target, observation: Observation) -> Result:
        with self._large if len(observation.body) > _LARGE_BODY_BYTES else nullcontext():
            findings = tuple(map(target.sealed.mask_finding, self._judge(observation)))
        return Result(replace(observation, body=observation.body[: self._kept_bytes]), findings)


@dataclass(slots=True)
class _Cycle:
    """What the threads of one cycle share."""

    checks: Sequence[Check]
    prober: Prober
    events: SimpleQueue[tuple[tuple[int, int], Outcome | ResolverError]] = field(default_factory=SimpleQueue)
    stop: threading.Event = field(default_factory=threading.Event)

    def start(self, row: int, target: Target) -> None:
        """Start the thread of one target."""
        thread = threading.Thread(target=self.work, args=(row, target), name=f"probe-{target.site.key}", daemon=True)
        try:
            thread.start()
        except RuntimeError as error:
            message = f"this machine cannot start a thread: {error}"
            for column, check in enumerate(self.checks):
                self.events.put(((row, column), HarnessFailure(target.site.key, check.name, message)))

    def work(self, row: int, target: Target) -> None:
        """Make all checks on one target; every check ends as one event."""
        throttled = False
        for column, check in enumerate(self.checks):
            if self.stop.is_set():
                return
            event = self._make(target, check, throttled=throttled)
            throttled = throttled or is_throttled(event)
            self.events.put(((row, column), event))

    def _make(self, target: Target, check: Check, *, throttled: bool) -> Outcome | ResolverError:
        if throttled and check.with_keys and target.lacks(check) is None:
            return Skipped(target.site.key, check.name, f"{target.site.key} throttles: an earlier check got 429")
        return self.prober.make(target, check)


def is_throttled(event: Outcome | ResolverError) -> bool:
    """Tell whether the site said that its budget is used up."""
    return isinstance(event, Result) and event.observation.status == _TOO_MANY_REQUESTS


def shows_resolver(outcome: Outcome | ResolverError) -> bool:
    """Say whether an outcome shows that the resolver answers; names of this machine need none."""
    if not isinstance(outcome, Result) or outcome.observation.phases.resolve_s is None:
        return False
    address = outcome.observation.address
    return address is None or not is_loopback(address)


def _in_order(outcomes: dict[tuple[int, int], Outcome]) -> CycleOutcome:
    ordered = [outcomes[place] for place in sorted(outcomes)]
    return CycleOutcome(
        tuple(outcome for outcome in ordered if isinstance(outcome, Result)),
        tuple(outcome for outcome in ordered if isinstance(outcome, Skipped)),
        tuple(outcome for outcome in ordered if isinstance(outcome, HarnessFailure)),
    )
