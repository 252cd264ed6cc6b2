from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitors.memory import Patience
from monitors.memory.confirmation import Records, step
from monitors.model import Finding, Kind, Level

if TYPE_CHECKING:
    from collections.abc import Callable

START = datetime(2026, 6, 1, tzinfo=UTC)
DRIFT = Finding("response-property-value-changed", Level.WARNING, Kind.DRIFT, "changed", "$.data.id", check="run")
ASKED = ("US5", "run")


def told(pattern: str, patience: Patience | None = None, gap: timedelta = timedelta(hours=1)) -> str:
    """Return for each answer of a pattern (`x` drifted, `.` not) whether the drift is declared (`!`) or not (`-`)."""
    records: Records = {}
    said = ""
    for number, seen in enumerate(pattern):
        found = [DRIFT] if seen == "x" else []
        records = step(records, ASKED, START + number * gap, found, patience or Patience())
        declared = any(record.declared is not None for record in records.values())
        said += "!" if declared else "-"
    return said


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("x", "-"),
        ("xx", "-!"),
        ("x.x", "--!"),
        # Declared once, it stays so while it comes and goes.
        ("xx.x.x.x", "-!!!!!!!"),
        # Two answers without it end it; after that it is to be confirmed anew.
        ("xx..", "-!!-"),
        ("xx..x", "-!!--"),
        ("xx..xx", "-!!--!"),
        ("......", "------"),
    ],
)
def test_a_drift_is_declared_when_it_is_seen_again(pattern: str, expected: str) -> None:
    assert told(pattern) == expected


def test_sightings_far_apart_confirm_each_other_only_in_a_row() -> None:
    """A nightly probe sees a drift a day and some seconds later; that is the very next answer."""
    night = timedelta(days=1, seconds=5)
    assert told("xx", gap=night) == "-!"
    assert told("x.x", gap=night) == "---"


def test_count_one_declares_at_once() -> None:
    assert told("x.", Patience(count=1)) == "!-"


def test_three_in_ten_hours() -> None:
    patience = Patience(count=3, window_s=36_000)
    assert told("x.x.x", patience) == "----!"
    assert told("x.x.x", patience, gap=timedelta(hours=4)) == "-----"


def test_what_was_seen_once_is_forgotten_after_the_window() -> None:
    records = step({}, ASKED, START, [DRIFT], Patience())
    kept = step(records, ASKED, START + timedelta(hours=23), [], Patience())
    assert [(record.count, record.away) for record in kept.values()] == [(1, 1)]
    assert step(kept, ASKED, START + timedelta(hours=25), [], Patience()) == {}


def test_sites_and_checks_are_confirmed_each_for_itself(finding: Callable[..., Finding]) -> None:
    records = step({}, ASKED, START, [finding()], Patience())
    records = step(records, ("US3", "run"), START, [finding()], Patience())
    assert all(record.declared is None for record in records.values())
    assert step(records, ("US3", "run"), START, [finding()], Patience())[*ASKED, finding().fingerprint].count == 1


@pytest.mark.parametrize("wrong", [{"count": 0}, {"enough": 0}, {"window_s": -1.0}])
def test_patience_refuses_numbers_that_mean_nothing(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="patience wants positive numbers"):
        Patience(**wrong)  # type: ignore[arg-type]  # each value has its own type


@given(st.text(alphabet="x.", max_size=30), st.integers(1, 4))
def test_a_drift_never_seen_as_often_as_asked_is_never_declared(pattern: str, count: int) -> None:
    said = told(pattern, Patience(count=count))
    if pattern.count("x") < count:
        assert "!" not in said
    if "x" * count in pattern:
        assert said[pattern.index("x" * count) + count - 1] == "!"
