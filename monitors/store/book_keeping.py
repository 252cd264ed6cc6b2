"""The book of incidents in its tables: read whole, written by its differences."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, delete, func, select, update

from monitors.incidents.model import Book, Event, EventKind, NoticeKind, Silence, Told
from monitors.model import Level
from monitors.store import sql, tables
from monitors.store.forms import dumped, from_micros, incident_from, incident_row, loaded, micros, track_from, track_row
from monitors.store.keys import FIRST_NOTICE, INSTALLATION, NEXT_INCIDENT
from monitors.store.probes import next_id
from monitors.store.sensible import damage, sensible

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from sqlalchemy import Connection, Table

AHEAD = 1_000
"""So far ahead numbers are set where some may be lost: more than are used from one backup to the next."""


def read(connection: Connection, meta: Mapping[str, str]) -> Book:
    """Return the book as it stands; raises `StoreDamagedError` for a row of it that makes no sense."""
    tracks = [track_from(row) for row in _all(connection, tables.tracks)]
    table = tables.incidents
    rows = connection.execute(select(table).where(table.c.in_book == 1).order_by(table.c.id))
    incidents = [incident_from(row) for row in sensible(connection, table, rows)]
    told = [told_from(row) for row in _all(connection, tables.told)]
    silences = [silence_from(row) for row in _all(connection, tables.silences)]
    upcoming = int(meta.get(NEXT_INCIDENT, "1"))
    newest = connection.execute(select(func.max(table.c.id))).scalar_one() or 0
    if newest >= upcoming:
        # The next incident would be written in place of one that is there.
        raise damage(connection, f'meta: "{NEXT_INCIDENT}" is {upcoming}, and {newest} is there already')
    return Book(
        installation=meta[INSTALLATION],
        tracks={track.key: track for track in tracks},
        incidents={incident.id: incident for incident in incidents},
        told={(each.incident, each.sink): each for each in told},
        silences=tuple(silences),
        next_id=upcoming,
        first_notice=int(meta.get(FIRST_NOTICE, "1")),
    )


def _all(connection: Connection, table: Table) -> Iterator[Any]:
    """Yield the rows of a table in the order of its keys."""
    return sensible(connection, table, connection.execute(select(table).order_by(*table.primary_key)))


def write_difference(connection: Connection, before: Book, after: Book) -> None:
    """Write what changed from one book to the other; equal parts cost a comparison."""
    if before is after:
        return
    if before.installation != after.installation:
        message = f"the book of installation {after.installation} does not belong into that of {before.installation}"
        raise ValueError(message)
    changed, gone = _difference(before.tracks, after.tracks)
    sql.upsert(connection, tables.tracks, [track_row(after.tracks[key]) for key in changed])
    _delete(connection, tables.tracks, gone)
    changed, gone = _difference(before.incidents, after.incidents)
    rows = [incident_row(after.incidents[key], in_book=True) for key in changed]
    sql.upsert(connection, tables.incidents, rows)
    if gone:
        table = tables.incidents
        connection.execute(update(table).where(table.c.id.in_(gone)).values(in_book=0))
    changed, gone = _difference(before.told, after.told)
    sql.upsert(connection, tables.told, [told_row(after.told[key]) for key in changed])
    _delete(connection, tables.told, gone)
    if before.silences is not after.silences:
        old, new = ({each.id: each for each in book.silences} for book in (before, after))
        changed, gone = _difference(old, new)
        sql.upsert(connection, tables.silences, [silence_row(new[key]) for key in changed])
        _delete(connection, tables.silences, [(key,) for key in gone])
    if before.next_id != after.next_id:
        sql.upsert(connection, tables.meta, [(NEXT_INCIDENT, str(after.next_id))])
    if before.first_notice != after.first_notice:
        sql.upsert(connection, tables.meta, [(FIRST_NOTICE, str(after.first_notice))])


def next_incident(connection: Connection, meta: Mapping[str, str]) -> int:
    """Return the id of the next incident: none that anything in the store speaks of."""
    newest = connection.execute(select(func.max(tables.incidents.c.id))).scalar_one() or 0
    for table in (tables.events, tables.outbox, tables.told):
        newest = max(newest, connection.execute(select(func.max(table.c.incident))).scalar_one() or 0)
    return max(int(meta.get(NEXT_INCIDENT, "1")), newest + 1)


def go_ahead(connection: Connection, meta: Mapping[str, str]) -> dict[str, str]:
    """Set incidents and notices `AHEAD` of what is known of their numbers; returns what changed in `meta`.

    A key of a notice that was used for something the store no longer knows of would be taken for a repetition.
    """
    numbered = (tables.told, tables.outbox)
    highest = [connection.execute(select(func.max(table.c.number))).scalar_one() or 0 for table in numbered]
    first = max(int(meta.get(FIRST_NOTICE, "1")), *highest) + AHEAD
    connection.execute(update(tables.told).values(number=tables.told.c.number + AHEAD))
    changed = {NEXT_INCIDENT: str(next_incident(connection, meta) + AHEAD), FIRST_NOTICE: str(first)}
    sql.upsert(connection, tables.meta, list(changed.items()))
    return changed


def _difference(before: Mapping[Any, Any], after: Mapping[Any, Any]) -> tuple[list[Any], list[Any]]:
    """Return the keys whose values are new or other ones, and the keys that are gone."""
    if before is after:
        return [], []
    changed = [
        key
        for key, value in after.items()
        if (known := before.get(key)) is not value and (known is None or known != value)
    ]
    return changed, [key for key in before if key not in after]


def _delete(connection: Connection, table: Table, keys: Iterable[tuple[Any, ...]]) -> None:
    for key in keys:
        columns = table.primary_key.columns
        connection.execute(delete(table).where(and_(*(c == value for c, value in zip(columns, key, strict=True)))))


def add_events(connection: Connection, happened: Sequence[Event]) -> None:
    """Append lines to the timelines of incidents."""
    if happened:
        first = next_id(connection, tables.events)
        sql.insert(connection, tables.events, [event_row(first + n, event) for n, event in enumerate(happened)])


# --- rows ------------------------------------------------------------------------------------------------------------


def told_row(told: Told) -> tuple[Any, ...]:
    """Return what a sink was told as the columns of its table."""
    return (
        told.incident,
        told.sink,
        told.number,
        str(told.kind),
        micros(told.at),
        dumped(list(told.sites)),
        int(told.level),
        int(told.acknowledged),
    )


def told_from(row: Any) -> Told:
    """Return what a sink was told from a row of its table."""
    incident, sink, number, kind, at, sites, level, acknowledged = row
    return Told(
        incident,
        sink,
        number,
        NoticeKind(kind),
        from_micros(at),
        tuple(loaded(sites)),
        Level(level),
        bool(acknowledged),
    )


def silence_row(silence: Silence) -> tuple[Any, ...]:
    """Return a silence as the columns of its table."""
    content = [silence.reason, silence.by, silence.incident, silence.rule, list(silence.sites)]
    return (silence.id, micros(silence.until), micros(silence.created), dumped(content))


def silence_from(row: Any) -> Silence:
    """Return the silence in a row of its table."""
    number, until, created, content = row
    reason, by, incident, rule, sites = loaded(content)
    return Silence(number, from_micros(until), reason, by, from_micros(created), incident, rule, tuple(sites))


def event_row(number: int, event: Event) -> tuple[Any, ...]:
    """Return an event as the columns of its table."""
    return (
        number,
        event.incident,
        micros(event.at),
        str(event.kind),
        dumped(event.message),
        dumped(list(event.sites)),
        dumped(event.by),
    )


def event_from(row: Any) -> Event:
    """Return the event in a row of its table."""
    _, incident, at, kind, message, sites, by = row
    return Event(incident, from_micros(at), EventKind(kind), loaded(message), tuple(loaded(sites)), loaded(by))
