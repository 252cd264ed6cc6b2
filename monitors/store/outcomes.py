"""How probes went, one after the other, and where it is not known what lay between two of them."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict, deque
from statistics import median
from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy import select

from monitors.store import tables
from monitors.store.forms import from_millis, millis
from monitors.store.keys import DAY, DAY_MS, HOUR, HOUR_MS, HOURS_FROM, SUCCESSES_FROM
from monitors.store.reading import in_order, meta, place, series, spanning
from monitors.store.sense import typed
from monitors.store.values import VERDICTS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from sqlalchemy import Connection

    from monitors.store.values import Filter

_P, _R = tables.probes.c, tables.rollups.c
_COLUMNS = ("id", "series", "at_ms", "status", "verdict", "available", "rule", "total_us", "again")
_fits = typed(tables.probes, without=tuple(column.name for column in tables.probes.c if column.name not in _COLUMNS))
_NEXT = 1.75
"""The next probe came no later than after so many of the distances between probes."""
_LONG, _LONGER = 5, 3
"""Nobody looked for a while: a gap is so many times the usual distance, and so many times the last one."""
_LAST, _FEW = 9, 3


class Outcome(NamedTuple):
    """How one probe went. `apart` tells that something may lie between it and the one before of its series.

    A probe that is no longer kept, or a time in which nobody looked.
    """

    at: datetime
    site: str
    check: str
    vantage: str
    status: int | None
    verdict: str
    available: bool | None
    rule: str | None
    total_s: float
    again: bool
    apart: bool


def outcomes(connection: Connection, wanted: Filter) -> Iterator[Outcome]:
    """Yield how the probes of a filter went, by time; of the filter, sites, checks, vantages and the span count."""
    known = series(connection, wanted)
    if not known:
        return
    between = _Between(connection, wanted)
    everything = not (wanted.sites or wanted.checks or wanted.vantages)
    conditions = spanning(wanted, None if everything else list(known))
    query = select(*(_P[name] for name in _COLUMNS)).where(*conditions)
    for row in in_order(connection, query):
        site, check, vantage = place(connection, known, row, _fits, row)
        _, number, at_ms, status, verdict, available, rule, total_us, again = row
        yield Outcome(
            from_millis(at_ms),
            site,
            check,
            vantage,
            status,
            VERDICTS[verdict],
            None if available is None else bool(available),
            rule,
            total_us / 1e6,
            bool(again),
            between.lies_something(number, at_ms, again=bool(again)),
        )


class _Between:
    """Tells of the probes of each series, by time, whether anything may lie between one and the one before.

    From when on all are kept the distances between them tell; before, the sums do: they count what is deleted too.
    """

    def __init__(self, connection: Connection, wanted: Filter) -> None:
        known = meta(connection)
        self._complete_from = int(known.get(SUCCESSES_FROM, "0"))
        self._hours_from = int(known.get(HOURS_FROM, "0"))
        self._counted: dict[tuple[int, int], dict[int, int]] = defaultdict(dict)
        self._starts: dict[tuple[int, int], list[int]] = defaultdict(list)
        self._last: dict[int, int] = {}
        self._distances: dict[int, deque[int]] = defaultdict(lambda: deque(maxlen=_LAST))
        if wanted.since is None or from_millis(self._complete_from) > wanted.since:
            self._read_sums(connection, wanted)

    def _read_sums(self, connection: Connection, wanted: Filter) -> None:
        columns = (_R.period, _R.series, _R.start_ms, _R.available + _R.unavailable, _R.probes)
        query = select(*columns).where(_R.start_ms < self._complete_from).order_by(_R.period, _R.start_ms)
        if wanted.since is not None:
            query = query.where(_R.start_ms >= millis(wanted.since) - DAY_MS)
        for period, number, start_ms, telling, probes in connection.execute(query):
            # Those that looked again tell nothing of how often one looks.
            self._counted[period, number][start_ms] = telling or min(probes, 1)
            self._starts[period, number].append(start_ms)

    def lies_something(self, number: int, at_ms: int, *, again: bool) -> bool:
        """Take the next probe of a series."""
        if again:
            return False
        before = self._last.get(number)
        self._last[number] = at_ms
        if before is None:
            return False
        if before < self._complete_from:
            return self._is_deleted(number, before, at_ms)
        return self._is_long(number, at_ms - before)

    def _is_deleted(self, number: int, before: int, at_ms: int) -> bool:
        period, length = (HOUR, HOUR_MS) if before >= self._hours_from else (DAY, DAY_MS)
        first, last = (moment // length * length for moment in (before, at_ms))
        starts, counted = self._starts[period, number], self._counted[period, number]
        if bisect_left(starts, last) > bisect_right(starts, first):
            return True
        # An hour in which the monitor began has fewer than the next.
        most = max(counted.get(start, 0) for start in (first - length, first, last, last + length))
        return most > 1 and at_ms - before > _NEXT * length / most

    def _is_long(self, number: int, distance: int) -> bool:
        distances = self._distances[number]
        usual, last = (median(distances), distances[-1]) if len(distances) >= _FEW else (distance, distance)
        distances.append(distance)
        return distance > _LONG * usual and distance > _LONGER * last
