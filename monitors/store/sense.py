"""Whether a row makes sense: it is read as it will be, and what cannot be read raises."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from monitors.store import bodies, histogram, memories
from monitors.store.book_keeping import event_from, silence_from, told_from
from monitors.store.forms import finding_from, incident_from, loaded, track_from
from monitors.store.outbox import row_from
from monitors.store.values import VERDICTS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


def _series(row: Any) -> None:
    number, site, check, vantage, last = row
    _hold(type(number) is int and all(type(name) is str for name in (site, check, vantage)))
    _hold(last in {None, 0, 1})


def _body(row: Any) -> None:
    _hold(hashlib.sha256(bodies.content(row[5])).hexdigest() == row[1])


def _rollup(row: Any) -> None:
    counts: histogram.Histogram = {}
    histogram.add(counts, row[10])
    _hold(sum(counts.values()) == row[4])


def _probe(row: Any) -> None:
    number, series, at_ms, status, verdict, available, rule, *durations, total, body, findings = row
    _hold(all(type(each) is int for each in (number, series, at_ms, verdict, total, findings)))
    _hold(all(each is None or type(each) is int for each in (status, body, *durations)))
    _hold(0 <= verdict < len(VERDICTS) and available in {None, 0, 1})
    _hold(rule is None or type(rule) is str)


def _hold(truth: bool) -> None:  # noqa: FBT001 - it is what the sentence is about
    if not truth:
        message = "a row that makes sense"
        raise ValueError(message)


READS: Mapping[str, Callable[[Any], object]] = {
    "meta": lambda row: [text.encode() for text in row],
    "series": _series,
    "tracks": track_from,
    "incidents": incident_from,
    "events": event_from,
    "told": told_from,
    "silences": silence_from,
    "outbox": row_from,
    "memory": lambda row: memories.unpacked(row[3])["kind"],
    "baselines": lambda row: memories.unpacked(row[2])["kind"],
    "findings": lambda row: finding_from(loaded(row[2])),
    "bodies": _body,
    "rollups": _rollup,
    "probes": _probe,
    "probe_findings": lambda row: [number + 0 for number in row],
}
"""What raises for a row of a table, given as all of its columns, that makes no sense."""
