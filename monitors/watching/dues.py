"""What is due and not made yet, in the order it fell due: a site is asked once it is free and there is room for it."""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from monitors.model import Skipped

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterable, Mapping

    from monitors.checks import Check
    from monitors.probe import Target
    from monitors.watching.asking import Asking, Held
    from monitors.watching.budget import Refusal
    from monitors.watching.logs import Say
    from monitors.watching.schedule import Task

_WORTH_TELLING_S = 5.0
"""Rounds that come a little closer together than others wait for less."""


@dataclass(slots=True)
class Dues:
    """Hands what is due to `asking`. `held` are the sites that are not asked everything that is due, and why.

    Each check waits once, however often it falls due meanwhile, so nothing comes in a burst when there is room again.
    """

    asking: Asking
    say: Say
    held: dict[str, Refusal] = field(default_factory=dict)
    next_s: float = math.inf
    _since: dict[Task, float] = field(default_factory=dict)
    _refused: dict[Task, Refusal] = field(default_factory=dict)
    _asked: dict[str, dict[str, float]] = field(default_factory=dict)

    def add(self, tasks: Iterable[Task], now_s: float) -> None:
        """Take what is due now; what is just being made is left out."""
        late = set()
        for site, check in tasks:
            if site in self.asking.in_flight and check in self._asked[site]:
                late.add(site)
            else:
                self._since.setdefault((site, check), now_s)
        for site in sorted(late):
            self.say("warning", "still being asked, this round is left out", site=site)

    def put_back(self, held: Held) -> None:
        """Take what was not made after all; it keeps its place."""
        self._since[held.site, held.check] = self._asked[held.site].pop(held.check)
        self._refused[held.site, held.check] = held.refusal

    def keep(self, tasks: Container[Task]) -> None:
        """Forget what is not among the tasks that are configured now."""
        self._since = {task: since_s for task, since_s in self._since.items() if task in tasks}
        self._refused = {task: refusal for task, refusal in self._refused.items() if task in tasks}

    def start(self, targets: Callable[[], Mapping[str, Target]], checks: Mapping[str, Check], now_s: float) -> None:
        """Ask the sites that are free; `next_s` is then when there is room for something that has to wait."""
        ready: dict[str, list[Check]] = defaultdict(list)
        refused: dict[str, Refusal] = {}
        self.next_s = math.inf
        for site, name in sorted(self._since, key=self._since.__getitem__):
            if site in self.asking.in_flight:
                continue
            refusal = self.asking.refusal(site, checks[name], now_s)
            if refusal is None:
                ready[site].append(checks[name])
                self._refused.pop((site, name), None)
            else:
                self._refused[site, name] = refusal
                refused.setdefault(site, refusal)
                self.next_s = min(self.next_s, refusal.until_s)
        self._tell(ready, refused, now_s)
        if ready:
            for site, made in ready.items():
                self._asked[site] = {check.name: self._since.pop((site, check.name)) for check in made}
            self.asking.start(targets(), ready)

    def drop(self) -> list[Skipped]:
        """Forget what waits, and return what there was no room for, with the reasons."""
        self._since.clear()
        refused, self._refused = self._refused, {}
        return [Skipped(site, check, refusal.reason) for (site, check), refusal in refused.items()]

    def _tell(self, ready: Container[str], refused: Mapping[str, Refusal], now_s: float) -> None:
        for site, refusal in refused.items():
            wait_s = refusal.until_s - now_s
            if site in self.held:
                self.held[site] = refusal
            elif wait_s >= _WORTH_TELLING_S:
                self.held[site] = refusal
                self.say("info", "held back", site=site, reason=refusal.reason, for_s=math.ceil(wait_s))
        for site in [*self.held]:
            busy = site in refused or site in ready or site in self.asking.in_flight
            # What was held is made first, and its answer may hold it again.
            if not busy and self.asking.held_until_s(site) <= now_s:
                del self.held[site]
                self.say("info", "no longer held back", site=site)
