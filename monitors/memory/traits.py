"""What one body shows, as traits: at a place, a type, its format or its listed value."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from monitors.drift.shape import TEXT
from monitors.location import EACH, Step, location
from monitors.memory.promises import promises

if TYPE_CHECKING:
    from collections.abc import Iterator

    from monitors.drift.shape import Shape
    from monitors.memory.promises import Promise

MACHINE_TEXT = frozenset({"$.data.attributes.owner_id"})
"""Text the contract gives no format, but no person writes: its form tells something. Other free text is people's."""

ANY_NAME = ".*"
"""The step that stands for members whose names are data."""

_STEPS = re.compile(r"\.\*|\.[A-Za-z_][A-Za-z0-9_]*|\[\*\]|\['(?:[^'\\]|\\.)*'\]")


class Trait(NamedTuple):
    """One thing seen at one place; `format` and `value` (canonical JSON) are empty where they say nothing."""

    location: str
    type: str
    format: str = ""
    value: str = ""

    @property
    def form(self) -> str:
        """The trait in words, without its place."""
        if self.value:
            return self.value
        return f"{self.type} ({self.format})" if self.format else self.type


def parent_of(place: str) -> str:
    """Return the location one step up; the root is its own parent."""
    return "$" + "".join(_STEPS.findall(place)[:-1])


def is_named(check: str, place: str) -> bool:
    """Tell whether the contract names the place."""
    return place in promises(check)


def is_left_open(check: str, place: str) -> bool:
    """Tell whether the place is somewhere inside an object of which the contract leaves open what it holds."""
    while place != "$":
        place = parent_of(place)
        promise = promises(check).get(place)
        if promise is not None:
            return promise.free
    return False


def is_documented(check: str, trait: Trait) -> bool:
    """Tell whether the contract allows the trait where it was seen."""
    promise = promises(check).get(trait.location)
    if promise is None:
        return is_left_open(check, trait.location)
    if trait.type not in promise.types:
        return False
    if promise.values is not None:
        return trait.value in promise.values
    return trait.type != "string" or promise.format is None or trait.format == promise.format


def traits(shape: Shape, check: str) -> frozenset[Trait]:
    """Return what the shape of one answer to a check shows."""
    return frozenset(_traits(shape, (), "", check))


def _traits(shape: Shape, path: tuple[Step, ...], below_any: str, check: str) -> Iterator[Trait]:
    place = below_any + location(path)[1:] if below_any else location(path)
    promise = promises(check).get(place)
    for name, count in shape.types.items():
        if count:
            yield from _of_type(shape, place, name, promise)
    for name, child in shape.names.items():
        yield from _traits(child, (*path, name), below_any, check)
    if shape.members is not None:
        yield from _traits(shape.members, (), place + ANY_NAME, check)
    if shape.items is not None:
        yield from _traits(shape.items, (*path, EACH), below_any, check)


def _of_type(shape: Shape, place: str, name: str, promise: Promise | None) -> Iterator[Trait]:
    # Whether a double happens to be whole is chance, not form.
    kind = "number" if name == "integer" and promise is not None and "number" in promise.types else name
    if promise is not None and promise.values is not None and shape.values and kind not in {"object", "array"}:
        yield from (Trait(place, kind, "", value) for value in shape.values)
        return
    telling = promise is None or promise.format is not None or place in MACHINE_TEXT
    formats = shape.formats if kind == "string" and telling else frozenset({TEXT})
    yield from (Trait(place, kind, "" if found == TEXT else found) for found in formats)
