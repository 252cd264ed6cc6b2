"""The two clocks of a machine, and how to tell that one of them jumped."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
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
class SimulatedClock:
    """Both clocks in a simulation, where nothing waits: whoever runs it lets time pass, and may set either clock."""

    at: datetime = field(default_factory=lambda: datetime.now(UTC))
    seconds: float = 0.0

    def now(self) -> datetime:
        """Return the time of day."""
        return self.at

    def monotonic(self) -> float:
        """Return the seconds."""
        return self.seconds

    def advance(self, seconds: float) -> None:
        """Let time pass on both clocks."""
        self.seconds += seconds
        self.at += timedelta(seconds=seconds)


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
