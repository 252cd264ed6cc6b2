"""JSON text edited in place: only what changes is written anew, everything else keeps its place and form."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from json.decoder import scanstring  # type: ignore[attr-defined]  # not in the stubs; reads one string and says where it ends
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from monitors.model import JSON

Pointer = tuple[str | int, ...]
"""Names of members and indexes of items, from the root."""

_SPACE = " \t\r\n"
_DECODER = json.JSONDecoder()


@dataclass(slots=True)
class Node:
    """One value in a text: where it starts and ends, and where each of its entries does (a member with its name)."""

    start: int
    end: int = 0
    names: list[str] = field(default_factory=list)
    values: list[Node] = field(default_factory=list)
    starts: list[int] = field(default_factory=list)

    def child(self, step: str | int) -> Node:
        """Return the value of a member or an item; raises `LookupError`."""
        if isinstance(step, int):
            return self.values[step]
        if step not in self.names:
            raise KeyError(step)
        return self.values[self.names.index(step)]


def parse(text: str) -> Node:
    """Return the places of everything in a JSON text; raises `ValueError` for any other text."""
    json.loads(text)
    return _value(text, _skip(text, 0))


def _skip(text: str, at: int) -> int:
    while text[at] in _SPACE:
        at += 1
    return at


def _value(text: str, at: int) -> Node:
    node = Node(at)
    if text[at] not in "{[":
        node.end = _DECODER.raw_decode(text, at)[1]
        return node
    named, closing = text[at] == "{", {"{": "}", "[": "]"}[text[at]]
    at = _skip(text, at + 1)
    while text[at] != closing:
        node.starts.append(at)
        if named:
            name, at = scanstring(text, at + 1)
            node.names.append(name)
            at = _skip(text, _skip(text, at) + 1)
        child = _value(text, at)
        node.values.append(child)
        at = _skip(text, child.end)
        if text[at] == ",":
            at = _skip(text, at + 1)
    node.end = at + 1
    return node


def find(text: str, pointer: Pointer) -> Node:
    """Return the value a pointer leads to; raises `LookupError` where it leads nowhere."""
    node = parse(text)
    for step in pointer:
        node = node.child(step)
    return node


def replaced(text: str, pointer: Pointer, value: JSON) -> str:
    """Return the text with another value there."""
    node = find(text, pointer)
    return text[: node.start] + _written(value, _indent(text, node.start), _unit(text)) + text[node.end :]


def with_member(text: str, pointer: Pointer, name: str, value: JSON, *, after: Sequence[str] = ()) -> str:
    """Return the text with one more member in the object there.

    It follows the last of `after` that is there; without any, it takes its place in the alphabet if the members have
    theirs, and the last place if not.
    """
    node = find(text, pointer)
    at = max((node.names.index(known) + 1 for known in after if known in node.names), default=-1)
    if at < 0:
        ordered = node.names == sorted(node.names)
        at = sum(known < name for known in node.names) if ordered else len(node.names)
    return _inserted(text, node, at, f"{json.dumps(name, ensure_ascii=False)}: ", value)


def with_item(text: str, pointer: Pointer, value: JSON) -> str:
    """Return the text with one more item at the end of the list there."""
    node = find(text, pointer)
    return _inserted(text, node, len(node.values), "", value)


def without(text: str, pointer: Pointer) -> str:
    """Return the text without the member or item there."""
    node = find(text, pointer[:-1])
    step = pointer[-1]
    at = step if isinstance(step, int) else node.names.index(step)
    if len(node.values) == 1:
        return text[: node.start + 1] + text[node.end - 1 :]
    if at + 1 < len(node.values):
        return text[: node.starts[at]] + text[node.starts[at + 1] :]
    return text[: node.values[at - 1].end] + text[node.values[at].end :]


def renamed(text: str, pointer: Pointer, name: str) -> str:
    """Return the text with another name for the member there."""
    node = find(text, pointer[:-1])
    at = node.names.index(str(pointer[-1]))
    end = scanstring(text, node.starts[at] + 1)[1]
    return text[: node.starts[at]] + json.dumps(name, ensure_ascii=False) + text[end:]


def _inserted(text: str, node: Node, at: int, head: str, value: JSON) -> str:
    unit = _unit(text)
    if not node.values:
        outer = _indent(text, node.start)
        inner = outer + unit
        written = f"\n{inner}{head}{_written(value, inner, unit)}\n{outer}"
        return text[: node.start + 1] + written + text[node.end - 1 :]
    first = node.starts[0]
    own_line = not text[node.start + 1 : first].strip(" \t\r\n") and "\n" in text[node.start + 1 : first]
    indent = _indent(text, first)
    gap = f"\n{indent}" if own_line else " "
    written = head + (_written(value, indent, unit) if own_line else json.dumps(value, ensure_ascii=False))
    if at < len(node.values):
        return f"{text[: node.starts[at]]}{written},{gap}{text[node.starts[at] :]}"
    end = node.values[-1].end
    return f"{text[:end]},{gap}{written}{text[end:]}"


def _indent(text: str, at: int) -> str:
    line = text[text.rfind("\n", 0, at) + 1 :]
    return line[: len(line) - len(line.lstrip(" \t"))]


def _unit(text: str) -> str:
    """Return what one level is indented by: what stands before the first member of the whole."""
    second = text.split("\n", 2)[1:2]
    return (_indent(second[0], 0) if second else "") or "  "


def _written(value: JSON, indent: str, unit: str) -> str:
    lines = json.dumps(value, indent=unit, ensure_ascii=False).split("\n")
    return f"\n{indent}".join(lines)


def value_at(document: Any, pointer: Pointer) -> Any:
    """Return the value a pointer leads to in a parsed document; raises `LookupError`."""
    for step in pointer:
        document = document[step]
    return document
