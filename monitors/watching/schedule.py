"""What is due when: every site and check on its own interval, without drift, without bursts. Pure but for its state."""

from __future__ import annotations

import math
from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

Task = tuple[str, str]
"""Site and check."""

_JITTER_SHARE = 0.1


@dataclass(slots=True)
class _Slot:
    interval_s: float
    due_s: float


class Schedule:
    """The times of all tasks, in the seconds of a monotonic clock.

    The first round is due at once. After that a task is due at whole multiples of its interval since the start, plus a
    jitter of at most `jitter_s` (and a tenth of the interval) that is drawn anew each time and never adds up. Tasks
    with the same interval share it, so that a round stays one. Slots that were missed are left out: after a sleep of
    hours each task is due once.
    """

    def __init__(self, intervals_s: Mapping[Task, float], start_s: float, *, jitter_s: float, seed: int) -> None:
        """Plan all tasks from `start_s` on; monitors with different seeds spread over the jitter."""
        self._start_s, self._jitter_s, self._seed = start_s, jitter_s, seed
        self._slots = {task: _Slot(interval_s, start_s) for task, interval_s in intervals_s.items()}

    def due(self, now_s: float) -> list[Task]:
        """Return the tasks that are due, each once, and plan them anew."""
        found = [task for task, slot in self._slots.items() if slot.due_s <= now_s]
        for task in found:
            slot = self._slots[task]
            slot.due_s = self._next_s(slot.interval_s, now_s)
        return found

    def next_s(self) -> float:
        """Return when the next task is due; infinity where there is none."""
        return min((slot.due_s for slot in self._slots.values()), default=math.inf)

    def update(self, intervals_s: Mapping[Task, float], now_s: float) -> None:
        """Take over other intervals: what keeps its interval keeps its time, what is new is due at once."""
        kept = self._slots
        self._slots = {}
        for task, interval_s in intervals_s.items():
            known = kept.get(task)
            if known is not None and known.interval_s == interval_s:
                self._slots[task] = known
            else:
                self._slots[task] = _Slot(interval_s, now_s if known is None else self._next_s(interval_s, now_s))

    def _next_s(self, interval_s: float, now_s: float) -> float:
        """Return the first slot after now; the one after it where the jitter has not let this one's time pass yet."""
        number = math.floor((now_s - self._start_s) / interval_s) + 1
        if self._start_s + number * interval_s <= now_s:
            # Rounded down, a slot that has just come seems to be still ahead, and would be due a second time.
            number += 1
        return self._start_s + number * interval_s + self._jitter(interval_s, number)

    def _jitter(self, interval_s: float, number: int) -> float:
        most_s = min(self._jitter_s, interval_s * _JITTER_SHARE)
        return Random(f"{self._seed}/{interval_s}/{number}").uniform(0, most_s)  # noqa: S311 - spreads, hides nothing
