"""Schemas and instances made up for the laws of the diff."""

from __future__ import annotations

import copy
from random import Random
from types import SimpleNamespace
from typing import Any

import jsonschema
import pytest
from hypothesis import strategies as st

from monitors.drift.normal import Normaliser
from monitors.drift.resolve import Home, Part

NAMES = ("a", "b", "c", "userName", "user_name")
TEXTS = ("", "x", "yy", "red", "RED", "2026-05-18")
NUMBERS = (-1, 0, 1, 2, 2.5, 7, 100)
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.sampled_from(NUMBERS) | st.sampled_from(TEXTS),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=3),
    max_leaves=6,
)
"""JSON values that schemas below speak of."""


SMALL = st.integers(0, 3)
TYPES = st.sampled_from(["null", "boolean", "integer", "number", "string", "array", "object"])
ALLOWED = st.sampled_from([*TEXTS, *NUMBERS, None, True])
TEXT_LIMITS = {"type": st.just("string"), "minLength": SMALL, "maxLength": SMALL}
NUMBER_LIMITS = {
    **dict.fromkeys(
        ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"),
        st.sampled_from(NUMBERS),
    ),
    "multipleOf": st.sampled_from([1, 2, 0.5]),
}
SCALARS = st.one_of(
    st.fixed_dictionaries({}, optional=TEXT_LIMITS),
    st.fixed_dictionaries({"type": st.just("string"), "pattern": st.sampled_from(["^x", "y", "^$", "r"])}),
    st.fixed_dictionaries({"type": st.sampled_from(["integer", "number"])}, optional=NUMBER_LIMITS),
    st.fixed_dictionaries({"enum": st.lists(ALLOWED, min_size=1, max_size=4, unique_by=repr)}),
    st.fixed_dictionaries({"const": ALLOWED}),
    st.fixed_dictionaries({"type": st.lists(TYPES, min_size=1, max_size=3, unique=True)}),
    st.sampled_from([True, False, {}, {"type": "null"}, {"type": "boolean"}]),
)


def _compound(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    names = st.sampled_from(NAMES)
    several = st.lists(inner, min_size=1, max_size=3)
    about_objects = {
        "required": st.lists(names, max_size=2, unique=True),
        "additionalProperties": inner,
        "patternProperties": st.dictionaries(st.sampled_from(["^a", "^u", "b|c"]), inner, max_size=1),
        "minProperties": st.integers(0, 2),
        "maxProperties": SMALL,
        "propertyNames": st.sampled_from([{"maxLength": 1}, {"enum": ["a", "b"]}, {"pattern": "^u"}]),
        "dependentRequired": st.dictionaries(names, st.lists(names, min_size=1, max_size=2, unique=True), max_size=1),
        "dependentSchemas": st.dictionaries(names, inner, max_size=1),
    }
    about_lists = {
        "minItems": st.integers(0, 2),
        "maxItems": SMALL,
        "uniqueItems": st.booleans(),
        "prefixItems": several,
        "contains": inner,
        "minContains": st.integers(0, 2),
        "maxContains": st.integers(1, 2),
    }
    objects = {
        "type": st.sampled_from(["object", ["object", "null"]]),
        "properties": st.dictionaries(names, inner, max_size=3),
    }
    return st.one_of(
        st.fixed_dictionaries(objects, optional=about_objects),
        st.fixed_dictionaries({"type": st.just("array"), "items": inner}, optional=about_lists),
        st.fixed_dictionaries({"anyOf": several}, optional={"type": st.sampled_from(["object", "string"])}),
        st.fixed_dictionaries({"allOf": several}),
        st.fixed_dictionaries({"not": inner}),
        st.fixed_dictionaries({"if": inner}, optional={"then": inner, "else": inner}),
        st.just({"$ref": "#/$defs/shared"}),
    )


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
    st.recursive(SCALARS, _compound, max_leaves=8),
    st.recursive(SCALARS, _compound, max_leaves=4).filter(lambda schema: not _circular(schema)),
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
            node[key] = draw(st.recursive(SCALARS, _compound, max_leaves=3))
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


def instance(schema: Any, root: Any, chance: Random, depth: int = 0) -> Any:
    """Make a value that likely keeps a schema; the caller asks the validator whether it does."""
    if not isinstance(schema, dict) or depth > 6 or chance.random() < 0.05:
        return chance.choice([None, True, "x", "yy", 1, 2.5, [], {}, {"a": 1}, ["x"]])
    if "const" in schema or "enum" in schema:
        return chance.choice([schema["const"]] if "const" in schema else schema["enum"])
    applied = _applied(schema, root)
    if applied and chance.random() < 0.8:
        inner = [instance(child, root, chance, depth + 1) for child in applied]
        if "allOf" in schema and all(isinstance(value, dict) for value in inner):
            return {name: value for each in inner for name, value in each.items()}
        return chance.choice(inner)
    declared = schema.get("type")
    kind = chance.choice(declared) if isinstance(declared, list) else declared
    if kind is None:
        kind = "object" if "properties" in schema else chance.choice(["string", "integer", "object", "array", "null"])
    return _of_kind(kind, schema, root, chance, depth)


def _applied(schema: Any, root: Any) -> list[Any]:
    """Return the schemas that may apply in place."""
    applied = [child for keyword in ("anyOf", "allOf") for child in schema.get(keyword, ())]
    applied.extend(schema[keyword] for keyword in ("then", "else", "if") if keyword in schema)
    return [*applied, root["$defs"]["shared"]] if "$ref" in schema else applied


def _of_kind(kind: str, schema: Any, root: Any, chance: Random, depth: int) -> Any:
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


def opened(schema: Any) -> Any:
    """Return a schema without what closes an object: no reader by name sees a member that was not allowed."""
    if isinstance(schema, list):
        return [opened(child) for child in schema]
    if not isinstance(schema, dict):
        return schema
    rewritten = {}
    for key, child in schema.items():
        if key == "additionalProperties" and _allows_nothing(child):
            continue
        if key in {"properties", "patternProperties"}:
            rewritten[key] = {name: opened(inner) for name, inner in child.items() if not _allows_nothing(inner)}
        else:
            rewritten[key] = child if key in {"enum", "const", "required"} else opened(child)
    return rewritten


def _allows_nothing(schema: Any) -> bool:
    """Tell whether no value at all keeps a schema, as far as the diff itself can tell."""
    home = Home(schema)
    node = Normaliser().node((Part(schema, home),))
    return not node.variants and not node.nullable


def negates(schema: Any) -> bool:
    """Tell whether a schema has parts in which opening an object closes something else."""
    if isinstance(schema, list):
        return any(negates(child) for child in schema)
    return isinstance(schema, dict) and (bool({"not", "if"} & schema.keys()) or any(map(negates, schema.values())))


@pytest.fixture(scope="session")
def laws() -> Any:
    """Return what the laws are stated with; tests do not import each other by path."""
    return SimpleNamespace(
        anything=ANYTHING,
        schemas=SCHEMAS,
        pairs=lambda: pairs() | SCHEMAS.flatmap(lambda base: st.tuples(st.just(base), mutated(base))),
        chance=Random,
        instance=instance,
        valid=valid,
        opened=opened,
        negates=negates,
    )
