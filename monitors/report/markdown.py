"""GitHub-flavoured Markdown: for a pull request's comment, an issue or a step summary."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from monitors.report.cells import WORDS, Mark, answer, cells, mark_of, worst_mark
from monitors.report.grouping import problems
from monitors.report.notes import notes
from monitors.report.summary import sentence
from monitors.report.text import plain, utc

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from monitors.report.grouping import Problem
    from monitors.report.value import Layout, Report

# GitHub refuses comments of more than 65,536 characters.
MAX_PROBLEMS = 50
_TEXT_CHARS, _CELL_CHARS = 300, 80
_MARKS = {
    Mark.OK: "🟢",
    Mark.INFO: "🔵",
    Mark.WARNING: "🟡",
    Mark.BREAKING: "🔴",
    Mark.DOWN: "⚫",
    Mark.SKIPPED: "⚪",
}
_PUNCTUATION = re.compile(r"([\\`*_\[\]<>~&$])")
# Backslashes do not keep GitHub from mentions, issue numbers, addresses and emoji; an invisible word joiner does.
_LINKS = re.compile(r"@(?=\w)|#(?=\d)|(?<=\w):(?=//)|(?<=[wW]{3})\.|(?<=GH)-", re.IGNORECASE)
_NO_SPAN = re.compile(r"[`|\\]|^ | $|^$")
_JOINER = "\u2060"


def render(report: Report, layout: Layout) -> str:  # noqa: ARG001 - every renderer has one signature
    """Return a heading, the grid of sites and checks, and a table of problems, worst first."""
    return "\n".join(_lines(report)) + "\n"


def _lines(report: Report) -> Iterator[str]:
    yield f"### Model Lab API: {_verdict(report)}"
    yield ""
    yield escaped(sentence(report))
    for line in report.harness_failures:
        yield ""
        yield f"**The monitor itself failed:** {escaped(line, _TEXT_CHARS)}"
    if report.command == "probe" and report.sites:
        yield ""
        yield from _grid(report)
    if found := problems(report.findings):
        yield ""
        yield from _problems(report, found)
    for note in notes(report):
        yield ""
        yield escaped(note, _TEXT_CHARS)
    yield ""
    yield f"<sub>model-lab-monitor {escaped(report.version)}, {utc(report.at)}</sub>"


def _verdict(report: Report) -> str:
    """Return the report in a word."""
    if report.harness_failures:
        return "the monitor failed"
    mark = worst_mark(report)
    return "nothing judged" if mark is Mark.OK and not report.observations else WORDS[mark]


def _grid(report: Report) -> Iterator[str]:
    checks, rows = cells(report)
    yield _row(["site", *checks])
    yield _row(["---"] * (len(checks) + 1))
    for site, row in rows.items():
        shown_cells = [f"{_MARKS[cell.mark]} {escaped(answer(cell))}".strip() if cell else "" for cell in row]
        yield _row([escaped(site, _CELL_CHARS), *shown_cells])


def _problems(report: Report, found: Sequence[Problem]) -> Iterator[str]:
    yield _row(["", "rule", "location", "what", "expected → actual", "where"])
    yield _row(["---"] * 6)
    for problem in found[:MAX_PROBLEMS]:
        first, mark = problem.first, mark_of(problem.first, problem.level)
        moved = " → ".join(code(value) for value in problem.moved or ())
        yield _row(
            [
                f"{_MARKS[mark]} {WORDS[mark]}",
                code(first.rule),
                code(plain(first.location, _CELL_CHARS)) if first.location else "",
                escaped("; ".join(filter(None, (first.message, problem.acceptance))), _TEXT_CHARS),
                moved,
                escaped(problem.where(report), _TEXT_CHARS),
            ]
        )
    if len(found) > MAX_PROBLEMS:
        yield ""
        yield f"and {len(found) - MAX_PROBLEMS:,} more; `--format json` shows all."


def _row(columns: Sequence[str]) -> str:
    return f"| {' | '.join(columns)} |"


def escaped(text: str, limit: int | None = None) -> str:
    """Return text as it is, in Markdown: no markup, no HTML, no links, no mentions, and no end of a table's cell."""
    joined = _LINKS.sub(lambda match: match[0] + _JOINER, plain(text, limit))
    return _PUNCTUATION.sub(r"\\\1", joined).replace("|", "&#124;")


def code(text: str) -> str:
    """Return printable text as code that fits in a cell."""
    # Parsers disagree on backslashes before bars, and a span cannot hold its own fence: entities settle both.
    return f"<code>{escaped(text)}</code>" if _NO_SPAN.search(text) else f"`{text}`"
