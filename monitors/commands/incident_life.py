"""The life of one incident in print: what it is, where it was seen since when, what happened, who was told."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from monitors.commands.incident_views import CHARS, entry, facts, message, place, quoted, silence_line
from monitors.commands.maintenance_views import planned_lines
from monitors.incidents.content import incident_json, stamp
from monitors.incidents.spans import span
from monitors.model import Kind
from monitors.report.markdown import escaped
from monitors.report.tables import bare_table, printed
from monitors.report.text import counted, dumps, for_log, shown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import RenderableType

    from monitors.commands.incident_found import Life
    from monitors.incidents.model import Incident
    from monitors.model import JSON
    from monitors.report.value import Layout


def as_table(life: Life, layout: Layout) -> str:
    """Return the life of an incident for a terminal."""
    return printed(_life(life, layout), layout)


def _life(life: Life, layout: Layout) -> Iterator[RenderableType]:
    incident = life.incident
    yield entry(incident, life.at, layout)
    if incident.finding.kind in {Kind.CONTRACT, Kind.DRIFT}:
        arrow = "→" if layout.unicode else "->"
        moved = f"  {shown(incident.finding.base)} {arrow} {shown(incident.finding.revision)}"
        yield Text(for_log(moved), overflow="fold")
    yield from quoted(life.known)
    yield ""
    yield _spells(incident)
    yield ""
    yield _timeline(life)
    if rows := _deliveries(life):
        yield ""
        yield rows
    for silence in life.silences:
        yield Text(f"Silence {silence.id}: {silence_line(silence)}", style="dim", overflow="fold")
    yield from (Text(line, style="dim", overflow="fold") for line in planned_lines(life.planned, life.at))


def _spells(incident: Incident) -> Table:
    table = bare_table(2)
    for name in ("site", "since (UTC)", "for", "what"):
        table.add_column(Text(name), no_wrap=name != "what", overflow="fold")
    for spell in incident.spells:
        length = "still" if spell.until is None else span(spell.until - spell.since)
        style = "" if spell.until is None else "dim"
        what = Text(for_log(spell.message, CHARS))
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
        said = Text(for_log(f"{by}{event.message}", CHARS))
        style = "dim" if str(event.kind) == "notified" else ""
        table.add_row("" if date == day else date, f"{event.at:%H:%M:%S}", str(event.kind), said, style=style)
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
    return Text("\n".join(for_log(line, CHARS) for line in lines), style="yellow", overflow="fold")


def as_json(life: Life) -> str:
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


def as_markdown(life: Life) -> str:
    """Return the life of an incident as Markdown, for a report about it."""
    incident = life.incident
    location = f" at {place(incident)}" if incident.finding.location is not None else ""
    known = ", ".join(facts(incident, life.at))
    lines = [
        f"## Incident {incident.id}: {escaped(message(incident))}",
        "",
        f"{incident.level}{location}; {escaped(known)}",
        "",
    ]
    lines += ["| time (UTC) | what | |", "|---|---|---|"]
    for event in life.events:
        by = f"{event.by}: " if event.by else ""
        lines.append(f"| {event.at:%Y-%m-%d %H:%M:%S} | {event.kind} | {escaped(by + event.message)} |")
    return "\n".join(lines) + "\n"
