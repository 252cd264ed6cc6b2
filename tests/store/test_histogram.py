from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitors.store.histogram import add, bucket, middle, packed, percentile

DURATIONS = st.integers(0, 2**62)
MANY = st.lists(st.integers(0, 60_000_000), min_size=1, max_size=300)


def counted(values: list[int]) -> dict[int, int]:
    counts: dict[int, int] = {}
    for value in values:
        counts[bucket(value)] = counts.get(bucket(value), 0) + 1
    return counts


@given(DURATIONS)
def test_the_middle_of_a_bucket_is_within_one_percent(value: int) -> None:
    assert abs(middle(bucket(value)) - value) <= value * 0.01


@given(DURATIONS)
def test_buckets_stand_in_the_order_of_what_they_hold(value: int) -> None:
    assert 0 <= bucket(value + 1) - bucket(value) <= 1


@given(MANY, st.sampled_from([0.0, 0.5, 0.95, 0.99, 1.0]))
def test_a_percentile_is_within_one_percent_of_the_exact_one(values: list[int], share: float) -> None:
    exact = sorted(values)[max(1, math.ceil(share * len(values))) - 1]
    found = percentile(counted(values), share)
    assert found is not None
    assert abs(found - exact) <= exact * 0.01


@given(MANY, MANY)
def test_what_is_packed_merges_by_adding(one: list[int], other: list[int]) -> None:
    merged: dict[int, int] = {}
    for values in (one, other):
        add(merged, packed(counted(values)))
    assert merged == counted(one + other)
    assert packed(merged) == packed(counted(other + one))


@pytest.mark.parametrize(("most", "size"), [(255, 4), (256, 5), (2**16, 7), (2**32, 11)])
def test_counts_take_the_room_they_need(most: int, size: int) -> None:
    assert len(packed({7: most})) == size
    counts: dict[int, int] = {}
    add(counts, packed({7: most}))
    assert counts == {7: most}


def test_no_durations_have_no_percentile() -> None:
    counts: dict[int, int] = {}
    add(counts, packed({}))
    assert percentile(counts, 0.5) is None


@pytest.mark.parametrize("content", [b"\x03abcde", b"\x01abcd", b"\x09abc"])
def test_other_bytes_are_refused(content: bytes) -> None:
    with pytest.raises(ValueError, match="no histogram"):
        add({}, content)
