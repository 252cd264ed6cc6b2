"""Runs are the same forever, keep the contract, contradict themselves nowhere, and look like real ones."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mock_site.catalogue import (
    INT64_MAX,
    INT64_MIN,
    LAST_ORDINARY_ID,
    NAMED_RUNS,
    NOTES,
    STATUSES,
    exists,
    run_body,
    run_document,
)
from mock_site.state import site_rows

SITES = list(site_rows())
ORDINARY = st.integers(1, LAST_ORDINARY_ID)


def named(name: str, site: str = "US1") -> Any:
    return run_document(site, NAMED_RUNS[name])["data"]["attributes"]


def nanoseconds(text: str) -> int:
    whole, _, fraction = text.removesuffix("Z").partition(".")
    return int(datetime.fromisoformat(whole + "+00:00").timestamp()) * 10**9 + int(fraction.ljust(9, "0"))


def assert_consistent(run: Any) -> None:
    """Hold a run against the invariants of real ones, to the nanosecond and without tolerance."""
    attributes = run["data"]["attributes"]
    times = [attributes.get(f"{name}_at") for name in ("created", "started", "completed", "updated")]
    moments = [nanoseconds(text) for text in times if text is not None]
    assert moments == sorted(moments)
    if attributes.get("duration") is not None:
        assert abs(attributes["duration"] - (moments[2] - moments[1]) / 1e9) < 1e-6
        assert attributes["status"] in {"completed", "failed", "killed"}
    for summary in attributes["metric_summaries"]:
        if summary.get("min") is not None:
            assert summary["min"] <= summary["mean"] <= summary["max"]
            assert summary["min"] <= summary["latest"] <= summary["max"]
            assert summary["first_step"] <= summary["last_step"]
        assert summary.get("stddev") is None or summary["stddev"] >= 0
        assert summary["count"] >= 1


@given(st.sampled_from(SITES), ORDINARY)
@settings(max_examples=150, deadline=None)
def test_every_run_keeps_the_contract_and_does_not_contradict_itself(run_contract: Any, site: str, run_id: int) -> None:
    run = json.loads(run_body(site, run_id))
    run_contract.validate(run)
    assert run["data"]["id"] == str(run_id)
    assert_consistent(run)


@pytest.mark.parametrize("name", NAMED_RUNS)
@pytest.mark.parametrize("site", ["US1", "US2-FED"])
def test_every_named_run_keeps_the_contract_and_does_not_contradict_itself(
    run_contract: Any, site: str, name: str
) -> None:
    body = run_body(site, NAMED_RUNS[name])
    run = json.loads(body)
    run_contract.validate(run)
    assert run == run_document(site, NAMED_RUNS[name])
    assert run["data"]["id"] == str(NAMED_RUNS[name])
    assert_consistent(run)
    assert NOTES[name]


@given(st.integers(INT64_MIN, INT64_MAX))
def test_ids_from_one_to_a_million_and_the_named_ones_exist(run_id: int) -> None:
    assert exists(run_id) == (1 <= run_id <= 1_000_000 or run_id in NAMED_RUNS.values())
    assert (run_body("US1", run_id) is not None) == exists(run_id)


def test_a_run_never_changes() -> None:
    # A change here is a change to everybody's recorded canary run: say so in the changelog.
    attributes = run_document("US1", 7)["data"]["attributes"]
    assert attributes["name"] == "otter-holdout-6245"
    assert attributes["created_at"] == "2025-06-09T01:33:42.096458Z"
    assert len(run_body("US1", 7)) == 8610


def test_the_same_id_is_another_run_on_another_site() -> None:
    assert len({run_body(site, 42).replace(site.encode(), b"") for site in SITES}) == 9


def test_named_runs_are_what_their_notes_say() -> None:
    typical, empty, nulls, full = named("typical"), named("empty"), named("all-nulls"), named("all-members")
    assert len(typical["metric_summaries"]) == 30
    assert len(typical["params"]) == 110
    assert 8_500 < len(run_body("US1", NAMED_RUNS["typical"])) < 10_500
    assert empty["metric_summaries"] == empty["params"] == empty["tags"] == []
    assert empty["description"] == ""
    assert not {"completed_at", "deleted_at", "duration", "external_url", "owner_id"} & empty.keys()
    assert named("null-params")["params"] is None
    for name in ("completed_at", "deleted_at", "duration", "external_url", "owner_id", "params"):
        assert nulls[name] is None
        assert full[name] is not None
    summary_members = {"first_step", "last_step", "latest", "max", "mean", "min", "stddev"}
    assert all(nulls["metric_summaries"][0][name] is None for name in summary_members)
    assert all(full["metric_summaries"][0][name] is not None for name in summary_members)
    assert named("bare-completed")["status"] == "completed"
    assert not {"completed_at", "duration"} & named("bare-completed").keys()
    assert [named(f"status-{status}")["status"] for status in STATUSES] == list(STATUSES)


def test_the_huge_run_is_about_a_megabyte() -> None:
    huge = named("huge")
    assert (len(huge["metric_summaries"]), len(huge["params"])) == (5_000, 2_000)
    assert 800_000 < len(run_body("US1", NAMED_RUNS["huge"])) < 1_200_000
    assert len(named("long-text")["description"]) > 100_000


@pytest.mark.parametrize("digits", [0, *range(2, 10)])
def test_timestamps_have_the_fraction_digits_their_run_is_named_for(digits: int) -> None:
    for name, value in named(f"fraction-{digits}").items():
        if name.endswith("_at"):
            assert value.endswith("Z")
            assert len(value.removesuffix("Z").partition(".")[2]) == digits


def test_the_extreme_run_reaches_the_ends_of_its_types() -> None:
    extremes = named("extremes")
    summary = extremes["metric_summaries"][0]
    assert (summary["first_step"], summary["last_step"]) == (INT64_MIN, INT64_MAX)
    assert summary["max"] > 1.79e308
    assert int(float(extremes["project_id"])) != extremes["project_id"]
    body = run_body("US1", NAMED_RUNS["extremes"])
    assert b"e-324" in body or b"e+22" in body or b"e-308" in body


def test_the_unicode_run_comes_as_utf8_and_not_as_escapes() -> None:
    body = run_body("US1", NAMED_RUNS["unicode"]).decode()
    assert "学習率" in body
    assert "\\u5b66" not in body
    assert int(float(NAMED_RUNS["large-id"])) != NAMED_RUNS["large-id"]


def test_ordinary_runs_are_distributed_as_real_ones() -> None:
    runs = [run_document("US1", run_id)["data"]["attributes"] for run_id in range(1, 400)]
    statuses = {run["status"] for run in runs}
    assert statuses == set(STATUSES)
    assert 0.2 < sum(run["params"] is None for run in runs) / len(runs) < 0.4
    assert not any("deleted_at" in run for run in runs)
    assert not any("stddev" in summary for run in runs for summary in run["metric_summaries"])
    assert any(run["status"] == "completed" and "completed_at" not in run for run in runs)
    assert any(run["description"] == "" for run in runs)
    assert any(run["metric_summaries"] == [] for run in runs)
    assert any(run["params"] == [] for run in runs)
    assert all(None not in run.values() or run["params"] is None for run in runs)
    doubles = [s[k] for run in runs for s in run["metric_summaries"] for k in ("min", "max", "mean", "latest")]
    assert any(type(value) is int for value in doubles)
    assert not any(type(value) is float and value.is_integer() for value in doubles)
    assert any("e-" in json.dumps(value) for value in doubles)
    digits = {len(run["created_at"].partition(".")[2]) - 1 for run in runs}
    assert {-1, 2, 5, 6, 9} <= digits


def test_a_run_can_be_of_the_kind_of_a_named_one() -> None:
    run = run_document("US1", 77, like=NAMED_RUNS["empty"])
    assert run["data"]["id"] == "77"
    assert run["data"]["attributes"]["metric_summaries"] == []
    assert run_body("US1", -1, like=NAMED_RUNS["empty"]) is None
