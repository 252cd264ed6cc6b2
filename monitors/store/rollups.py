"""Probes summed up per hour and per day, each exactly once: what is rolled up is told by the ids, not by the clock."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, case, func, select, update

from monitors.store import histogram, sql, tables
from monitors.store.keys import DAY, DAY_MS, HOUR, HOUR_MS
from monitors.store.sensible import damage, sensible
from monitors.store.values import VERDICTS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy import Connection

CHUNK = 100_000
_P, _R, _S = tables.probes.c, tables.rollups.c, tables.series.c
_INFO, _WARNING, _BREAKING = (VERDICTS.index(word) for word in ("info", "warning", "breaking"))
_MANY = 500


@dataclass(slots=True)
class Tally:
    """Numbers of probes, and the histogram of how long the available ones took, in microseconds."""

    probes: int = 0
    available: int = 0
    unavailable: int = 0
    outages: int = 0
    infos: int = 0
    warnings: int = 0
    breaking: int = 0
    latencies: histogram.Histogram = field(default_factory=dict)

    def count(self, verdict: int, available: int | None, total_us: int, *, went_away: bool) -> None:
        """Count one probe."""
        self.probes += 1
        if available:
            self.available += 1
            number = histogram.bucket(total_us)
            self.latencies[number] = self.latencies.get(number, 0) + 1
        elif available is not None:
            self.unavailable += 1
            self.outages += went_away
        if verdict:
            self.infos += verdict == _INFO
            self.warnings += verdict == _WARNING
            self.breaking += verdict == _BREAKING

    def add_row(self, row: Any) -> None:
        """Add a row of roll-ups, or another tally."""
        self.probes += row.probes
        self.available += row.available
        self.unavailable += row.unavailable
        self.outages += row.outages
        self.infos += row.infos
        self.warnings += row.warnings
        self.breaking += row.breaking
        if isinstance(row.latencies, dict):
            for number, count in row.latencies.items():
                self.latencies[number] = self.latencies.get(number, 0) + count
        else:
            histogram.add(self.latencies, row.latencies)

    def row(self, period: int, start_ms: int, series: int) -> tuple[Any, ...]:
        """Return the tally as the columns of its table."""
        return (
            period,
            start_ms,
            series,
            self.probes,
            self.available,
            self.unavailable,
            self.outages,
            self.infos,
            self.warnings,
            self.breaking,
            histogram.packed(self.latencies),
        )


class Counter:
    """Counts probes in the order they were made, and knows of each series whether it was available last."""

    def __init__(self, connection: Connection) -> None:
        """Begin where the roll-ups end."""
        self._connection = connection
        known = sensible(connection, tables.series, connection.execute(select(tables.series)))
        self.last: dict[int, int | None] = {row.id: row.rolled_available for row in known}

    def count(self, rows: Iterable[Any], period_ms: int) -> dict[tuple[int, int], Tally]:
        """Return tallies by series and start of the period; `rows` hold series, time, verdict, availability, total."""
        last = self.last
        tallies: dict[tuple[int, int], Tally] = {}
        for series, at_ms, verdict, available, total_us in rows:
            if not (series in last and type(at_ms) is type(verdict) is type(total_us) is int and total_us >= 0):
                raise damage(self._connection, f"probes: one of series {series} cannot be counted")
            key = series, at_ms - at_ms % period_ms
            tally = tallies.get(key)
            if tally is None:
                tally = tallies[key] = Tally()
            tally.count(verdict, available, total_us, went_away=last.get(series) != 0)
            if available is not None:
                last[series] = available
        return tallies


def unrolled(mark: int, upto: int | None = None) -> Any:
    """Return the query for what is counted of the probes above the mark, in order."""
    # One that only looked again says no more of how available the site is.
    available = case((_P.again == 0, _P.available))
    query = select(_P.series, _P.at_ms, _P.verdict, available, _P.total_us).where(_P.id > mark).order_by(_P.id)
    return query if upto is None else query.where(_P.id <= upto)


def roll_up(connection: Connection, mark: int) -> tuple[int, int]:
    """Add the probes above the mark, a chunk of them, to the roll-ups; returns how many, and the new mark."""
    chunk = select(_P.id).where(_P.id > mark).order_by(_P.id).limit(CHUNK).subquery()
    count, upto = connection.execute(select(func.count(), func.max(chunk.c.id))).one()
    if not count:
        return 0, mark
    counter = Counter(connection)
    before = dict(counter.last)
    hours = counter.count(connection.execute(unrolled(mark, upto)), HOUR_MS)
    days: dict[tuple[int, int], Tally] = {}
    for (series, start_ms), tally in hours.items():
        days.setdefault((series, start_ms - start_ms % DAY_MS), Tally()).add_row(tally)
    for period, tallies in ((HOUR, hours), (DAY, days)):
        _add_known(connection, period, tallies)
        rows = [tally.row(period, start_ms, series) for (series, start_ms), tally in sorted(tallies.items())]
        sql.upsert(connection, tables.rollups, rows)
    changed = [{"s": series, "v": last} for series, last in counter.last.items() if before.get(series) != last]
    if changed:
        query = update(tables.series).where(_S.id == bindparam("s")).values(rolled_available=bindparam("v"))
        connection.execute(query, changed)
    return count, upto


def _add_known(connection: Connection, period: int, tallies: dict[tuple[int, int], Tally]) -> None:
    starts = sorted({start_ms for _, start_ms in tallies})
    for first in range(0, len(starts), _MANY):
        query = select(tables.rollups).where(_R.period == period, _R.start_ms.in_(starts[first : first + _MANY]))
        for row in sensible(connection, tables.rollups, connection.execute(query)):
            tally = tallies.get((row.series, row.start_ms))
            if tally is not None:
                tally.add_row(row)
