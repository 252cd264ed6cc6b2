"""The grid of sites and checks on a terminal: as much of each probe as there is room for, its mark always."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.text import Text

from monitors.report.cells import Mark, cells, status, took
from monitors.report.phases import PHASES, median_phases
from monitors.report.signs import STYLES, sign
from monitors.report.tables import bare_table, natural_width
from monitors.report.text import for_log

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.table import Table

    from monitors.report.cells import Cell
    from monitors.report.value import Layout, Report

_SHORT_HEAD = 8
# Phases are for who has room to spare: few checks alone do not call for them.
_PHASES_FROM = 118


@dataclass(frozen=True, slots=True)
class _Detail:
    """What is told of each probe beside its mark, how far apart, and whether long headings are broken."""

    phases: bool = False
    times: bool = False
    words: bool = True
    gap: int = 3
    short_heads: bool = False


_DETAILS = (
    _Detail(phases=True, times=True),
    _Detail(times=True),
    _Detail(),
    _Detail(gap=2, short_heads=True),
    _Detail(words=False, gap=1, short_heads=True),
)
"""From a wide terminal to a narrow one."""


def grid(report: Report, layout: Layout) -> Table:
    """Return the grid with the most detail that fits into `layout.width` columns."""
    checks, rows = cells(report)
    for detail in _DETAILS:
        table = _drawn(report, layout, checks, rows, detail)
        roomy = layout.width >= _PHASES_FROM or not detail.phases
        if roomy and natural_width(table) <= layout.width:
            break
    return table


def _drawn(
    report: Report, layout: Layout, checks: Sequence[str], rows: dict[str, list[Cell | None]], detail: _Detail
) -> Table:
    table = bare_table(detail.gap)
    table.add_column(Text("site"), no_wrap=True)
    for check in checks:
        table.add_column(_head(check, detail), no_wrap=True)
    for phase in PHASES if detail.phases else ():
        table.add_column(Text(phase), justify="right", style="dim", no_wrap=True)
    for site, row in rows.items():
        medians = median_phases(report, site) if detail.phases else []
        table.add_row(Text(for_log(site), style="bold"), *(_cell(cell, layout, detail) for cell in row), *medians)
    return table


def _head(check: str, detail: _Detail) -> Text:
    name = for_log(check)
    return Text("\n".join(textwrap.wrap(name, _SHORT_HEAD)) if detail.short_heads else name)


def _cell(cell: Cell | None, layout: Layout, detail: _Detail) -> Text:
    if cell is None:
        return Text("")
    line = sign(cell.mark, layout)
    if cell.seen is None:
        return line
    if detail.words:
        line.append(f" {for_log(status(cell))}", style="" if cell.mark is Mark.OK else STYLES[cell.mark])
    if detail.times and (time := took(cell)):
        line.append(f" {time:>6}", style="dim")
    return line
