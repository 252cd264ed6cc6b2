"""Maintenance windows: when nothing is alerted, in the time zone people plan in."""

from __future__ import annotations

from bisect import bisect_right
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from itertools import takewhile
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from cronsim import CronSim

from monitors.sites import SITES

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
    if window.cron:
        start = last_start(window.cron, window.timezone, at)
        # Seconds are counted, not hours on the wall: a window over the change of the clocks is as long as it says.
        return start is not None and at - start < timedelta(seconds=window.duration_s)
    if window.start is None or window.end is None:
        return False
    return window.start <= at < window.end


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
