"""The outbox: notices that are as sure as the change they tell of, each to be delivered to its sink in order."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, exists, func, or_, select, update

from monitors.incidents.model import Notice, NoticeKind
from monitors.store import sql, tables
from monitors.store.forms import dumped, from_micros, loaded, maybe_from_micros, maybe_micros, micros
from monitors.store.keys import ABANDONED, DELIVERED, QUEUED
from monitors.store.probes import next_id
from monitors.store.sensible import sensible
from monitors.store.values import OutboxRow

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from datetime import datetime

    from sqlalchemy import ColumnElement, Connection, Select

NO_SINK = "no sink of this name is configured"
WAITS_FOR_A_SINK = timedelta(days=7)
"""A sink may be gone for now: renamed by mistake, or left out of a file for a day."""
_T = tables.outbox.c
_EARLIER = tables.outbox.alias("earlier")


def queue(connection: Connection, notices: Sequence[Notice], taken: Mapping[tuple[str, str], datetime]) -> None:
    """Put notices into the outbox; one whose key is there for its sink already is not put in again.

    `taken` are those, by key and sink, that a sink has taken already, and when: they stand there as delivered.
    """
    number = 0
    for notice in notices:
        known = select(_T.id).where(_T.key == notice.key, _T.sink == notice.sink)
        if connection.execute(known).first() is None:
            number = number + 1 if number else next_id(connection, tables.outbox)
            at = taken.get((notice.key, notice.sink))
            row = OutboxRow(number, notice, next_at=notice.at)
            if at is not None:
                row = replace(row, state=DELIVERED, attempts=1, delivered_at=at)
            sql.insert(connection, tables.outbox, [row_of(row)])


def _is_first() -> ColumnElement[bool]:
    """Tell whether no earlier notice of the incident waits for the sink; digests and tests wait for nobody."""
    earlier = and_(
        _EARLIER.c.sink == _T.sink,
        _EARLIER.c.incident == _T.incident,
        _EARLIER.c.state == QUEUED,
        or_(_EARLIER.c.number < _T.number, and_(_EARLIER.c.number == _T.number, _EARLIER.c.id < _T.id)),
    )
    return or_(_T.incident == 0, ~exists().where(earlier))


def due(connection: Connection, sink: str, now: datetime, limit: int) -> list[OutboxRow]:
    """Return what the sink is to get now, oldest first: of each incident only the first that is not delivered."""
    wanted = select(tables.outbox).where(_T.state == QUEUED, _T.sink == sink, _T.next_at_us <= micros(now), _is_first())
    return _rows(connection, wanted.order_by(_T.at_us, _T.id).limit(limit))


def next_due(connection: Connection, sink: str) -> datetime | None:
    """Return when the sink is to get something next, None where nothing waits for it."""
    soonest = select(func.min(_T.next_at_us)).where(_T.state == QUEUED, _T.sink == sink, _is_first())
    return maybe_from_micros(connection.execute(soonest).scalar_one())


def undelivered(connection: Connection) -> list[OutboxRow]:
    """Return everything that waits, oldest first."""
    return _rows(connection, select(tables.outbox).where(_T.state == QUEUED).order_by(_T.at_us, _T.id))


def of_incident(connection: Connection, incident: int) -> list[OutboxRow]:
    """Return every notice of an incident, in order."""
    return _rows(connection, select(tables.outbox).where(_T.incident == incident).order_by(_T.at_us, _T.number, _T.id))


def _rows(connection: Connection, query: Select[Any]) -> list[OutboxRow]:
    return [row_from(row) for row in sensible(connection, tables.outbox, connection.execute(query))]


def delivered(connection: Connection, queued_id: int, at: datetime) -> None:
    """Note that a sink has taken a notice."""
    _settle(connection, queued_id, state=DELIVERED, delivered_at_us=micros(at), attempts=_T.attempts + 1)


def failed(connection: Connection, queued_id: int, at: datetime, error: str, next_at: datetime) -> None:
    """Note that a sink has not taken a notice, why, and when it is tried again."""
    first = func.coalesce(_T.first_failed_us, micros(at))
    _settle(
        connection,
        queued_id,
        attempts=_T.attempts + 1,
        first_failed_us=first,
        next_at_us=micros(next_at),
        error=dumped(error),
    )


def abandoned(connection: Connection, queued_id: int, at: datetime, reason: str) -> None:
    """Note that a notice is given up, and why."""
    first = func.coalesce(_T.first_failed_us, micros(at))
    _settle(connection, queued_id, state=ABANDONED, error=dumped(reason), first_failed_us=first)


def abandon_of_nobody(connection: Connection, sinks: Collection[str], before: datetime) -> int:
    """Give up what waits for sinks that are none of these since before a time; returns how many notices that were."""
    late = and_(_T.state == QUEUED, _T.at_us < micros(before), _T.sink.not_in(sinks))
    first = func.coalesce(_T.first_failed_us, _T.at_us)
    changed = {"state": ABANDONED, "error": dumped(NO_SINK), "first_failed_us": first}
    return connection.execute(update(tables.outbox).where(late).values(**changed)).rowcount


def _settle(connection: Connection, queued_id: int, **values: Any) -> None:
    # What was delivered stays so, whatever a slow thread still says.
    connection.execute(update(tables.outbox).where(_T.id == queued_id, _T.state == QUEUED).values(**values))


def row_of(row: OutboxRow) -> tuple[Any, ...]:
    """Return a row of the outbox as the columns of its table."""
    notice = row.notice
    return (
        row.id,
        notice.sink,
        notice.incident,
        notice.number,
        str(notice.kind),
        notice.key,
        micros(notice.at),
        dumped(dict(notice.content)),
        row.state,
        row.attempts,
        maybe_micros(row.first_failed),
        micros(row.next_at or notice.at),
        dumped(row.error),
        maybe_micros(row.delivered_at),
    )


def row_from(row: Any) -> OutboxRow:
    """Return a row of the outbox from the columns of its table."""
    number, sink, incident, count, kind, key, at, content, state, attempts, first, next_at, error, done = row
    notice = Notice(sink, incident, count, NoticeKind(kind), key, from_micros(at), loaded(content))
    return OutboxRow(
        number,
        notice,
        state,
        attempts,
        maybe_from_micros(first),
        from_micros(next_at),
        loaded(error),
        maybe_from_micros(done),
    )
