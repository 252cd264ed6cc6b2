"""Any number JSON can spell is compared: longer than a double, smaller than one, minus nothing."""

from __future__ import annotations

import json
import math
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from monitors.drift.keywords import beyond, multiple
from monitors.drift.reading import read
from monitors.drift.samples import judge_sample
from monitors.drift.schema_diff import diff
from monitors.drift.seen import form_changes, unit_factor
from monitors.errors import UsageError
from monitors.jsonbody import parse

if TYPE_CHECKING:
    from pathlib import Path

HUGE = 10**399
EDGES = (
    "0", "-0", "-0.0", "1", "-1", "1e-400", "5e-324", "-5e-324", "2.2250738585072014e-308", "1e308",
    "1.7976931348623157e308", "1e309", "-1e309", "1e400", "9007199254740993", "18446744073709551616",
    "1" + "0" * 308, "1" + "0" * 309, "9" * 400, "-" + "9" * 399, "1" + "0" * 1000, "0.1", "1234567.891234",
)  # fmt: skip
SPELLED = st.one_of(
    st.sampled_from(EDGES),
    st.integers().map(str),
    st.integers(10**300, 10**420).map(str),
    st.integers(-(10**420), -(10**300)).map(str),
    st.floats(allow_nan=False, allow_infinity=False).map(repr),
    st.tuples(st.integers(-9999, 9999), st.integers(-450, 450)).map(lambda both: f"{both[0]}e{both[1]}"),
)
"""Numbers as a body spells them."""
LIMITS = ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "const", "maxLength", "minItems")
MANY = settings(max_examples=300, deadline=None)


def body_of(number: str) -> Any:
    return parse(f'{{"n": {number}, "list": [{number}], "text": "{number[:64]}"}}'.encode()).value


def schema_of(**limits: Any) -> dict[str, Any]:
    place = {"type": ["number", "string", "array"], **limits}
    return {"type": "object", "properties": {"n": place, "list": {"items": place}, "text": place}}


@MANY
@given(SPELLED, SPELLED)
@example("1", "1" + "0" * 400)
@example("1" + "0" * 400, "1")
@example("1" + "0" * 308, "1" + "0" * 311)
@example("1.5", "9" * 320)
def test_any_two_numbers_are_compared(one: str, other: str) -> None:
    base, revision = body_of(one), body_of(other)
    whole = schema_of()
    for schema in (None, whole):
        found = judge_sample(schema, [base], [base], revision)
        assert json.loads(json.dumps([[change.base, change.revision, change.message] for change in found])) is not None
        assert judge_sample(schema, [base], [], base) == []


@MANY
@given(SPELLED, SPELLED, SPELLED, st.sampled_from(LIMITS), st.sampled_from(["number", "integer"]))
@example("1" + "0" * 400, "3", "1.5", "multipleOf", "number")
@example("0.5", "1" + "0" * 400, "7", "multipleOf", "number")
@example("1" + "0" * 400, "1.5", "2.5", "maximum", "integer")
@example("1" + "0" * 400, "1.5", "2.5", "maxLength", "number")
@example("1e309", "1e309", "1e309", "multipleOf", "number")
def test_limits_of_any_size_are_compared_and_held_against_any_number(
    one: str, other: str, number: str, keyword: str, kind: str
) -> None:
    base, revision = (schema_of(type=kind, **{keyword: json.loads(limit)}) for limit in (one, other))
    diff(base, revision)
    assert diff(base, base) == []
    try:
        judge_sample(base, [], [], body_of(number))
    except UsageError:
        assert keyword in {"multipleOf", "maxLength", "minItems"} or "e" in one


@MANY
@given(st.integers() | st.floats(allow_nan=False, allow_infinity=False), st.integers(1) | st.floats(5e-324, 1e300))
@example(HUGE, 0.5)
@example(0.0, HUGE)
@example(1e300, 5e-324)
@example(1.5, HUGE)
def test_a_multiple_is_one_whatever_its_size(times: float, step: float) -> None:
    exact = Fraction(str(times)) % Fraction(str(step)) == 0
    if exact and abs(Fraction(str(times)) / Fraction(str(step))) < 2**20:
        assert multiple(times, step)
    assert multiple(times, step) in {True, False}


@pytest.mark.parametrize(
    ("number", "step", "expected"),
    [
        (HUGE, 10, True),
        (HUGE, 0.5, True),
        (HUGE + 1, 2.5, False),
        (1.5, HUGE, False),
        (0.0, HUGE, True),
        (1e300, 5e-324, True),
        (math.inf, 2, False),
        (math.inf, math.inf, False),
    ],
)
def test_multiples_no_double_can_tell_are_told_by_their_digits(number: float, step: float, expected: bool) -> None:  # noqa: FBT001
    assert multiple(number, step) is expected


def test_bounds_longer_than_a_double_are_ordered() -> None:
    assert beyond((HUGE, False), (1.5, False), 1)
    assert not beyond((1.5, False), (HUGE, False), 1)
    assert beyond((-HUGE, False), (1.5, False), -1)
    assert not beyond((math.inf, False), (math.inf, False), 1)


def test_a_number_longer_than_a_double_is_no_other_form_of_one() -> None:
    for old, new in ((1, HUGE), (HUGE, 1), (HUGE, HUGE * 1000), (1.5, -HUGE), (HUGE, math.inf)):
        assert list(form_changes(old, new)) == []
    assert unit_factor(1234.0, 1234000.0) == 1000


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("endless.json", '{"maximum": 1' + "0" * 5000 + "}"),
        ("endless.yaml", "maximum: 1" + "0" * 5000),
        ("endless.yaml", "maximum: 0x1" + "0" * 5000),
    ],
)
def test_a_contract_with_a_number_python_does_not_read_is_refused_in_a_line(
    tmp_path: Path, name: str, text: str
) -> None:
    path = tmp_path / name
    path.write_text(text)
    with pytest.raises(UsageError) as caught:
        read(path)
    assert "\n" not in str(caught.value)
    assert str(caught.value).startswith(f"{path}: ")
