"""Uptime and response times over any span: whole days from their roll-ups, edges from hours, the rest counted."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy import select

from monitors.checks import CHECKS
from monitors.sites import SITES
from monitors.store import histogram, tables
from monitors.store.forms import millis
from monitors.store.keys import DAY, DAY_MS, HOUR, HOUR_MS, HOURS_FROM, MARK
from monitors.store.reading import ceil_millis, meta, series
from monitors.store.rollups import Counter, Tally, unrolled
from monitors.store.sensible import sensible
from monitors.store.values import UptimeRow

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from sqlalchemy import Connection

    from monitors.store.values import Filter

_R = tables.rollups.c
_FIRST, _LAST = -(2**62), 2**62


class Span(NamedTuple):
    """Milliseconds since 1970, the last one not included."""

    start: int
    end: int


def uptime(connection: Connection, wanted: Filter, by: str) -> list[UptimeRow]:
    """Return how each site (`by` "site") or check of a site ("check") did.

    Of the filter, sites, checks, vantages and the span count. The span is widened to whole hours, and to whole days
    where it begins or ends so long ago that only days are kept.
    """
    known_of_itself = meta(connection)
    known = series(connection, wanted)
    tallies: dict[int, Tally] = {number: Tally() for number in known}
    span = _widened(wanted, int(known_of_itself.get(HOURS_FROM, _FIRST)))
    _count_rolled(connection, span, tallies)
    _count_others(connection, span, int(known_of_itself.get(MARK, 0)), tallies)
    groups: dict[tuple[str, str | None], list[Tally]] = {}
    for number, (site, check, _) in known.items():
        if tallies[number].probes:
            groups.setdefault((site, check if by == "check" else None), []).append(tallies[number])
    return [_row(site, check, groups[site, check]) for site, check in sorted(groups, key=_place)]


def _widened(wanted: Filter, hours_from: int) -> Span:
    start = _FIRST if wanted.since is None else millis(wanted.since) // HOUR_MS * HOUR_MS
    end = _LAST if wanted.until is None else -(-ceil_millis(wanted.until) // HOUR_MS) * HOUR_MS
    if start < hours_from:
        start = start // DAY_MS * DAY_MS
    if end < hours_from:
        end = -(-end // DAY_MS) * DAY_MS
    return Span(start, end)


def _pieces(span: Span) -> Iterator[tuple[int, Span]]:
    """Yield the span as whole days and the hours around them."""
    first_day, last_day = -(-span.start // DAY_MS) * DAY_MS, span.end // DAY_MS * DAY_MS
    if first_day >= last_day:
        yield HOUR, span
        return
    yield DAY, Span(first_day, last_day)
    for edge in (Span(span.start, first_day), Span(last_day, span.end)):
        if edge.start < edge.end:
            yield HOUR, edge


def _count_rolled(connection: Connection, span: Span, tallies: dict[int, Tally]) -> None:
    for period, piece in _pieces(span):
        query = select(tables.rollups).where(
            _R.period == period, _R.start_ms >= piece.start, _R.start_ms < piece.end, _R.series.in_(tallies)
        )
        for row in sensible(connection, tables.rollups, connection.execute(query)):
            tallies[row.series].add_row(row)


def _count_others(connection: Connection, span: Span, mark: int, tallies: dict[int, Tally]) -> None:
    counted = Counter(connection).count(connection.execute(unrolled(mark)), HOUR_MS)
    for (number, start_ms), tally in counted.items():
        if number in tallies and span.start <= start_ms < span.end:
            tallies[number].add_row(tally)


def _place(key: tuple[str, str | None]) -> tuple[int, str, int, str]:
    """Return what puts sites and checks into the order of their tables; strangers come last."""
    site, check = key
    return (_index(SITES, site), site, _index(CHECKS, check or ""), check or "")


def _index(names: Iterable[str], name: str) -> int:
    known = list(names)
    return known.index(name) if name in known else len(known)


def _row(site: str, check: str | None, tallies: list[Tally]) -> UptimeRow:
    total = Tally()
    for tally in tallies:
        total.add_row(tally)
    telling = total.available + total.unavailable
    p50, p95, p99 = (_ms(histogram.percentile(total.latencies, share)) for share in (0.5, 0.95, 0.99))
    return UptimeRow(
        site=site,
        check=check,
        probes=total.probes,
        available=total.available,
        unavailable=total.unavailable,
        uptime=total.available / telling if telling else None,
        p50_ms=p50,
        p95_ms=p95,
        p99_ms=p99,
        # One outage that four checks see is one.
        outages=max(tally.outages for tally in tallies) if check is None else total.outages,
        warnings=total.warnings,
        breaking=total.breaking,
    )


def _ms(duration_us: float | None) -> float | None:
    return None if duration_us is None else duration_us / 1000
