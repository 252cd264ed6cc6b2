"""How the monitor stands, in a line as long as there is room for: whoever looks at it sees whether it is alive."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from monitors.incidents.maintenance import under_maintenance
from monitors.incidents.model import State
from monitors.report.text import counted

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from monitors.incidents.model import Book
    from monitors.watching.clock import Clock
    from monitors.watching.keeper import Rules

_LATE_S = 5.0
_MINUTES_FROM_S, _HOURS_FROM_S = 120, 7_200


@dataclass(slots=True)
class Standing:
    """What the line is made of; written by the loop and read by whoever shows it, each value by itself.

    `open` incidents are None where the store has not said yet. `troubles` are words on the monitor itself. `held` sites
    wait for room, `maintained` ones are in maintenance, `silences` are in force. Moments are monotonic seconds.
    """

    clock: Clock
    sites: int = 0
    open: int | None = None
    troubles: tuple[str, ...] = ()
    probes: int = 0
    answered_s: float = -math.inf
    next_s: float = math.inf
    held: int = 0
    maintained: int = 0
    silences: int = 0

    def take(self, rules: Rules, book: Book | None, now: datetime) -> None:
        """Take what is watched, and how it is by the book, where there is any."""
        watched = {site for site, _ in rules.watched}
        self.sites, self.maintained = len(watched), len(watched & under_maintenance(rules.maintenance, now))
        if book is not None:
            going_on = {number for number, incident in book.incidents.items() if incident.state is State.OPEN}
            self.open = len(going_on)
            self.silences = sum(each.until > now and each.incident in {None, *going_on} for each in book.silences)

    def status(self, *, short: bool = False) -> str:
        """Return what changes only when something happens."""
        words = [counted(self.sites, "site")]
        if self.open is not None and short:
            words.append(f"{self.open or 'none'} open")
        elif self.open is not None:
            words.append(counted(self.open, "open incident") if self.open else "no open incident")
        return "; ".join([", ".join(words), *self.troubles])

    def line(self, width: int) -> str:
        """Return as much as fits: probes and the last answer, what is held back or silent, the next probe."""
        lines = [*self._lines()]
        return next((line for line in lines if len(line) <= width), lines[-1])

    def _lines(self) -> Iterator[str]:
        """Yield lines from the longest to the shortest."""
        now_s = self.clock.monotonic()
        aside, after = self._aside(), self._after(now_s)
        whole, brief, terse = self.status(), self.status(short=True), counted(self.probes, "probe")
        if self.answered_s == -math.inf:
            last = shortly = f"{terse}, no answer yet"
        else:
            ago = f"{_span(now_s - self.answered_s)} ago"
            last, shortly = f"{terse}, last answer {ago}", f"{terse}, {ago}"
        for parts in (
            (whole, last, aside, after),
            (whole, shortly, aside, after),
            (brief, shortly, aside, after),
            (brief, shortly, aside),
            (brief, aside),
        ):
            yield "; ".join(filter(None, parts))

    def _aside(self) -> str:
        said = (
            (self.held, f"{self.held} held back"),
            (self.maintained, f"{self.maintained} in maintenance"),
            (self.silences, counted(self.silences, "silence")),
        )
        return ", ".join(words for number, words in said if number)

    def _after(self, now_s: float) -> str:
        if self.next_s == math.inf:
            return ""
        if now_s - self.next_s > _LATE_S:
            return f"next is {_span(now_s - self.next_s)} late"
        return f"next in {_span(max(self.next_s - now_s, 0.0))}"


def _span(seconds: float) -> str:
    if seconds < _MINUTES_FROM_S:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < _HOURS_FROM_S else f"{seconds / 3600:.0f} h"
