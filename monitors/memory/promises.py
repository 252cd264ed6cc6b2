"""What the contract promises at each place of the answer to a check, flattened for quick look-ups."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

import schemas
from monitors.checks import CHECKS
from monitors.drift.plain import canonical
from monitors.location import EACH, Step, location

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


@dataclass(frozen=True, slots=True)
class Promise:
    """The types (`number` covers integers), the format of text and the listed values at one place; None for any.

    `free` tells that the contract leaves it open what members an object has.
    """

    types: frozenset[str]
    format: str | None = None
    values: frozenset[str] | None = None
    free: bool = False


@cache
def promises(check: str) -> Mapping[str, Promise]:
    """Return what the contract promises in the answers a check must get, by location with `[*]` for list indexes."""
    found: dict[str, Promise] = {}
    for status in CHECKS[check].expected:
        for path, schema in _places(schemas.schema_for(status) or {}, ()):
            place, promise = location(path), _promise(schema)
            found[place] = _either(found[place], promise) if place in found else promise
    return found


@cache
def enumerated(check: str) -> frozenset[str]:
    """Return the places whose values the contract lists."""
    return frozenset(place for place, promise in promises(check).items() if promise.values is not None)


def _places(schema: Mapping[str, Any], path: tuple[Step, ...]) -> Iterator[tuple[tuple[Step, ...], Mapping[str, Any]]]:
    if "type" in schema:
        yield path, schema
    for variant in schema.get("anyOf", ()):
        yield from _places(variant, path)
    for name, child in schema.get("properties", {}).items():
        yield from _places(child, (*path, name))
    if "items" in schema:
        yield from _places(schema["items"], (*path, EACH))


def _promise(schema: Mapping[str, Any]) -> Promise:
    declared = schema["type"]
    types = frozenset([declared] if isinstance(declared, str) else declared)
    listed = schema.get("enum")
    format_ = schema.get("format") if "string" in types else None
    values = None if listed is None else frozenset(map(canonical, listed))
    return Promise(types, format_, values, free="object" in types and "properties" not in schema)


def _either(one: Promise, other: Promise) -> Promise:
    """Return what holds where either of two forms may come."""
    values = None if one.values is None or other.values is None else one.values | other.values
    format_ = one.format if one.format == other.format else None
    return Promise(one.types | other.types, format_, values, one.free or other.free)
