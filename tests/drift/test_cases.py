"""Sixty real changes of comparable responses: what contracts tell of them, and what two answers tell."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from monitors.drift.samples import judge_sample
from monitors.drift.schema_diff import diff
from monitors.model import verdict
from monitors.rules import judge

CASES = json.loads((Path(__file__).parent / "data" / "cases.json").read_text())
ARGUED = {
    # One answer shows one value nobody listed. That the old values are gone, two contracts tell and no answer does.
    "D77": "warning",
}
"""Verdicts from answers that differ, each with its reason."""


def harm(word: str) -> str:
    """Count `info` and `none` as one: neither asks anything of a reader."""
    return "harmless" if word in {"info", "none"} else word


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case['id']}-{case['change_kind']}")
def test_two_contracts_give_the_verdict(case: dict[str, Any]) -> None:
    """The diff of the schemas agrees with the label."""
    assert harm(verdict(judge(diff(case["before"], case["after"])))) == harm(case["verdict"])


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case['id']}-{case['change_kind']}")
def test_two_answers_give_the_verdict(case: dict[str, Any]) -> None:
    """The old contract and one earlier answer of the same resource agree with the label, unless argued."""
    found = judge_sample(case["before"], [case["sample_before"]], [], case["sample_after"])
    assert harm(verdict(judge(found))) == ARGUED.get(case["id"], harm(case["verdict"]))


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case['id']}-{case['change_kind']}")
def test_an_answer_is_no_drift_from_itself(case: dict[str, Any]) -> None:
    """The same answer again gives nothing worse than what the contract says of it."""
    again = judge_sample(case["before"], [case["sample_before"]], [case["sample_before"]], case["sample_before"])
    assert again == judge_sample(case["before"], [], [], case["sample_before"])
