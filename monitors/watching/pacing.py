"""Intervals that a budget has room for: where more is asked of a site, all its checks are made more rarely."""

from __future__ import annotations

import math
from collections import defaultdict
from typing import TYPE_CHECKING

from monitors.report.text import listed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from monitors.watching.schedule import Task

_MINUTE_S = 60.0
_USED = 0.95
"""A budget is not planned to the last request: jitter brings some rounds closer together than others."""
_MANY = 100


def paced(intervals_s: Mapping[Task, float], per_minute: int) -> tuple[dict[Task, float], list[str]]:
    """Return the intervals in seconds that fit a budget for each site, and a line on those that are longer than asked.

    All checks of a site are stretched by the same factor.
    """
    by_site: dict[str, dict[str, float]] = defaultdict(dict)
    for (site, check), interval_s in intervals_s.items():
        by_site[site][check] = interval_s
    found, alike = dict(intervals_s), defaultdict[str, list[str]](list)
    for site, asked_s in by_site.items():
        due = sum(_MINUTE_S / interval_s for interval_s in asked_s.values())
        if due <= per_minute * (1 + 1e-9):
            continue
        factor = due / (per_minute * _USED)
        made_s = {check: interval_s * factor for check, interval_s in asked_s.items()}
        found.update({(site, check): interval_s for check, interval_s in made_s.items()})
        alike[_words(due, per_minute, made_s)].append(site)
    return found, [
        f"{listed(sites)}: {words.format(of='of each' if len(sites) > 1 else 'for')}" for words, sites in alike.items()
    ]


def _words(due: float, per_minute: int, made_s: Mapping[str, float]) -> str:
    every: dict[str, list[str]] = {}
    for check, interval_s in made_s.items():
        every.setdefault(f"every {_seconds(interval_s)}", []).append(check)
    if len(every) == 1:
        made = f"each check is made {next(iter(every))}"
    else:
        made = "made are " + ", ".join(f"{listed(checks)} {often}" for often, checks in every.items())
    asked = math.ceil(round(due * 10, 6)) / 10
    return f"{asked:,g} probes a minute are asked {{of}} and {per_minute:,} let through: {made}"


def _seconds(interval_s: float) -> str:
    return f"{interval_s:,.0f} s" if interval_s >= _MANY else f"{interval_s:.3g} s"
