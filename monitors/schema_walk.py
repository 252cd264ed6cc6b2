"""Schemas walked beside values: what is closed, what is unknown, where only integers may stand."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from monitors.location import Step

_DEEPEST = 60  # a recursive schema describes values of any depth; beyond this nothing of it is looked at


def resolve(schema: Any, root: Any) -> Any:
    """Follow `$ref` within the document; a reference that leads nowhere, or in circles, is returned as it is."""
    for _ in range(_DEEPEST):
        reference = schema.get("$ref") if isinstance(schema, dict) else None
        if not isinstance(reference, str) or not reference.startswith("#"):
            return schema
        target = root
        for part in reference[1:].split("/")[1:]:
            name = part.replace("~1", "/").replace("~0", "~")
            target = target.get(name) if isinstance(target, dict) else None
        if target is None:
            return schema
        schema = target
    return schema


def closed(schema: Any) -> Any | None:
    """Return the schema with every object closed, or None where closing would change what is valid."""
    if set(_keywords(schema)) & {
        "allOf",
        "unevaluatedProperties",
        "$dynamicRef",
        "if",
        "not",
        "dependentSchemas",
        "patternProperties",
    }:
        return None
    copied = copy.deepcopy(schema)
    for node in subschemas(copied):
        if "properties" not in node:
            continue
        if {"anyOf", "oneOf", "$ref"} & node.keys():
            return None
        if node.get("additionalProperties", True) is True:
            node["additionalProperties"] = False
    return copied


_IN_MAP = ("properties", "$defs", "definitions", "patternProperties", "dependentSchemas")
_IN_LIST = ("anyOf", "oneOf", "allOf", "prefixItems")
_SINGLE = ("items", "additionalProperties", "contains", "not", "if", "then", "else", "propertyNames",
           "unevaluatedItems", "unevaluatedProperties")  # fmt: skip


def subschemas(schema: Any) -> Iterator[dict[str, Any]]:
    """Yield the schema and every schema written inside it; references are not followed."""
    if not isinstance(schema, dict):
        return
    yield schema
    for keyword in _IN_MAP:
        children = schema.get(keyword)
        for child in children.values() if isinstance(children, dict) else ():
            yield from subschemas(child)
    for keyword in _IN_LIST:
        listed = schema.get(keyword)
        for child in listed if isinstance(listed, list) else ():
            yield from subschemas(child)
    for keyword in _SINGLE:
        yield from subschemas(schema.get(keyword))


def _keywords(schema: Any) -> Iterator[str]:
    for node in subschemas(schema):
        yield from node


def branches(schema: Any, root: Any) -> list[dict[str, Any]]:
    """Return the schema and all that apply in place beside it: targets of `$ref` and the branches of unions."""
    found: list[dict[str, Any]] = []
    waiting = [resolve(schema, root)]
    while waiting and len(found) < _DEEPEST:
        node = waiting.pop()
        if not isinstance(node, dict):
            continue
        found.append(node)
        for keyword in ("allOf", "anyOf", "oneOf"):
            listed = node.get(keyword)
            waiting.extend(resolve(child, root) for child in (listed if isinstance(listed, list) else ()))
        waiting.extend(resolve(node[keyword], root) for keyword in ("if", "then", "else") if keyword in node)
        dependent = node.get("dependentSchemas")
        waiting.extend(resolve(child, root) for child in (dependent.values() if isinstance(dependent, dict) else ()))
    return found


class KnownMembers:
    """The names a schema knows at one place of a document, and what it knows below them; made once per schema.

    `free` tells that any name may stand there: the schema names none, or describes the others as well.
    """

    __slots__ = ("_items", "_made", "_named", "_root", "free")

    def __init__(self, schemas: list[Any], root: Any) -> None:
        """Read off all branches that apply in place; children are made when first asked for."""
        applied = [branch for schema in schemas for branch in branches(schema, root)]
        named: dict[str, list[Any]] = {}
        for branch in applied:
            properties = branch.get("properties")
            for name, child in (properties if isinstance(properties, dict) else {}).items():
                named.setdefault(name, []).append(child)
        shut = any(branch.get("additionalProperties") is False for branch in applied)
        self.free = any(_describes_others(branch) for branch in applied) or not (named or shut)
        self._named, self._root = named, root
        self._items = [branch["items"] for branch in applied if isinstance(branch.get("items"), dict)]
        self._made: dict[str | None, KnownMembers | None] = {}

    def member(self, name: str) -> KnownMembers | None:
        """Return what is known below a member; None for a member no schema names."""
        if name not in self._made:
            self._made[name] = KnownMembers(self._named[name], self._root) if name in self._named else None
        return self._made[name]

    def items(self) -> KnownMembers | None:
        """Return what is known of the items of a list; None where the schema describes none."""
        if None not in self._made:
            self._made[None] = KnownMembers(self._items, self._root) if self._items else None
        return self._made[None]

    def unknown(self, value: Any, path: tuple[Step, ...] = ()) -> Iterator[tuple[tuple[Step, ...], Any]]:
        """Yield path and value of each member no schema names, wherever the schema does name some."""
        if isinstance(value, dict):
            for name, member in value.items():
                if name in self._named:
                    if isinstance(member, dict | list):
                        known = self.member(name)
                        yield from known.unknown(member, (*path, name)) if known else ()
                elif not self.free:
                    yield (*path, name), member
        elif isinstance(value, list):
            known = self.items()
            if known is not None:
                for index, item in enumerate(value):
                    if isinstance(item, dict | list):
                        yield from known.unknown(item, (*path, index))


def _describes_others(branch: dict[str, Any]) -> bool:
    others = branch.get("additionalProperties", branch.get("unevaluatedProperties"))
    return (isinstance(others, dict) and bool(others)) or bool(branch.get("patternProperties"))


def integer_paths(schema: Any, root: Any, path: tuple[str | None, ...], depth: int) -> Iterator[tuple[str | None, ...]]:
    """Yield the paths (None for every item) at which only an integer or null is promised."""
    if depth > _DEEPEST // 4:
        return
    node = resolve(schema, root)
    if not isinstance(node, dict):
        return
    types = node.get("type")
    promised = set(types if isinstance(types, list) else [types])
    if "integer" in promised and "number" not in promised:
        yield path
    properties = node.get("properties")
    for name, child in (properties if isinstance(properties, dict) else {}).items():
        yield from integer_paths(child, root, (*path, name), depth + 1)
    if isinstance(node.get("items"), dict):
        yield from integer_paths(node["items"], root, (*path, None), depth + 1)


def has_float(value: Any, path: tuple[str | None, ...], at: int) -> bool:
    """Tell whether any number at the path is written as a float."""
    for position in range(at, len(path)):
        step = path[position]
        if step is None:
            return isinstance(value, list) and any(has_float(item, path, position + 1) for item in value)
        if not isinstance(value, dict):
            return False
        value = value.get(step)
    return type(value) is float


def values_at(
    value: Any, path: tuple[str | None, ...], where: tuple[Step, ...] = ()
) -> Iterator[tuple[tuple[Step, ...], Any]]:
    """Yield concrete path and value of everything at the path, None standing for every item."""
    if not path:
        yield where, value
    elif path[0] is None:
        for index, item in enumerate(value if isinstance(value, list) else ()):
            yield from values_at(item, path[1:], (*where, index))
    elif isinstance(value, dict) and path[0] in value:
        yield from values_at(value[path[0]], path[1:], (*where, path[0]))
