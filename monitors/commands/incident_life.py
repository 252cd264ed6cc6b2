"""The life of one incident in print: what it is, where it was seen since when, what happened, who was told."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from monitors.commands.incident_views import CHARS, entry, facts, message, place, quoted, silence_line
from monitors.commands.maintenance_views import planned_lines
from monitors.incidents.content import incident_json, stamp
from monitors.incidents.model import EventKind
from monitors.incidents.spans import span
from monitors.model import Kind
from monitors.report.markdown import escaped
from monitors.report.tables import bare_table, printed
from monitors.report.text import counted, dumps, for_log, shown

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from rich.console import RenderableType

    from monitors.commands.incident_found import Life
    from monitors.incidents.model import Event, Incident, Spell
    from monitors.model import JSON
    from monitors.report.value import Layout
    from monitors.store import OutboxRow

_OF_A_SPELL = ("site", "since (UTC)", "for", "what")


def as_table(life: Life, layout: Layout) -> str:
    """Return the life of an incident for a terminal."""
    return printed(_life(life, layout), layout)


def _life(life: Life, layout: Layout) -> Iterator[RenderableType]:
    incident = life.incident
    yield entry(incident, life.at, layout)
    if moved := _moved(incident, "→" if layout.unicode else "->"):
        yield Text(f"  {moved}", overflow="fold")
    yield from quoted(life.known)
    yield ""
    yield _spells(incident)
    yield ""
    yield _timeline(life)
    if waiting := _deliveries(life):
        yield ""
        yield Text("\n".join(waiting), style="yellow", overflow="fold")
    for silence in life.silences:
        yield Text(f"Silence {silence.id}: {silence_line(silence)}", style="dim", overflow="fold")
    yield from (Text(line, style="dim", overflow="fold") for line in planned_lines(life.planned, life.at))


def _moved(incident: Incident, arrow: str) -> str:
    """Return what was promised and what came, of a contract that is broken or a drift; else nothing."""
    if incident.finding.kind not in {Kind.CONTRACT, Kind.DRIFT}:
        return ""
    return for_log(f"{shown(incident.finding.base)} {arrow} {shown(incident.finding.revision)}")


def _spells(incident: Incident) -> Table:
    table = bare_table(2)
    for name in _OF_A_SPELL:
        table.add_column(Text(name), no_wrap=name != "what", overflow="fold")
    for spell in incident.spells:
        *cells, what = _spell(spell, "%m-%d %H:%M:%S")
        table.add_row(*cells, Text(for_log(what, CHARS)), style="" if spell.until is None else "dim")
    return table


def _spell(spell: Spell, form: str) -> tuple[str, str, str, str]:
    length = "still" if spell.until is None else span(spell.until - spell.since)
    return spell.site or "monitor", format(spell.since, form), length, spell.message


def _timeline(life: Life) -> Table:
    """Return what happened, a day's date only where it changes."""
    table = Table.grid(padding=(0, 2, 0, 0))
    for _ in range(3):
        table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    day = None
    for event in life.events:
        date = f"{event.at:%Y-%m-%d}"
        what, said = _said(life, event)
        style = "dim" if event.kind is EventKind.NOTIFIED else ""
        shown_date = "" if date == day else date
        table.add_row(shown_date, f"{event.at:%H:%M:%S}", what, Text(for_log(said, CHARS)), style=style)
        day = date
    return table


def _said(life: Life, event: Event) -> tuple[str, str]:
    """Return what an event is and says: the timeline knows when a notice was due, the outbox what became of it."""
    rows = [row for row in life.notices if row.notice.at == event.at] if event.kind is EventKind.NOTIFIED else []
    if not rows:
        by = f"{event.by}: " if event.by else ""
        return str(event.kind), f"{by}{event.message}"
    states = {row.state for row in rows}
    what = str(event.kind) if "delivered" in states else "to notify" if "queued" in states else "not notified"
    kinds = dict.fromkeys(row.notice.kind for row in rows)
    return what, "; ".join(f"{kind}: {_told([row for row in rows if row.notice.kind is kind])}" for kind in kinds)


def _told(rows: list[OutboxRow]) -> str:
    """Return who was told, how much later than it was queued where that is seconds, and who was not."""
    words = []
    for state, before in (("delivered", ""), ("queued", "not yet "), ("abandoned", "never ")):
        if sinks := [f"{row.notice.sink}{_later(row)}" for row in rows if row.state == state]:
            words.append(before + ", ".join(sinks))
    return "; ".join(words)


def _later(row: OutboxRow) -> str:
    passed = timedelta() if row.delivered_at is None else row.delivered_at - row.notice.at
    return f" ({span(passed)} later)" if passed >= timedelta(seconds=1) else ""


def _deliveries(life: Life) -> list[str]:
    """Return what is not delivered, a line for each."""
    return [
        for_log(
            f"{row.notice.kind} not delivered to {row.notice.sink}: {row.state}, {counted(row.attempts, 'attempt')}"
            f"{f', {row.error}' if row.error else ''}",
            CHARS,
        )
        for row in life.notices
        if row.state != "delivered"
    ]


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
    if moved := _moved(incident, "→"):
        lines += [escaped(moved), ""]
    lines += [line for site, words in life.known for line in (escaped(f"vendor's status page, {site}: {words}"), "")]
    lines += [_row(_OF_A_SPELL), _row(["---"] * len(_OF_A_SPELL))]
    lines += [_row(map(escaped, _spell(spell, "%Y-%m-%d %H:%M:%S"))) for spell in incident.spells]
    lines += ["", "| time (UTC) | what | |", "|---|---|---|"]
    for event in life.events:
        what, said = _said(life, event)
        lines.append(_row([f"{event.at:%Y-%m-%d %H:%M:%S}", what, escaped(said)]))
    below = [
        *_deliveries(life),
        *(f"Silence {silence.id}: {silence_line(silence)}" for silence in life.silences),
        *planned_lines(life.planned, life.at),
    ]
    return "\n".join([*lines, *(line for words in below for line in ("", escaped(words)))]) + "\n"


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"
