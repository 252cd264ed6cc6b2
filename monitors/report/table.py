"""The table for a person at a terminal: the grid of sites and checks, the problems below it, one sentence last."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from monitors.report.cells import MARKS, WORDS, Mark, mark_of, recorded, status
from monitors.report.grid import grid
from monitors.report.grouping import problems
from monitors.report.notes import notes
from monitors.report.phases import PHASE_HEAD, phase_rows
from monitors.report.signs import STYLES, sign
from monitors.report.summary import sentence
from monitors.report.tables import bare_table, printed
from monitors.report.text import for_log, listed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import RenderableType

    from monitors.report.grouping import Problem
    from monitors.report.value import Layout, Report

MAX_PROBLEMS, MAX_ANSWERS = 40, 1000
_ARROW, _DOT = "→", "·"
_SHOWN_MESSAGES = 3
_TEXT_CHARS = 400


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
            yield grid(self.report, self.layout)
            yield ""
            if self.layout.verbose:
                yield self.phases()
                yield ""
        if self.report.command == "check" and self.report.observations and self.layout.verbose:
            yield from self.answers()
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

    def phases(self) -> Table:
        table = bare_table()
        for name in PHASE_HEAD:
            table.add_column(Text(name), justify="left" if name in {"site", "check"} else "right")
        for row in phase_rows(self.report):
            table.add_row(*(_text(column) for column in row))
        return table

    def answers(self) -> Iterator[RenderableType]:
        """List each recorded answer that was judged: how it did, what came back, and where it is recorded."""
        table = Table.grid(padding=(0, 1, 0, 0))
        for column in ("mark", "status"):
            table.add_column(column, no_wrap=True)
        judged = recorded(self.report)
        for cell in judged[:MAX_ANSWERS]:
            place = f" {_DOT} ".join(part for part in (cell.seen.source, cell.seen.site) if part) if cell.seen else ""
            table.add_row(sign(cell.mark, self.layout), _text(status(cell)), _text(place))
        yield table
        if len(judged) > MAX_ANSWERS:
            yield Text(f"and {len(judged) - MAX_ANSWERS:,} more", style="dim")

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
        mark = mark_of(first, problem.level)
        lines = [Text(f"{WORDS[mark]}  ", style=STYLES[mark]) + self.title(problem)]
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
        table.add_row(sign(mark, self.layout), Text("\n").join(lines))
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
        if mark is Mark.OK and not self.report.observations:
            mark = Mark.WARNING
        if self.report.harness_failures:
            mark = Mark.BREAKING
        return sign(mark, self.layout) + Text(" ") + _text(sentence(self.report), "bold")
