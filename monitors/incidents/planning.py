"""Who is told what: each sink's last word on an incident is held against how the incident stands now. Pure.

What is true decides, not what just happened: so nothing is lost when a sink is added, a silence ends or the monitor was
away, and a sink that was told of an incident is told of its end, whatever has been configured since.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from monitors.incidents.content import content
from monitors.incidents.deciding import RECOVERED
from monitors.incidents.model import Book, Event, EventKind, Incident, Notice, NoticeKind, Silence, State, Told
from monitors.model import Kind

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from monitors.config.alerting import SinkSettings, Thresholds


_KEEP_SILENCES = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a plan needs to know beside the book: the time (UTC), who sends from where, and what is configured.

    `urls` are those the checks ask for, by site and check; `watched` counts the sites; `maintenance` names those in a
    window. `late` says that it is about the past: nobody is reminded of what may be over by now.
    """

    at: datetime
    sinks: Sequence[SinkSettings]
    thresholds: Thresholds
    vantage: str = ""
    urls: Mapping[tuple[str, str], str] | None = None
    watched: int = 0
    maintenance: frozenset[str] = frozenset()
    late: bool = False


@dataclass(frozen=True, slots=True)
class Plan:
    """The book with what the sinks will have been told, the notices that tell them, and what happened besides."""

    book: Book
    notices: tuple[Notice, ...] = ()
    events: tuple[Event, ...] = ()


def seen_by(sink: SinkSettings, incident: Incident) -> Incident | None:
    """Return an incident as a sink sees it: one that names sites hears of these alone, and of their end as of the end.

    None where it was never on any of them. Whoever is on call for US5 is not kept awake by EU1.
    """
    if not sink.sites or incident.finding.kind is Kind.MONITOR:
        return incident
    spells = tuple(spell for spell in incident.spells if spell.site in sink.sites)
    if not spells:
        return None
    if len(spells) == len(incident.spells):
        return incident
    going_on = [spell for spell in spells if spell.until is None]
    first = (going_on or spells)[0]
    over = None if going_on else max(spell.until for spell in spells if spell.until is not None)
    return replace(
        incident,
        finding=replace(incident.finding, rule=first.rule, message=first.message, level=first.level, site=first.site),
        level=max(spell.level for spell in going_on or spells),
        since=spells[0].since,
        spells=spells,
        resolved=over,
        why_resolved="" if over is None else incident.why_resolved or RECOVERED,
    )


def matches(sink: SinkSettings, incident: Incident) -> bool:
    """Tell whether a sink wants to hear of an incident as it sees it; the monitor's own troubles have no sites."""
    if not sink.incidents or incident.level < sink.level:
        return False
    finding = incident.finding
    if finding.kind is Kind.MONITOR:
        # Of its own failure a sink can hardly tell.
        return finding.discriminator != sink.name and (not sink.rules or _names(sink.rules, finding.rule))
    rules = {spell.rule for spell in incident.spells} | {finding.rule}
    return not sink.rules or any(_names(sink.rules, rule) for rule in rules)


def _names(patterns: Iterable[str], rule: str) -> bool:
    return any(rule.startswith(text[:-1]) if text.endswith("*") else rule == text for text in patterns)


def is_silenced(incident: Incident, silences: Iterable[Silence], at: datetime) -> bool:
    """Tell whether a silence keeps an incident from being told: one that names all of its sites, and its rule."""
    return any(covers(silence, incident) for silence in silences if silence.created <= at < silence.until)


def covers(silence: Silence, incident: Incident) -> bool:
    """Tell whether a silence speaks of an incident, at any time."""
    rules = {spell.rule for spell in incident.spells if spell.until is None} | {incident.finding.rule}
    return (
        silence.incident in {None, incident.id}
        and (not silence.rule or any(_names((silence.rule,), rule) for rule in rules))
        and (not silence.sites or set(incident.sites) <= set(silence.sites))
        and not (silence.sites and not incident.sites)
    )


def silenced_from_the_start(book: Book, opened: Iterable[Event], at: datetime) -> tuple[Event, ...]:
    """Return a line for the timeline of each incident that opens while a silence keeps it from being told."""
    found = []
    for event in opened:
        incident = book.incidents.get(event.incident)
        if event.kind is EventKind.OPENED and incident is not None:
            found += [silenced(incident.id, by, at) for by in book.silences if is_silenced(incident, (by,), at)]
    return tuple(found)


def silenced(incident: int, by: Silence, at: datetime) -> Event:
    """Return the line of a timeline that says by which silence nobody is told, until when, and why."""
    message = f"silence {by.id} until {by.until:%Y-%m-%d %H:%M} UTC: {by.reason}"
    return Event(incident, at, EventKind.SILENCED, message, by=by.by)


def plan(book: Book, around: Surroundings) -> Plan:
    """Return what has to be told now."""
    if not book.incidents:
        return _tidied(book, around)
    told, notices, events = dict(book.told), list[Notice](), list[Event]()
    sinks = {sink.name: sink for sink in around.sinks}
    for incident in book.incidents.values():
        sent = []
        for name in dict.fromkeys([*sinks, *(sink for number, sink in book.told if number == incident.id)]):
            last, sink = told.get((incident.id, name)), sinks.get(name)
            seen = None if sink is None else seen_by(sink, incident)
            if seen is None:
                # It is none of the sink's; one that was told of it before that was configured hears of the end of all.
                seen, sink = incident, None
            kind = _due(seen, sink, last, book, around)
            if kind is None:
                continue
            number = book.first_notice if last is None else last.number + 1
            word = _word(seen, name, kind, number, around.at)
            told[incident.id, name] = word
            notices.append(_notice(book, seen, word, last, around))
            sent.append(name)
        if sent:
            kinds = dict.fromkeys(str(notice.kind) for notice in notices if notice.incident == incident.id)
            message = f"for {', '.join(sent)}: {', '.join(kinds)}"
            events.append(Event(incident.id, around.at, EventKind.NOTIFIED, message))
    tidied = _tidied(replace(book, told=told), around)
    return Plan(tidied.book, tuple(notices), tuple(events))


def _due(
    incident: Incident, sink: SinkSettings | None, last: Told | None, book: Book, around: Surroundings
) -> NoticeKind | None:
    """Return what a sink is to be told of an incident now, None where there is nothing to tell."""
    if incident.state is State.RESOLVED:
        # A sink that is not configured just now may be again: until then its notice waits in the outbox.
        return NoticeKind.RESOLVED if last is not None and last.kind is not NoticeKind.RESOLVED else None
    if sink is None or is_silenced(incident, book.silences, around.at):
        return None
    if incident.sites and set(incident.sites) <= around.maintenance:
        return None
    if not matches(sink, incident):
        return None
    if last is None or last.kind is NoticeKind.RESOLVED:
        return NoticeKind.OPENED
    return _further(incident, last, around)


def _further(incident: Incident, last: Told, around: Surroundings) -> NoticeKind | None:
    """Return what more there is to tell of an open incident."""
    since_then = around.at - last.at
    if incident.level > last.level:
        return NoticeKind.UPDATED
    pause = timedelta(seconds=around.thresholds.update_interval_s)
    if set(incident.sites) != set(last.sites) and since_then >= pause:
        return NoticeKind.UPDATED
    if incident.acknowledged is not None:
        return None if last.acknowledged else NoticeKind.ACKNOWLEDGED
    reminder_s = 0.0 if around.late else around.thresholds.reminder_s
    return NoticeKind.REMINDER if reminder_s and since_then >= timedelta(seconds=reminder_s) else None


def _word(incident: Incident, sink: str, kind: NoticeKind, number: int, at: datetime) -> Told:
    return Told(
        incident.id,
        sink,
        number=number,
        kind=kind,
        at=at,
        sites=incident.sites,
        level=incident.level,
        acknowledged=incident.acknowledged is not None,
    )


def _notice(book: Book, incident: Incident, word: Told, last: Told | None, around: Surroundings) -> Notice:
    key = f"{book.installation}-{incident.id}-{word.number}-{word.sink}"
    said = content(
        incident,
        kind=word.kind,
        key=key,
        at=around.at,
        installation=book.installation,
        vantage=around.vantage,
        watched=around.watched,
        last=last,
        urls=around.urls or {},
    )
    return Notice(word.sink, incident.id, word.number, word.kind, key, around.at, said)


def _tidied(book: Book, around: Surroundings) -> Plan:
    """Drop what is over: incidents all sinks know the end of, what they were told of them, silences of the past."""
    owed = {number for (number, _), last in book.told.items() if last.kind is not NoticeKind.RESOLVED}
    over = {
        incident.id for incident in book.incidents.values() if incident.resolved is not None and incident.id not in owed
    }
    # Kept for a while after their end, so that one can see who was told nothing, and why; no number is used again soon.
    silences = tuple(silence for silence in book.silences if silence.until > around.at - _KEEP_SILENCES)
    if not over and len(silences) == len(book.silences):
        return Plan(book)
    incidents = {number: incident for number, incident in book.incidents.items() if number not in over}
    told = {key: word for key, word in book.told.items() if key[0] in incidents}
    return Plan(replace(book, incidents=incidents, told=told, silences=silences))
