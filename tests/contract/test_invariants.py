"""Members of a run that contradict each other are warnings."""

from __future__ import annotations

from typing import Any

import pytest

from monitors.invariants import broken


def summary(**members: Any) -> dict[str, Any]:
    return {"count": 1, "key": "k", **members}


WHOLE = {"first_step": 0, "last_step": 9, "min": 0, "mean": 1, "max": 2, "latest": 1}


@pytest.mark.parametrize(
    ("changed", "location"),
    [
        ({"completed_at": "2026-05-18T15:55:50.09Z"}, "$.data.attributes.completed_at"),
        ({"updated_at": "2025-05-18T15:55:50Z"}, "$.data.attributes.updated_at"),
        ({"duration": -1}, "$.data.attributes.duration"),
        ({"metric_summaries": [summary(**WHOLE | {"count": -1})]}, "$.data.attributes.metric_summaries[*].count"),
        ({"metric_summaries": [summary(first_step=2, last_step=1)]}, "$.data.attributes.metric_summaries[*].last_step"),
        ({"metric_summaries": [summary(**WHOLE | {"max": 1, "min": 1.5, "mean": None, "latest": None})]},
         "$.data.attributes.metric_summaries[*].max"),
        ({"metric_summaries": [summary(**WHOLE | {"mean": 3})]}, "$.data.attributes.metric_summaries[*].mean"),
        ({"metric_summaries": [summary(**WHOLE | {"latest": -1})]}, "$.data.attributes.metric_summaries[*].latest"),
        ({"metric_summaries": [summary(stddev=-0.1)]}, "$.data.attributes.metric_summaries[*].stddev"),
    ],
)  # fmt: skip
def test_a_contradiction_is_found(run: Any, changed: Any, location: str) -> None:
    """Each invariant is found at the member that contradicts."""
    assert [change.location for change in broken(run(**changed))] == [location]


@pytest.mark.parametrize(
    "changed",
    [
        {},
        {"completed_at": None},
        {"completed_at": "not a time"},
        {"completed_at": "2026-05-18T15:55:50"},
        {"created_at": "2026-05-18T16:55:51.000000001Z", "updated_at": "2026-05-18T16:55:51Z"},
        {"completed_at": "2026-05-18T18:00:00+01:00"},
        {"created_at": "2027-01-01T00:00:00Z", "updated_at": "2027-01-01T00:00:00Z"},
        {"metric_summaries": [summary(**WHOLE | {"mean": 2.0000000001})]},
        {"metric_summaries": [summary(**dict.fromkeys(WHOLE))]},
        {"metric_summaries": [summary(), summary(min=1)]},
    ],
)
def test_what_real_runs_do_is_no_contradiction(run: Any, changed: Any) -> None:
    """Absent and null members, rounding, other zones and imported runs are left alone."""
    assert broken(run(**changed)) == []


def test_many_contradictions_are_one(run: Any) -> None:
    """A thousand summaries with the same contradiction are one change."""
    (change,) = broken(run(metric_summaries=[summary(stddev=-1)] * 1000))
    assert change.count == 1000
