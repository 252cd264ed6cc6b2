"""Maintenance windows: when nothing is alerted, in the time zone people plan in."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from itertools import takewhile
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from cronsim import CronSim

from monitors.sites import SITES

_DAYS_AHEAD = 3
"""A day ahead reaches into the next local day, and into the one after it where the first has but 23 hours."""

if TYPE_CHECKING:
    from collections.abc import Iterable

    from monitors.config.alerting import Maintenance


def under_maintenance(windows: Iterable[Maintenance], at: datetime) -> frozenset[str]:
    """Return the keys of the sites that are in a window at a time."""
    found: set[str] = set()
    for window in windows:
        if is_active(window, at):
            found.update(window.sites or SITES)
    return frozenset(found)


def is_active(window: Maintenance, at: datetime) -> bool:
    """Tell whether a window is open: from its start, which belongs to it, to its end, which does not."""
    return _opening(window, at) is not None


@dataclass(frozen=True, slots=True)
class Opening:
    """One time a window is open, or will be: from `start` to `end` (UTC), on sites by key."""

    name: str
    sites: tuple[str, ...]
    start: datetime
    end: datetime


def in_force(windows: Iterable[Maintenance], at: datetime) -> list[Opening]:
    """Return the windows that are open at a time, in their order."""
    return [found for window in windows if (found := _opening(window, at)) is not None]


def next_within(windows: Iterable[Maintenance], at: datetime, span: timedelta = timedelta(days=1)) -> Opening | None:
    """Return the window that opens next after a time, and not later than a span of at most a day after it."""
    coming = [found for window in windows if (found := _next(window, at)) is not None and found.start - at <= span]
    return min(coming, key=lambda found: found.start, default=None)


def _opening(window: Maintenance, at: datetime) -> Opening | None:
    start, end = window.start, window.end
    if window.cron:
        start = last_start(window.cron, window.timezone, at)
        end = _end(window, start)
    return _named(window, start, end) if start and end and start <= at < end else None


def _next(window: Maintenance, at: datetime) -> Opening | None:
    start, end = window.start, window.end
    if window.cron:
        today = at.astimezone(ZoneInfo(window.timezone)).date()
        days = (today + timedelta(days=number) for number in range(_DAYS_AHEAD))
        fired = (start for day in days for start in _fired_on(window.cron, window.timezone, day))
        start = next((start for start in fired if start > at), None)
        end = _end(window, start)
    return _named(window, start, end) if start and end and start > at else None


def _end(window: Maintenance, start: datetime | None) -> datetime | None:
    # Seconds are counted, not hours on the wall: a window over the change of the clocks is as long as it says.
    return None if start is None else start + timedelta(seconds=window.duration_s)


def _named(window: Maintenance, start: datetime, end: datetime) -> Opening:
    return Opening(window.name, window.sites or tuple(SITES), start.astimezone(UTC), end.astimezone(UTC))


def last_start(cron: str, timezone: str, at: datetime) -> datetime | None:
    """Return when a cron expression last fired at or before a time, in UTC; None if never."""
    local = at.astimezone(ZoneInfo(timezone))
    started = bisect_right(fired := _fired_on(cron, timezone, local.date()), at)
    return fired[started - 1] if started else _fired_before(cron, timezone, local.date())


def _midnight(timezone: str, day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(timezone))


@lru_cache(maxsize=1024)
def _fired_on(cron: str, timezone: str, day: date) -> tuple[datetime, ...]:
    """Return when it fires on a local day, in UTC.

    Forward from midnight, because no midnight lies in an hour that comes twice: looking back from within such an hour
    misses what fired in the first of the two.
    """
    fires = CronSim(cron, _midnight(timezone, day) - timedelta(seconds=1))
    return tuple(at.astimezone(UTC) for at in takewhile(lambda at: at.date() == day, fires))


@lru_cache(maxsize=1024)
def _fired_before(cron: str, timezone: str, day: date) -> datetime | None:
    fired = next(CronSim(cron, _midnight(timezone, day), reverse=True), None)
    return None if fired is None else fired.astimezone(UTC)
