"""From the tables of the file to what `watch` is told of probing, incidents, maintenance and the store."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from monitors.checks import CHECKS
from monitors.config import table
from monitors.config.alerting import (
    DEFAULT_INTERVALS_S,
    Maintenance,
    Retention,
    Thresholds,
    WatchSettings,
)
from monitors.config.readers import shown
from monitors.config.reading import dotted
from monitors.config.schedules import never_ends
from monitors.config.sinks import STORE
from monitors.config.urls import STORE_FORMS, store_url

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from monitors.config.lookup import Lookup
    from monitors.config.reading import Tables

STORE_VARIABLE = "MODEL_LAB_MONITOR_STORE_URL"
_SHORTEST_S = 60
"""No window may be shorter than that."""


def watch(
    tables: Tables,
    values: Mapping[str, Any],
    checks: Mapping[str, Any],
    of_sites: Mapping[str, Mapping[str, float]],
) -> WatchSettings:
    """Return how `watch` runs; `of_sites` are the intervals each site has of its own, by check."""
    known = tables.rows(("watch",), values, table.WATCH)
    general = known.pop("interval_s", None)
    intervals = dict.fromkeys(DEFAULT_INTERVALS_S, general) if general else dict(DEFAULT_INTERVALS_S)
    intervals |= check_intervals(tables, ("checks",), checks, table.CHECK)
    if general:
        for name in CHECKS:
            tables.origins.setdefault(("checks", name, "interval_s"), tables.origins["watch", "interval_s"])
    each = {(site, check): seconds for site, by_check in of_sites.items() for check, seconds in by_check.items()}
    return WatchSettings(intervals_s=intervals, site_intervals_s=each, **known)


def check_intervals(
    tables: Tables, path: tuple[str, ...], value: Any, rows: Any, shown_as: tuple[str, ...] | None = None
) -> dict[str, float]:
    """Return the intervals of a table of checks, such as `[checks.run]`."""
    found: dict[str, float] = {}
    for name, entry in tables.named(path, value, ".".join((*path, "run"))):
        here = (*path, name)
        if name not in CHECKS:
            hint = tables.mistakes.hint(name, CHECKS)
            tables.wrong(here, f"unknown check {shown(name)}{hint}")
        as_ = None if shown_as is None else (*shown_as, name)
        # What stands in a table of a wrong name is checked too: mistakes are told all at once.
        known = tables.rows(here, tables.table(here, entry), rows, shown_as=as_)
        found |= {name: known["interval_s"]} if known and name in CHECKS else {}
    return found


def thresholds(tables: Tables, values: Mapping[str, Any], confirm_count: int | None) -> Thresholds:
    """Return when a problem becomes an incident and when it is over."""
    known = tables.rows(("incidents",), values, table.INCIDENTS)
    known |= {} if confirm_count is None else {"confirm_count": confirm_count}
    found = Thresholds(**known)
    if found.failure_threshold > found.failure_window:
        name = next((name for name in ("failure_threshold", "failure_window") if name in known), "")
        tables.wrong(
            ("incidents", name),
            f"failure_threshold ({found.failure_threshold}) must not be above failure_window "
            f"({found.failure_window}): it counts failures among the last that many results",
        )
    return found


def maintenance(tables: Tables, value: Any) -> Iterator[Maintenance]:
    """Yield the windows in which nothing is alerted."""
    for path, entry, named in tables.entries("maintenance", value, "weekly"):
        mistaken = len(tables.mistakes)
        known = tables.rows(path, entry, table.MAINTENANCE)
        if len(tables.mistakes) == mistaken and _whole(tables, path, known) and named:
            yield Maintenance(name=path[-1], **known)


def _whole(tables: Tables, path: tuple[str, ...], known: Mapping[str, Any]) -> bool:
    """Say whether a window is either a repeated or a single one, and note what is missing or too much."""
    cron, once = [[name for name in names if name in known] for names in (("cron", "duration_s"), ("start", "end"))]
    if "timezone" in known and once and not cron:
        tables.wrong((*path, "timezone"), "timezone: start and end carry their own offset; leave it out")
    elif cron and once:
        tables.wrong(
            (*path, once[0]), f"{cron[0]} and {once[0]} do not go together: give cron and duration_s, or start and end"
        )
    elif len(cron) == 1:
        lacking = "duration_s" if cron == ["cron"] else "cron"
        tables.wrong((*path, cron[0]), f"{cron[0]} is given, but no {lacking}; a window needs both")
    elif len(once) == 1:
        lacking = "end" if once == ["start"] else "start"
        tables.wrong((*path, once[0]), f"{once[0]} is given, but no {lacking}; a window needs both")
    elif not cron and not once:
        tables.wrong(path, f"{dotted(path)} says no time: give cron and duration_s, or start and end")
    elif once and known["end"] <= known["start"]:
        tables.wrong((*path, "end"), "end must be after start")
    elif cron and (pause_s := never_ends(known["cron"], known["duration_s"])) is not None:
        instead = f"a duration_s below {pause_s:g}" if pause_s > _SHORTEST_S else "a cron that begins more rarely"
        tables.wrong(
            (*path, "duration_s"),
            f"duration_s: the window never ends, since the next begins at most {pause_s:g} s after the last, and lasts "
            f"{known['duration_s']:g} s; write {instead}",
        )
    else:
        return True
    return False


def store(tables: Tables, values: Mapping[str, Any], lookup: Lookup, *, with_url: bool) -> tuple[str | None, Retention]:
    """Return the store's URL, None where nobody names one, and how long it keeps what."""
    known = tables.rows(("store",), values, STORE)
    kept = Retention(**{name: known[name] for name in STORE if name in known and name.startswith("keep_")})
    ways = [way for way in ("url", "url_env", "url_file") if way in values]
    if len(ways) > 1:
        tables.wrong(("store", ways[1]), f"{ways[0]} and {ways[1]} are both given; keep one of them")
        return None, kept
    return (_store_url(tables, known, lookup) if with_url else None), kept


def _store_url(tables: Tables, known: Mapping[str, Any], lookup: Lookup) -> str | None:
    folder = tables.document.path.parent.absolute() if tables.document.path else None
    if found := lookup.variable(STORE_VARIABLE, "URL"):
        where, folder = STORE_VARIABLE, None
    elif "url" in known:
        return store_url(known["url"], folder)
    elif found := lookup.table(("store",), known, "url", "URL"):
        where = f"store.{'url_env' if 'url_env' in known else 'url_file'}"
    else:
        if variable := known.get("url_env"):
            tables.wrong(
                ("store", "url_env"),
                f"{variable} is not set, so nobody says where the store is; set {variable}, or {variable}_FILE to the "
                "path of a file that holds the URL",
            )
        return None
    if not found.value:
        return None
    tables.origins["store", "url"] = found.origin
    try:
        return store_url(found.value, folder)
    except ValueError:
        tables.mistakes.add(f"{where}: the URL must be {STORE_FORMS}; it is not shown, as it may hold a password")
        return None
