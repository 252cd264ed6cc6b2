"""The fast validator and the reference validator say the same of any body, but for the differences pinned here."""

from __future__ import annotations

import copy
from datetime import UTC, timedelta, timezone
from typing import Any

import jsonschema
import jsonschema_rs
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import schemas
from schemas.formats import FORMATS, is_date_time

VALID = [example for example in schemas.examples() if example.valid]
FAST = {
    status: jsonschema_rs.validator_for(schemas.schema_for(status), validate_formats=True, formats=dict(FORMATS))
    for status in {example.status for example in VALID}
}
REFERENCE = {
    status: jsonschema.Draft202012Validator(
        schemas.schema_for(status),  # type: ignore[arg-type] # each of these statuses is documented
        format_checker=jsonschema.Draft202012Validator.FORMAT_CHECKER,
    )
    for status in FAST
}
INT64_MIN = -(2**63)

offsets = st.integers(-1439, 1439).map(lambda minutes: timezone(timedelta(minutes=minutes)))
timestamps = st.datetimes(timezones=st.one_of(st.just(UTC), offsets)).map(lambda moment: moment.isoformat())
near_timestamps = st.builds(
    lambda text, at, put: text[:at] + put + text[at + 1 :],
    timestamps,
    st.integers(0, 24),
    st.sampled_from([*"0123456789TtZz:-+., ", ""]),
    # A 60th second and the year 0 are the known differences, pinned below.
).filter(lambda text: ":60" not in text and not text.startswith("0000"))
integers = st.one_of(
    st.integers(), st.integers(-3, 3).map(lambda step: 2**63 + step), st.integers(-3, 3).map(lambda step: step - 2**63)
)
floats = st.floats(allow_nan=False, allow_infinity=False).filter(lambda number: number != INT64_MIN)
texts = st.one_of(st.text(max_size=8), timestamps, near_timestamps, st.sampled_from(["runs", "running", "RUNS"]))
values = st.recursive(
    st.one_of(st.none(), st.booleans(), integers, floats, texts),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=4), inner, max_size=3)),
    max_leaves=4,
)


def places(value: Any) -> list[tuple[Any, Any]]:
    """List every container of a body with each of its keys."""
    keys: Any = value.keys() if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    return [pair for key in keys for pair in [(value, key), *places(value[key])]]


@st.composite
def bodies(draw: st.DrawFn) -> tuple[int, Any]:
    """Draw a valid example with up to three places taken away or given any value at all."""
    example = draw(st.sampled_from(VALID))
    holder = {"root": copy.deepcopy(example.body)}
    for _ in range(draw(st.integers(0, 3))):
        container, key = draw(st.sampled_from(places(holder)))
        if container is not holder and draw(st.booleans()):
            del container[key]
        else:
            container[key] = draw(values)
    return example.status, holder["root"]


@given(bodies())
@settings(max_examples=600, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True)
def test_both_validators_agree(case: tuple[int, Any]) -> None:
    status, body = case
    assert FAST[status].is_valid(body) == REFERENCE[status].is_valid(body)


@given(st.one_of(timestamps, near_timestamps))
@settings(max_examples=1000, deadline=None, derandomize=True)
def test_both_validators_agree_on_timestamps(text: str) -> None:
    body = run_with(created_at=text)
    assert FAST[200].is_valid(body) == REFERENCE[200].is_valid(body)


@pytest.mark.parametrize("text", ["2026-05-18T15:0-:36Z", "2026-05-18T15:55:3.Z", "2026-0+-18T15:55:36Z"])
def test_the_fast_validators_own_format_is_not_enough(text: str) -> None:
    built_in = jsonschema_rs.validator_for(schemas.schema_for(200), validate_formats=True)
    body = run_with(created_at=text)
    assert built_in.is_valid(body)  # the day this fails, schemas/formats.py can go
    assert not FAST[200].is_valid(body)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2024-02-29T00:00:00Z", True),
        ("2023-02-29T00:00:00Z", False),
        ("2000-02-29T00:00:00Z", True),
        ("1900-02-29T00:00:00Z", False),
        ("2024-04-31T00:00:00Z", False),
        ("1990-12-31T15:59:60-08:00", True),
        ("1990-12-31T15:59:60+08:00", False),
        ("2017-01-01T08:59:60.5+09:00", True),
        ("2024-01-20T10:00:60Z", False),
    ],
)
def test_a_date_time_is_a_real_day_and_a_real_leap_second(text: str, *, expected: bool) -> None:
    assert is_date_time(text) is expected


@pytest.mark.parametrize(
    ("changes", "fast_accepts"),
    [
        ({"created_at": "2016-12-31T23:59:60Z"}, True),  # a real leap second
        ({"created_at": "0000-01-01T00:00:00Z"}, True),  # Python's calendar starts in year 1
        ({"created_at": "2026-05-18T15:55:36Z\n"}, False),  # the reference's pattern ends before a line feed
        ({"project_id": float(INT64_MIN)}, False),  # the smallest int64, spelled with a fraction
    ],
    ids=["leap-second", "year-0", "line-feed", "smallest-int64-as-double"],
)
def test_the_known_differences_are_these(changes: dict[str, Any], *, fast_accepts: bool) -> None:
    body = run_with(**changes)
    assert FAST[200].is_valid(body) is fast_accepts
    assert REFERENCE[200].is_valid(body) is not fast_accepts


def run_with(**changes: Any) -> Any:
    body: Any = copy.deepcopy(next(example.body for example in VALID if example.name == "valid/200/minimal"))
    body["data"]["attributes"].update(changes)
    return body
