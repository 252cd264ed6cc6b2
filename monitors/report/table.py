"""The table for a person at a terminal: the grid of sites and checks, the problems below it, one sentence last."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from monitors.model import Kind
from monitors.report.cells import MARKS, Cell, Mark, cells, status, took
from monitors.report.grouping import problems
from monitors.report.notes import notes
from monitors.report.phases import PHASE_HEAD, PHASES, median_phases, phase_rows
from monitors.report.summary import sentence
from monitors.report.tables import bare_table, printed
from monitors.report.text import for_log, listed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import RenderableType

    from monitors.report.grouping import Problem
    from monitors.report.value import Layout, Report

MAX_PROBLEMS = 40
# From here on there is room for times in the grid, and for the phases beside it.
_ROOMY, _WIDE = 72, 118
_ARROW, _DOT = "→", "·"
_SHOWN_MESSAGES = 3
_TEXT_CHARS = 400

# Plain ANSI colours: the terminal's own palette knows whether its background is dark or light.
_STYLES = {
    Mark.OK: "green",
    Mark.INFO: "blue",
    Mark.WARNING: "yellow",
    Mark.BREAKING: "red",
    Mark.DOWN: "magenta",
    Mark.SKIPPED: "dim",
}
_SIGNS = {
    Mark.OK: "✓",
    Mark.INFO: "•",
    Mark.WARNING: "▲",
    Mark.BREAKING: "✗",
    Mark.DOWN: "▼",
    Mark.SKIPPED: "·",
}
_ASCII_SIGNS = {
    Mark.OK: "+",
    Mark.INFO: "i",
    Mark.WARNING: "!",
    Mark.BREAKING: "x",
    Mark.DOWN: "v",
    Mark.SKIPPED: "-",
}
_WORDS = {
    Mark.INFO: "note",
    Mark.WARNING: "warning",
    Mark.BREAKING: "breaking",
    Mark.DOWN: "unavailable",
    Mark.SKIPPED: "accepted",
}


def render(report: Report, layout: Layout) -> str:
    """Return the report for a terminal of `layout.width` columns; without colour or beyond ASCII only if it may."""
    return printed(_Drawing(report, layout).parts(), layout)


def _text(raw: str, style: str = "", limit: int = _TEXT_CHARS) -> Text:
    """Return text off the wire, made harmless; it is never read as markup."""
    return Text(for_log(raw, limit), style=style, overflow="fold")


class _Drawing:
    """One report on its way to the terminal."""

    def __init__(self, report: Report, layout: Layout) -> None:
        self.report = report
        self.layout = layout

    def parts(self) -> Iterator[RenderableType]:
        if self.report.command == "probe" and self.report.sites:
            yield self.grid()
            yield ""
            if self.layout.verbose:
                yield self.phases()
                yield ""
        yield from self.problems()
        notes_of = notes(self.report)
        for note in notes_of:
            yield _text(note, "dim")
        if notes_of:
            yield ""
        for line in self.report.harness_failures:
            yield _text(f"The monitor itself failed: {line}", "bold red")
        yield self.sentence()

    def mark(self, mark: Mark) -> Text:
        return Text((_SIGNS if self.layout.unicode else _ASCII_SIGNS)[mark], style=_STYLES[mark], end="")

    def grid(self) -> Table:
        checks, rows = cells(self.report)
        wide = self.layout.width >= _WIDE
        table = bare_table()
        table.add_column(Text("site"), no_wrap=True)
        for check in checks:
            table.add_column(_text(check), no_wrap=True)
        if wide:
            for phase in PHASES:
                table.add_column(Text(phase), justify="right", style="dim", no_wrap=True)
        for site, row in rows.items():
            medians = median_phases(self.report, site) if wide else []
            table.add_row(_text(site, "bold"), *(self.cell(cell) for cell in row), *medians)
        return table

    def cell(self, cell: Cell | None) -> Text:
        if cell is None:
            return Text("")
        line = self.mark(cell.mark)
        if cell.seen is None:
            return line
        line.append(f" {for_log(status(cell))}", style="" if cell.mark is Mark.OK else _STYLES[cell.mark])
        if (time := took(cell)) and self.layout.width >= _ROOMY:
            line.append(f" {time:>6}", style="dim")
        return line

    def phases(self) -> Table:
        table = bare_table()
        for name in PHASE_HEAD:
            table.add_column(Text(name), justify="left" if name in {"site", "check"} else "right")
        for row in phase_rows(self.report):
            table.add_row(*(_text(column) for column in row))
        return table

    def problems(self) -> Iterator[RenderableType]:
        found = problems(self.report.findings)
        for problem in found[:MAX_PROBLEMS]:
            yield self.problem(problem)
            yield ""
        if len(found) > MAX_PROBLEMS:
            yield Text(f"and {len(found) - MAX_PROBLEMS:,} more; --format json shows all", style="dim")
            yield ""

    def problem(self, problem: Problem) -> RenderableType:
        """Draw one problem: what it is, where in the answer, and on the last line the rule and the sites."""
        first = problem.first
        down = first.kind is Kind.AVAILABILITY and MARKS[problem.level] is Mark.BREAKING
        mark = Mark.DOWN if down else MARKS[problem.level]
        if first.accepted:
            mark = Mark.SKIPPED
        lines = [Text(f"{_WORDS[mark]}  ", style=_STYLES[mark]) + self.title(problem)]
        place = [_text(first.location, "cyan")] if first.location is not None else []
        if problem.moved:
            place.append(_text(f" {_ARROW} ".join(problem.moved)))
        if place:
            lines.append(Text("  ").join(place))
        if first.accepted:
            lines.append(_text(problem.acceptance))
        said = [first.rule, problem.where(self.report), first.fingerprint if self.layout.verbose else ""]
        lines.append(_text(f" {_DOT} ".join(part for part in said if part), "dim"))
        table = Table.grid(padding=(0, 1, 0, 0))
        table.add_row(self.mark(mark), Text("\n").join(lines))
        return table

    def title(self, problem: Problem) -> Text:
        """Return the message, or the first few where sites say different things."""
        if len(problem.messages) == 1:
            return _text(problem.first.message, "bold")
        some = list(problem.messages.items())[:_SHOWN_MESSAGES]
        said = [f"{message} ({listed(list(sites))})" if sites else message for message, sites in some]
        more = len(problem.messages) - len(some)
        return _text("; ".join(said) + (f"; and {more:,} more" if more else ""), "bold")

    def sentence(self) -> Text:
        worst = max((finding.level for finding in self.report.findings if finding.accepted is None), default=None)
        mark = Mark.OK if worst is None else MARKS[worst]
        if self.report.harness_failures:
            mark = Mark.BREAKING
        return self.mark(mark) + Text(" ") + _text(sentence(self.report), "bold")
