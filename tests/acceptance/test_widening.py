"""Each kind of finding leads to the smallest change of a schema; what no schema says is refused with a reason."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from monitors.acceptance.widening import ImpossibleError, widened

if TYPE_CHECKING:
    from collections.abc import Callable

    from monitors.acceptance.known import Known

RUN: dict[str, Any] = {
    "type": "object",
    "required": ["id", "name"],
    "properties": {
        "id": {"type": "string"},
        "kind": {"const": "runs"},
        "meta": {"type": ["object", "null"], "description": "Anything."},
        "name": {"type": ["string", "null"], "maxLength": 3},
        "list": {"type": "array", "minItems": 1, "items": {"$ref": "#/$defs/item"}},
        "ratio": {"type": "number", "exclusiveMaximum": 1},
        "size": {"type": "integer", "format": "int32", "maximum": 9},
        "state": {"type": "string", "enum": ["on", "off"]},
        "when": {"type": ["string", "null"], "format": "date-time"},
        "either": {"anyOf": [{"type": "string"}, {"type": "object", "required": ["a"], "properties": {"a": {}}}]},
    },
    "$defs": {"item": {"type": "object", "required": ["key"], "properties": {"key": {"type": "string"}}}},
}


def change(known: Known, *seen: Any) -> dict[str, Any]:
    """Return what differs in the schema, by JSON pointer."""
    [option] = widened(json.dumps(RUN, indent=2), RUN, known, tuple(seen))
    return dict(differences(RUN, json.loads(option.text)))


def differences(before: Any, after: Any, pointer: str = "") -> Any:
    if isinstance(before, dict) and isinstance(after, dict):
        for name in {**before, **after}:
            if name not in after:
                yield f"{pointer}/{name}", "gone"
            else:
                yield from differences(before.get(name), after[name], f"{pointer}/{name}")
    elif before != after:
        yield pointer, after


PREFIX = "response-property-"
NEW = {"description": "Seen since 2026-11-20; not documented."}


@pytest.mark.parametrize(
    ("rule", "location", "base", "revision", "seen", "wanted"),
    [
        ("required-property-removed", "$.name", "present", "absent", [], {"/required": ["id"]}),
        ("required-property-removed", "$.list[*].key", "present", "absent", [], {"/$defs/item/required": "gone"}),
        ("required-property-removed", "$.either.a", "present", "absent", [],
         {"/properties/either/anyOf": [{"type": "string"}, {"type": "object", "properties": {"a": {}}}]}),
        ("optional-property-added", "$.extra", None, "boolean", [], {"/properties/extra": {"type": "boolean", **NEW}}),
        ("optional-property-added", "$.extra", None, "integer", [],
         {"/properties/extra": {"type": "number", "description": NEW["description"] + " Only whole numbers so far."}}),
        ("optional-property-added", "$.extra", None, "integer", [1, 2.5, None],
         {"/properties/extra": {"type": ["number", "null"], **NEW}}),
        ("optional-property-added", "$.extra", None, "null", [],
         {"/properties/extra": {"description": NEW["description"] + " Only null so far."}}),
        ("optional-property-added", "$.meta['odd \\'one\\'']", None, "string", [],
         {"/properties/meta/properties": {"odd 'one'": {"type": "string", **NEW}}}),
        ("optional-property-added", "$.list[*].more", None, "array", [],
         {"/$defs/item/properties/more": {"type": "array", **NEW}}),
        ("became-nullable", "$.id", "string", "null", [], {"/properties/id/type": ["string", "null"]}),
        ("became-nullable", "$.state", ["on"], None, [],
         {"/properties/state/type": ["string", "null"], "/properties/state/enum": ["on", "off", None]}),
        ("type-changed", "$.id", "string", "integer", [], {"/properties/id/type": ["string", "integer"]}),
        ("type-changed", "$.id", "string", "integer", ["a", 1, True],
         {"/properties/id/type": ["string", "boolean", "integer"]}),
        ("type-changed", "$.name", "string or null", "object", [],
         {"/properties/name/type": ["string", "object", "null"]}),
        ("type-changed", "$.state", "string", "integer", [1, "on"],
         {"/properties/state/type": ["string", "integer"], "/properties/state/enum": ["on", "off", 1]}),
        ("type-changed", "$.when", "string (date-time)", "18 May", [], {"/properties/when/format": "gone"}),
        ("type-changed", "$.when", "string or null", "integer", [1],
         {"/properties/when/type": ["string", "integer", "null"]}),
        ("type-changed", "$.when", "string (date-time)", "18 May", ["18 May", 1],
         {"/properties/when/format": "gone", "/properties/when/type": ["string", "integer", "null"]}),
        ("type-generalized", "$.size", "integer", "number", [],
         {"/properties/size/type": "number", "/properties/size/format": "double"}),
        ("enum-value-added", "$.state", ["on", "off"], "idle", [], {"/properties/state/enum": ["on", "off", "idle"]}),
        ("enum-value-added", "$.state", ["on", "off"], "long…", ["longer", "on"],
         {"/properties/state/enum": ["on", "off", "longer"]}),
        ("enum-value-renamed", "$.state", "on", "ON", [], {"/properties/state/enum": ["on", "off", "ON"]}),
        ("const-changed", "$.kind", "runs", "run", [],
         {"/properties/kind/const": "gone", "/properties/kind/enum": ["runs", "run"]}),
        ("max-increased", "$.size", "at most 9", 12, [],
         {"/properties/size/maximum": 12, "/properties/size/format": "gone"}),
        ("max-increased", "$.size", "at most 9", 12, [12, 40, 3],
         {"/properties/size/maximum": 40, "/properties/size/format": "gone"}),
        ("exclusive-max-increased", "$.ratio", "below 1", 1.5, [],
         {"/properties/ratio/exclusiveMaximum": "gone", "/properties/ratio/maximum": 1.5}),
        ("max-length-increased", "$.name", "at most 3 characters", "5 characters", [],
         {"/properties/name/maxLength": 5}),
        ("min-items-decreased", "$.list", "at least 1 items", "0 items", [[]], {"/properties/list/minItems": 0}),
    ],
)  # fmt: skip
def test_each_kind_of_finding_has_its_smallest_change(  # noqa: PLR0917 - the columns of the table
    rule: str, location: str, base: Any, revision: Any, seen: list[Any], wanted: Any, known: Callable[..., Known]
) -> None:
    rule = f"response-{'' if rule.endswith(('property-removed', 'property-added')) else 'property-'}{rule}"
    assert change(known(rule, location=location, base=base, revision=revision), *seen) == wanted


@pytest.mark.parametrize(
    ("rule", "members", "why"),
    [
        ("run-id-mismatch", {"location": "$.id"}, "no change of a schema makes this rule true"),
        ("timeout", {"location": None}, "it is about the answer as a whole"),
        ("response-property-became-nullable", {"location": "$.id", "kind": "availability"}, "no change of a schema"),
        ("response-property-became-nullable", {"location": "$.gone"}, "the contract describes no such place"),
        ("response-property-became-nullable", {"location": "id"}, "'id' is no location"),
        ("response-property-became-nullable", {"location": "$.a b"}, "'$.a b' is no location"),
        ("response-property-became-nullable", {"location": "$['long…']"}, "too long to be written out"),
        ("response-property-became-nullable", {"location": "$.name"}, "the contract allows null there"),
        ("response-optional-property-added", {"location": "$.id"}, "its parent is no object"),
        ("response-optional-property-added", {"location": "$"}, "its parent is no object"),
        ("response-optional-property-added", {"location": "$.x", "revision": "text"}, "is none of JSON's"),
        ("response-required-property-removed", {"location": "$.size"}, "does not require it there"),
        ("response-property-type-changed", {"location": "$.id", "revision": "string"}, "promises no other type"),
        ("response-property-type-changed", {"location": "$.state", "revision": "integer"}, "its values are listed"),
        ("response-property-type-generalized", {"location": "$.id"}, "the contract promises no integer there"),
        ("response-property-enum-value-added", {"location": "$.id", "revision": "x"}, "lists no values there"),
        ("response-property-enum-value-added", {"location": "$.state", "revision": "cut…"}, "cuts the value short"),
        ("response-property-max-increased", {"location": "$.id", "revision": 3}, "has no such bound there"),
        ("response-property-max-length-increased", {"location": "$.name", "revision": "x"}, "has no such bound"),
    ],
)  # fmt: skip
def test_what_no_small_change_says_is_refused(
    rule: str, members: dict[str, Any], why: str, known: Callable[..., Known]
) -> None:
    with pytest.raises(ImpossibleError) as caught:
        widened(json.dumps(RUN), RUN, known(rule, **members))
    assert why in str(caught.value)


def test_each_branch_of_a_union_that_describes_the_place_is_an_option(known: Callable[..., Known]) -> None:
    schema = {"anyOf": [{"type": "object", "properties": {"a": {"type": kind}}} for kind in ("string", "integer")]}
    found = widened(json.dumps(schema), schema, known(location="$.a"))
    assert [json.loads(option.text) != schema for option in found] == [True, True]


def test_a_reference_in_a_circle_ends(known: Callable[..., Known]) -> None:
    schema = {"$ref": "#/$defs/a", "$defs": {"a": {"$ref": "#/$defs/a"}}}
    with pytest.raises(ImpossibleError, match="no such place"):
        widened(json.dumps(schema), schema, known(location="$.a"))


def test_a_place_named_with_escapes_is_found(known: Callable[..., Known]) -> None:
    name = "tab\tand 'quote' \\"
    schema = {"type": "object", "properties": {name: {"type": "string"}}}
    [option] = widened(json.dumps(schema), schema, known(location="$['tab\\u0009and \\'quote\\' \\\\']"))
    assert json.loads(option.text)["properties"][name]["type"] == ["string", "null"]
