"""Probes on their way in: rows are gathered and written many at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import func, select

from monitors.store import bodies, sql, tables
from monitors.store.forms import digest, dumped, finding_json, millis
from monitors.store.sensible import sensible
from monitors.store.values import VERDICTS

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from sqlalchemy import Connection, Table

    from monitors.model import Finding, Phases
    from monitors.store.cache import Cache, Series
    from monitors.store.values import Probed

_NUMBERS = {word: number for number, word in enumerate(VERDICTS)}
_FLAGS = {True: 1, False: 0, None: None}
_FLUSH_AT = 5_000
_MAX_STATUS = 32_767


class ProbeWriter:
    """Takes probes and writes them into one transaction, in the order they came."""

    def __init__(self, connection: Connection, cache: Cache, mark: int) -> None:
        """Start after the newest probe; `mark` is the id up to which probes are rolled up, and perhaps deleted."""
        self._connection, self._cache = connection, cache
        newest = connection.execute(select(func.max(tables.probes.c.id))).scalar_one()
        self._next = max(newest or 0, mark) + 1
        self._rows: list[tuple[Any, ...]] = []
        self._links: list[tuple[int, int, int]] = []
        self._seen_bodies: dict[str, tuple[int, int, int]] = {}

    def add(self, vantage: str, probed: Sequence[Probed]) -> None:
        """Take probes; raises `ValueError` for one that names no site, check or time."""
        rows, series = self._rows, self._cache.series
        for each in probed:
            seen = each.observation
            if seen.site is None or seen.check is None or seen.at is None:
                message = f"a probe of {seen.site} {seen.check} at {seen.at}: site, check and time are needed"
                raise ValueError(message)
            key = (seen.site, seen.check, vantage)
            number = series.get(key) or self._new_series(key)
            at_ms = millis(seen.at)
            body = self._body(seen.body, at_ms) if each.keep_body and seen.body else None
            rule, found = None, each.findings
            if found:
                rule = _worst(found).rule
                self._link(found, seen.at)
            status = seen.status if seen.status is None or abs(seen.status) <= _MAX_STATUS else None
            rows.append(
                (
                    self._next,
                    number,
                    at_ms,
                    status,
                    _NUMBERS[each.verdict],
                    _FLAGS[each.available],
                    rule,
                    *_durations(seen.phases),
                    body,
                    len(found),
                    int(each.again),
                )
            )
            self._next += 1
        if len(rows) >= _FLUSH_AT:
            self.flush()

    def flush(self) -> None:
        """Write what was taken."""
        rows, links, self._rows, self._links = self._rows, self._links, [], []
        sql.insert(self._connection, tables.probes, rows)
        sql.insert(self._connection, tables.probe_findings, links)
        self._flush_bodies()

    def series(self, key: Series) -> int:
        """Return the id of a series, made now if there is none."""
        return self._cache.series.get(key) or self._new_series(key)

    def _new_series(self, key: Series) -> int:
        table = tables.series
        site, check, vantage = key
        known = self._connection.execute(
            select(table.c.id).where(table.c.site == site, table.c.check_name == check, table.c.vantage == vantage)
        ).scalar()
        number = known or next_id(self._connection, table)
        if known is None:
            # One whose name is damaged is not found under it: another must not take its place.
            list(sensible(self._connection, table, self._connection.execute(select(table))))
            sql.insert(self._connection, table, [(number, site, check, vantage, None)])
        self._cache.series[key] = number
        return number

    def _link(self, found: Iterable[Finding], at: datetime) -> None:
        for position, finding in enumerate(found):
            # The probe's own time says it already, and would make each finding one of its own.
            text = dumped(finding_json(finding, timed=finding.at != at))
            self._links.append((self._next, position, self.finding(digest(text), text)))

    def finding(self, name: str, text: str) -> int:
        """Return the id of a finding by its digest and content, made now if there is none."""
        known = self._cache.findings.get(name)
        if known is None:
            table = tables.findings
            known = self._connection.execute(select(table.c.id).where(table.c.digest == name)).scalar()
        if known is None:
            known = next_id(self._connection, tables.findings)
            sql.insert(self._connection, tables.findings, [(known, name, text)])
        self._cache.findings[name] = known
        return known

    def _body(self, body: bytes, at_ms: int) -> int:
        kept = bodies.prepare(body)
        known = self._seen_bodies.get(kept.hash)
        if known is None:
            table = tables.bodies
            row = self._connection.execute(
                select(table.c.id, table.c.first_ms, table.c.last_ms).where(table.c.hash == kept.hash)
            ).first()
            if row is None:
                number = next_id(self._connection, table)
                sql.insert(self._connection, table, [(number, kept.hash, at_ms, at_ms, kept.size, kept.content)])
                known = (number, at_ms, at_ms)
            else:
                known = (row.id, row.first_ms, row.last_ms)
        number, first, last = known
        self._seen_bodies[kept.hash] = (number, min(first, at_ms), max(last, at_ms))
        return number

    def _flush_bodies(self) -> None:
        seen, self._seen_bodies = self._seen_bodies, {}
        table = tables.bodies
        for number, first, last in seen.values():
            self._connection.execute(
                table.update()
                .where(table.c.id == number, (table.c.first_ms > first) | (table.c.last_ms < last))
                .values(first_ms=first, last_ms=last)
            )


def next_id(connection: Connection, table: Table) -> int:
    """Return the id of the next row; safe, for there is one writer at a time."""
    newest = connection.execute(select(func.max(table.c.id))).scalar_one()
    return int(newest or 0) + 1


def _worst(found: Sequence[Finding]) -> Finding:
    """Return the worst finding that counts, or the worst of those accepted."""
    return max(found, key=lambda finding: (finding.accepted is None, finding.level))


def _durations(phases: Phases) -> tuple[int | None, ...]:
    """Return resolve, connect, tls, first byte, transfer and total in microseconds."""
    resolve, connect, tls = phases.resolve_s, phases.connect_s, phases.tls_s
    first, transfer = phases.first_byte_s, phases.transfer_s
    all_us = (
        None if resolve is None else round(resolve * 1e6),
        None if connect is None else round(connect * 1e6),
        None if tls is None else round(tls * 1e6),
        None if first is None else round(first * 1e6),
        None if transfer is None else round(transfer * 1e6),
    )
    return (*all_us, sum(filter(None, all_us)))
