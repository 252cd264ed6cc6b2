"""Shapes: what bodies have in common, merged in any order, written down and read back."""

from __future__ import annotations

import json
from typing import Any

import jsonschema_rs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitors.drift.shape import MAX_DEPTH, MAX_NAMES, MAX_VALUES, Shape, learn, merge
from monitors.drift.written import from_json, is_shape, to_json, to_schema

PLACES = frozenset({"$.status", "$.list[*].kind", "$['odd name']"})
WORDS = st.sampled_from(["status", "list", "kind", "odd name", "a"])
TEXTS = st.sampled_from(["", "x", "2026-05-18T15:55:36Z", "2026-05-18", "3f0c7a52-6b1e-4d0a-9a51-0c8f2f1f9a10"])
BODIES = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.floats(allow_nan=False, allow_infinity=False) | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(WORDS, inner, max_size=4),
    max_leaves=15,
)
GROUPS = st.lists(BODIES, max_size=3)
FEW = settings(max_examples=80, deadline=None)


def written(shape: Shape) -> Any:
    return to_json(shape)


@FEW
@given(GROUPS, GROUPS, GROUPS)
def test_merging_is_learning_in_any_order(one: Any, two: Any, three: Any) -> None:
    """Merging is associative and commutative, and the same as learning from everything at once."""
    a, b, c = (learn(group, PLACES) for group in (one, two, three))
    assert written(merge(a, b)) == written(merge(b, a))
    assert written(merge(merge(a, b), c)) == written(merge(a, merge(b, c)))
    assert written(merge(merge(a, b), c)) == written(learn([*one, *two, *three], PLACES))


@FEW
@given(GROUPS)
def test_merging_with_itself_asserts_nothing_new(group: Any) -> None:
    """A shape seen twice asserts what it asserts once, and merging with nothing changes nothing."""
    shape = learn(group, PLACES)
    assert to_schema(merge(shape, shape)) == to_schema(shape)
    assert written(merge(shape, Shape())) == written(shape)


@FEW
@given(GROUPS)
def test_every_body_is_valid_under_its_shape(group: Any) -> None:
    """What a shape asserts holds for each body it was learned from, formats included."""
    schema = to_schema(learn(group, PLACES))
    validator = jsonschema_rs.Draft202012Validator(schema, validate_formats=True)
    assert all(validator.is_valid(body) for body in group)


@FEW
@given(GROUPS)
def test_a_shape_reads_back_as_it_was(group: Any) -> None:
    """Written as JSON text and read back, a shape is equal."""
    shape = learn(group, PLACES)
    assert from_json(json.loads(json.dumps(to_json(shape)))) == shape


def test_presence_and_types_become_a_schema() -> None:
    """Members always there are required, values are listed where asked for, whole doubles stay numbers."""
    bodies = [
        {"status": "running", "at": "2026-05-18T15:55:36Z", "n": 1, "mean": 2.0, "tags": []},
        {"status": "failed", "at": "2026-05-18T15:55:36.5Z", "n": 2, "mean": 1, "end": None},
    ]
    shape = learn(bodies, PLACES)
    assert shape.names["mean"].whole == 1
    assert to_schema(shape) == {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "properties": {
            "at": {"type": "string", "format": "date-time"},
            "end": {"type": "null"},
            "mean": {"type": "number"},
            "n": {"type": "integer"},
            "status": {"type": "string", "enum": ["failed", "running"]},
            "tags": {"type": "array"},
        },
        "required": ["at", "mean", "n", "status"],
    }


@pytest.mark.parametrize("split", [1, MAX_NAMES, 2 * MAX_NAMES - 1])
def test_a_map_becomes_one_shape(split: int) -> None:
    """Thousands of names are data: their members share one shape, however the names came."""
    bodies = [{f"k{i}": i if i % 2 else str(i)} for i in range(2 * MAX_NAMES)]
    shape = learn(bodies)
    assert shape.names == {}
    assert shape.members is not None
    assert shape.members.types == {"integer": MAX_NAMES, "string": MAX_NAMES}
    assert written(merge(learn(bodies[:split]), learn(bodies[split:]))) == written(shape)
    assert to_schema(shape)["additionalProperties"] == {"type": ["integer", "string"]}


def test_values_are_bounded() -> None:
    """A place with too many values, long ones or none but scalars is not enumerated."""
    many = learn([{"status": f"v{i}"} for i in range(MAX_VALUES + 1)], PLACES)
    assert (many.names["status"].open, many.names["status"].values) == (True, {})
    assert learn([{"status": "x" * 1000}], PLACES).names["status"].open
    assert learn([{"status": ["x"]}], PLACES).names["status"].open
    halves = [learn([{"status": f"v{i}"} for i in part], PLACES) for part in (range(40), range(40, 80))]
    assert merge(*halves).names["status"].open


def test_depth_is_bounded() -> None:
    """Deep nesting is learned down to a bound, and still valid."""
    body: Any = 1
    for index in range(2 * MAX_DEPTH):
        body = [body] if index % 2 else {"a": body}
    schema = to_schema(learn([body]))
    assert jsonschema_rs.Draft202012Validator(schema).is_valid(body)


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ([], "no shape"),
        ({"kind": "model-lab-monitor/shape", "version": 2}, "version 2"),
        ({"kind": "model-lab-monitor/shape", "version": 1}, "shape is no shape"),
        ({"kind": "model-lab-monitor/shape", "version": 1, "shape": {"odd": 1}}, "unknown member 'odd'"),
        ({"kind": "model-lab-monitor/shape", "version": 1, "shape": {"types": {"null": -1}}}, "must hold counts"),
        ({"kind": "model-lab-monitor/shape", "version": 1, "shape": {"names": []}}, "names must be an object"),
    ],
)
def test_what_is_no_shape_is_refused(document: Any, message: str) -> None:
    """A document that was not written by us says what is wrong with it."""
    with pytest.raises(ValueError, match=message):
        from_json(document)


def test_a_shape_says_that_it_is_one() -> None:
    """A saved shape is recognised among other documents."""
    assert is_shape(to_json(Shape()))
    assert not is_shape({"type": "object"})
