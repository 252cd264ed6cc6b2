"""Questions about what was kept: probes, incidents, their timelines."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import or_, select, tuple_

from monitors.incidents.model import State
from monitors.model import Phases
from monitors.store import bodies, tables
from monitors.store.book_keeping import event_from
from monitors.store.forms import finding_from, from_millis, incident_from, loaded, micros
from monitors.store.keys import INSTALLATION
from monitors.store.sense import is_finding, typed
from monitors.store.sensible import damage, sensible
from monitors.store.values import VERDICTS, Body, Filter, IncidentFilter, ProbeRow

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from sqlalchemy import ColumnElement, Connection, Select

    from monitors.incidents.model import Event, Incident
    from monitors.store.cache import Series
    from monitors.store.sense import Read

_CHUNK = 2_000
_P, _S = tables.probes.c, tables.series.c
_fits = typed(tables.probes, without=("body",))


def meta(connection: Connection) -> dict[str, str]:
    """Return what the store knows of itself; raises `StoreDamagedError` where that cannot be."""
    rows = connection.execute(select(tables.meta))
    known = {key: value for key, value in sensible(connection, tables.meta, rows)}  # noqa: C416 - rows are no pairs
    if INSTALLATION not in known:
        raise damage(connection, f'meta: "{INSTALLATION}" is missing')
    return known


def series(connection: Connection, wanted: Filter) -> dict[int, tuple[str, str, str]]:
    """Return the site, check and vantage of the series a filter asks for, by id."""
    query = select(tables.series)
    for column, names in ((_S.site, wanted.sites), (_S.check_name, wanted.checks), (_S.vantage, wanted.vantages)):
        if names:
            query = query.where(column.in_(names))
    rows = sensible(connection, tables.series, connection.execute(query))
    return {number: (site, check, vantage) for number, site, check, vantage, _ in rows}


def probes(
    connection: Connection, wanted: Filter, *, newest_first: bool = False, limit: int | None = None
) -> Iterator[ProbeRow]:
    """Yield the probes a filter asks for by time, each with its findings."""
    known = series(connection, wanted)
    everything = not (wanted.sites or wanted.checks or wanted.vantages)
    if not known:
        return
    query = _probes_query(wanted, None if everything else list(known))
    for rows in _chunks(connection, query, newest_first=newest_first, limit=limit):
        yield from _with_findings(connection, rows, known)


def in_order(connection: Connection, query: Select[Any]) -> Iterator[Any]:
    """Yield the rows of a query for probes, their ids and times among its columns, by time; memory stays flat."""
    for rows in _chunks(connection, query):
        yield from rows


def _chunks(
    connection: Connection, query: Select[Any], *, newest_first: bool = False, limit: int | None = None
) -> Iterator[Sequence[Any]]:
    order = (_P.at_ms.desc(), _P.id.desc()) if newest_first else (_P.at_ms, _P.id)
    query = query.order_by(*order)
    last: tuple[int, int] | None = None
    left = limit
    while left is None or left > 0:
        chunk = query.limit(_CHUNK if left is None else min(_CHUNK, left))
        if last is not None:
            here = tuple_(_P.at_ms, _P.id)
            chunk = chunk.where(here < last if newest_first else here > last)
        rows = connection.execute(chunk).all()
        if rows:
            yield rows
            last = rows[-1].at_ms, rows[-1].id
        if len(rows) < _CHUNK:
            return
        left = None if left is None else left - len(rows)


def _probes_query(wanted: Filter, numbers: Sequence[int] | None) -> Select[Any]:
    body = tables.bodies.c.hash
    query = select(*(column for column in tables.probes.c if column.name != "body"), body).outerjoin_from(
        tables.probes, tables.bodies, _P.body == tables.bodies.c.id
    )
    query = query.where(*spanning(wanted, numbers))
    if wanted.verdicts:
        query = query.where(_P.verdict.in_([VERDICTS.index(word) for word in wanted.verdicts]))
    if wanted.available is not None:
        query = query.where(_P.available == int(wanted.available))
    return query


def spanning(wanted: Filter, numbers: Sequence[int] | None) -> Iterator[ColumnElement[bool]]:
    """Yield what probes have to fulfil that are of the span a filter asks for, of some series or of all."""
    if numbers is not None:
        yield _P.series.in_(numbers)
    if wanted.since is not None:
        yield _P.at_ms >= ceil_millis(wanted.since)
    if wanted.until is not None:
        yield _P.at_ms < ceil_millis(wanted.until)


def ceil_millis(at: Any) -> int:
    """Return the first whole millisecond that is not before a time."""
    return -(-micros(at) // 1000)


def _with_findings(
    connection: Connection, rows: Sequence[Any], known: dict[int, tuple[str, str, str]]
) -> Iterator[ProbeRow]:
    having = [row.id for row in rows if row.findings]
    found = findings(connection, having) if having else {}
    for row in rows:
        site, check, vantage = place(connection, known, row, _fits, row[:-1])
        (number, _, at_ms, status, verdict, available, rule, resolve, connect, tls, first, transfer, total) = row[:13]
        at = from_millis(at_ms)
        yield ProbeRow(
            number,
            at,
            site,
            check,
            vantage,
            status,
            VERDICTS[verdict],
            None if available is None else bool(available),
            rule,
            Phases(_seconds(resolve), _seconds(connect), _seconds(tls), _seconds(first), _seconds(transfer)),
            total / 1e6,
            row.hash,
            tuple(finding_from(raw, at) for raw in found.get(number, ())),
            bool(row.again),
        )


def place(connection: Connection, known: Mapping[int, Series], row: Any, fits: Read, values: Sequence[Any]) -> Series:
    """Return the site, check and vantage of a probe's row whose `values` fit; raises `StoreDamagedError` otherwise."""
    try:
        fits(values)
        return known[row.series]
    except (ValueError, KeyError) as error:
        raise damage(connection, f"probes: row {row.id}: {error}") from error


def _seconds(duration_us: int | None) -> float | None:
    return None if duration_us is None else duration_us / 1e6


def findings(connection: Connection, numbers: Sequence[int]) -> dict[int, list[Any]]:
    """Return the findings of probes in their written form, by the id of the probe."""
    link, finding = tables.probe_findings.c, tables.findings.c
    found: dict[int, list[Any]] = {}
    texts: dict[str, Any] = {}
    for start in range(0, len(numbers), _CHUNK):
        query = (
            select(link.probe, finding.content)
            .join_from(tables.probe_findings, tables.findings, link.finding == finding.id)
            .where(link.probe.in_(numbers[start : start + _CHUNK]))
            .order_by(link.probe, link.position)
        )
        for number, content in connection.execute(query):
            if content not in texts:
                texts[content] = _finding(connection, content)
            found.setdefault(number, []).append(texts[content])
    return found


def _finding(connection: Connection, content: Any) -> Any:
    try:
        if is_finding(content):
            return loaded(content)
    except Exception as error:
        raise damage(connection, f"findings: one of them does not read: {type(error).__name__}") from error
    raise damage(connection, "findings: one of them is none")


def body(connection: Connection, name: str) -> Body | None:
    """Return a body that was kept, by its hash."""
    table = tables.bodies.c
    found = connection.execute(select(tables.bodies).where(table.hash == name))
    row = next(sensible(connection, tables.bodies, found), None)
    if row is None:
        return None
    return Body(row.hash, from_millis(row.first_ms), from_millis(row.last_ms), row.size, bodies.content(row.content))


# --- incidents -------------------------------------------------------------------------------------------------------


def incidents(connection: Connection, wanted: IncidentFilter) -> list[Incident]:
    """Return the incidents a filter asks for: open ones first, then the newest first."""
    column = tables.incidents.c
    query = select(tables.incidents).where(*_incident_conditions(wanted))
    query = query.order_by(column.resolved_us.is_not(None), column.opened_us.desc(), column.id.desc())
    found = []
    for row in sensible(connection, tables.incidents, connection.execute(query)):
        incident = incident_from(row)
        if not wanted.sites or set(wanted.sites) & set(incident.all_sites):
            found.append(incident)
        if wanted.limit is not None and len(found) >= wanted.limit:
            break
    return found


def _incident_conditions(wanted: IncidentFilter) -> Iterator[ColumnElement[bool]]:
    column = tables.incidents.c
    if wanted.state is not None:
        yield column.resolved_us.is_(None) if wanted.state is State.OPEN else column.resolved_us.is_not(None)
    if wanted.checks:
        yield column.check_name.in_(wanted.checks)
    if wanted.rules:
        yield column.rule.in_(wanted.rules)
    if wanted.level is not None:
        yield column.level >= int(wanted.level)
    if wanted.since is not None:
        yield or_(column.resolved_us.is_(None), column.resolved_us >= micros(wanted.since))
    if wanted.until is not None:
        yield column.opened_us < micros(wanted.until)


def incident(connection: Connection, number: int) -> Incident | None:
    """Return an incident by its id."""
    found = connection.execute(select(tables.incidents).where(tables.incidents.c.id == number))
    row = next(sensible(connection, tables.incidents, found), None)
    return None if row is None else incident_from(row)


def events(connection: Connection, number: int) -> list[Event]:
    """Return the timeline of an incident, in order."""
    table = tables.events
    query = select(table).where(table.c.incident == number).order_by(table.c.at_us, table.c.id)
    return [event_from(row) for row in sensible(connection, table, connection.execute(query))]
