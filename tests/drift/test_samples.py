"""One body against a contract, earlier bodies of the same resource, and other resources."""

from __future__ import annotations

from typing import Any

import pytest

from monitors.drift.explain import has_format
from monitors.drift.samples import judge_sample, readable
from monitors.errors import UsageError
from monitors.model import Change, Level
from monitors.rules import judge

RUN = {
    "type": "object",
    "required": ["id"],
    "properties": {
        "id": {"type": "string"},
        "note": {"type": "string"},
        "ended_at": {"type": ["string", "null"], "format": "date-time"},
        "score": {"type": "number"},
        "metrics": {
            "type": "array",
            "items": {"type": "object", "properties": {"key": {"type": "string"}, "mean": {"type": "number"}}},
        },
        "labels": {"type": "object", "additionalProperties": {"type": "string"}},
    },
}
UNION = {
    "oneOf": [
        {"type": "object", "properties": {"kind": {"const": "a_b"}, "x": {"type": "string"}}, "required": ["x"]},
        {"type": "object", "properties": {"kind": {"const": "c"}, "y": {"type": "string"}}, "required": ["y"]},
    ]
}


def told(found: list[Change]) -> list[tuple[str, str]]:
    return [(change.what, change.location) for change in found]


def alarms(found: list[Change]) -> set[str]:
    return {finding.rule for finding in judge(found) if finding.level >= Level.WARNING}


@pytest.mark.parametrize(
    ("schema", "body", "expected"),
    [
        (RUN, {"id": "1"}, []),
        (RUN, {"id": None}, [("became-nullable", "$.id")]),
        (RUN, {"id": 1}, [("type-changed", "$.id")]),
        (RUN, {}, [("required-property-removed", "$.id")]),
        (RUN, {"ID": "1"}, [("property-renamed", "$.id")]),
        (RUN, {"id": "1", "ended_at": "yesterday"}, [("type-changed", "$.ended_at")]),
        (RUN, {"id": "1", "extra": 1}, [("optional-property-added", "$.extra")]),
        (RUN, {"id": "1", "labels": {"a": 1, "b": 2}}, [("type-changed", "$.labels.*")]),
        (RUN, {"id": "1", "metrics": [{"mean": "1"}, {"mean": "2"}]}, [("type-changed", "$.metrics[*].mean")]),
        (RUN, [], [("type-changed", "$")]),
        ({"type": "integer"}, 1.5, [("type-generalized", "$")]),
        ({"type": "integer"}, 1.0, [("type-generalized", "$")]),
        ({"type": "integer", "maximum": 9}, 10, [("range-widened", "$")]),
        ({"type": "integer", "maximum": 2**31 - 1}, 2**31, [("max-increased", "$")]),
        ({"type": "number", "multipleOf": 0.5}, 0.7, [("multiple-of-changed", "$")]),
        ({"type": "string", "maxLength": 2}, "abc", [("max-length-increased", "$")]),
        ({"type": "array", "minItems": 1}, [], [("min-items-decreased", "$")]),
        ({"type": "object", "minProperties": 1}, {}, [("min-properties-decreased", "$")]),
        ({"enum": ["a_b", "c"]}, "A-B", [("enum-value-renamed", "$")]),
        ({"enum": ["a", "b"]}, "c", [("enum-value-added", "$")]),
        ({"const": "a"}, "b", [("const-changed", "$")]),
        ({"type": "string", "pattern": "^a"}, "b", [("pattern-changed", "$")]),
        ({"not": {"type": "string"}}, "b", [("not-changed", "$")]),
        ({"type": "array", "uniqueItems": True}, [1, 1], [("unique-items-unset", "$")]),
        ({"type": "object", "dependentRequired": {"a": ["b"]}}, {"a": 1}, [("required-property-removed", "$.b")]),
        ({"type": "integer", "format": "int32"}, 2**31, [("type-generalized", "$")]),
        ({"type": "string", "format": "email"}, "nobody", [("format-changed", "$")]),
        ({"additionalProperties": False, "properties": {}}, {}, []),
        ({"type": "string", "nullable": True}, None, []),
        ({"type": "string", "enum": ["a"], "nullable": True}, None, []),
        ({"type": "number", "minimum": 0, "exclusiveMinimum": True}, 0, [("range-widened", "$")]),
        (False, 1, [("type-changed", "$")]),
        (True, 1, []),
    ],
)  # fmt: skip
def test_a_body_is_held_against_its_contract(schema: Any, body: Any, expected: list[tuple[str, str]]) -> None:
    """Each violation is named, and placed, once."""
    assert told(judge_sample(schema, [], [], body)) == expected


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"kind": "a_b", "x": "1"}, []),
        ({"kind": "A_B", "x": "1"}, [("enum-value-renamed", "$.kind")]),
        ({"kind": "d", "z": "1"}, [("variant-added", "$")]),
        ({"z": "1"}, [("variant-added", "$")]),
        ({"kind": "c", "x": "1"}, [("optional-property-added", "$.x"), ("required-property-removed", "$.y")]),
        ({"x": 1}, [("type-changed", "$.x")]),
        ("text", [("variant-added", "$")]),
    ],
)
def test_unions_are_understood(body: Any, expected: list[tuple[str, str]]) -> None:
    """A value nobody knows is a new variant; one of a known variant is held against that."""
    assert told(judge_sample(UNION, [], [], body)) == expected


def test_two_variants_at_once_harm_nobody() -> None:
    """A value that fits two variants of `oneOf` is no violation to a reader."""
    schema = {"oneOf": [{"type": "object"}, {"type": "object", "properties": {"a": {}}}]}
    assert judge_sample(schema, [], [], {"a": 1}) == []
    assert judge_sample({**schema, "anyOf": [{"type": "object"}]}, [], [], {"a": 1}) == []


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ({"note": "n"}, {}, [("optional-property-removed", "$.note")]),
        ({"note": "some text"}, {"remark": "some text"}, [("property-renamed", "$.note")]),
        ({"score": 83}, {"score": 83000}, [("unit-changed", "$.score")]),
        ({"score": 0.123456789}, {"score": 0.12}, [("precision-lost", "$.score")]),
        ({"score": 5}, {"score": 7}, []),
        ({"score": 1}, {"score": 1000}, []),
        ({"ended_at": "2026-05-18T15:55:36Z"}, {"ended_at": None}, [("value-nulled", "$.ended_at")]),
        ({"ended_at": "2026-05-18T15:55:36Z"}, {"ended_at": "2026-05-18T15:55:36+00:00"},
         [("timestamp-reformatted", "$.ended_at")]),
        ({"ended_at": "2026-05-18T15:55:36.125Z"}, {"ended_at": "2026-05-18T15:55:36Z"},
         [("precision-lost", "$.ended_at")]),
        ({"ended_at": "2026-05-18T15:55:36.5Z"}, {"ended_at": "2026-05-18T16:00:00Z"}, []),
        ({"labels": {"a": "x"}}, {"labels": {"b": "y"}}, []),
        ({"unlisted": 1}, {}, [("undeclared-property-removed", "$.unlisted")]),
        ({"metrics": [{"key": "a", "mean": 1}, {"key": "b"}]}, {"metrics": [{"key": "b"}, {"key": "a", "mean": 1}]},
         [("array-reordered", "$.metrics")]),
        ({"metrics": [{"key": "a", "mean": 1}]}, {"metrics": [{"key": "a"}, {"key": "new", "mean": 1}]},
         [("optional-property-removed", "$.metrics[*].mean")]),
        ({"metrics": [{"mean": 1}, {"mean": 2}]}, {"metrics": [{}]},
         [("optional-property-removed", "$.metrics[*].mean")]),
        ({"metrics": [{"mean": 1}]}, {"metrics": []}, []),
    ],
)  # fmt: skip
def test_drift_from_an_earlier_body(before: Any, after: Any, expected: list[tuple[str, str]]) -> None:
    """What went or changed its form is found; what merely has another value is not."""
    assert told(judge_sample(RUN, [{"id": "1", **before}], [], {"id": "1", **after})) == expected


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ({"a": "x"}, {"a": None}, ["became-nullable"]),
        ({"a": 1}, {"a": "1"}, ["type-changed"]),
        ({"a": {"b": [1, 2]}}, {"a": {"B": [1, 2]}}, ["property-renamed"]),
        ({"name": "some run", "id": 7}, {"id": 7, "attributes": {"name": "some run"}}, ["property-moved"]),
        ({"meta": {"total": 1234}}, {"total": 1234}, ["property-moved"]),
        ({"a": "3f0c7a52-6b1e-4d0a-9a51-0c8f2f1f9a10"}, {"a": "run one"}, ["text-reformatted"]),
        ({"a": "2026-05-18T15:55:36Z"}, {"a": "1779119736"}, ["timestamp-reformatted"]),
        ({"a": "2026-05-18T15:55:36Z"}, {"a": "Mon, 18 May 2026 15:55:36 GMT"}, ["timestamp-reformatted"]),
        ({"a": "2026-05-18T15:55:36Z"}, {"a": "long ago"}, ["text-reformatted"]),
        ({"a": "2026-05-18T15:55:36Z"}, {"a": ""}, []),
        ({"a": [3, 1, 2]}, {"a": [1, 2, 3]}, ["array-reordered"]),
        ({"a": [1, 1]}, {"a": [1, 1]}, []),
        ({"a": True}, {"a": False}, []),
        ({"a": 1}, {"a": 2.5}, []),
        ([{"x": 1}], [{}], ["optional-property-removed"]),
    ],
)
def test_without_a_contract_everything_counts(before: Any, after: Any, expected: list[str]) -> None:
    """Where no contract says otherwise, what was seen is what was promised."""
    assert [change.what for change in judge_sample(None, [before], [], after)] == expected


def test_a_member_that_flapped_before_is_no_drift() -> None:
    """What earlier bodies of the same resource sometimes lacked may be absent; so may an order they did not keep."""
    assert judge_sample(RUN, [{"id": "1", "note": "n"}, {"id": "1"}], [], {"id": "1"}) == []
    assert judge_sample(None, [[1, 2, 3], [2, 1, 3]], [], [3, 2, 1]) == []


@pytest.mark.parametrize("schema", [RUN, None])
def test_other_resources_prove_no_absence(schema: Any) -> None:
    """A body that lacks what all others had alarms nobody."""
    others = [{"id": str(i), "note": "n", "score": 1.5, "labels": {"a": "b"}} for i in range(50)]
    found = judge_sample(schema, [], others, {"id": "9"})
    assert alarms(found) == set()
    assert "absent-unlike-others" in {change.what for change in found}
    assert judge_sample(schema, [], [*others, {"id": "x"}], {"id": "9"}) == []


def test_other_resources_prove_another_spelling() -> None:
    """A member all others have under one spelling and this body under another one is renamed."""
    others = [{"userId": "a1"}, {"userId": "b2"}]
    assert told(judge_sample(None, [], others, {"user_id": "c3"})) == [("property-renamed", "$.userId")]


@pytest.mark.parametrize(
    ("value", "expected"),
    [("2026-05-19T00:00:00Z", []), ("soon", ["unlike-others"]), (3, ["unlike-others"]), (None, [])],
)
def test_other_resources_prove_a_form(value: Any, expected: list[str]) -> None:
    """Without a contract, a type or a format all others agree on counts."""
    others = [[{"at": "2026-05-18T15:55:36Z"}], [{"at": "2026-05-18T15:55:37.5Z"}]]
    assert [change.what for change in judge_sample(None, [], others, [{"at": value}])] == expected
    assert judge_sample(None, [], others[:1], [{"at": "soon"}]) == []


def test_a_finding_is_said_once() -> None:
    """What the contract says of a place is not said again as drift, nor what lies inside a value of another kind."""
    found = judge_sample(RUN, [{"id": "1", "labels": {"a": "b"}}], [], {"labels": None})
    assert told(found) == [("required-property-removed", "$.id"), ("became-nullable", "$.labels")]


@pytest.mark.parametrize("schema", [{"type": "sting"}, {"pattern": "("}, {"$ref": "#/nowhere"}, {"maxLength": "x"}])
def test_a_schema_that_cannot_be_used_is_the_users_mistake(schema: Any) -> None:
    """It is a usage error, in one line, and nothing is fetched to mend it."""
    with pytest.raises(UsageError, match=r"^the schema is no usable JSON Schema: [^\n]+$"):
        judge_sample(schema, [], [], {})


def test_a_schema_is_read_as_its_readers_do() -> None:
    """Choices, open objects and the older ways of writing are put into 2020-12; data is left as it is."""
    written = readable(
        {
            "$schema": "http://json-schema.org/draft-04/schema#",
            "oneOf": [{"type": "string", "nullable": True}],
            "anyOf": [{"maximum": 3, "exclusiveMaximum": True}, {"minimum": 3, "exclusiveMinimum": False}],
            "properties": {"oneOf": {"additionalProperties": False}, "enum": {"const": {"oneOf": [1]}}},
        }
    )
    assert written == {
        "anyOf": [{"exclusiveMaximum": 3}, {"minimum": 3}],
        "allOf": [{"anyOf": [{"type": ["string", "null"]}]}],
        "properties": {"oneOf": {}, "enum": {"const": {"oneOf": [1]}}},
    }


def test_text_no_validator_takes_has_every_format() -> None:
    """Half a surrogate pair is a flaw of its own, found where the body is read."""
    assert has_format("\ud800", "email")
    assert not has_format("nobody", "email")
