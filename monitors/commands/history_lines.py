"""Probes for programs: each of them, as JSON or CSV."""

from __future__ import annotations

import csv
import io
import json
from itertools import chain, islice
from typing import TYPE_CHECKING, TypeVar

from monitors.report.json_object import finding_json
from monitors.report.text import dumps, plain, utc

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from monitors.model import JSON
    from monitors.store import ProbeRow

_T = TypeVar("_T")
_CHUNK = 500
_PHASES = ("resolve", "connect", "tls", "first_byte", "transfer")
_COLUMNS = ("at", "site", "check", "vantage", "status", "verdict", "available", "again", "rule")


def probe_object(probe: ProbeRow) -> dict[str, JSON]:
    """Return one probe as JSON: times in UTC, durations in milliseconds."""
    phases = probe.phases
    return {
        "at": utc(probe.at),
        "site": probe.site,
        "check": probe.check,
        "vantage": plain(probe.vantage),
        "status": probe.status,
        "verdict": probe.verdict,
        "available": probe.available,
        "again": probe.again,
        "rule": probe.rule,
        "phases_ms": {name: _ms(getattr(phases, f"{name}_s")) for name in _PHASES},
        "total_ms": _ms(probe.total_s),
        "body": probe.body,
        "findings": [finding_json(finding) for finding in probe.findings],
    }


def _ms(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds * 1000, 3)


def as_json(probes: Iterable[ProbeRow]) -> Iterator[str]:
    """Yield one object with every probe, in pieces."""
    lines = map(_line, probes)
    first = next(lines, None)
    yield '{"probes": ['
    if first is not None:
        yield f"\n  {first}"
    for chunk in _chunks(lines):
        yield "".join(f",\n  {line}" for line in chunk)
    yield "\n]}\n" if first is not None else "]}\n"


def _line(probe: ProbeRow) -> str:
    """Return a probe as JSON; only findings hold text off the wire, which takes longer to make harmless."""
    return dumps(probe_object(probe)) if probe.findings else json.dumps(probe_object(probe))


def as_ndjson(probes: Iterable[ProbeRow]) -> Iterator[str]:
    """Yield an object on a line for each probe, in pieces."""
    for chunk in _chunks(map(_line, probes)):
        yield "".join(f"{line}\n" for line in chunk)


def as_csv(probes: Iterable[ProbeRow]) -> Iterator[str]:
    """Yield a head and a line for each probe, in pieces; findings are left out."""
    head = [*_COLUMNS, *(f"{name}_ms" for name in _PHASES), "total_ms", "body"]
    for chunk in _chunks(chain([head], map(_cells, probes))):
        out = io.StringIO()
        csv.writer(out, lineterminator="\n").writerows(chunk)
        yield out.getvalue()


def _cells(probe: ProbeRow) -> list[str]:
    available = {True: "true", False: "false", None: ""}[probe.available]
    again = "true" if probe.again else "false"
    status = "" if probe.status is None else str(probe.status)
    texts = [utc(probe.at) or "", probe.site, probe.check, probe.vantage, status, probe.verdict, available, again]
    durations = [_ms(getattr(probe.phases, f"{name}_s")) for name in _PHASES] + [_ms(probe.total_s)]
    numbers = ["" if each is None else json.dumps(each) for each in durations]
    return [*map(plain, [*texts, probe.rule or ""]), *numbers, probe.body or ""]


def _chunks(items: Iterable[_T]) -> Iterator[list[_T]]:
    left = iter(items)
    while chunk := list(islice(left, _CHUNK)):
        yield chunk


PIECES: Mapping[str, Callable[[Iterable[ProbeRow]], Iterator[str]]] = {
    "json": as_json,
    "ndjson": as_ndjson,
    "csv": as_csv,
}
"""How each format for programs is written, in pieces so that memory stays flat."""
