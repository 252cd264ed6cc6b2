"""Accepted findings stay visible in every format, marked, and count for nothing."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

import pytest

from monitors.model import Acceptance
from monitors.report import RENDERERS, Layout
from monitors.report.summary import sentence

if TYPE_CHECKING:
    from collections.abc import Callable

    from monitors.report import Report

WHY = Acceptance("the vendor\n::error::announced it", "Ada", date(2026, 12, 31))


@pytest.fixture
def accepted(report: Callable[..., Report], observation: Callable[..., Any], finding: Callable[..., Any]) -> Report:
    found = finding(location="$.data.id", base="string", revision="integer", accepted=WHY)
    return report(observations=(observation(),), findings=(found,), remarks=("Accepted, but no longer seen: x",))


@pytest.mark.parametrize("name", RENDERERS)
def test_every_format_shows_the_finding_who_accepted_it_and_why(name: str, accepted: Report) -> None:
    text = RENDERERS[name](accepted)
    for word in ("response-property-type-changed", "Ada", "2026-12-31", "announced it"):
        assert word in text, word
    assert name == "junit" or "no longer seen" in text


def test_the_verdict_and_the_counts_leave_it_out(accepted: Report) -> None:
    document = json.loads(RENDERERS["json"](accepted))
    assert document["verdict"] == "none"
    assert document["summary"]["findings"] == {"breaking": 0, "warning": 0, "info": 0}
    assert document["summary"]["accepted"] == 1
    assert document["summary"]["remarks"] == ["Accepted, but no longer seen: x"]
    assert document["findings"][0]["accepted"] == {
        "reason": WHY.reason, "by": "Ada", "expires": "2026-12-31",
    }  # fmt: skip
    assert sentence(accepted) == "All well (1 probe of 1 site, 1 accepted, the slowest in 198 ms)."


def test_an_acceptance_without_end_says_none(accepted: Report) -> None:
    endless = replace(accepted, findings=(replace(accepted.findings[0], accepted=Acceptance("r", "Ada")),))
    assert json.loads(RENDERERS["json"](endless))["findings"][0]["accepted"]["expires"] is None
    assert "accepted by Ada: r" in RENDERERS["table"](endless)


def test_junit_does_not_fail_the_case(accepted: Report) -> None:
    [case] = ET.fromstring(RENDERERS["junit"](accepted)).iter("testcase")  # noqa: S314 - written a line above
    assert [child.tag for child in case] == ["system-out"]


def test_github_gets_a_notice(accepted: Report) -> None:
    first = RENDERERS["github"](accepted).split("\n")[0]
    assert first.startswith("::notice title=accepted%3A response-property-type-changed $.data.id::")


def test_it_stands_below_what_counts(accepted: Report, finding: Callable[..., Any]) -> None:
    noted = finding("response-optional-property-added", level=finding().level.INFO, message="a new member")
    both = replace(accepted, findings=(*accepted.findings, noted))
    text = RENDERERS["table"](both)
    assert text.index("a new member") < text.index("an integer became a string")
    assert "1 note (" in text


def test_the_fingerprint_is_shown_where_more_is_asked_for(accepted: Report) -> None:
    fingerprint = accepted.findings[0].fingerprint
    assert fingerprint not in RENDERERS["table"](accepted)
    assert fingerprint in RENDERERS["table"](accepted, Layout(verbose=True))
