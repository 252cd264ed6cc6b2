"""Schemas and instances made up for the laws of the diff."""

from __future__ import annotations

import copy
import random
from typing import Any

import jsonschema
import pytest
from hypothesis import strategies as st

NAMES = ("a", "b", "c", "userName", "user_name")
TEXTS = ("", "x", "yy", "red", "RED", "2026-05-18")
NUMBERS = (-1, 0, 1, 2, 2.5, 7, 100)
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.sampled_from(NUMBERS) | st.sampled_from(TEXTS),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=3),
    max_leaves=6,
)
"""JSON values that schemas below speak of."""


def _scalar() -> st.SearchStrategy[Any]:
    number = st.sampled_from(NUMBERS)
    small = st.integers(0, 3)
    return st.one_of(
        st.fixed_dictionaries({}, optional={"type": st.just("string"), "minLength": small, "maxLength": small}),
        st.fixed_dictionaries({"type": st.just("string"), "pattern": st.sampled_from(["^x", "y", "^$", "r"])}),
        st.fixed_dictionaries(
            {"type": st.sampled_from(["integer", "number"])},
            optional={
                "minimum": number, "maximum": number, "exclusiveMinimum": number, "exclusiveMaximum": number,
                "multipleOf": st.sampled_from([1, 2, 0.5]),
            },
        ),  # fmt: skip
        st.fixed_dictionaries({"enum": st.lists(st.sampled_from([*TEXTS, *NUMBERS, None, True]), min_size=1, max_size=4, unique_by=repr)}),
        st.fixed_dictionaries({"const": st.sampled_from([*TEXTS, 1, None])}),
        st.fixed_dictionaries(
            {"type": st.lists(st.sampled_from(["null", "boolean", "integer", "number", "string", "array", "object"]),
                              min_size=1, max_size=3, unique=True)}
        ),
        st.sampled_from([True, False, {}, {"type": "null"}, {"type": "boolean"}]),
    )  # fmt: skip


def _compound(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    names = st.sampled_from(NAMES)
    members = st.dictionaries(names, inner, max_size=3)
    several = st.lists(inner, min_size=1, max_size=3)
    return st.one_of(
        st.fixed_dictionaries(
            {"type": st.sampled_from(["object", ["object", "null"]]), "properties": members},
            optional={
                "required": st.lists(names, max_size=2, unique=True), "additionalProperties": inner,
                "patternProperties": st.dictionaries(st.sampled_from(["^a", "^u", "b|c"]), inner, max_size=1),
                "minProperties": st.integers(0, 2), "maxProperties": st.integers(0, 3),
                "propertyNames": st.sampled_from([{"maxLength": 1}, {"enum": ["a", "b"]}, {"pattern": "^u"}]),
                "dependentRequired": st.dictionaries(names, st.lists(names, min_size=1, max_size=2), max_size=1),
                "dependentSchemas": st.dictionaries(names, inner, max_size=1),
            },
        ),
        st.fixed_dictionaries(
            {"type": st.just("array"), "items": inner},
            optional={
                "minItems": st.integers(0, 2), "maxItems": st.integers(0, 3), "uniqueItems": st.booleans(),
                "prefixItems": several, "contains": inner, "minContains": st.integers(0, 2),
                "maxContains": st.integers(1, 2),
            },
        ),
        st.fixed_dictionaries({"anyOf": several}, optional={"type": st.sampled_from(["object", "string"])}),
        st.fixed_dictionaries({"allOf": several}),
        st.fixed_dictionaries({"not": inner}),
        st.fixed_dictionaries({"if": inner}, optional={"then": inner, "else": inner}),
        st.just({"$ref": "#/$defs/shared"}),
    )  # fmt: skip


def _circular(schema: Any) -> bool:
    """Tell whether a schema refers to itself in place, where the reference validator never ends."""
    if not isinstance(schema, dict):
        return False
    if "$ref" in schema:
        return True
    inner = [schema.get(keyword) for keyword in ("not", "if", "then", "else")]
    inner.extend(child for keyword in ("anyOf", "allOf") for child in schema.get(keyword, ()))
    inner.extend(schema.get("dependentSchemas", {}).values())
    return any(_circular(child) for child in inner)


SCHEMAS = st.builds(
    lambda root, shared: {**root, "$defs": {"shared": shared}} if isinstance(root, dict) else root,
    st.recursive(_scalar(), _compound, max_leaves=8),
    st.recursive(_scalar(), _compound, max_leaves=4).filter(lambda schema: not _circular(schema)),
)
"""Schemas with most keywords, one of them shared by reference."""


def _places(schema: Any) -> list[tuple[Any, Any]]:
    found: list[tuple[Any, Any]] = []
    waiting = [schema]
    while waiting:
        node = waiting.pop()
        children = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
        for key, child in children:
            if key not in {"enum", "const", "required", "type", "$ref"}:
                found.append((node, key))
                waiting.append(child)
    return found


@st.composite
def mutated(draw: st.DrawFn, schema: Any) -> Any:
    """Draw a schema that differs from another one in a place or two."""
    changed = copy.deepcopy(schema)
    for _ in range(draw(st.integers(1, 2))):
        places = [(node, key) for node, key in _places(changed) if key not in {"$defs", "shared"}]
        if not places:
            return draw(SCHEMAS)
        node, key = draw(st.sampled_from(places))
        if draw(st.booleans()) and isinstance(node, dict):
            del node[key]
        elif isinstance(node[key], bool | dict) and key not in {
            "properties",
            "patternProperties",
            "uniqueItems",
            "dependentSchemas",
            "dependentRequired",
        }:
            node[key] = draw(st.recursive(_scalar(), _compound, max_leaves=3))
        elif isinstance(node[key], int | float) and not isinstance(node[key], bool):
            node[key] = draw(st.integers(1, 4))
    return schema if isinstance(changed, dict) and _circular(changed.get("$defs", {}).get("shared")) else changed


@st.composite
def pairs(draw: st.DrawFn) -> tuple[Any, Any]:
    """Draw a schema and one that differs a little, or another one."""
    base = draw(SCHEMAS)
    return base, draw(mutated(base) if draw(st.booleans()) else SCHEMAS)


def valid(schema: Any, value: Any) -> bool:
    """Ask the reference validator."""
    return bool(jsonschema.Draft202012Validator(schema).is_valid(value))


def instance(schema: Any, root: Any, chance: random.Random, depth: int = 0) -> Any:
    """Make a value that likely keeps a schema; the caller asks the validator whether it does."""
    if not isinstance(schema, dict) or depth > 6 or chance.random() < 0.05:
        return chance.choice([None, True, "x", "yy", 1, 2.5, [], {}, {"a": 1}, ["x"]])
    if "$ref" in schema:
        return instance(root["$defs"]["shared"], root, chance, depth + 1)
    if "const" in schema or "enum" in schema:
        return chance.choice([schema["const"]] if "const" in schema else schema["enum"])
    for keyword in ("anyOf", "allOf"):
        if keyword in schema and chance.random() < 0.8:
            inner = [instance(child, root, chance, depth + 1) for child in schema[keyword]]
            objects = [value for value in inner if isinstance(value, dict)]
            if len(objects) == len(inner) and keyword == "allOf":
                return {name: value for each in objects for name, value in each.items()}
            return chance.choice(inner)
    for keyword in ("then", "else", "if"):
        if keyword in schema and chance.random() < 0.4:
            return instance(schema[keyword], root, chance, depth + 1)
    declared = schema.get("type")
    kind = chance.choice(declared) if isinstance(declared, list) else declared
    if kind is None:
        kind = "object" if "properties" in schema else chance.choice(["string", "integer", "object", "array", "null"])
    return _of_kind(kind, schema, root, chance, depth)


def _of_kind(kind: str, schema: Any, root: Any, chance: random.Random, depth: int) -> Any:
    if kind == "object":
        members = {name: child for name, child in schema.get("properties", {}).items() if chance.random() < 0.7}
        value = {name: instance(child, root, chance, depth + 1) for name, child in members.items()}
        for name in [*schema.get("required", ()), *(NAMES if chance.random() < 0.3 else ())]:
            if name not in value and chance.random() < 0.9:
                known = schema.get("properties", {}).get(name, schema.get("additionalProperties", True))
                value[name] = instance(known, root, chance, depth + 1)
        return value
    if kind == "array":
        items = [instance(child, root, chance, depth + 1) for child in schema.get("prefixItems", ())]
        length = chance.randint(schema.get("minItems", 0), max(schema.get("minItems", 0), 3))
        while len(items) < length:
            child = schema.get(chance.choice(["items", "contains"]), True)
            items.append(instance(child, root, chance, depth + 1))
        return items
    if kind == "string":
        return chance.choice([*TEXTS, "xxx", "xy", "rr", "abcdef"])
    if kind in {"integer", "number"}:
        near = [schema.get(bound, 0) for bound in ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum")]
        return chance.choice(near) + chance.choice([0, 1, -1, 0.5 if kind == "number" else 2])
    return None if kind == "null" else chance.random() < 0.5


@pytest.fixture(scope="session")
def laws() -> Any:
    """Everything the laws need, without importing by path."""

    class Laws:
        anything, schemas, pairs = ANYTHING, SCHEMAS, pairs
        valid = staticmethod(valid)

    return Laws
