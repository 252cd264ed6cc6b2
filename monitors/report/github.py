"""Workflow commands of GitHub Actions: annotations on the run, one line each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from monitors.model import Level
from monitors.report.grouping import problems
from monitors.report.notes import notes
from monitors.report.summary import sentence
from monitors.report.text import for_log, plain

if TYPE_CHECKING:
    from collections.abc import Iterator

    from monitors.report.grouping import Problem
    from monitors.report.value import Layout, Report

# GitHub shows ten annotations of each kind for one step and drops the rest.
MAX_ANNOTATIONS = 10
_COMMANDS = {Level.BREAKING: "error", Level.WARNING: "warning", Level.INFO: "notice"}
_TEXT_CHARS = 400


def render(report: Report, layout: Layout) -> str:  # noqa: ARG001 - every renderer has one signature
    """Return `::error`, `::warning` and `::notice` lines, worst first, then the summary as a plain line."""
    return "\n".join(_lines(report)) + "\n"


def _lines(report: Report) -> Iterator[str]:
    for line in report.harness_failures:
        yield f"::error title={_property('The monitor itself failed')}::{_data(line)}"
    shown_of = dict.fromkeys(Level, 0)
    for problem in problems(report.findings):
        shown_of[_level(problem)] += 1
        if shown_of[_level(problem)] <= MAX_ANNOTATIONS:
            yield _annotation(report, problem)
    hidden = sum(max(0, number - MAX_ANNOTATIONS) for number in shown_of.values())
    if hidden:
        yield f"and {hidden:,} more problems; --format json shows all"
    for note in notes(report):
        yield for_log(note, _TEXT_CHARS)
    yield for_log(sentence(report))


def _annotation(report: Report, problem: Problem) -> str:
    first = problem.first
    title = " ".join(part for part in ("accepted:" if first.accepted else "", first.rule, first.location) if part)
    moved = f" ({' → '.join(problem.moved)})" if problem.moved else ""
    where = problem.where(report)
    text = f"{first.message}{moved}" + (f" [{where}]" if where else "")
    text += f"; {problem.acceptance}" if first.accepted else ""
    return f"::{_COMMANDS[_level(problem)]} title={_property(title)}::{_data(text)}"


def _level(problem: Problem) -> Level:
    return Level.INFO if problem.first.accepted else problem.level


def _data(text: str) -> str:
    # Line ends are spelled out by `plain` already; the runner undoes `%25` and the like on its side.
    return plain(text, _TEXT_CHARS).replace("%", "%25")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
