"""Maintenance windows: when nothing is alerted, in the time zone people plan in."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from itertools import product
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from cronsim import CronSim

from monitors.sites import SITES

_MAX_BEGINNINGS = 10_000
"""One opening has no more beginnings: five days of a window that begins every minute have 7,200."""
_AROUND = range(-2, 4)
"""Days whose schedule can fire on a day or the one after it: clocks were set by as much as a whole day."""

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
    start = _last(window, at)
    return start is not None and at < _end(window, start)


@dataclass(frozen=True, slots=True)
class Opening:
    """One time a window is open, or will be: from `start` to `end` (UTC), on sites by key.

    A window that begins anew before it ends is open all that while, and that is one opening.
    """

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
    start = _last(window, at)
    return None if start is None or at >= _end(window, start) else _whole(window, start)


def _next(window: Maintenance, at: datetime) -> Opening | None:
    if not window.cron:
        return _whole(window, window.start) if window.start and window.end and window.start > at else None
    now = _opening(window, at)
    # What begins while the window is open, or just as it ends, is no opening of its own.
    after = at if now is None else max(at, now.end)
    fired = _fired_around(window.cron, window.timezone, after.astimezone(ZoneInfo(window.timezone)).date())
    following = bisect_right(fired, after)
    return _whole(window, fired[following]) if following < len(fired) else None


def _last(window: Maintenance, at: datetime) -> datetime | None:
    """Return when a window last began, at a time or before it."""
    if window.cron:
        return last_start(window.cron, window.timezone, at)
    return window.start if window.start and window.end and window.start <= at else None


def _end(window: Maintenance, start: datetime) -> datetime:
    # Seconds are counted, not hours on the wall: a window over the change of the clocks is as long as it says.
    return window.end or start + timedelta(seconds=window.duration_s)


def _whole(window: Maintenance, start: datetime) -> Opening:
    """Return the opening that a beginning is part of, with all that began before it ended and after that."""
    first = last = start
    for _ in range(_MAX_BEGINNINGS if window.cron else 0):
        before = last_start(window.cron, window.timezone, first - timedelta(microseconds=1))
        if before is None or _end(window, before) < first:
            break
        first = before
    for _ in range(_MAX_BEGINNINGS if window.cron else 0):
        after = last_start(window.cron, window.timezone, _end(window, last))
        if after is None or after <= last:
            break
        last = after
    sites = window.sites or tuple(SITES)
    return Opening(window.name, sites, first.astimezone(UTC), _end(window, last).astimezone(UTC))


def last_start(cron: str, timezone: str, at: datetime) -> datetime | None:
    """Return when a cron expression last fired at or before a time, in UTC; None if never."""
    day = at.astimezone(ZoneInfo(timezone)).date()
    fired = _fired_around(cron, timezone, day)
    return fired[found - 1] if (found := bisect_right(fired, at)) else _fired_before(cron, timezone, day)


@lru_cache(maxsize=64)
def _fired_around(cron: str, timezone: str, day: date) -> tuple[datetime, ...]:
    """Return when it fires about a local day, in UTC and in order.

    A day alone does not do: what the clocks skip fires after the gap, which may end on the next day, and clocks that
    are set back from just after midnight show the day before once more.
    """
    days = (day + timedelta(days=number) for number in _AROUND)
    return tuple(sorted({at for each in days for at in _fired_on(cron, timezone, each)}))


@lru_cache(maxsize=64)
def _fired_before(cron: str, timezone: str, day: date) -> datetime | None:
    """Return when it last fired by the schedule of the days that are not about a day any more."""
    day += timedelta(days=_AROUND.start)
    for wall in CronSim(cron, datetime(day.year, day.month, day.day), reverse=True):  # noqa: DTZ001 - times on the wall
        both = (wall.date(), wall.date() - timedelta(days=1))
        if fired := [at for each in both for at in _fired_on(cron, timezone, each)]:
            return max(fired)
    return None


@lru_cache(maxsize=128)
def _fired_on(cron: str, timezone: str, day: date) -> tuple[datetime, ...]:
    """Return when it fires by the schedule of a local day, in UTC.

    The schedule is asked in times on the wall, and each is looked up in the zone here: there are days without a
    midnight, without an evening, with two midnights, and none at all.
    """
    schedule = CronSim(cron, datetime(day.year, day.month, day.day))  # noqa: DTZ001 - times on the wall
    if day.month not in schedule.months or not schedule.match_day(day):
        return ()
    walls = (datetime(day.year, day.month, day.day, *both) for both in product(schedule.hours, schedule.minutes))  # noqa: DTZ001 - likewise
    zone, often = ZoneInfo(timezone), _is_often(cron)
    return tuple(at for wall in walls for at in (_each(wall, zone) if often else [_once(wall, zone)]))


def _is_often(cron: str) -> bool:
    """Tell whether it goes by what the clock shows, as a star in minute or hour does, in place of once a day."""
    minute, hour, *_ = cron.split()
    return minute.startswith("*") or hour.startswith("*")


def _each(wall: datetime, zone: ZoneInfo) -> list[datetime]:
    """Return each time the clocks of a zone show a time: two in an hour that comes twice, none in one they skip."""
    first, second = (wall.replace(tzinfo=zone, fold=fold).utcoffset() or timedelta() for fold in (0, 1))
    offsets = [first] if first == second else [first, second] if first > second else []
    return [(wall - offset).replace(tzinfo=UTC) for offset in offsets]


def _once(wall: datetime, zone: ZoneInfo) -> datetime:
    """Return when the clocks of a zone first show a time; of one they skip, the first minute after the gap."""
    while not (found := _each(wall, zone)):
        wall += timedelta(minutes=1)
    return found[0]
