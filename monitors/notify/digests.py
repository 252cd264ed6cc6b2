"""How a digest is worded: what is open, what began and ended, and how available each site was."""

from __future__ import annotations

from typing import TYPE_CHECKING

from monitors.incidents.spans import span
from monitors.model import Level
from monitors.notify.content import about_incident, listed_sites, members, moment, number, rows, text
from monitors.notify.own_troubles import in_short
from monitors.notify.wording import OVER, SIGNS, clock
from monitors.report.text import counted, milliseconds, percent, plain

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from monitors.model import JSON

_MAX_INCIDENTS = 15
_WHAT_CHARS, _NAME_CHARS = 80, 40
_FULL = 100


def digest_title(content: Mapping[str, JSON]) -> str:
    """Return the digest in a line: `🔴 Model Lab, 1 d: 2 open, 3 new, 1 over`."""
    digest = members(content.get("digest"))
    opened, over, still = (len(rows(digest.get(name))) for name in ("opened", "resolved", "open"))
    worst = _worst(digest)
    sign = OVER if worst is None else SIGNS[worst]
    parts = [f"{count} {word}" for count, word in ((still, "open"), (opened, "new"), (over, "over")) if count]
    parts += [] if _probes(digest) else ["nothing was probed"]
    return f"{sign} Model Lab, {_length(digest)}: {', '.join(parts) or 'no incident'}"


def digest_lines(content: Mapping[str, JSON]) -> tuple[Level | None, tuple[str, ...]]:
    """Return how bad it is, None where all is well, and the digest line by line."""
    digest = members(content.get("digest"))
    return _worst(digest), tuple(_lines(digest))


def _worst(digest: Mapping[str, JSON]) -> Level | None:
    """Return the level of the worst incident that is still open; where nobody looked, nobody knows that all is well."""
    unseen = [] if _probes(digest) else [Level.WARNING]
    return max([*unseen, *(about_incident(row).level for row in rows(digest.get("open")))], default=None)


def _probes(digest: Mapping[str, JSON]) -> int:
    return sum(int(number(row.get("probes")) or 0) for row in rows(digest.get("uptime")))


def _length(digest: Mapping[str, JSON]) -> str:
    begin, end = moment(digest.get("from")), moment(digest.get("to"))
    return span(end - begin) if begin is not None and end is not None else "digest"


def _lines(digest: Mapping[str, JSON]) -> Iterator[str]:
    end = moment(digest.get("to"))
    open_rows, over_rows = rows(digest.get("open")), rows(digest.get("resolved"))
    open_ids = {about_incident(row).id for row in open_rows}
    over_ids = {about_incident(row).id for row in over_rows}
    for row in open_rows[:_MAX_INCIDENTS]:
        # An older program could tell of one that was over a moment later.
        yield _incident({**row, "resolved": None}, end)
    for row in over_rows[:_MAX_INCIDENTS]:
        yield _incident(row, end)
    # What began and is in neither list was told of by an older program.
    known = open_ids | over_ids
    for row in rows(digest.get("opened"))[:_MAX_INCIDENTS]:
        if about_incident(row).id not in known:
            yield _incident(row, end)
    hidden = max(0, len(open_rows) - _MAX_INCIDENTS) + max(0, len(over_rows) - _MAX_INCIDENTS)
    if hidden:
        yield f"and {hidden:,} more"
    if probes := _probes(digest):
        yield from _uptime(rows(digest.get("uptime")), probes)
    else:
        yield "Nothing was probed in that time: see that the monitor runs, and that it has keys."
    skipped = [plain(text(row.get("site")), _NAME_CHARS) for row in rows(digest.get("skipped"))]
    if skipped:
        yield f"Not probed: {', '.join(dict.fromkeys(skipped))}"


def _incident(row: Mapping[str, JSON], end: datetime | None) -> str:
    incident = about_incident(row)
    sites = incident.sites or incident.all_sites
    where = "the monitor itself" if incident.is_monitors_own else listed_sites(sites)
    said = in_short(incident.rule, incident.message) if incident.is_monitors_own else incident.message
    what = plain(said or incident.rule, _WHAT_CHARS)
    place = f" ({plain(incident.location, _WHAT_CHARS)})" if incident.location else ""
    if incident.resolved is not None:
        lasted = span(incident.resolved - incident.since) if incident.since is not None else ""
        return f"{OVER} {plain(where)}: {what}{place}; over after {lasted or 'a while'}"
    since = f"; since {clock(incident.since)}" if incident.since is not None else ""
    lasted = f" ({span(end - incident.since)})" if end is not None and incident.since is not None else ""
    taken = f", taken by {plain(incident.acknowledged_by, _NAME_CHARS)}" if incident.acknowledged_by else ""
    return f"{SIGNS[incident.level]} {plain(where)}: {what}{place}{since}{lasted}{taken}"


def _uptime(table: list[Mapping[str, JSON]], probes: int) -> Iterator[str]:
    """Tell the sites that were down one by one, worst first, and those that never were in one line."""
    down = [row for row in table if (share := number(row.get("uptime"))) is not None and share < _FULL]
    down.sort(key=lambda row: number(row.get("uptime")) or 0.0)
    for row in down:
        yield f"{_name(row)}: {percent((number(row.get('uptime')) or 0.0) / 100)} up{_slow(row)}"
    up = [row for row in table if (share := number(row.get("uptime"))) is not None and share >= _FULL]
    if up:
        yield f"100 % up: {', '.join(_name(row) for row in up)}"
    slowest = max((number(row.get("p95_ms")) or 0.0 for row in table), default=0.0)
    yield f"{counted(probes, 'probe')}{f'; p95 at most {milliseconds(slowest / 1000)}' if slowest else ''}"


def _name(row: Mapping[str, JSON]) -> str:
    name = " ".join(filter(None, (text(row.get("site")), text(row.get("check")))))
    return plain(name, _NAME_CHARS)


def _slow(row: Mapping[str, JSON]) -> str:
    p95 = number(row.get("p95_ms"))
    return f", p95 {milliseconds(p95 / 1000)}" if p95 else ""
