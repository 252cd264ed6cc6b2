"""Incidents in print: the list."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from monitors.commands.maintenance_views import as_json as maintenance_json
from monitors.commands.maintenance_views import planned_lines
from monitors.incidents.content import incident_json, stamp
from monitors.incidents.problems import OUTAGE
from monitors.incidents.spans import span
from monitors.model import Level
from monitors.report.cells import Mark
from monitors.report.markdown import code, escaped
from monitors.report.signs import STYLES, sign
from monitors.report.tables import bare_table, printed
from monitors.report.text import counted, dumps, for_log, listed, plain

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from rich.console import RenderableType

    from monitors.commands.incident_found import Found
    from monitors.incidents.model import Incident, Silence, Track
    from monitors.model import JSON
    from monitors.report.value import Layout

CHARS = 300
_MARKS = {Level.INFO: Mark.INFO, Level.WARNING: Mark.WARNING, Level.BREAKING: Mark.BREAKING}
_WORDS = {Mark.INFO: "info", Mark.WARNING: "warning", Mark.BREAKING: "breaking", Mark.DOWN: "down"}


def _mark(incident: Incident) -> Mark:
    """Return the mark of an incident: an outage has its own. A site that refuses our keys is not down."""
    if incident.problem == OUTAGE and incident.level is Level.BREAKING:
        return Mark.DOWN
    return _MARKS[incident.level]


def as_table(found: Found, layout: Layout) -> str:
    """Return the list for a terminal."""
    return printed(_list(found, layout), layout)


def _list(found: Found, layout: Layout) -> Iterator[RenderableType]:
    for incidents in (found.open, found.resolved):
        for incident in incidents:
            yield entry(incident, found.at, layout)
            yield from quoted((site, line) for site, line in found.known if site in incident.sites)
    if found.more:
        yield Text(_left_out(found), style="dim", overflow="fold")
    if found.pending:
        yield Text("Seen, but not often enough yet to be believed:", style="dim")
        yield _pending(found, layout)
    for silence in found.silences:
        yield Text(f"Silence {silence.id}: {silence_line(silence)}", style="dim", overflow="fold")
    yield from (Text(line, style="dim", overflow="fold") for line in planned_lines(found.planned, found.at))
    yield Text(_sentence(found), style="bold", overflow="fold")


def entry(incident: Incident, at: datetime, layout: Layout) -> RenderableType:
    """Return an incident as a short paragraph: what, then where, since when, and who has it."""
    mark = Mark.OK if incident.resolved is not None else _mark(incident)
    head = Text(f"{incident.id}  ", style="bold") + Text(f"{_word(incident)}  ", style=STYLES[mark])
    head.append(for_log(message(incident), CHARS), style="bold")
    lines = [head]
    if incident.finding.location is not None:
        lines.append(Text(for_log(incident.finding.location, CHARS), style="cyan"))
    lines.append(Text(" · ".join(facts(incident, at)), style="dim"))
    table = Table.grid(padding=(0, 1, 0, 0))
    table.add_column()
    # A location has no blanks to break at, and an ellipsis would hide its end.
    table.add_column(overflow="fold")
    table.add_row(sign(mark, layout), Text("\n").join(lines))
    return table


def quoted(known: Iterable[tuple[str, str]]) -> Iterator[Text]:
    """Yield what the vendor's status page says of sites, a line for each."""
    for site, line in known:
        yield Text(f"  vendor's status page, {site}: {for_log(line, CHARS)}", style="yellow", overflow="fold")


def _word(incident: Incident) -> str:
    return str(incident.state) if incident.resolved is not None else _WORDS[_mark(incident)]


def message(incident: Incident) -> str:
    """Return what is seen now where there is something, else what it was opened with."""
    spells = [spell for spell in incident.spells if spell.until is None] or list(incident.spells)
    messages = list(dict.fromkeys(spell.message for spell in spells)) or [incident.finding.message]
    return messages[0] if len(messages) == 1 else f"{messages[0]}; and {len(messages) - 1} other messages"


def facts(incident: Incident, at: datetime) -> Iterator[str]:
    """Yield rule, sites, since when and for how long, and who has it."""
    yield incident.finding.rule
    sites = list(incident.sites or incident.all_sites)
    if sites:
        yield listed(sites)
    begin = f"{incident.since:%Y-%m-%d %H:%M}"
    if incident.resolved is not None:
        yield f"{begin}, {incident.why_resolved} after {span(incident.resolved - incident.since)}"
    else:
        yield f"since {begin} UTC, for {span(at - incident.since)}"
    yield from taken(incident)


def taken(incident: Incident) -> Iterator[str]:
    """Yield who has taken an incident on, and what they said; nothing where nobody has."""
    if incident.acknowledged is not None:
        reason = f": {incident.acknowledged.reason}" if incident.acknowledged.reason else ""
        yield for_log(f"acknowledged by {incident.acknowledged.by}{reason}", CHARS)


def _pending(found: Found, layout: Layout) -> RenderableType:
    table = bare_table(2)
    for name in ("site", "check", "results", "what"):
        table.add_column(Text(name), no_wrap=name != "what", overflow="fold")
    for track in _in_order(found.pending):
        window = track.window.replace("x", "✗").replace(".", "·") if layout.unicode else track.window
        what = Text(for_log(track.finding.message, CHARS))
        table.add_row(track.key.site or "monitor", track.key.check, window, what)
    return table


def _in_order(tracks: Iterable[Track]) -> list[Track]:
    return sorted(tracks, key=lambda track: (track.key.site, track.key.check))


def silence_line(silence: Silence) -> str:
    """Return what a silence is about, until when, and who set it why."""
    parts = [f"incident {silence.incident}"] if silence.incident is not None else []
    parts += [silence.rule] if silence.rule else []
    parts += [listed(list(silence.sites))] if silence.sites else []
    return for_log(
        f"{', '.join(parts)} until {silence.until:%Y-%m-%d %H:%M} UTC, by {silence.by}: {silence.reason}", CHARS
    )


def _sentence(found: Found) -> str:
    if not found.kept:
        return "Nothing has been kept yet; `model-lab-monitor watch` begins."
    open_ = counted(len(found.all_open), "open incident")
    counts = {"open": open_ if found.all_open else "no open incident"}
    counts["resolved"] = f"{found.resolved_count:,} resolved" if found.resolved_count else "none resolved"
    counts["pending"] = f"{len(found.pending):,} pending" if found.pending else "none pending"
    said = ", ".join(words for state, words in counts.items() if found.state in {state, "all"})
    # The exit code speaks of what is open, so whoever lists something else is told of it.
    aside = f"; {open_} not listed" if found.all_open and found.state not in {"open", "all"} else ""
    return f"{said[:1].upper()}{said[1:]}{aside}."


def _left_out(found: Found) -> str:
    return f"and {found.more:,} more; a higher --limit lists them"


def as_json(found: Found) -> str:
    """Return the list as one JSON object."""
    document: dict[str, JSON] = {
        "at": stamp(found.at),
        "incidents": [incident_json(incident) for incident in (*found.open, *found.resolved)],
        "more": found.more,
        "pending": [_track_json(track) for track in found.pending],
        "silences": [_silence_json(silence) for silence in found.silences],
        "maintenance": maintenance_json(found.planned),
        "known": dict(found.known),
    }
    return dumps(document, indent=2) + "\n"


def _track_json(track: Track) -> dict[str, JSON]:
    return {
        "problem": track.key.problem,
        "site": track.key.site,
        "check": track.key.check,
        "results": track.window,
        "level": str(track.finding.level),
        "rule": track.finding.rule,
        "location": track.finding.location,
        "message": track.finding.message,
        "first": stamp(track.first),
        "last": stamp(track.last),
    }


def _silence_json(silence: Silence) -> dict[str, JSON]:
    return {
        "id": silence.id,
        "until": stamp(silence.until),
        "reason": silence.reason,
        "by": silence.by,
        "created": stamp(silence.created),
        "incident": silence.incident,
        "rule": silence.rule or None,
        "sites": list(silence.sites),
    }


def as_markdown(found: Found) -> str:
    """Return the list as a Markdown table, and below it what is pending, silenced and planned."""
    incidents = (*found.open, *found.resolved)
    rows = ["| id | level | what | rule | where | sites | since | state |", "|---:|---|---|---|---|---|---|---|"]
    for incident in incidents:
        location = place(incident) if incident.finding.location is not None else ""
        sites = ", ".join(incident.sites or incident.all_sites)
        rows.append(
            f"| {incident.id} | {incident.level} | {escaped(message(incident))} | {code(incident.finding.rule)} "
            f"| {location} | {sites} | {incident.since:%Y-%m-%d %H:%M} | {escaped(_standing(incident))} |"
        )
    lines = [_left_out(found)] if found.more else []
    lines += [
        f"Pending, {track.key.site or 'monitor'} {track.key.check}: {for_log(track.finding.message, CHARS)}"
        for track in _in_order(found.pending)
    ]
    lines += [f"Silence {silence.id}: {silence_line(silence)}" for silence in found.silences]
    lines += planned_lines(found.planned, found.at)
    said = [line for words in lines for line in (escaped(words), "")]
    return "\n".join([*(rows if incidents else []), "", *said, _sentence(found)]).lstrip() + "\n"


def _standing(incident: Incident) -> str:
    """Return the state of an incident, and who has it."""
    return ", ".join([str(incident.state), *taken(incident)])


def place(incident: Incident) -> str:
    """Return the location as code: its names are the site's, who may put anything into them."""
    return code(plain(incident.finding.location or "", CHARS))
