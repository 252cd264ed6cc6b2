"""Every row of the rules of change has a pair of contracts, or of answers, that shows it."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest

from monitors import change_rules
from monitors.drift.samples import judge_sample
from monitors.drift.schema_diff import diff
from monitors.model import Level
from monitors.rules import RULES, rule_id

DATA = Path(__file__).parent / "data"
PAIRS = json.loads((DATA / "pairs.json").read_text())
OASDIFF = {
    row["id"]: row["level"]
    for row in csv.DictReader((DATA / "oasdiff_response_rules.tsv").read_text().splitlines(), delimiter="\t")
}
WORDS = {"ERR": Level.BREAKING, "WARN": Level.WARNING, "INFO": Level.INFO}
DEVIATIONS = {
    "max-length-increased", "max-length-unset", "min-length-decreased", "min-items-decreased", "min-items-unset",
    "pattern-changed", "pattern-removed",
}  # fmt: skip
"""Rules whose level is not oasdiff's, each argued in docs/drift.md."""
WITHOUT_A_SCOPE = {
    "response-success-status-removed", "response-success-status-added", "response-non-success-status-removed",
    "response-non-success-status-added", "response-body-media-type-schema-added",
    "response-body-media-type-schema-removed", "required-response-header-removed", "optional-response-header-removed",
    "response-header-added", "response-header-became-optional", "response-header-became-nullable",
    "response-header-became-not-nullable", "response-header-type-changed", "response-header-type-generalized",
    "response-header-type-specialized", "response-header-changed", "operation-removed", "operation-added",
}  # fmt: skip
"""Shown by the OpenAPI documents of test_documents."""
OF_THE_MEMORY = {
    "response-property-value-changed", "response-property-value-added", "response-property-value-rewritten",
    "response-property-not-on-all-sites", "response-property-unlike-other-sites",
}  # fmt: skip
"""Shown by the tests of what is remembered between probes."""
TOO_BIG = {"response-body-schema-not-compared", "response-property-schema-not-compared"}
SAMPLES = {
    "response-undeclared-property-removed": ({"type": "object"}, {"x": 1}, {}),
    "response-property-value-nulled": ({"properties": {"x": {"type": ["string", "null"]}}}, {"x": "y"}, {"x": None}),
    "response-property-unit-changed": (None, {"x": 12.5}, {"x": 12500}),
    "response-property-precision-lost": (None, {"x": 0.123456789}, {"x": 0.123}),
    "response-property-timestamp-reformatted": (None, {"x": "2026-05-18T15:55:36Z"}, {"x": "2026-05-18 15:55:36"}),
    "response-property-text-reformatted": (None, {"x": "ONE_OF"}, {"x": "one-of"}),
    "response-property-array-reordered": (None, {"x": ["a", "b"]}, {"x": ["b", "a"]}),
}
OTHERS = {
    "response-property-absent-unlike-others": (None, {"x": "y"}, {}),
    "response-property-unlike-others": (None, {"x": "y"}, {"x": 1}),
}


@pytest.mark.parametrize("pair", PAIRS, ids=lambda pair: f"{pair['what']}-{pair['location']}")
def test_a_change_is_found_where_it_is(pair: dict[str, Any]) -> None:
    """Each pair gives the change it stands for, at its place, and a rule knows it."""
    found = diff(pair["base"], pair["revision"])
    assert (pair["what"], pair["location"]) in [(change.what, change.location) for change in found]
    assert all(rule_id(change) in RULES for change in found)


@pytest.mark.parametrize("rule", SAMPLES)
def test_a_drift_of_answers_is_found(rule: str) -> None:
    """Two answers of one resource give the drift they stand for."""
    schema, before, after = SAMPLES[rule]
    assert rule in {rule_id(change) for change in judge_sample(schema, [before], [], after)}


@pytest.mark.parametrize("rule", OTHERS)
def test_a_difference_from_others_is_found(rule: str) -> None:
    """Answers of other resources give the difference they stand for."""
    schema, other, after = OTHERS[rule]
    assert rule in {rule_id(change) for change in judge_sample(schema, [], [other, other], after)}


def test_every_row_is_shown() -> None:
    """No row of the table is without a pair."""
    shown = {rule_id(change) for pair in PAIRS for change in diff(pair["base"], pair["revision"])}
    known = {row[0] for row in change_rules.rows()}
    assert known - shown - SAMPLES.keys() - OTHERS.keys() - WITHOUT_A_SCOPE - OF_THE_MEMORY - TOO_BIG == set()


@pytest.mark.parametrize("row", change_rules.rows(), ids=lambda row: row[0])
def test_ids_and_levels_are_oasdiffs_but_for_argued_ones(row: tuple[str, Level, str, bool]) -> None:
    """A row that is not ours has oasdiff's id, and its level unless the difference is argued."""
    rule, level, meaning, own = row
    assert own == (rule not in OASDIFF)
    assert meaning.endswith(".")
    argued = any(rule.endswith(name) for name in DEVIATIONS)
    if not own:
        assert (level == WORDS[OASDIFF[rule]]) != argued
