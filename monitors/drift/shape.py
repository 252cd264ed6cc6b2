"""What bodies look like: per place the types, how often it was there, formats and, where asked for, the values.

Merging two shapes is the same as learning from all their bodies, in any order. What a shape asserts is made a JSON
Schema by `to_schema`; each body a shape was learned from is valid under it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from monitors.drift.formats import format_of
from monitors.drift.plain import canonical, type_name

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from monitors.model import JSON

MAX_NAMES = 512
"""An object seen with more names than this is a map: its names are data, its members share one shape."""
MAX_VALUES = 64
"""A place with more different values than this is not enumerated."""
MAX_DEPTH = 48
"""Below this depth nothing is learned."""

TEXT = "text"
"""The format of text without a format; it absorbs every other one."""
_LONGEST_VALUE = 200
_STEPS = re.compile(r"\.([A-Za-z_][A-Za-z0-9_]*)|\['((?:[^'\\]|\\.)*)'\]|\[\*\]")


@dataclass(slots=True)
class Shape:
    """What was seen at one place. Counts are of values, `whole` of numbers with a fraction part that is zero (`2.0`).

    `names` holds the members of objects by name, or `members` what all share once there were too many names; a
    member's own count against `types["object"]` is its presence. `values` counts each value, as canonical JSON; it
    is empty where the place is `open`: values are not collected there, or there are too many, or not all scalars.
    """

    types: dict[str, int] = field(default_factory=dict)
    whole: int = 0
    formats: frozenset[str] = frozenset()
    names: dict[str, Shape] = field(default_factory=dict)
    members: Shape | None = None
    items: Shape | None = None
    values: dict[str, int] = field(default_factory=dict)
    open: bool = False

    @property
    def count(self) -> int:
        """How many values were seen here."""
        return sum(self.types.values())

    @property
    def objects(self) -> int:
        """How many objects were seen here."""
        return self.types.get("object", 0)


class _Wanted:
    """The places whose values are collected, as a tree of names; `items` is what lies below each item of a list."""

    __slots__ = ("collects", "items", "names")

    def __init__(self) -> None:
        self.collects = False
        self.names: dict[str, _Wanted] = {}
        self.items: _Wanted | None = None


@lru_cache(maxsize=64)
def _tree(places: frozenset[str]) -> _Wanted:
    root = _Wanted()
    for place in places:
        node = root
        for name, quoted in _STEPS.findall(place):
            if name or quoted:
                step = name or re.sub(r"\\(.)", r"\1", quoted)
                node = node.names.setdefault(step, _Wanted())
            else:
                node.items = node.items or _Wanted()
                node = node.items
        node.collects = True
    return root


def learn(bodies: Collection[JSON], enumerated: Collection[str] = ()) -> Shape:
    """Return the shape of bodies; values are collected at the places `enumerated` names, JSONPath with `[*]`."""
    shape = Shape()
    wanted = frozenset(enumerated)
    for body in bodies:
        update(shape, body, wanted)
    return shape


def update(shape: Shape, body: JSON, enumerated: frozenset[str] = frozenset()) -> None:
    """Learn from one more body, in place."""
    wanted = _tree(enumerated)
    shape.open = shape.open or not wanted.collects
    _learn(shape, body, wanted, 0)


def _learn(shape: Shape, value: Any, wanted: _Wanted | None, depth: int) -> None:
    kind = _KIND.get(type(value)) or type_name(value)
    types = shape.types
    types[kind] = types.get(kind, 0) + 1
    if kind == "string":
        if TEXT not in shape.formats:
            _add_format(shape, value)
    elif kind == "object":
        _learn_object(shape, value, wanted, depth)
    elif kind == "array":
        _learn_array(shape, value, wanted, depth)
    elif kind == "number" and value.is_integer():
        shape.whole += 1
    if not shape.open:
        _add_value(shape, kind, value)


def _learn_object(shape: Shape, value: dict[str, Any], wanted: _Wanted | None, depth: int) -> None:
    if depth >= MAX_DEPTH:
        return
    names, members = shape.names, shape.members
    for name, child in value.items():
        below = None if wanted is None else wanted.names.get(name)
        inner = members
        if inner is None:
            known = names.get(name)
            if known is None:
                known = names[name] = Shape(open=below is None or not below.collects)
            inner = known
        _learn(inner, child, below, depth + 1)
    if members is None and len(names) > MAX_NAMES:
        _collapse(shape)


def _learn_array(shape: Shape, value: list[Any], wanted: _Wanted | None, depth: int) -> None:
    if depth >= MAX_DEPTH:
        return
    below = None if wanted is None else wanted.items
    if shape.items is None:
        shape.items = Shape(open=below is None or not below.collects)
    for child in value:
        _learn(shape.items, child, below, depth + 1)


_KIND: Mapping[type, str] = {
    type(None): "null", bool: "boolean", int: "integer", float: "number", str: "string", list: "array", dict: "object",
}  # fmt: skip


def _add_format(shape: Shape, text: str) -> None:
    found = format_of(text) or TEXT
    if found == TEXT:
        shape.formats = frozenset({TEXT})
    elif found not in shape.formats:
        shape.formats |= {found}


def _add_value(shape: Shape, kind: str, value: Any) -> None:
    if kind in {"object", "array"} or (kind == "string" and len(value) > _LONGEST_VALUE):
        shape.open, shape.values = True, {}
        return
    text = canonical(value)
    shape.values[text] = shape.values.get(text, 0) + 1
    if len(shape.values) > MAX_VALUES:
        shape.open, shape.values = True, {}


def _collapse(shape: Shape) -> None:
    for child in shape.names.values():
        shape.members = child if shape.members is None else merge(shape.members, child)
    shape.names = {}


def merge(one: Shape, other: Shape) -> Shape:
    """Return the shape of everything both were learned from; neither is changed."""
    merged = Shape(
        _summed(one.types, other.types),
        one.whole + other.whole,
        one.formats if other.formats <= one.formats else _formats(one.formats | other.formats),
        _merged_names(one.names, other.names) if other.names else one.names.copy(),
        _either(one.members, other.members),
        _either(one.items, other.items),
        {},
        one.open or other.open,
    )
    if not merged.open:
        merged.values = _summed(one.values, other.values)
        if len(merged.values) > MAX_VALUES:
            merged.open, merged.values = True, {}
    if merged.names and (merged.members is not None or len(merged.names) > MAX_NAMES):
        _collapse(merged)
    return merged


def _summed(one: dict[str, int], other: Mapping[str, int]) -> dict[str, int]:
    summed = one.copy()
    for name, count in other.items():
        summed[name] = summed.get(name, 0) + count
    return summed


def _formats(found: frozenset[str]) -> frozenset[str]:
    return frozenset({TEXT}) if TEXT in found else found


def _either(one: Shape | None, other: Shape | None) -> Shape | None:
    if one is None or other is None:
        return other if one is None else one
    return merge(one, other)


def _merged_names(one: dict[str, Shape], other: Mapping[str, Shape]) -> dict[str, Shape]:
    merged = one.copy()
    for name, shape in other.items():
        known = merged.get(name)
        merged[name] = shape if known is None else merge(known, shape)
    return merged


def covers(known: Shape, new: Shape) -> bool:
    """Tell whether every place a shape speaks of is a place of the other as well."""
    if new.names:
        if known.members is not None:
            if not all(covers(known.members, shape) for shape in new.names.values()):
                return False
        elif not all(name in known.names and covers(known.names[name], shape) for name, shape in new.names.items()):
            return False
    return _has(known.members, new.members) and _has(known.items, new.items)


def _has(known: Shape | None, new: Shape | None) -> bool:
    return new is None or (known is not None and covers(known, new))
