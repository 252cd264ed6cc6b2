"""Locations as reports have them, taken apart again, and followed through bodies and schemas."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from monitors.acceptance.jsontext import value_at
from monitors.location import EACH, Step

if TYPE_CHECKING:
    from collections.abc import Iterator

    from monitors.acceptance.jsontext import Pointer

_STEP = re.compile(r"\.([A-Za-z_][A-Za-z0-9_]*)|\[\*\]|\['((?:[^'\\]|\\.)*)'\]", re.DOTALL)
_ESCAPE = re.compile(r"\\(u[0-9a-f]{4}|.)", re.DOTALL)
_DEEPEST = 100
Path = tuple[Step, ...]


def steps(location: str) -> Path:
    """Return the steps of a location, `EACH` for `[*]`; raises `ValueError` where it is none, or was cut short."""
    if not location.startswith("$"):
        message = f"{location!r} is no location"
        raise ValueError(message)
    found: list[Step] = []
    at = 1
    while at < len(location):
        match = _STEP.match(location, at)
        if match is None:
            message = f"{location!r} is no location"
            raise ValueError(message)
        at = match.end()
        name = match[1] if match[1] is not None else match[2]
        found.append(EACH if name is None else _ESCAPE.sub(_unescaped, name))
    if any(isinstance(step, str) and step.endswith("…") for step in found):
        message = "a name in it is too long to be written out"
        raise ValueError(message)
    return tuple(found)


def _unescaped(match: re.Match[str]) -> str:
    return chr(int(match[1][1:], 16)) if match[1].startswith("u") and len(match[1]) > 1 else match[1]


def values(body: Any, path: Path) -> Iterator[Any]:
    """Yield every value at the path, one for each item of a list."""
    for holder, step in holders({"": body}, path):
        if isinstance(holder, list) or step in holder:
            yield holder[step]


def holders(root: dict[str, Any], path: Path) -> Iterator[tuple[Any, Any]]:
    """Yield what holds each value at the path, with its name or index there; a member's name even if it is absent.

    `root` holds the body under an empty name.
    """
    places: list[tuple[Any, Any]] = [(root, "")]
    for step in path:
        places = [inner for holder, key in places for inner in _inside(holder, key, step)]
    yield from places


def _inside(holder: Any, key: Any, step: Step) -> Iterator[tuple[Any, Any]]:
    if isinstance(holder, dict) and key not in holder:
        return
    value = holder[key]
    if isinstance(step, str):
        if isinstance(value, dict):
            yield value, step
    elif isinstance(value, list):
        yield from ((value, index) for index in range(len(value)))


def schema_pointers(schema: Any, path: Path) -> list[Pointer]:
    """Return where a schema describes what stands at the path: each branch of a union that does.

    References within the document are followed; the pointer leads to what they lead to.
    """
    found: list[Pointer] = _branches(schema, ())
    for step in path:
        keyword: Pointer = ("properties", step) if isinstance(step, str) else ("items",)
        below = [(*pointer, *keyword) for pointer in found if _has(schema, (*pointer, *keyword))]
        found = [branch for pointer in below for branch in _branches(schema, pointer)]
    return list(dict.fromkeys(found))


def _branches(schema: Any, pointer: Pointer, depth: int = 0) -> list[Pointer]:
    node = value_at(schema, pointer)
    if depth > _DEEPEST or not isinstance(node, dict):
        return []
    reference = node.get("$ref")
    if isinstance(reference, str) and reference.startswith("#/"):
        target = tuple(part.replace("~1", "/").replace("~0", "~") for part in reference[2:].split("/"))
        return _branches(schema, target, depth + 1) if _has(schema, target) else []
    found: list[Pointer] = [pointer]
    for keyword in ("anyOf", "oneOf", "allOf"):
        listed = node.get(keyword)
        for index in range(len(listed) if isinstance(listed, list) else 0):
            found += _branches(schema, (*pointer, keyword, index), depth + 1)
    return found


def _has(schema: Any, pointer: Pointer) -> bool:
    try:
        value_at(schema, pointer)
    except (LookupError, TypeError):
        return False
    return True
