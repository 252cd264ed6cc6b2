from __future__ import annotations

import copy
from typing import Any

import pytest

from mock_site.catalogue import NAMED_RUNS, run_document
from mock_site.drifts import DRIFTS, applicable_locations, apply
from monitors.memory.canary import VOLATILE, compare
from monitors.memory.promises import promises
from monitors.model import Level
from monitors.rules import RULES, rule_id

EDITS = {
    "list-cut", "list-emptied", "list-item-repeated", "nullable-member-nulled", "optional-member-removed",
    "string-emptied", "string-lengthened",
}  # fmt: skip


def rules_of(first: Any, now: Any) -> set[tuple[str, str]]:
    return {(rule_id(change), change.location) for change in compare(first, now)}


def attributes(run: Any) -> dict[str, Any]:
    found: dict[str, Any] = run["data"]["attributes"]
    return found


@pytest.mark.parametrize(
    ("drift", "place", "rule"),
    [
        ("unit-changed", "duration", "response-property-unit-changed"),
        ("number-rounded", "duration", "response-property-value-changed"),
        ("float-precision-lost", "metric_summaries[*].mean", "response-property-precision-lost"),
        ("timestamp-with-offset", "created_at", "response-property-timestamp-reformatted"),
        ("timestamp-with-offset", "updated_at", "response-property-timestamp-reformatted"),
        ("timestamp-nine-digits", "created_at", "response-property-value-rewritten"),
        ("list-reordered", "metric_summaries", "response-property-array-reordered"),
        ("list-reordered", "tags", "response-property-array-reordered"),
        ("list-emptied", "metric_summaries", "response-property-value-changed"),
        ("list-cut", "params", "response-property-value-changed"),
        ("list-item-repeated", "params", "response-property-value-changed"),
        ("string-emptied", "mlflow_artifact_location", "response-property-value-changed"),
        ("string-lengthened", "metric_summaries[*].key", "response-property-value-changed"),
        ("optional-member-removed", "metric_summaries[*].mean", "response-optional-property-removed"),
        ("optional-member-renamed", "metric_summaries[*].mean", "response-property-renamed"),
        ("optional-member-case-changed", "completed_at", "response-property-renamed"),
        ("optional-member-moved", "duration", "response-property-moved"),
        ("nullable-member-nulled", "params", "response-property-value-nulled"),
    ],
)
def test_a_finished_run_that_is_written_differently_is_told(drift: str, place: str, rule: str, run: Any) -> None:
    where = f"$.data.attributes.{place}"
    assert (rule, where) in rules_of(run, apply(run, DRIFTS[drift], where))


def test_every_silent_drift_is_told_everywhere_but_where_people_edit(run: Any) -> None:
    silent = [
        (drift.name, place)
        for drift in DRIFTS.values()
        if drift.level == "none"
        for place in applicable_locations(run, drift)
        if not compare(run, apply(run, drift, place))
    ]
    assert silent
    for drift_name, place in silent:
        assert drift_name in EDITS
        assert any(place == name or place.startswith(name + "[") for name in VOLATILE), place


def test_digits_lost_in_a_large_integer_are_told() -> None:
    run = run_document("US1", NAMED_RUNS["extremes"])
    where = "$.data.attributes.project_id"
    changed = apply(run, DRIFTS["integer-precision-lost"], where)
    assert rules_of(run, changed) == {("response-property-precision-lost", where)}


def test_a_value_that_starts_coming_is_a_note(run: Any) -> None:
    before = copy.deepcopy(run)
    del attributes(before)["completed_at"]
    attributes(before)["duration"] = None
    assert rules_of(before, run) == {
        ("response-property-value-added", "$.data.attributes.completed_at"),
        ("response-property-value-added", "$.data.attributes.duration"),
    }
    assert RULES["response-property-value-added"].level is Level.INFO


def test_edits_of_people_are_no_drift(run: Any) -> None:
    now = copy.deepcopy(run)
    attributes(now).update(
        is_pinned=not attributes(run)["is_pinned"],
        updated_at="2031-01-01T00:00:00Z",
        name="2026-05-18",
        description="",
        tags=[{"key": "a", "value": "b"}],
        descendant_match=True,
        has_children=True,
    )
    del attributes(now)["deleted_at"]
    assert compare(run, now) == []


def test_the_order_of_members_and_the_way_a_double_is_written_are_no_drift(run: Any) -> None:
    first = copy.deepcopy(run)
    attributes(first)["duration"] = 5.0
    now = copy.deepcopy(first)
    now["data"]["attributes"] = dict(reversed(attributes(now).items())) | {"duration": 5}
    assert compare(first, now) == []


@pytest.mark.parametrize(("old", "new"), [(True, False), ("a", "b"), (1.5, 2.75)])
def test_other_values_of_a_finished_run_are_told(old: Any, new: Any, run: Any) -> None:
    name = {bool: "has_children", str: "mlflow_artifact_location", float: "duration"}[type(old)]
    first, now = copy.deepcopy(run), copy.deepcopy(run)
    attributes(first)[name], attributes(now)[name] = old, new
    expected = set() if name == "has_children" else {("response-property-value-changed", f"$.data.attributes.{name}")}
    assert rules_of(first, now) == expected


def test_a_boolean_the_contract_does_not_know_is_compared_too(run: Any) -> None:
    first, now = copy.deepcopy(run), copy.deepcopy(run)
    attributes(first)["is_archived"], attributes(now)["is_archived"] = True, False
    assert rules_of(first, now) == {("response-property-value-changed", "$.data.attributes.is_archived")}


def test_a_run_that_is_not_finished_is_compared_by_form_only(run: Any) -> None:
    first = copy.deepcopy(run)
    attributes(first)["status"] = "running"
    now = copy.deepcopy(run)
    attributes(now)["duration"] *= 1000
    attributes(now)["metric_summaries"] = attributes(now)["metric_summaries"][:1]
    assert compare(first, now) == []
    reformatted = apply(now, DRIFTS["timestamp-with-offset"], "$.data.attributes.created_at")
    assert rules_of(first, reformatted) == {("response-property-timestamp-reformatted", "$.data.attributes.created_at")}


def test_a_finished_run_that_runs_again_is_told_once_and_its_values_are_not(run: Any) -> None:
    now = copy.deepcopy(run)
    attributes(now).update(status="running", duration=1.5)
    assert rules_of(run, now) == {("response-property-value-changed", "$.data.attributes.status")}


@pytest.mark.parametrize("body", [None, [], {}, {"data": None}, {"data": {"attributes": []}}, "text", 5])
def test_any_body_can_be_compared_with_a_run(body: Any, run: Any) -> None:
    compare(run, body)
    compare(body, run)


def test_values_that_may_change_are_places_of_the_contract() -> None:
    assert VOLATILE.keys() <= promises("run").keys()
