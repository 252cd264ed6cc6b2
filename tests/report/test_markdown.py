from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from markdown_it import MarkdownIt

from monitors.report import RENDERERS
from monitors.report.markdown import code, escaped

if TYPE_CHECKING:
    from collections.abc import Callable

    from monitors.model import Finding, Observation
    from monitors.report import Report

PARSER = MarkdownIt("commonmark", {"html": True}).enable("table")


def tables(text: str) -> list[list[list[str]]]:
    """Return the cells of each table, as a reader of the rendered page sees them."""
    found: list[list[list[str]]] = []
    for token in PARSER.parse(text):
        if token.type == "table_open":
            found.append([])
        elif token.type == "tr_open":
            found[-1].append([])
        elif token.type == "inline" and found and token.level == 3 + 1 and token.children is not None:
            found[-1][-1].append("".join(child.content for child in token.children))
    return found


def test_the_grid_and_the_problems_are_two_tables(mixed: Report) -> None:
    text = RENDERERS["markdown"](mixed)
    grid, problems = tables(text)
    assert grid[0] == ["site", "run", "not-found", "bad-request", "unauthenticated"]
    assert grid[4] == ["EU1", "⚫ refused", "⚫ refused", "⚫ refused", "⚫ refused"]
    assert problems[2] == [
        "🔴 breaking",
        "response-property-type-changed",
        "$.data.attributes.project_id",
        "an integer became a string",
        "integer → string",
        "run on US5 and AP1",
    ]
    assert text.startswith("### Model Lab API: breaking\n\nEU1 is unavailable (connection-refused);")


def test_an_outage_is_called_the_same_everywhere(mixed: Report) -> None:
    text = RENDERERS["markdown"](mixed)
    assert [row[0] for row in tables(text)[1][1:]] == ["⚫ unavailable", "🔴 breaking", "🟡 warning", "🔵 note"]
    down = replace(mixed, findings=tuple(found for found in mixed.findings if found.site == "EU1"))
    text = RENDERERS["markdown"](down)
    assert text.startswith("### Model Lab API: unavailable\n")
    assert "🔴" not in text


def test_the_heading_says_how_it_went(report: Callable[..., Report], observation: Callable[..., Observation]) -> None:
    def heading(**members: Any) -> str:
        return RENDERERS["markdown"](report(**members)).split("\n")[0].removeprefix("### Model Lab API: ")

    assert heading(observations=(observation(),)) == "all well"
    assert heading() == "nothing judged"
    assert heading(harness_failures=("the disk is full",)) == "the monitor failed"


def test_nothing_found_has_no_table_of_problems(report: Callable[..., Report]) -> None:
    assert tables(RENDERERS["markdown"](report())) == []


def test_a_comment_stays_within_what_github_takes(
    report: Callable[..., Report], finding: Callable[..., Finding]
) -> None:
    many = tuple(finding(location=f"$.data.{'m' * 200}{number}", message="x" * 2_000) for number in range(10_000))
    text = RENDERERS["markdown"](report(findings=many))
    assert "and 9,950 more; `--format json` shows all." in text
    assert len(text) < 65_536


def test_failures_of_the_monitor_and_what_was_not_made_are_said(mixed: Report, report: Callable[..., Report]) -> None:
    assert "Not made: run, not-found and bad-request on US3, AP2 and UK1" in RENDERERS["markdown"](mixed)
    assert "**The monitor itself failed:** the disk is full" in RENDERERS["markdown"](
        report(harness_failures=("the disk is full",))
    )


@pytest.mark.parametrize(
    "text",
    [
        "**bold** _it_ `code` ~~no~~",
        "<script>alert(1)</script> <!-- gone -->",
        "[a](https://x.test) ![b](c) <https://x.test>",
        "a | b \\| c \\",
        "&lt; &#124; &amp;",
        "$x^2$",
    ],
)
def test_markup_reads_as_it_was_written(text: str) -> None:
    for written in (escaped(text), code(text)):
        row = f"| a | b |\n|---|---|\n| {written} | end |\n"
        ((_, (cell, end)),) = tables(row)
        assert cell.replace("\u2060", "").removeprefix("<code>").removesuffix("</code>") == text
        assert end == "end"


@pytest.mark.parametrize("text", ["@everyone", "see #12", "http://x.test", "www.x.test", "a@x.test", "GH-1"])
def test_nothing_is_left_for_github_to_link(text: str) -> None:
    assert text not in escaped(text)
    assert escaped(text).replace("\u2060", "") == text
