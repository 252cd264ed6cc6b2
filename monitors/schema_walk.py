"""Schemas walked beside values: what is closed, what is unknown, where only integers may stand."""

from __future__ import annotations

import copy
from itertools import islice
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

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


_OF_WHOLE_LISTS = frozenset(
    {"minItems", "maxItems", "uniqueItems", "contains", "prefixItems", "unevaluatedItems", "not", "if", "$dynamicRef"}
)


def judges_items_apart(schema: Any) -> bool:
    """Tell whether each item of a list is judged by itself, so that a list may be looked at in parts."""
    return not any(
        node.keys() & _OF_WHOLE_LISTS
        or isinstance(node.get("const"), list | dict)
        or any(isinstance(option, list | dict) for option in _listed(node.get("enum")))
        for node in subschemas(schema)
    )


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


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


Path = tuple[str | None, ...]
_MAX_INTEGER_PATHS = 2_000


def integer_paths(schema: Any) -> tuple[Path, ...]:
    """Return the paths (None for every item) at which only an integer or null is promised.

    A recursive schema is followed once round, and no more than 2,000 places are returned.
    """
    return tuple(islice(_integer_paths(schema, schema, (), ()), _MAX_INTEGER_PATHS))


def _integer_paths(schema: Any, root: Any, path: Path, above: tuple[int, ...]) -> Iterator[Path]:
    node = resolve(schema, root)
    if not isinstance(node, dict) or id(node) in above:
        return
    types = node.get("type")
    promised = set(types if isinstance(types, list) else [types])
    if "integer" in promised and "number" not in promised:
        yield path
    properties = node.get("properties")
    for name, child in (properties if isinstance(properties, dict) else {}).items():
        yield from _integer_paths(child, root, (*path, name), (*above, id(node)))
    if isinstance(node.get("items"), dict):
        yield from _integer_paths(node["items"], root, (*path, None), (*above, id(node)))


class IntegerPlaces:
    """The same paths as a tree, so that one walk over a value tells whether any of them holds a float."""

    __slots__ = ("_below", "_names")

    def __init__(self, paths: Iterable[Path]) -> None:
        """Split into names whose value is an integer, and steps below which there are more."""
        below: dict[str | None, list[Path]] = {}
        names: list[str | None] = []
        for path in paths:
            if len(path) == 1:
                names.append(path[0])
            elif path:
                below.setdefault(path[0], []).append(path[1:])
        self._names = tuple(name for name in names if name is not None)
        if None in names:
            below.setdefault(None, []).append(())
        self._below = tuple((step, IntegerPlaces(rest), () in rest) for step, rest in below.items())

    def has_float(self, value: Any) -> bool:
        """Tell whether a number at one of the places is written as a float."""
        if isinstance(value, dict):
            get = value.get
            return any(type(get(name)) is float for name in self._names) or any(
                step is not None and places.has_float(get(step)) for step, places, _ in self._below
            )
        if isinstance(value, list):
            for step, places, ends in self._below:
                if step is None:
                    return places._in_items(value) or (ends and any(type(item) is float for item in value))  # noqa: SLF001  # of this class
        return False

    def _in_items(self, items: list[Any]) -> bool:
        if self._below:
            return any(self.has_float(item) for item in items)
        # The usual list of flat objects, millions of times: one loop without a call per item.
        return any(type(item.get(name)) is float for name in self._names for item in items if type(item) is dict)


def values_at(value: Any, path: Path, where: tuple[Step, ...] = ()) -> Iterator[tuple[tuple[Step, ...], Any]]:
    """Yield concrete path and value of everything at the path, None standing for every item."""
    if not path:
        yield where, value
    elif path[0] is None:
        for index, item in enumerate(value if isinstance(value, list) else ()):
            yield from values_at(item, path[1:], (*where, index))
    elif isinstance(value, dict) and path[0] in value:
        yield from values_at(value[path[0]], path[1:], (*where, path[0]))
