"""Maintenance windows: when nothing is alerted, in the time zone people plan in."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import lru_cache
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
    minute = at.replace(second=0, microsecond=0)
    fired = _last_start(cron, timezone, minute)
    return None if fired is None else fired.astimezone(UTC)


@lru_cache(maxsize=256)
def _last_start(cron: str, timezone: str, minute: datetime) -> datetime | None:
    # The minute itself counts, and the simulation backwards begins before the time it is given.
    local = (minute + timedelta(minutes=1)).astimezone(ZoneInfo(timezone))
    return next(CronSim(cron, local, reverse=True), None)
