"""Violations become neutral changes with a place; the fast yes and the explanation agree."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import schemas
from monitors import rules
from monitors.schema_walk import IntegerPlaces, integer_paths
from monitors.violations import Contract, shown, type_of

OBJECT: dict[str, Any] = {"type": "object", "properties": {"a": {"type": "integer"}}}


def of(schema: dict[str, Any], value: Any) -> list[tuple[str, str, Any, Any]]:
    changes = Contract(schema).explain(value)
    assert all(rules.rule_id(change) in rules.RULES for change in changes)
    return [(change.what, change.location, change.base, change.revision) for change in changes]


@pytest.mark.parametrize(
    ("member", "value", "expected"),
    [
        ({"type": "integer"}, None, ("became-nullable", "integer", "null")),
        ({"type": "integer"}, "1", ("type-changed", "integer", "string")),
        ({"type": "integer"}, 1.5, ("type-generalized", "integer", "number")),
        ({"type": "integer"}, 2387.0, ("type-generalized", "integer", "number")),
        ({"type": ["integer", "null"]}, 2387.0, ("type-generalized", "integer", "number")),
        ({"type": ["string", "null"]}, [], ("type-changed", "string or null", "array")),
        ({"type": "string", "enum": ["x", "y"]}, "z", ("enum-value-added", ["x", "y"], "z")),
        ({"type": "string", "enum": ["in_use", "y"]}, "InUse", ("enum-value-renamed", "in_use", "InUse")),
        ({"type": "string", "enum": ["x", "y"]}, 3, ("type-changed", "string", "integer")),
        ({"enum": ["x", "y"]}, 3, ("type-changed", "string", "integer")),
        ({"enum": ["x", "y"]}, None, ("became-nullable", ["x", "y"], None)),
        ({"enum": ["runs"]}, "run", ("const-changed", "runs", "run")),
        ({"const": 1}, 2, ("const-changed", 1, 2)),
        ({"format": "date-time"}, "yesterday", ("type-changed", "string (date-time)", "yesterday")),
        ({"maximum": 3}, 4, ("max-increased", "at most 3", 4)),
        ({"minimum": 3}, 2, ("min-decreased", "at least 3", 2)),
        ({"exclusiveMaximum": 3}, 3, ("exclusive-max-increased", "below 3", 3)),
        ({"exclusiveMinimum": 3}, 3, ("exclusive-min-decreased", "above 3", 3)),
        ({"maxLength": 2}, "abc", ("max-length-increased", "at most 2 characters", "3 characters")),
        ({"minLength": 2}, "a", ("min-length-decreased", "at least 2 characters", "1 characters")),
        ({"minItems": 2}, [1], ("min-items-decreased", "at least 2 items", "1 items")),
        ({"pattern": "^a"}, "b", ("constraint-violated", "pattern", "b")),
        ({"anyOf": [{"type": "string"}, {"type": "null"}]}, 1, ("type-changed", "string or null", "integer")),
        ({"anyOf": [{"type": "object", "required": ["x"]}, {"type": "object", "required": ["y"]}]}, {},
         ("variant-added", "one of 2 variants", "object")),
    ],
)  # fmt: skip
def test_each_kind_of_violation_has_its_change(member: Any, value: Any, expected: Any) -> None:
    """One violation, one change: what, promised, found."""
    what, base, revision = expected
    assert of({"properties": {"m": member}}, {"m": value}) == [(what, "$.m", base, revision)]


def test_a_union_with_one_fitting_variant_is_looked_into() -> None:
    """Where the value resembles one variant only, that variant's violation is told."""
    union = {"anyOf": [{"type": "string"}, {"type": "object", "required": ["z"]}]}
    assert of({"properties": {"m": union}}, {"m": {}}) == [("required-property-removed", "$.m.z", "present", "absent")]


def test_unknown_members_are_found_wherever_names_are_given() -> None:
    """Closed or open, an unknown member is harmless; objects that name nothing are left alone."""
    schema = {
        "$ref": "#/$defs/top",
        "$defs": {
            "top": {
                "properties": {
                    "free": {"type": "object"},
                    "map": {"type": "object", "properties": {"a": {}}, "additionalProperties": {"type": "string"}},
                    "shut": {"type": "object", "additionalProperties": False},
                    "list": {"items": {"allOf": [{"properties": {"x": {}}}, {"properties": {"y": {}}}]}},
                },
                "additionalProperties": False,
            }
        },
    }
    value = {"free": {"n": 1}, "map": {"n": "1"}, "shut": {"n": 1}, "list": [{"x": 1}, {"y": 1, "n": 1}], "n": None}
    assert [(what, where) for what, where, _, _ in of(schema, value)] == [
        ("optional-property-added", "$.shut.n"),
        ("optional-property-added", "$.list[*].n"),
        ("optional-property-added", "$.n"),
    ]


def test_the_same_violation_in_many_items_is_one_change() -> None:
    """A list of a thousand broken items is one change that says how many and which is the first."""
    items = [{"a": 1}] * 3 + [{"a": "x"}] * 1000
    (change,) = Contract({"type": "array", "items": OBJECT}).explain(items)
    assert change.count == 1000
    assert change.message.endswith("(1000 times, first at [3])")


def test_new_values_at_one_place_stay_apart() -> None:
    """Two new enum values are two changes: each has a history of its own."""
    schema = {"type": "array", "items": {"enum": ["a", "b"]}}
    assert [revision for *_, revision in of(schema, ["c", "d", "c"])] == ["c", "d"]


def test_keeps_means_nothing_to_explain() -> None:
    """The fast yes vouches for no violation, no unknown member, and no integer written as a float."""
    contract = Contract(OBJECT)
    assert contract.keeps({"a": 1})
    assert not contract.keeps({"a": 1.0})
    assert not contract.keeps({"a": 1, "b": 2})
    assert contract.allows({"a": 1, "b": 2})
    assert not Contract({"allOf": [OBJECT]}).keeps({"a": 1})


def test_values_no_validator_takes_are_not_kept() -> None:
    """Depth beyond the validator's is a no, not a crash."""
    deep: Any = {}
    for _ in range(2000):
        deep = {"x": deep}
    narrow = Contract({"type": "object", "maxProperties": 1, "propertyNames": {"pattern": "x"}, "enum": [{}]})
    assert not narrow.keeps(deep)
    assert not narrow.allows(deep)
    half = {"x": "\ud800"}
    assert not narrow.keeps(half)
    assert not narrow.allows(half)


@given(st.sampled_from([e for e in schemas.examples() if e.valid]), st.data())
def test_the_fast_yes_and_the_explanation_agree_on_mutated_runs(example: schemas.Example, data: st.DataObject) -> None:
    """Change any one value of a valid body: the fast path says yes exactly when there is nothing to explain."""
    contract = Contract(schemas.schema_for(example.status) or {})
    body = mutate(example.body, data)
    changes = contract.explain(body)
    assert contract.keeps(body) == (not changes)
    assert contract.allows(body) or any(change.what != "optional-property-added" for change in changes)


def mutate(value: Any, data: st.DataObject) -> Any:
    if isinstance(value, dict) and value and data.draw(st.booleans()):
        name = data.draw(st.sampled_from(sorted(value)))
        return value | {name: mutate(value[name], data)}
    if isinstance(value, list) and value and data.draw(st.booleans()):
        return [mutate(value[0], data), *value[1:]]
    return data.draw(st.sampled_from([value, None, 1, 1.0, 1.5, "x", [], {}, True, 2**70, {"new": 1}]))


def test_types_and_what_is_shown() -> None:
    """A whole number is an integer however written; long strings are cut and containers only named."""
    assert [type_of(v) for v in (None, True, 1, 1.0, 1.5, "", [], {})] == [
        "null", "boolean", "integer", "integer", "number", "string", "array", "object",
    ]  # fmt: skip
    assert shown("x" * 100) == "x" * 59 + "…"
    assert shown(["secret"]) == "array"


@pytest.mark.parametrize(
    ("value", "floats"),
    [
        ({"a": 1, "l": [1, 2], "o": [{"n": 1, "m": [{"k": 1}]}]}, False),
        ({"a": 1.0}, True),
        ({"l": [1, 2.0]}, True),
        ({"o": [{"n": 1}, {"n": 1.0}]}, True),
        ({"o": [{"m": [{"k": 1}, {"k": 2.0}]}]}, True),
        ({"o": [5.0, "x", None], "l": {"x": 1.0}, "a": [1.0]}, False),
        ([], False),
    ],
)
def test_integers_written_as_floats_are_seen_wherever_an_integer_is_promised(value: Any, floats: bool) -> None:  # noqa: FBT001  # a table
    """One walk over the value sees every place, and only those."""
    integer = {"type": "integer"}
    inner = {"type": "object", "properties": {"n": integer, "m": {"items": {"properties": {"k": integer}}}}}
    schema = {"properties": {"a": integer, "l": {"items": integer}, "o": {"items": inner}}}
    assert IntegerPlaces(integer_paths(schema)).has_float(value) is floats


def test_a_recursive_schema_is_followed_once_round() -> None:
    """A schema of trees with ten branches has as many places as it has names, not ten to the power of its depth."""
    node = {"properties": {f"n{i}": {"$ref": "#"} for i in range(10)} | {"value": {"type": "integer"}}}
    assert integer_paths(node) == (("value",),)
    contract = Contract(node)
    assert contract.explain({"n1": {"n2": {"x": 1, "value": 2}}})[0].location == "$.n1.n2.x"


@pytest.mark.parametrize(
    ("keywords", "count", "expected"),
    [
        ({"minItems": 3000}, 5000, []),
        ({"minItems": 6000}, 5000, ["min-items-decreased"]),
        ({"maxItems": 3000}, 5000, ["constraint-violated"]),
        ({"contains": {"const": 4999}}, 5000, []),
        ({"enum": [list(range(5000))]}, 5000, []),
        ({"items": {"type": "integer"}}, 5000, []),
    ],
)
def test_what_is_said_of_a_list_as_a_whole_is_judged_of_the_whole(
    keywords: dict[str, Any], count: int, expected: list[str]
) -> None:
    """A long list is looked at in parts only where no keyword speaks of all of it."""
    assert [what for what, *_ in of({"type": "array", **keywords}, list(range(count)))] == expected
