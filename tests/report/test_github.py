from __future__ import annotations

import re
from typing import TYPE_CHECKING

from monitors.model import Level
from monitors.report import RENDERERS

if TYPE_CHECKING:
    from collections.abc import Callable

    from monitors.model import Finding
    from monitors.report import Report

github = RENDERERS["github"]


def test_each_problem_is_one_annotation_of_its_level(mixed: Report) -> None:
    lines = github(mixed).splitlines()
    assert [line.split(" ")[0] for line in lines[:4]] == ["::error", "::error", "::warning", "::notice"]
    assert lines[1] == (
        "::error title=response-property-type-changed $.data.attributes.project_id::"
        "an integer became a string (integer → string) [run on US5 and AP1]"
    )
    assert lines[-1].startswith("EU1 is unavailable")


def test_what_the_runner_would_read_as_syntax_is_encoded(
    report: Callable[..., Report], finding: Callable[..., Finding]
) -> None:
    hostile = finding(location="$['a,b:c%']", message="100%\n::error::owned")
    line = github(report(findings=(hostile,))).splitlines()[0]
    assert line == (
        "::error title=response-property-type-changed $['a%2Cb%3Ac%25']::100%25\\n::error::owned [run on US5]"
    )


def test_the_runner_shows_ten_of_a_kind_so_no_more_are_sent(
    report: Callable[..., Report], finding: Callable[..., Finding]
) -> None:
    many = [finding(location=f"$.m{number}") for number in range(25)]
    many += [finding(location=f"$.w{number}", level=Level.WARNING) for number in range(11)]
    text = github(report(findings=tuple(many)))
    assert len(re.findall(r"^::error ", text, re.MULTILINE)) == 10
    assert len(re.findall(r"^::warning ", text, re.MULTILINE)) == 10
    assert "\nand 16 more problems; --format json shows all\n" in text


def test_the_monitors_own_failure_is_an_error(report: Callable[..., Report]) -> None:
    first = github(report(harness_failures=("the disk is full",))).splitlines()[0]
    assert first == "::error title=The monitor itself failed::the disk is full"
