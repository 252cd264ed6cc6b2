"""Probes in print: a table of how long what lasted."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

from rich.cells import cell_len
from rich.padding import Padding
from rich.text import Text

from monitors.report.cells import Mark
from monitors.report.markdown import escaped
from monitors.report.signs import sign
from monitors.report.tables import printed
from monitors.report.text import counted, for_log, milliseconds
from monitors.store.histogram import bucket, percentile

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import datetime

    from rich.console import RenderableType

    from monitors.report.value import Layout
    from monitors.store import Filter, Outcome

_MARKS = {"none": Mark.OK, "info": Mark.INFO, "warning": Mark.WARNING, "breaking": Mark.BREAKING}
_HEAD = ("from (UTC)", "for", "site", "check", "probes", "median", "outcome")
_RIGHT = frozenset({"for", "probes", "median"})
_GAPS = (2, 1)
_UNITS = (
    (timedelta(days=2), timedelta(days=1), "d"),
    (timedelta(hours=2), timedelta(hours=1), "h"),
    (timedelta(minutes=1), timedelta(minutes=1), "min"),
)
_WORDS = {
    Mark.OK: "",
    Mark.SKIPPED: "",
    Mark.INFO: "",
    Mark.WARNING: "warning:",
    Mark.BREAKING: "breaking:",
    Mark.DOWN: "down:",
}


@dataclass(slots=True)
class Stretch:
    """Probes of one check on one site, in a row, that went the same way; `first` and `last` are when."""

    like: Outcome
    first: datetime
    last: datetime
    count: int = 0
    durations: dict[int, int] = field(default_factory=dict)

    def add(self, probe: Outcome) -> None:
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


def stretches(probes: Iterable[Outcome]) -> list[Stretch]:
    """Return probes, given by time, as stretches by when they began; none goes on over what is not known."""
    found: list[Stretch] = []
    current: dict[tuple[str, str, str], Stretch] = {}
    for probe in probes:
        key = probe.site, probe.check, probe.vantage
        stretch = current.get(key)
        if stretch is None or probe.apart or _outcome(stretch.like) != _outcome(probe):
            stretch = current[key] = Stretch(probe, probe.at, probe.at)
            found.append(stretch)
        stretch.add(probe)
    return found


def _outcome(probe: Outcome) -> tuple[object, ...]:
    return probe.status, probe.verdict, probe.available, probe.rule


def is_wanted(probe: Outcome, wanted: Filter) -> bool:
    """Tell whether a probe went as a filter asks: what went otherwise is left out only once it has ended a stretch."""
    fits = not wanted.verdicts or probe.verdict in wanted.verdicts
    return fits and (wanted.available is None or probe.available is wanted.available)


@dataclass(frozen=True, slots=True)
class Shown:
    """What a table shows: stretches by when they began, the span, how many lines at most, the newest.

    Before `complete_from` probes that went well are no longer kept; None where all are.
    """

    found: list[Stretch]
    since: datetime
    until: datetime | None
    limit: int
    complete_from: datetime | None = None


# --- table -----------------------------------------------------------------------------------------------------------


def as_table(shown: Shown, layout: Layout) -> str:
    """Return the table for a terminal, oldest line first, and what there is to say of all of it."""
    return printed(_parts(shown, layout), layout)


def _parts(shown: Shown, layout: Layout) -> Iterator[RenderableType]:
    if shown.found:
        if left_out := _left_out(shown):
            yield Text(left_out, style="dim")
        yield from _lines(shown.found[-shown.limit :], layout)
        yield ""
    for sentence in _sentences(shown):
        yield Text(sentence, overflow="fold")


def _left_out(shown: Shown) -> str:
    left_out = len(shown.found) - shown.limit
    return f"{counted(left_out, 'earlier line')} left out; --limit shows more" if left_out > 0 else ""


def as_markdown(shown: Shown) -> str:
    """Return the table in Markdown."""
    found = shown.found[-shown.limit :]
    several = len({stretch.like.vantage for stretch in found}) > 1
    rule = "".join("---:|" if name in _RIGHT else "---|" for name in _HEAD)
    lines = [f"| {' | '.join(_HEAD)} |", f"|{rule}"] if found else []
    for stretch in found:
        _, *cells = _cells_of(stretch)
        outcome = f"{_WORDS[_mark(stretch.like)]} {_outcome_of(stretch.like, several=several)}"
        row = [f"{stretch.first:%Y-%m-%d %H:%M}", *cells, outcome.strip()]
        lines.append(f"| {' | '.join(map(escaped, row))} |")
    said = [*([_left_out(shown)] if _left_out(shown) else []), *_sentences(shown)]
    return "\n\n".join(["\n".join(lines)] * bool(lines) + [escaped(each) for each in said]) + "\n"


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


def _outcome_of(probe: Outcome, *, several: bool) -> str:
    place = f"from {probe.vantage}" if several and probe.vantage else ""
    parts = [probe.status and str(probe.status), probe.rule, place]
    return for_log(" ".join(part for part in parts if part)) or "no answer"


def _lasted(stretch: Stretch) -> str:
    """Return how long it went so, in one unit; nothing for a single probe."""
    length = stretch.last - stretch.first
    unit, name = next(((unit, name) for least, unit, name in _UNITS if length >= least), (timedelta(seconds=1), "s"))
    return "" if stretch.count == 1 else f"{length // unit} {name}"


def _mark(probe: Outcome) -> Mark:
    if probe.available is None:
        return Mark.SKIPPED
    return _MARKS[probe.verdict] if probe.available else Mark.DOWN


def _sentences(shown: Shown) -> Iterator[str]:
    yield _sentence(shown.found, shown.since, shown.until)
    complete = shown.complete_from
    if complete is not None and shown.since < complete:
        yield (
            f"Before {complete:%Y-%m-%d %H:%M} UTC only probes that found something are kept; "
            "the sums of `model-lab-monitor uptime` count all of them."
        )


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
