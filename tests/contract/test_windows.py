"""Long lists in slices: together the windows are the value, and what is found in one has its place in the whole."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitors.violations import Contract
from monitors.windows import SLICE_ITEMS, windows

SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["name"],
    "properties": {
        "short": {"type": "array", "items": {"type": "integer"}},
        "long": {"type": "array", "items": {"type": "object", "properties": {"n": {"type": "integer"}}}},
        "longer": {"type": "array", "items": {"type": "string"}},
    },
}


def test_a_value_without_a_long_list_is_its_only_window() -> None:
    value = {"a": [1] * SLICE_ITEMS}
    (window,) = windows(value)
    assert window.value is value
    assert window.owns(())
    assert window.path_in_whole(("a", 3)) == ("a", 3)


@given(st.integers(SLICE_ITEMS + 1, 3 * SLICE_ITEMS), st.integers(0, 3 * SLICE_ITEMS))
def test_windows_hold_every_item_once(length: int, other: int) -> None:
    value = {"long": list(range(length)), "inner": [{"other": list(range(other))}, 0]}
    seen = list(windows(value))
    assert [item for window in seen for item in window.value["long"]] == value["long"]
    if other > SLICE_ITEMS:
        assert [item for window in seen for item in window.value["inner"][0]["other"]] == list(range(other))


@pytest.mark.parametrize("index", [0, SLICE_ITEMS - 1, SLICE_ITEMS, 3 * SLICE_ITEMS])
def test_a_violation_is_told_once_at_its_place_in_the_whole(index: int) -> None:
    value: dict[str, Any] = {
        "short": [1, "x"],
        "long": [{"n": 1} for _ in range(3 * SLICE_ITEMS + 1)],
        "longer": ["x"] * (SLICE_ITEMS + 1),
    }
    value["long"][index]["n"] = "one"
    changes = {(change.what, change.location): change for change in Contract(SCHEMA).explain(value)}
    assert set(changes) == {
        ("required-property-removed", "$.name"),
        ("type-changed", "$.short[*]"),
        ("type-changed", "$.long[*].n"),
    }
    assert all(change.count == 1 for change in changes.values())
    assert changes["type-changed", "$.long[*].n"].message.endswith(f"(at [{index}])")


def test_a_long_list_as_the_whole_value() -> None:
    (change,) = Contract({"type": "array", "items": {"type": "string"}}).explain(["x"] * 5_000 + [1])
    assert (change.location, change.message) == ("$[*]", "integer where string is promised (at [5000])")
