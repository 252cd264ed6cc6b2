"""One variant of a place as a flat record, and the small questions asked of JSON values and records."""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from monitors.drift.resolve import Parts

EVERY_TYPE = frozenset({"null", "boolean", "integer", "number", "string", "array", "object"})
Bound = tuple[float, bool]
"""A limit of a number, and whether the limit itself is excluded."""


@dataclass(frozen=True, slots=True)
class Plain:
    """One variant of a place as a flat record; a field at its default restricts nothing.

    `integer` stands in `types` only where `number` does not. `enum` maps each allowed value but null, as canonical
    JSON, to itself. `constant` tells that the single value was written as `const`.
    """

    types: frozenset[str] = EVERY_TYPE - {"integer"}
    enum: Mapping[str, Any] | None = None
    constant: bool = False
    formats: frozenset[str] = frozenset()
    upper: Bound | None = None
    lower: Bound | None = None
    multiples: frozenset[float] = frozenset()
    sizes: Mapping[str, float] = field(default_factory=dict)
    patterns: frozenset[str] = frozenset()
    unique: bool = False
    properties: Mapping[str, Parts] = field(default_factory=dict)
    required: frozenset[str] = frozenset()
    pattern_properties: Mapping[str, Parts] = field(default_factory=dict)
    additional: Parts = ()
    prefix: tuple[Parts, ...] = ()
    items: Parts = ()
    single: Mapping[str, Parts] = field(default_factory=dict)
    dependent_required: Mapping[str, frozenset[str]] = field(default_factory=dict)
    dependent_schemas: Mapping[str, Parts] = field(default_factory=dict)
    conditions: tuple[Mapping[str, Parts], ...] = ()
    nots: tuple[Parts, ...] = ()
    content: Mapping[str, str] = field(default_factory=dict)
    discriminator: str | None = None
    notes: Mapping[str, Any] = field(default_factory=dict)

    @property
    def bare(self) -> bool:
        """Tell whether nothing is said but the type."""
        return self._said() == _BARE

    @property
    def anything(self) -> bool:
        """Tell whether every value but null is allowed."""
        return self.bare and len(self.types - {"null"}) == len(EVERY_TYPE) - 2

    def _said(self) -> tuple[Any, ...]:
        return (
            self.enum, self.formats, self.upper, self.lower, self.multiples, dict(self.sizes), self.patterns,
            self.unique, dict(self.properties), self.required, dict(self.pattern_properties), self.additional,
            self.prefix, self.items, dict(self.single), dict(self.dependent_required), dict(self.dependent_schemas),
            self.conditions, self.nots, dict(self.content),
        )  # fmt: skip

    def member(self, name: str) -> Parts:
        """Return what a member not among `properties` must keep: the patterns it matches, else `additional`."""
        matched = [parts for pattern, parts in self.pattern_properties.items() if matches(pattern, name)]
        return tuple(part for parts in matched for part in parts) if matched else self.additional

    def item(self, index: int) -> Parts:
        """Return what the item at an index must keep."""
        return self.prefix[index] if index < len(self.prefix) else self.items


_BARE = Plain()._said()  # noqa: SLF001  # of this very class


_EXACT = 2**53
"""Up to here a double is the whole number it seems to be."""


def canonical(value: Any) -> str:
    """Return JSON in which equal values have equal text: 1 and 1.0 are equal, member order does not matter."""
    return json.dumps(_plain_numbers(value), sort_keys=True, default=str)


def _plain_numbers(value: Any) -> Any:
    if isinstance(value, float) and abs(value) < _EXACT and value.is_integer():
        return int(value)
    if isinstance(value, list):
        return [_plain_numbers(child) for child in value]
    if isinstance(value, dict):
        return {str(name): _plain_numbers(child) for name, child in value.items()}
    return value


def double(number: float) -> float:
    """Return the double that stands for a number; infinite for an integer beyond the largest one, never raising."""
    try:
        return float(number)
    except OverflowError:
        return math.inf if number > 0 else -math.inf


@cache
def _compiled(pattern: str) -> re.Pattern[str] | None:
    try:
        return re.compile(pattern)
    except (re.error, OverflowError, RecursionError):
        return None


def matches(pattern: str, text: str) -> bool:
    """Tell whether a text matches a pattern; one that Python cannot read matches nothing."""
    compiled = _compiled(pattern)
    return compiled is not None and compiled.search(text) is not None


def type_name(value: Any) -> str:
    """Return the JSON type of a value as schemas name it, `integer` for any whole number."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int) or (isinstance(value, float) and value.is_integer()):
        return "integer"
    if isinstance(value, float):
        return "number"
    if isinstance(value, str):
        return "string"
    return "array" if isinstance(value, list) else "object"
