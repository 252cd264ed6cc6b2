"""What can be told of a schedule without a clock: how long it pauses at most."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_START = datetime(2024, 1, 1, tzinfo=UTC)
_DAYS = 8 * 366
"""Long enough to meet a 29th of February between two others."""


def never_ends(cron: str, duration_s: float) -> float | None:
    """Return how long a schedule pauses at most, in seconds, where windows of a duration leave none; else None.

    Times are those on the wall: that clocks are set back by an hour once a year is no end of a window.
    """
    longest = 0.0
    for pause in _pauses(cron):
        if pause > duration_s:
            return None
        longest = max(longest, pause)
    return longest


def _pauses(cron: str) -> Iterator[float]:
    """Yield the times between one beginning and the next, in seconds, each kind of them at least once."""
    from cronsim import CronSim  # noqa: PLC0415 - only needed where a schedule is given

    schedule = CronSim(cron, _START)
    minutes = sorted(60 * hour + minute for hour in schedule.hours for minute in schedule.minutes)
    yield from (60.0 * (after - before) for before, after in pairwise(minutes))
    overnight = minutes[0] - minutes[-1]
    days = (_START + timedelta(days=number) for number in range(_DAYS))
    due = [day for day in days if day.month in schedule.months and schedule.match_day(day.date())]
    yield from ((after - before).total_seconds() + 60.0 * overnight for before, after in pairwise(due))
    if len(due) < 2:  # noqa: PLR2004 - once in all these years: the next time is a long way off
        yield timedelta(days=_DAYS).total_seconds()
