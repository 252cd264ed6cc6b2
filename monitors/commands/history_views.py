"""Probes in print: a table of how long what lasted, and a list of each for programs."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import chain, islice
from typing import TYPE_CHECKING, TypeVar

from rich.cells import cell_len
from rich.padding import Padding
from rich.text import Text

from monitors.report.cells import Mark
from monitors.report.json_object import finding_json
from monitors.report.signs import sign
from monitors.report.tables import printed
from monitors.report.text import counted, dumps, for_log, milliseconds, plain, utc
from monitors.store.histogram import bucket, percentile

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from datetime import datetime

    from rich.console import RenderableType

    from monitors.model import JSON
    from monitors.report.value import Layout
    from monitors.store import ProbeRow

_T = TypeVar("_T")
_CHUNK = 500
_MARKS = {"none": Mark.OK, "info": Mark.INFO, "warning": Mark.WARNING, "breaking": Mark.BREAKING}
_HEAD = ("from (UTC)", "for", "site", "check", "probes", "median", "outcome")
_RIGHT = frozenset({"for", "probes", "median"})
_GAPS = (2, 1)
_UNITS = (
    (timedelta(days=2), timedelta(days=1), "d"),
    (timedelta(hours=2), timedelta(hours=1), "h"),
    (timedelta(minutes=1), timedelta(minutes=1), "min"),
)
_PHASES = ("resolve", "connect", "tls", "first_byte", "transfer")
_COLUMNS = ("at", "site", "check", "vantage", "status", "verdict", "available", "again", "rule")


@dataclass(slots=True)
class Stretch:
    """Probes of one check on one site, in a row, that went the same way; `first` and `last` are when."""

    like: ProbeRow
    first: datetime
    last: datetime
    count: int = 0
    durations: dict[int, int] = field(default_factory=dict)

    def add(self, probe: ProbeRow) -> None:
        """Take one more probe."""
        self.last = max(self.last, probe.at)
        self.count += 1
        if probe.status is not None:
            number = bucket(round(probe.total_s * 1e6))
            self.durations[number] = self.durations.get(number, 0) + 1

    @property
    def median_s(self) -> float | None:
        """The median of how long those took that were answered, within 1 %."""
        found = percentile(self.durations, 0.5)
        return None if found is None else found / 1e6


def stretches(probes: Iterable[ProbeRow]) -> list[Stretch]:
    """Return probes, given by time, as stretches by when they began."""
    found: list[Stretch] = []
    current: dict[tuple[str, str, str], Stretch] = {}
    for probe in probes:
        key = probe.site, probe.check, probe.vantage
        stretch = current.get(key)
        if stretch is None or _outcome(stretch.like) != _outcome(probe):
            stretch = current[key] = Stretch(probe, probe.at, probe.at)
            found.append(stretch)
        stretch.add(probe)
    return found


def _outcome(probe: ProbeRow) -> tuple[object, ...]:
    return probe.status, probe.verdict, probe.available, probe.rule


# --- table -----------------------------------------------------------------------------------------------------------


def as_table(probes: Iterable[ProbeRow], since: datetime, until: datetime | None, limit: int, layout: Layout) -> str:
    """Return the table for a terminal, oldest line first, of which the newest `limit` are shown, and a sentence."""
    return printed(_parts(stretches(probes), since, until, limit, layout), layout)


def _parts(
    found: list[Stretch], since: datetime, until: datetime | None, limit: int, layout: Layout
) -> Iterator[RenderableType]:
    if found:
        left_out = max(0, len(found) - limit)
        if left_out:
            yield Text(f"{counted(left_out, 'earlier line')} left out; --limit shows more", style="dim")
        yield from _lines(found[left_out:], layout)
        yield ""
    yield Text(_sentence(found, since, until), overflow="fold")


def _lines(found: list[Stretch], layout: Layout) -> Iterator[RenderableType]:
    """Yield the head and a line for each stretch; where there is no room, what it came to stands on a second line."""
    several = len({stretch.like.vantage for stretch in found}) > 1
    rows = [(_cells_of(stretch), _outcome_of(stretch.like, several=several)) for stretch in found]
    widths = [max(map(cell_len, column)) for column in zip(_HEAD[:-1], *(cells for cells, _ in rows), strict=True)]
    # The mark takes one column more, and each column is followed by a gap.
    taken = {gap: 1 + gap + sum(widths) + gap * len(widths) for gap in _GAPS}
    gap = next((gap for gap in _GAPS if taken[gap] <= layout.width), None)
    if gap is None:
        yield from _paragraphs(found, rows, layout)
        return
    room = layout.width - taken[gap]
    fits = any(cell_len(outcome) <= room for _, outcome in rows) and cell_len(_HEAD[-1]) <= room
    head = _padded(_HEAD[:-1], widths, gap) + (_HEAD[-1] if fits else "")
    yield Text(" " * (1 + gap) + head.rstrip(), style="dim")
    for stretch, (cells, outcome) in zip(found, rows, strict=True):
        line = sign(_mark(stretch.like), layout) + Text(" " * gap + _padded(cells, widths, gap))
        if fits and cell_len(outcome) <= room:
            yield line + outcome
        else:
            yield line
            yield _below(outcome, 1 + gap)


def _padded(cells: Sequence[str], widths: Sequence[int], gap: int) -> str:
    return "".join(
        (" " * (width - cell_len(cell)) + cell if name in _RIGHT else cell + " " * (width - cell_len(cell))) + " " * gap
        for name, cell, width in zip(_HEAD, cells, widths, strict=False)
    )


def _below(text: str, indent: int) -> RenderableType:
    """Return a text set in, broken between its words, and within one only where it is longer than a line."""
    return Padding(Text(text, overflow="fold"), (0, 0, 0, indent))


def _paragraphs(
    found: list[Stretch], rows: Sequence[tuple[Sequence[str], str]], layout: Layout
) -> Iterator[RenderableType]:
    for stretch, (cells, outcome) in zip(found, rows, strict=True):
        begin, lasted, site, check, _, median = cells
        yield sign(_mark(stretch.like), layout) + Text(f" {begin} UTC {site} {check}", overflow="fold")
        said = [f"for {lasted}"] if lasted else []
        said += [counted(stretch.count, "probe"), *([f"median {median}"] if median else []), outcome]
        yield _below(", ".join(said), 2)


def _cells_of(stretch: Stretch) -> tuple[str, ...]:
    probe = stretch.like
    begin, count, median = f"{stretch.first:%m-%d %H:%M}", f"{stretch.count:,}", milliseconds(stretch.median_s)
    return begin, _lasted(stretch), for_log(probe.site), for_log(probe.check), count, median


def _outcome_of(probe: ProbeRow, *, several: bool) -> str:
    place = f"from {probe.vantage}" if several and probe.vantage else ""
    parts = [probe.status and str(probe.status), probe.rule, place]
    return for_log(" ".join(part for part in parts if part)) or "no answer"


def _lasted(stretch: Stretch) -> str:
    """Return how long it went so, in one unit; nothing for a single probe."""
    length = stretch.last - stretch.first
    unit, name = next(((unit, name) for least, unit, name in _UNITS if length >= least), (timedelta(seconds=1), "s"))
    return "" if stretch.count == 1 else f"{length // unit} {name}"


def _mark(probe: ProbeRow) -> Mark:
    if probe.available is None:
        return Mark.SKIPPED
    return _MARKS[probe.verdict] if probe.available else Mark.DOWN


def _sentence(found: list[Stretch], since: datetime, until: datetime | None) -> str:
    span = f"since {since:%Y-%m-%d %H:%M}" + (f" until {until:%Y-%m-%d %H:%M}" if until else "") + " UTC"
    if not found:
        return f"No such probe is kept {span}; `model-lab-monitor watch` makes them, and --since looks further back."
    total = sum(stretch.count for stretch in found)
    down = sum(stretch.count for stretch in found if stretch.like.available is False)
    silent = sum(stretch.count for stretch in found if stretch.like.available is None)
    sites = len({stretch.like.site for stretch in found})
    amiss = sum(
        stretch.count
        for stretch in found
        if stretch.like.available is not False and stretch.like.verdict in {"warning", "breaking"}
    )
    said = [f"{down:,} found it unavailable"] * bool(down) + [f"{amiss:,} found something"] * bool(amiss)
    said += [f"{silent:,} said nothing of it"] * bool(silent)
    return f"{counted(total, 'probe')} of {counted(sites, 'site')} {span}: {', '.join(said) or 'all well'}."


# --- for programs ----------------------------------------------------------------------------------------------------


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
