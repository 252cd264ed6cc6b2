"""Everything a store holds, as lines of JSON that any other store reads back without loss."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from monitors.store import tables, transfer
from monitors.store.keys import MARK
from monitors.store.migrating import HEAD
from monitors.store.reading import meta

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sqlalchemy import Column, Connection

_CHUNK = 2_000
_BY_ID = ("series", "findings", "bodies", "incidents", "events", "silences", "outbox")


def lines(connection: Connection) -> Iterator[str]:
    """Yield the export of a store as of one moment, the same for stores that hold the same; memory stays flat."""
    count = 0
    for count, text in enumerate(_content(connection), start=1):  # noqa: B007 - counted, for the last line
        yield text
    yield transfer.line(transfer.END_LINE, {"lines": count})


def _content(connection: Connection) -> Iterator[str]:
    yield transfer.line("", {"kind": transfer.KIND, "version": transfer.VERSION, "revision": HEAD})
    for name in transfer.FORMS:
        if name == "probes":
            yield from _probes(connection)
        elif name == "rollups":
            yield from _rollups(connection)
        elif name in _BY_ID:
            yield from _numbered(connection, name)
        else:
            yield from _small(connection, name)


def _numbered(connection: Connection, name: str) -> Iterator[str]:
    form = transfer.FORMS[name]
    for _, *values in _chunked(connection, form.table.c.id, form.columns):
        yield transfer.line(name, form.json(values))


def _chunked(connection: Connection, key: Column[int], columns: Sequence[Column[Any]]) -> Iterator[Any]:
    """Yield the id of each row of a table, in order, and some of its columns."""
    last = None
    while True:
        query = select(key.label("key"), *columns).order_by(key).limit(_CHUNK)
        rows = connection.execute(query if last is None else query.where(key > last)).all()
        yield from rows
        if len(rows) < _CHUNK:
            return
        last = rows[-1].key


def _small(connection: Connection, name: str) -> Iterator[str]:
    form = transfer.FORMS[name]
    # Sorted here: databases do not agree on the order of text.
    keys = [form.names.index(column.name) for column in form.table.primary_key]
    rows = connection.execute(select(*form.columns)).all()
    for row in sorted(rows, key=lambda row: [row[position] for position in keys]):
        if name != "meta" or row[0] not in transfer.LEFT_OUT_META:
            yield transfer.line(name, form.json(row))


def _series(connection: Connection) -> dict[int, dict[str, str]]:
    column = tables.series.c
    rows = connection.execute(select(column.id, column.site, column.check_name, column.vantage))
    return {row[0]: dict(zip(transfer.WHERE, row[1:], strict=True)) for row in rows}


def _rollups(connection: Connection) -> Iterator[str]:
    form, known, column = transfer.FORMS["rollups"], _series(connection), tables.rollups.c
    for period in connection.execute(select(column.period).distinct().order_by(column.period)).scalars().all():
        last = None
        while True:
            query = select(column.series, *form.columns).where(column.period == period)
            if last is not None:
                query = query.where(column.start_ms > last)
            # Whole moments at a time: a chunk ends where its last moment does.
            starts = query.with_only_columns(column.start_ms).distinct().order_by(column.start_ms).limit(_CHUNK // 10)
            moments = connection.execute(starts).scalars().all()
            if not moments:
                break
            last = moments[-1]
            chunk = query.where(column.start_ms <= last).order_by(column.start_ms, column.series)
            for number, *values in connection.execute(chunk):
                yield transfer.line("rollups", {**known[number], **form.json(values)})


def _probes(connection: Connection) -> Iterator[str]:
    form, known = transfer.FORMS["probes"], _series(connection)
    mark, marked = int(meta(connection).get(MARK, "0")), False
    last, column = 0, tables.probes.c
    while True:
        query = select(column.id, column.series, column.body, column.findings, *form.columns)
        query = query.where(column.id > last).order_by(column.id).limit(_CHUNK)
        rows = connection.execute(query).all()
        findings = _digests(connection, [row.id for row in rows if row.findings])
        names = _hashes(connection, {row.body for row in rows if row.body is not None})
        for number, series, body, _, *values in rows:
            if number > mark and not marked:
                yield transfer.line(transfer.MARK_LINE, {})
                marked = True
            more = {"body": names.get(body), "findings": findings.get(number, [])}
            yield transfer.line("probes", {**known[series], **form.json(values), **more})
        if len(rows) < _CHUNK:
            break
        last = rows[-1].id
    if not marked:
        yield transfer.line(transfer.MARK_LINE, {})


def _digests(connection: Connection, numbers: Sequence[int]) -> dict[int, list[str]]:
    """Return the digests of the findings of probes, in order."""
    link, finding = tables.probe_findings.c, tables.findings.c
    query = (
        select(link.probe, finding.digest)
        .join_from(tables.probe_findings, tables.findings, link.finding == finding.id)
        .where(link.probe.in_(numbers))
        .order_by(link.probe, link.position)
    )
    found: dict[int, list[str]] = {}
    for number, digest in connection.execute(query) if numbers else ():
        found.setdefault(number, []).append(digest)
    return found


def _hashes(connection: Connection, numbers: set[int]) -> dict[int, str]:
    column = tables.bodies.c
    query = select(column.id, column.hash).where(column.id.in_(numbers))
    return {row.id: row.hash for row in connection.execute(query)} if numbers else {}
