"""Uptime in print: a line for each site or check."""

from __future__ import annotations

from math import floor
from typing import TYPE_CHECKING

from rich.text import Text

from monitors.report.cells import Mark
from monitors.report.markdown import escaped
from monitors.report.signs import sign
from monitors.report.tables import bare_table, printed
from monitors.report.text import counted, dumps, for_log, milliseconds, utc

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from rich.console import RenderableType

    from monitors.model import JSON
    from monitors.report.value import Layout
    from monitors.store import UptimeRow

_HEAD = ("site", "check", "probes", "uptime", "p50", "p95", "p99", "outages")
_NAMES = 2
_POOR = 0.99


def percent(uptime: float | None) -> str:
    """Return a share as percent, rounded down: 100 % is said of nothing that failed once."""
    if uptime is None:
        return "-"
    return "100 %" if uptime >= 1 else f"{floor(uptime * 100_000) / 1000:.3f} %"


def cells(row: UptimeRow) -> list[str]:
    """Return one row as text."""
    times = [milliseconds(None if ms is None else ms / 1000) or "-" for ms in (row.p50_ms, row.p95_ms, row.p99_ms)]
    return [row.site, row.check or "all", f"{row.probes:,}", percent(row.uptime), *times, f"{row.outages:,}"]


def as_table(rows: Sequence[UptimeRow], since: datetime, until: datetime | None, layout: Layout) -> str:
    """Return the table for a terminal, and a sentence."""
    return printed(_parts(rows, since, until, layout), layout)


def _parts(
    rows: Sequence[UptimeRow], since: datetime, until: datetime | None, layout: Layout
) -> Iterator[RenderableType]:
    if rows:
        table = bare_table(2)
        table.add_column("")
        for number, name in enumerate(_HEAD):
            table.add_column(Text(name), no_wrap=True, justify="left" if number < _NAMES else "right")
        before = ""
        for row in rows:
            site, *others = map(for_log, cells(row))
            table.add_row(sign(_mark(row), layout), Text(site if site != before else ""), *map(Text, others))
            before = site
        yield table
        yield ""
    yield Text(_sentence(rows, since, until), overflow="fold")


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
    return f"{counted(probes, 'probe')} of {sites} {span}{share}."


def as_markdown(rows: Sequence[UptimeRow], since: datetime, until: datetime | None) -> str:
    """Return the table in Markdown."""
    lines = [f"| {' | '.join(_HEAD)} |", f"|{'---|' * _NAMES}{'---:|' * (len(_HEAD) - _NAMES)}"] if rows else []
    lines += [f"| {' | '.join(map(escaped, cells(row)))} |" for row in rows]
    return "\n".join([*lines, *([""] if lines else []), escaped(_sentence(rows, since, until))]) + "\n"


def as_json(rows: Sequence[UptimeRow], since: datetime, until: datetime | None) -> str:
    """Return the span asked for and the rows; `uptime` is a share from 0 to 1, times are milliseconds."""
    document: dict[str, JSON] = {"since": utc(since), "until": utc(until), "rows": [_row(row) for row in rows]}
    return dumps(document, indent=2) + "\n"


def _row(row: UptimeRow) -> JSON:
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
