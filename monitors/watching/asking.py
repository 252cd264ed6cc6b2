"""The sites being asked: one thread for each site that is due, so that none waits for another."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Protocol

from monitors.cycle import HarnessFailure, Result
from monitors.watching.budget import Budget

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from monitors.checks import Check
    from monitors.cycle import Outcome, Prober
    from monitors.probe import Target
    from monitors.transport import ResolverError
    from monitors.watching.budget import Refusal
    from monitors.watching.clock import Clock

MAX_KEPT_BYTES = 256 * 1024
"""Of each body so much stays until it is known whether the answer is worth keeping; the store takes no more."""


@dataclass(frozen=True, slots=True)
class Made:
    """One check that was made, or not; `started_s` is when, in monotonic seconds."""

    target: Target
    check: Check
    outcome: Outcome | ResolverError
    started_s: float


@dataclass(frozen=True, slots=True)
class Held:
    """A check that was not made, as there is no room for it now."""

    site: str
    check: str
    refusal: Refusal


@dataclass(frozen=True, slots=True)
class Done:
    """A site has been asked everything that was due."""

    site: str


@dataclass(frozen=True, slots=True)
class Woken:
    """Somebody wants the loop to look around: a signal came."""


Happening = Made | Held | Done | Woken
"""What the loop waits for."""


class Inbox(Protocol):
    """Where the loop waits."""

    def put(self, happening: Happening) -> None:
        """Leave something, from any thread or signal handler."""

    def get(self, timeout_s: float) -> Happening | None:
        """Return what comes first, None if nothing comes in time."""


class Mailbox:
    """An inbox that waits in real time."""

    def __init__(self) -> None:
        """Start empty."""
        self._queue: SimpleQueue[Happening] = SimpleQueue()

    def put(self, happening: Happening) -> None:
        """Leave something; safe in a signal handler, as `SimpleQueue` is made for that."""
        self._queue.put(happening)

    def get(self, timeout_s: float) -> Happening | None:
        """Return what comes first, None if nothing comes in time."""
        try:
            return self._queue.get(timeout=max(timeout_s, 0.0))
        except Empty:
            return None


@dataclass(slots=True)
class Asking:
    """Starts the threads, keeps the budgets, and knows which sites are being asked: at most one request each."""

    prober: Prober
    inbox: Inbox
    clock: Clock
    budget_per_minute: int
    budget_reserve: float
    in_flight: dict[str, float] = field(default_factory=dict)
    _budgets: dict[str, Budget] = field(default_factory=dict)
    _stop: threading.Event = field(default_factory=threading.Event)

    def start(self, targets: Mapping[str, Target], due: Mapping[str, Sequence[Check]]) -> list[str]:
        """Ask each site what is due on it; returns the sites that are still being asked and were left alone."""
        busy = []
        for site, checks in due.items():
            if site in self.in_flight:
                busy.append(site)
                continue
            self.in_flight[site] = self.clock.monotonic()
            target, budget = targets[site], self._budget(site)
            thread = threading.Thread(
                target=self._ask, args=(target, checks, budget), name=f"probe-{site}", daemon=True
            )
            try:
                thread.start()
            except RuntimeError as error:
                message = f"this machine cannot start a thread: {error}"
                for check in checks:
                    failure = HarnessFailure(site, check.name, message)
                    self.inbox.put(Made(target, check, failure, self.clock.monotonic()))
                self.inbox.put(Done(site))
        return busy

    def refusal(self, site: str, check: Check, now_s: float) -> Refusal | None:
        """Return why a site that is not being asked cannot be asked for a check then, None where it can."""
        return self._budget(site).refusal(check, now_s)

    def held_until_s(self, site: str) -> float:
        """Return until when a site's rate limit is left alone."""
        return self._budget(site).held_until_s

    def rebudget(self, per_minute: int, reserve: float) -> None:
        """Take over other bounds; what the sites said of their limits stays."""
        self.budget_per_minute, self.budget_reserve = per_minute, reserve
        for budget in self._budgets.values():
            budget.per_minute, budget.reserve = per_minute, reserve

    def stop(self) -> None:
        """Send nothing more; what is under way ends by its own deadline."""
        self._stop.set()

    def _budget(self, site: str) -> Budget:
        return self._budgets.setdefault(site, Budget(self.budget_per_minute, self.budget_reserve))

    def _ask(self, target: Target, checks: Sequence[Check], budget: Budget) -> None:
        for check in checks:
            if self._stop.is_set():
                break
            started_s = self.clock.monotonic()
            self.inbox.put(self._make(target, check, budget, started_s))
        self.inbox.put(Done(target.site.key))

    def _make(self, target: Target, check: Check, budget: Budget, now_s: float) -> Made | Held:
        if target.lacks(check) is None:
            if refusal := budget.refusal(check, now_s):
                return Held(target.site.key, check.name, refusal)
            budget.spend(now_s)
        made = self.prober.make(target, check)
        if isinstance(made, Result):
            budget.hear(made.observation, self.clock.monotonic())
        return Made(target, check, made, now_s)
