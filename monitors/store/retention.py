"""What is deleted when: successes first, failures later, and never what somebody still has to be told."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, delete, exists, or_, select

from monitors.store import tables
from monitors.store.forms import millis
from monitors.store.keys import DAY, DAY_MS, HOUR, QUEUED
from monitors.store.values import VERDICTS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from sqlalchemy import ColumnElement, Connection, Table

    from monitors.config.alerting import Retention

CHUNK = 5_000
"""How many rows one transaction deletes, so that nobody waits long."""
SUCCESSES = "successes"
"""The name of the step that deletes the probes that went well."""
_KEEP_SILENCES_DAYS = 7
_WARNING = VERDICTS.index("warning")
_P, _I, _O, _E = tables.probes.c, tables.incidents.c, tables.outbox.c, tables.events.c


def steps(now: datetime, retention: Retention, mark: int) -> Iterator[tuple[str, Table, ColumnElement[bool]]]:
    """Yield what is to be deleted: the name in `Counts` or `SUCCESSES`, the table, and its rows; in a working order."""
    now_ms = millis(now)
    # `available IS NULL` must not make the whole condition unknown.
    failed = or_(_P.verdict >= _WARNING, and_(_P.available.is_not(None), _P.available == 0))
    for name, before, which in (
        (SUCCESSES, successes_from(now, retention), ~failed),
        ("probes", _cutoff(now_ms, retention.keep_failures_days), failed),
    ):
        if before is not None:
            yield name, tables.probes, and_(_P.id <= mark, _P.at_ms < before, which)
    body = tables.bodies.c
    unused = ~exists().where(_P.body == body.id)
    before = _cutoff(now_ms, retention.keep_bodies_days)
    yield "bodies", tables.bodies, or_(body.last_ms < before, unused) if before else unused
    yield "findings", tables.findings, ~exists().where(tables.probe_findings.c.finding == tables.findings.c.id)
    rolled = tables.rollups.c
    if (before := hours_from(now, retention)) is not None:
        yield "hours", tables.rollups, and_(rolled.period == HOUR, rolled.start_ms < before)
    if before := _cutoff(now_ms, retention.keep_days_days):
        yield "days", tables.rollups, and_(rolled.period == DAY, rolled.start_ms < before - DAY_MS)
    yield from _of_incidents(now_ms, retention)


def successes_from(now: datetime, retention: Retention) -> int | None:
    """Return the millisecond before which no probes that went well are kept; None where they all are."""
    return _cutoff(millis(now), retention.keep_successes_days)


def hours_from(now: datetime, retention: Retention) -> int | None:
    """Return the start of the day, in milliseconds, before which no hours are kept; None where they all are."""
    before = _cutoff(millis(now), retention.keep_hours_days)
    return None if before is None else before // DAY_MS * DAY_MS


def _of_incidents(now_ms: int, retention: Retention) -> Iterator[tuple[str, Table, ColumnElement[bool]]]:
    quiet_since = (now_ms - _KEEP_SILENCES_DAYS * DAY_MS) * 1000
    yield "silences", tables.silences, tables.silences.c.until_us < quiet_since
    before = _cutoff(now_ms, retention.keep_incidents_days)
    if before is None:
        return
    waiting = tables.outbox.alias("waiting").c
    told = ~exists().where(waiting.incident == _I.id, waiting.state == QUEUED)
    over = and_(_I.resolved_us.is_not(None), _I.resolved_us < before * 1000, _I.in_book == 0, told)
    yield "incidents", tables.incidents, over
    of_none = ~exists().where(_I.id == _E.incident)
    yield "events", tables.events, and_(of_none, _E.at_us < before * 1000)
    of_none = ~exists().where(_I.id == _O.incident)
    yield "notices", tables.outbox, and_(of_none, _O.state != QUEUED, _O.at_us < before * 1000)


def _cutoff(now_ms: int, days: int) -> int | None:
    return now_ms - days * DAY_MS if days else None


def delete_some(connection: Connection, table: Table, condition: ColumnElement[bool]) -> int:
    """Delete a chunk of the rows; returns how many they were."""
    keys: list[Any] = list(table.primary_key.columns)
    if len(keys) == 1:
        some = select(keys[0]).where(condition).limit(CHUNK)
        return connection.execute(delete(table).where(keys[0].in_(some))).rowcount
    # Few enough to go at once: roll-ups of one more day or hour.
    return connection.execute(delete(table).where(condition)).rowcount
