"""Incidents in print: the list, and the life of one."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from monitors.commands.maintenance_views import Planned, planned, planned_lines
from monitors.commands.maintenance_views import as_json as maintenance_json
from monitors.incidents.content import incident_json, stamp
from monitors.incidents.model import State
from monitors.incidents.planning import covers
from monitors.incidents.spans import span
from monitors.model import Kind, Level
from monitors.report.cells import Mark
from monitors.report.markdown import code, escaped
from monitors.report.signs import STYLES, sign
from monitors.report.tables import bare_table, printed
from monitors.report.text import counted, dumps, for_log, listed, plain, shown

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from rich.console import RenderableType

    from monitors.config.alerting import Maintenance
    from monitors.incidents.model import Book, Event, Incident, Silence, Track
    from monitors.model import JSON
    from monitors.report.value import Layout
    from monitors.store import OutboxRow, Store

_NARROW = 100
_CHARS = 300
_NOTHING_KNOWN = "nothing"
_WORDS = {Mark.INFO: "info", Mark.WARNING: "warning", Mark.BREAKING: "breaking", Mark.DOWN: "down"}


@dataclass(frozen=True, slots=True)
class Found:
    """What was asked for: incidents, newest first, tracks that are pending, and the silences in force.

    `known` is what the vendor's status pages say of the sites, where they were asked; `planned` is maintenance.
    """

    open: tuple[Incident, ...] = ()
    resolved: tuple[Incident, ...] = ()
    pending: tuple[Track, ...] = ()
    silences: tuple[Silence, ...] = ()
    state: str = "open"
    kept: bool = True
    known: tuple[tuple[str, str], ...] = ()
    planned: Planned = field(default_factory=Planned)
    at: datetime = field(default_factory=lambda: datetime.now(UTC))


@dataclass(frozen=True, slots=True)
class Life:
    """One incident from its beginning, and `known`: what the vendor's status page says of its sites."""

    incident: Incident
    events: tuple[Event, ...]
    notices: tuple[OutboxRow, ...]
    silences: tuple[Silence, ...] = ()
    known: tuple[tuple[str, str], ...] = ()
    planned: Planned = field(default_factory=Planned)
    at: datetime = field(default_factory=lambda: datetime.now(UTC))


def wanted(store: Store | None, *, state: str, sites: tuple[str, ...], since: datetime | None, limit: int) -> Found:
    """Return what is asked for; nothing where there is no store yet."""
    from monitors.store import IncidentFilter  # noqa: PLC0415 - the store is there already when this runs

    if store is None:
        return Found(state=state, kept=False)
    book = store.book()
    open_, resolved = (
        tuple(store.incidents(IncidentFilter(state=one, sites=sites, since=since, limit=limit)))
        if state in {"all", str(one)}
        else ()
        for one in (State.OPEN, State.RESOLVED)
    )
    pending = tuple(
        track
        for track in book.tracks.values()
        if track.opened is None and state in {"all", "pending"} and (not sites or track.key.site in sites)
    )
    return Found(open_, resolved[: max(limit - len(open_), 0)], pending, _in_force(book), state)


def _in_force(book: Book) -> tuple[Silence, ...]:
    """Return the silences that hold: those of the past stay in the book until the next round."""
    now = datetime.now(UTC)
    return tuple(silence for silence in book.silences if silence.until > now)


def life_of(store: Store, number: int) -> Life | None:
    """Return the life of an incident, None where there is none of that number."""
    incident = store.incident(number)
    if incident is None:
        return None
    silences = tuple(entry for entry in _in_force(store.book()) if covers(entry, incident))
    return Life(incident, tuple(store.events(number)), tuple(store.notices(number)), silences)


def with_planned(found: Found, windows: Iterable[Maintenance], sites: tuple[str, ...]) -> Found:
    """Return what was asked for with the maintenance that is planned for its sites."""
    return replace(found, planned=planned(windows, found.at, sites))


def life_with_planned(life: Life, windows: Iterable[Maintenance]) -> Life:
    """Return the life with the maintenance that its sites are in now, if it is not over."""
    sites = life.incident.sites
    return replace(life, planned=Planned(planned(windows, life.at, sites).open)) if sites else life


def with_known(found: Found) -> Found:
    """Return what was asked for with what the vendor says of the sites that have something open."""
    return replace(found, known=_known(site for incident in found.open for site in incident.sites))


def life_with_known(life: Life) -> Life:
    """Return the life with what the vendor says of the sites."""
    return replace(life, known=_known(life.incident.all_sites))


def _known(sites: Iterable[str]) -> tuple[tuple[str, str], ...]:
    from monitors.statuspage import StatusPages  # noqa: PLC0415 - only where it is asked for

    pages = StatusPages()
    return tuple((site, pages.known(site) or _NOTHING_KNOWN) for site in dict.fromkeys(sites))


def mark_of(incident: Incident) -> Mark:
    """Return the mark of an incident: availability has its own."""
    return _mark(incident.finding.kind, incident.level)


def _mark(kind: Kind, level: Level) -> Mark:
    if kind is Kind.AVAILABILITY and level is Level.BREAKING:
        return Mark.DOWN
    return {Level.INFO: Mark.INFO, Level.WARNING: Mark.WARNING, Level.BREAKING: Mark.BREAKING}[level]


# --- the list --------------------------------------------------------------------------------------------------------


def as_table(found: Found, layout: Layout) -> str:
    """Return the list for a terminal."""
    return printed(_list(found, layout), layout)


def _list(found: Found, layout: Layout) -> Iterator[RenderableType]:
    for incidents in (found.open, found.resolved):
        for incident in incidents:
            yield _entry(incident, found, layout)
            yield from _quoted((site, line) for site, line in found.known if site in incident.sites)
    if found.pending:
        yield Text("Seen, but not often enough yet to be believed:", style="dim")
        yield _pending(found, layout)
    for silence in found.silences:
        yield Text(f"Silence {silence.id}: {_silence(silence)}", style="dim", overflow="fold")
    yield from (Text(line, style="dim", overflow="fold") for line in planned_lines(found.planned, found.at))
    yield Text(_sentence(found), style="bold", overflow="fold")


def _entry(incident: Incident, found: Found, layout: Layout) -> RenderableType:
    """Return an incident as a short paragraph: what, then where, since when, and who has it."""
    mark = Mark.OK if incident.resolved is not None else mark_of(incident)
    head = Text(f"{incident.id}  ", style="bold") + Text(f"{_word(incident)}  ", style=STYLES[mark])
    head.append(for_log(_message(incident), _CHARS), style="bold")
    lines = [head]
    if incident.finding.location is not None:
        lines.append(Text(for_log(incident.finding.location, _CHARS), style="cyan"))
    lines.append(Text(" · ".join(_facts(incident, found.at)), style="dim"))
    table = Table.grid(padding=(0, 1, 0, 0))
    table.add_column()
    # A location has no blanks to break at, and an ellipsis would hide its end.
    table.add_column(overflow="fold")
    table.add_row(sign(mark, layout), Text("\n").join(lines))
    return table


def _word(incident: Incident) -> str:
    return str(incident.state) if incident.resolved is not None else _WORDS[mark_of(incident)]


def _message(incident: Incident) -> str:
    """Return what is seen now where there is something, else what it was opened with."""
    spells = [spell for spell in incident.spells if spell.until is None] or list(incident.spells)
    messages = list(dict.fromkeys(spell.message for spell in spells)) or [incident.finding.message]
    return messages[0] if len(messages) == 1 else f"{messages[0]}; and {len(messages) - 1} other messages"


def _facts(incident: Incident, at: datetime) -> Iterator[str]:
    yield incident.finding.rule
    sites = list(incident.sites or incident.all_sites)
    if sites:
        yield listed(sites)
    begin = f"{incident.since:%Y-%m-%d %H:%M}"
    if incident.resolved is not None:
        yield f"{begin}, {incident.why_resolved} after {span(incident.resolved - incident.since)}"
    else:
        yield f"since {begin} UTC, for {span(at - incident.since)}"
    if incident.acknowledged is not None:
        reason = f": {incident.acknowledged.reason}" if incident.acknowledged.reason else ""
        yield for_log(f"acknowledged by {incident.acknowledged.by}{reason}", _CHARS)


def _pending(found: Found, layout: Layout) -> RenderableType:
    table = bare_table(2)
    for name in ("site", "check", "results", "what"):
        table.add_column(Text(name), no_wrap=name != "what", overflow="fold")
    for track in sorted(found.pending, key=lambda track: (track.key.site, track.key.check)):
        window = track.window.replace("x", "✗").replace(".", "·") if layout.unicode else track.window
        what = Text(for_log(track.finding.message, _CHARS))
        table.add_row(track.key.site or "monitor", track.key.check, window, what)
    return table


def _silence(silence: Silence) -> str:
    parts = [f"incident {silence.incident}"] if silence.incident is not None else []
    parts += [silence.rule] if silence.rule else []
    parts += [listed(list(silence.sites))] if silence.sites else []
    return for_log(
        f"{', '.join(parts)} until {silence.until:%Y-%m-%d %H:%M} UTC, by {silence.by}: {silence.reason}", _CHARS
    )


def _sentence(found: Found) -> str:
    if not found.kept:
        return "Nothing has been kept yet; `model-lab-monitor watch` begins."
    counts = {"open": counted(len(found.open), "open incident") if found.open else "no open incident"}
    counts["resolved"] = f"{len(found.resolved):,} resolved" if found.resolved else "none resolved"
    counts["pending"] = f"{len(found.pending):,} pending" if found.pending else "none pending"
    said = ", ".join(words for state, words in counts.items() if found.state in {state, "all"})
    return f"{said[:1].upper()}{said[1:]}."


def as_json(found: Found) -> str:
    """Return the list as one JSON object."""
    document: dict[str, JSON] = {
        "at": stamp(found.at),
        "incidents": [incident_json(incident) for incident in (*found.open, *found.resolved)],
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
    """Return the list as a Markdown table."""
    rows = ["| id | level | what | where | sites | since | state |", "|---:|---|---|---|---|---|---|"]
    for incident in (*found.open, *found.resolved):
        location = _place(incident) if incident.finding.location is not None else ""
        sites = ", ".join(incident.sites or incident.all_sites)
        rows.append(
            f"| {incident.id} | {incident.level} | {escaped(_message(incident))} | {location} | {sites} "
            f"| {incident.since:%Y-%m-%d %H:%M} | {incident.state} |"
        )
    said = [line for window in planned_lines(found.planned, found.at) for line in (escaped(window), "")]
    return "\n".join([*(rows if found.open or found.resolved else []), "", *said, _sentence(found)]).lstrip() + "\n"


def _place(incident: Incident) -> str:
    """Return the location as code: its names are the site's, who may put anything into them."""
    return code(plain(incident.finding.location or "", _CHARS))


# --- one life --------------------------------------------------------------------------------------------------------


def life_as_table(life: Life, layout: Layout) -> str:
    """Return the life of an incident for a terminal."""
    return printed(_life(life, layout), layout)


def _life(life: Life, layout: Layout) -> Iterator[RenderableType]:
    incident = life.incident
    yield _entry(incident, Found(at=life.at), layout)
    if incident.finding.kind in {Kind.CONTRACT, Kind.DRIFT}:
        arrow = "→" if layout.unicode else "->"
        moved = f"  {shown(incident.finding.base)} {arrow} {shown(incident.finding.revision)}"
        yield Text(for_log(moved), overflow="fold")
    yield from _quoted(life.known)
    yield ""
    yield _spells(incident)
    yield ""
    yield _timeline(life)
    if rows := _deliveries(life):
        yield ""
        yield rows
    for silence in life.silences:
        yield Text(f"Silence {silence.id}: {_silence(silence)}", style="dim", overflow="fold")
    yield from (Text(line, style="dim", overflow="fold") for line in planned_lines(life.planned, life.at))


def _quoted(known: Iterable[tuple[str, str]]) -> Iterator[Text]:
    for site, line in known:
        yield Text(f"  vendor's status page, {site}: {for_log(line, _CHARS)}", style="yellow", overflow="fold")


def _spells(incident: Incident) -> Table:
    table = bare_table(2)
    for name in ("site", "since (UTC)", "for", "what"):
        table.add_column(Text(name), no_wrap=name != "what", overflow="fold")
    for spell in incident.spells:
        length = "still" if spell.until is None else span(spell.until - spell.since)
        style = "" if spell.until is None else "dim"
        what = Text(for_log(spell.message, _CHARS))
        table.add_row(spell.site or "monitor", f"{spell.since:%m-%d %H:%M:%S}", length, what, style=style)
    return table


def _timeline(life: Life) -> Table:
    """Return what happened, a day's date only where it changes."""
    table = Table.grid(padding=(0, 2, 0, 0))
    for _ in range(3):
        table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    day = None
    for event in life.events:
        date = f"{event.at:%Y-%m-%d}"
        by = f"{event.by}: " if event.by else ""
        message = Text(for_log(f"{by}{event.message}", _CHARS))
        style = "dim" if str(event.kind) == "notified" else ""
        table.add_row("" if date == day else date, f"{event.at:%H:%M:%S}", str(event.kind), message, style=style)
        day = date
    return table


def _deliveries(life: Life) -> RenderableType | None:
    """Return what is not delivered, None where everything is."""
    waiting = [row for row in life.notices if row.state != "delivered"]
    if not waiting:
        return None
    lines = [
        f"{row.notice.kind} not delivered to {row.notice.sink}: {row.state}, {counted(row.attempts, 'attempt')}"
        f"{f', {row.error}' if row.error else ''}"
        for row in waiting
    ]
    return Text("\n".join(for_log(line, _CHARS) for line in lines), style="yellow", overflow="fold")


def life_as_json(life: Life) -> str:
    """Return the life of an incident as one JSON object."""
    document: dict[str, JSON] = {
        "incident": incident_json(life.incident),
        "events": [
            {
                "at": stamp(event.at),
                "kind": str(event.kind),
                "message": event.message,
                "sites": list(event.sites),
                "by": event.by or None,
            }
            for event in life.events
        ],
        "notices": [
            {
                "sink": row.notice.sink,
                "kind": str(row.notice.kind),
                "key": row.notice.key,
                "at": stamp(row.notice.at),
                "state": row.state,
                "attempts": row.attempts,
                "error": row.error or None,
                "delivered": stamp(row.delivered_at),
            }
            for row in life.notices
        ],
        "known": dict(life.known),
    }
    return dumps(document, indent=2) + "\n"


def life_as_markdown(life: Life) -> str:
    """Return the life of an incident as Markdown, for a report about it."""
    incident = life.incident
    location = f" at {_place(incident)}" if incident.finding.location is not None else ""
    facts = ", ".join(_facts(incident, life.at))
    lines = [
        f"## Incident {incident.id}: {escaped(_message(incident))}",
        "",
        f"{incident.level}{location}; {escaped(facts)}",
        "",
    ]
    lines += ["| time (UTC) | what | |", "|---|---|---|"]
    for event in life.events:
        by = f"{event.by}: " if event.by else ""
        lines.append(f"| {event.at:%Y-%m-%d %H:%M:%S} | {event.kind} | {escaped(by + event.message)} |")
    return "\n".join(lines) + "\n"
