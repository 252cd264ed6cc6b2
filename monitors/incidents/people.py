"""What people do to incidents: acknowledge, silence, resolve by hand. Pure; raises `UsageError` for what cannot be."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from monitors.errors import UsageError
from monitors.incidents.deciding import BY_HAND, Decision
from monitors.incidents.model import Acknowledgement, Book, Event, EventKind, Incident, Silence, State
from monitors.incidents.planning import covers, silenced
from monitors.incidents.spans import span

if TYPE_CHECKING:
    from datetime import datetime


def open_incident(book: Book, number: int) -> Incident:
    """Return an open incident by its id."""
    incident = book.incidents.get(number)
    if incident is None or incident.state is not State.OPEN:
        known = ", ".join(str(entry.id) for entry in book.incidents.values() if entry.state is State.OPEN)
        message = f"incident {number} is not open; open: {known or 'none'}"
        raise UsageError(message)
    return incident


def acknowledge(book: Book, number: int, *, by: str, reason: str, at: datetime) -> Decision:
    """Note that somebody has taken an incident on: it is told once, and reminders end. Who had it before is noted."""
    incident = open_incident(book, number)
    acknowledged = replace(incident, acknowledged=Acknowledgement(by, at, reason))
    message = reason or "taken on"
    if before := who_has(incident):
        message += f" (before, by {before})"
    event = Event(number, at, EventKind.ACKNOWLEDGED, message, by=by)
    return Decision(_with(book, acknowledged), (event,))


def who_has(incident: Incident) -> str:
    """Return who has taken an incident on, and what they said; nothing where nobody has."""
    taken = incident.acknowledged
    if taken is None:
        return ""
    return f"{taken.by}: {taken.reason}" if taken.reason else taken.by


def resolve(book: Book, number: int, *, by: str, reason: str, at: datetime) -> Decision:
    """End an incident by hand; if its problem goes on it opens anew, as any problem does."""
    incident = open_incident(book, number)
    spells = tuple(spell if spell.until is not None else replace(spell, until=at) for spell in incident.spells)
    ended = replace(incident, spells=spells, resolved=at, why_resolved=BY_HAND)
    tracks = {key: track for key, track in book.tracks.items() if key.problem != incident.problem}
    said = f": {reason}" if reason else ""
    event = Event(number, at, EventKind.RESOLVED, f"{BY_HAND} after {span(at - incident.since)}{said}", by=by)
    return Decision(replace(_with(book, ended), tracks=tracks), (event,))


def silence(
    book: Book,
    *,
    until: datetime,
    reason: str,
    by: str,
    at: datetime,
    incident: int | None = None,
    rule: str = "",
    sites: tuple[str, ...] = (),
) -> tuple[Decision, Silence]:
    """Keep the incidents that match from being told until a time; returns the silence beside what becomes of the book.

    Raises `UsageError` for an end that is past and for a silence that would match everything.
    """
    if until <= at:
        message = f"--until {until:%Y-%m-%d %H:%M} UTC is past"
        raise UsageError(message)
    if incident is None and not rule and not sites:
        message = "a silence names an incident, a rule or sites; to be told nothing at all, plan a maintenance window"
        raise UsageError(message)
    if incident is not None:
        open_incident(book, incident)
    number = max((entry.id for entry in book.silences), default=0) + 1
    made = Silence(number, until, reason, by, at, incident, rule, sites)
    events = tuple(
        silenced(entry.id, made, at)
        for entry in book.incidents.values()
        if entry.state is State.OPEN and covers(made, entry)
    )
    return Decision(replace(book, silences=(*book.silences, made)), events), made


def unsilence(book: Book, number: int, *, by: str, at: datetime) -> Decision:
    """End a silence, which the incidents it covers have on their timelines; raises `UsageError` where there is none."""
    ended = next((entry for entry in book.silences if entry.id == number and entry.until > at), None)
    if ended is None:
        known = ", ".join(str(entry.id) for entry in book.silences if entry.until > at)
        message = f"there is no silence {number} in force; in force: {known or 'none'}"
        raise UsageError(message)
    left = tuple(replace(entry, until=at) if entry.id == number else entry for entry in book.silences)
    message = f"silence {number} ended {span(ended.until - at)} before its time"
    events = tuple(
        Event(entry.id, at, EventKind.UNSILENCED, message, by=by)
        for entry in book.incidents.values()
        if entry.state is State.OPEN and covers(ended, entry)
    )
    return Decision(replace(book, silences=left), events)


def _with(book: Book, incident: Incident) -> Book:
    return replace(book, incidents={**book.incidents, incident.id: incident})
