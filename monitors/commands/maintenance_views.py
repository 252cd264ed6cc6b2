"""Windows of maintenance in print: those that are open, and the next one within a day."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from monitors.incidents.content import stamp
from monitors.incidents.maintenance import in_force, next_within
from monitors.report.text import for_log, listed
from monitors.sites import SITES

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator
    from datetime import datetime

    from monitors.config.alerting import Maintenance
    from monitors.incidents.maintenance import Opening
    from monitors.model import JSON


@dataclass(frozen=True, slots=True)
class Planned:
    """What is planned for some sites: the windows that are open, and the one that opens next within a day."""

    open: tuple[Opening, ...] = ()
    next: Opening | None = None


def planned(windows: Iterable[Maintenance], at: datetime, sites: Collection[str] = ()) -> Planned:
    """Return what is planned; for all sites, if none are named."""
    meant = [window for window in windows if not sites or not window.sites or not set(sites).isdisjoint(window.sites)]
    now_open = tuple(in_force(meant, at))
    coming = (next_within([window], at) for window in meant)
    news = [found for found in coming if found is not None and not any(_hides(other, found) for other in now_open)]
    return Planned(now_open, min(news, key=lambda found: found.start, default=None))


def _hides(one: Opening, other: Opening) -> bool:
    """Tell whether a window that is open is still open, on the same sites at least, when another is over."""
    return set(other.sites) <= set(one.sites) and other.end <= one.end


def planned_lines(found: Planned, at: datetime) -> Iterator[str]:
    """Yield a line for each window; those that are open on the same sites, one after another, are one."""
    coming = found.next
    merged: dict[frozenset[str], list[Opening]] = {}
    for opening in found.open:
        merged.setdefault(frozenset(opening.sites), []).append(opening)
    following = merged.get(frozenset(coming.sites), []) if coming is not None else []
    if coming is not None and any(coming.start <= opening.end for opening in following):
        following.append(coming)
        coming = None
    for openings in merged.values():
        until = max(opening.end for opening in openings)
        names = ", ".join(opening.name for opening in openings)
        yield for_log(f"{_where(openings[0])} in maintenance until {_clock(until, at)} UTC ({names})")
    if coming is not None:
        times = f"from {_clock(coming.start, at)} until {_clock(coming.end, at)} UTC"
        yield for_log(f"Next maintenance: {_where(coming)} {times} ({coming.name})")


def _where(opening: Opening) -> str:
    return "All sites" if set(opening.sites) >= set(SITES) else listed([*opening.sites])


def _clock(moment: datetime, at: datetime) -> str:
    """Return the time of day, and the day where it is another one."""
    return f"{moment:%H:%M}" if moment.date() == at.date() else f"{moment:%Y-%m-%d %H:%M}"


def as_json(found: Planned) -> list[JSON]:
    """Return the windows, those that are open first; `open` tells which are."""
    return [
        {
            "name": opening.name,
            "sites": [*opening.sites],
            "start": stamp(opening.start),
            "end": stamp(opening.end),
            "open": opening in found.open,
        }
        for opening in (*found.open, *([found.next] if found.next else []))
    ]
