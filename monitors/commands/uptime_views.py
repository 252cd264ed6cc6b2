"""Uptime in print: a line for each site or check."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING

from rich.text import Text

from monitors.report.cells import Mark
from monitors.report.markdown import escaped
from monitors.report.signs import sign
from monitors.report.tables import bare_table, natural_width, printed
from monitors.report.text import counted, dumps, for_log, milliseconds, percent, plain, utc

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from rich.console import RenderableType
    from rich.table import Table

    from monitors.model import JSON
    from monitors.report.value import Layout
    from monitors.store import UptimeRow

_HEAD = ("site", "check", "probes", "uptime", "p50", "p95", "p99", "outages")
_CHECK = 1
_NAMES_OF_MEMBERS = (
    *("site", "check", "probes", "available", "unavailable", "uptime"),
    *("p50_ms", "p95_ms", "p99_ms", "outages", "warnings", "breaking"),
)
_NAMES = frozenset({"site", "check"})
_POOR = 0.99
_GAPS = (2, 1)


def _head(rows: Sequence[UptimeRow]) -> tuple[str, ...]:
    """Return the columns; where each row is about all checks of a site, none says so."""
    return _HEAD if any(row.check for row in rows) else (*_HEAD[:_CHECK], *_HEAD[_CHECK + 1 :])


def cells(row: UptimeRow) -> list[str]:
    """Return one row as text; a check where it is about one."""
    times = [milliseconds(None if ms is None else ms / 1000) or "-" for ms in (row.p50_ms, row.p95_ms, row.p99_ms)]
    check = [row.check] if row.check else []
    return [row.site, *check, _probes(row), percent(row.uptime), *times, f"{row.outages:,}"]


def _probes(row: UptimeRow) -> str:
    """Return how many probes the share is of; where others do not count, of how many they are."""
    counting = row.available + row.unavailable
    return f"{counting:,}" if counting == row.probes else f"{counting:,} of {row.probes:,}"


def as_table(rows: Sequence[UptimeRow], since: datetime, until: datetime | None, layout: Layout) -> str:
    """Return the table for a terminal, and a sentence."""
    return printed(_parts(rows, since, until, layout), layout)


def _parts(
    rows: Sequence[UptimeRow], since: datetime, until: datetime | None, layout: Layout
) -> Iterator[RenderableType]:
    if rows:
        tables = (_table(rows, layout, gap) for gap in _GAPS)
        fitting = next((table for table in tables if natural_width(table) <= layout.width), None)
        yield from [fitting] if fitting else _paragraphs(rows, layout)
        yield ""
    yield Text(_sentence(rows, since, until), overflow="fold")


def _table(rows: Sequence[UptimeRow], layout: Layout, gap: int) -> Table:
    table = bare_table(gap)
    table.add_column("")
    for name in _head(rows):
        table.add_column(Text(name), no_wrap=True, justify="left" if name in _NAMES else "right")
    before = ""
    for row in rows:
        site, *others = map(for_log, cells(row))
        table.add_row(sign(_mark(row), layout), Text(site if site != before else ""), *map(Text, others))
        before = site
    return table


def _paragraphs(rows: Sequence[UptimeRow], layout: Layout) -> Iterator[RenderableType]:
    """Yield each row on two lines: no number is ever cut."""
    table = bare_table(1)
    table.show_header = False
    table.add_column("", no_wrap=True)
    table.add_column("", overflow="fold")
    for row in rows:
        times = [f"{name} {text}" for name, text in zip(_HEAD[4:7], cells(row)[-4:-1], strict=True) if text != "-"]
        said = [f"{_probes(row)} probe{'' if row.probes == 1 else 's'}", *times]
        name = for_log(" ".join(part for part in (row.site, row.check) if part))
        line = Text(f"{name}  {percent(row.uptime)}", style="bold")
        line.append(f", {counted(row.outages, 'outage')}\n{', '.join(said)}", style="not bold")
        table.add_row(sign(_mark(row), layout), line)
    yield table


def _mark(row: UptimeRow) -> Mark:
    if row.uptime is None:
        return Mark.SKIPPED
    if row.uptime >= 1:
        return Mark.OK
    return Mark.WARNING if row.uptime >= _POOR else Mark.DOWN


def _sentence(rows: Sequence[UptimeRow], since: datetime, until: datetime | None) -> str:
    span = f"since {since:%Y-%m-%d %H:%M}" + (f" until {until:%Y-%m-%d %H:%M}" if until else "") + " UTC"
    if not rows:
        return f"Nothing is kept {span}; `model-lab-monitor watch` probes, and --since looks further back."
    probes = sum(row.probes for row in rows)
    available = sum(row.available for row in rows)
    telling = available + sum(row.unavailable for row in rows)
    sites = counted(len({row.site for row in rows}), "site")
    share = f": {percent(available / telling)} available" if telling else ""
    others = probes - telling
    what, was = ("does not count: it", "was") if others == 1 else ("do not count: they", "were")
    more = f" {others:,} of them {what} looked again at what was just seen, or {was} throttled."
    return f"{counted(probes, 'probe')} of {sites} {span}{share}.{more if others else ''}"


def as_markdown(rows: Sequence[UptimeRow], since: datetime, until: datetime | None) -> str:
    """Return the table in Markdown."""
    head = _head(rows)
    rule = "".join("---|" if name in _NAMES else "---:|" for name in head)
    lines = [f"| {' | '.join(head)} |", f"|{rule}"] if rows else []
    lines += [f"| {' | '.join(map(escaped, cells(row)))} |" for row in rows]
    return "\n".join([*lines, *([""] if lines else []), escaped(_sentence(rows, since, until))]) + "\n"


def as_csv(rows: Sequence[UptimeRow]) -> str:
    """Return a head and a line for each row, with the members of the JSON."""
    out = io.StringIO()
    write = csv.writer(out, lineterminator="\n").writerow
    write(_NAMES_OF_MEMBERS)
    for row in rows:
        found = _row(row)
        write(["" if found[name] is None else plain(str(found[name])) for name in _NAMES_OF_MEMBERS])
    return out.getvalue()


def as_json(rows: Sequence[UptimeRow], since: datetime, until: datetime | None) -> str:
    """Return the span asked for and the rows; `uptime` is a share from 0 to 1, times are milliseconds."""
    document: dict[str, JSON] = {"since": utc(since), "until": utc(until), "rows": [_row(row) for row in rows]}
    return dumps(document, indent=2) + "\n"


def _row(row: UptimeRow) -> dict[str, JSON]:
    return {
        "site": row.site,
        "check": row.check,
        "probes": row.probes,
        "available": row.available,
        "unavailable": row.unavailable,
        "uptime": row.uptime,
        "p50_ms": _rounded(row.p50_ms),
        "p95_ms": _rounded(row.p95_ms),
        "p99_ms": _rounded(row.p99_ms),
        "outages": row.outages,
        "warnings": row.warnings,
        "breaking": row.breaking,
    }


def _rounded(ms: float | None) -> float | None:
    return None if ms is None else round(ms, 3)
