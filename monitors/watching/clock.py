"""The two clocks of a machine, and how to tell that one of them jumped."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol

STEP_S = 2.0
"""A difference between the clocks that no correction by the system's time service explains."""


class Clock(Protocol):
    """The time of day (UTC), which people and services set, and seconds that only ever go on."""

    def now(self) -> datetime:
        """Return the time of day."""

    def monotonic(self) -> float:
        """Return seconds since some moment."""


class SystemClock:
    """The clocks of this machine."""

    def now(self) -> datetime:
        """Return the time of day."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Return seconds since some moment; whether they pass while the machine sleeps is the system's choice."""
        return time.monotonic()


@dataclass(slots=True)
class Jumps:
    """Watches both clocks side by side: a step of the time of day, or a sleep of the machine, sets them apart."""

    clock: Clock
    _last: tuple[datetime, float] | None = None

    def since_last(self) -> timedelta:
        """Return by how much the time of day went ahead of the seconds since the last call; zero if by little."""
        now = (self.clock.now(), self.clock.monotonic())
        before, self._last = self._last, now
        if before is None:
            return timedelta()
        ahead = (now[0] - before[0]) - timedelta(seconds=now[1] - before[1])
        return ahead if abs(ahead) > timedelta(seconds=STEP_S) else timedelta()
