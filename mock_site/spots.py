"""Places of a document beside what the contract says of them; locations are JSONPath with `[*]` for every item."""

from __future__ import annotations

import enum
import re
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

import schemas
from mock_site.mistakes import MockUsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


class Each(enum.Enum):
    """The step of a pattern that stands for every index of a list."""

    EACH = "[*]"


EACH = Each.EACH

Step = str | int | Each
Path = tuple[Step, ...]

_STEP = re.compile(r"\.([A-Za-z_][A-Za-z0-9_]*)|\[(\*|\d{1,9})\]|\['((?:[^'\\]|\\.)*)'\]", re.DOTALL)
_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")


class _Absent:
    __slots__ = ()

    def __repr__(self) -> str:
        return "ABSENT"


ABSENT = _Absent()
"""The value of an optional member the contract names and the document lacks."""


@dataclass(frozen=True, slots=True)
class Spot:
    """One place: its concrete path, its value (or `ABSENT`), and what the contract promises there.

    `schema` is empty where the contract says nothing; `required` holds for members an object must have.
    """

    path: Path
    value: Any
    schema: Mapping[str, Any]
    required: bool
    status: int

    @property
    def types(self) -> frozenset[str]:
        """The JSON types promised; empty where nothing is."""
        promised = self.schema.get("type", ())
        return frozenset([promised] if isinstance(promised, str) else promised)

    @property
    def is_member(self) -> bool:
        """Whether this is a member of an object, one the contract knows."""
        return bool(self.path) and isinstance(self.path[-1], str) and bool(self.schema)

    @property
    def is_plain_text(self) -> bool:
        """Whether this is free text: no format, no list of values, and not the run's identity."""
        return (
            isinstance(self.value, str)
            and "string" in self.types
            and not {"format", "enum"} & self.schema.keys()
            and self.path != ("data", "id")
        )


def walk(document: Any, status: int = 200, pattern: Path | None = None) -> Iterator[Spot]:
    """Yield every spot of an answer's document with this status, parents first; or only those a pattern matches."""
    yield from _walk(Spot((), document, schemas.schema_for(status) or {}, required=False, status=status), pattern)


def _walk(spot: Spot, pattern: Path | None) -> Iterator[Spot]:
    depth = len(spot.path)
    if pattern is None or len(pattern) == depth:
        yield spot
    if pattern is not None and len(pattern) == depth:
        return
    wanted = None if pattern is None else pattern[depth]
    for child in _children(spot):
        if wanted is None or _matches(wanted, child.path[-1]):
            yield from _walk(child, pattern)


def _matches(wanted: Step, step: Step) -> bool:
    return wanted == step or (wanted is EACH and isinstance(step, int))


def _children(spot: Spot) -> Iterator[Spot]:
    value, schema = spot.value, spot.schema
    if isinstance(value, dict):
        named: Mapping[str, Any] = schema.get("properties", {})
        required = schema.get("required", ())
        for name, member in value.items():
            yield Spot((*spot.path, name), member, named.get(name, {}), name in required, spot.status)
        for name in named:
            if name not in value:
                yield Spot((*spot.path, name), ABSENT, named[name], name in required, spot.status)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield Spot((*spot.path, index), item, schema.get("items", {}), required=False, status=spot.status)


def generalised(path: Path) -> Path:
    """Return the path with every index replaced by `EACH`."""
    return tuple(EACH if isinstance(step, int) else step for step in path)


def location(path: Path) -> str:
    """Write a path or pattern as JSONPath (RFC 9535)."""
    return "$" + "".join(_written(step) for step in path)


def _written(step: Step) -> str:
    if isinstance(step, int):
        return f"[{step}]"
    if step is EACH:
        return "[*]"
    if _PLAIN.match(step):
        return f".{step}"
    return "['" + step.replace("\\", "\\\\").replace("'", "\\'") + "']"


def parse_location(text: str) -> Path:
    """Read a location as `location` writes it; raises `MockUsageError`."""
    steps: list[Step] = []
    position = 1
    while text.startswith("$") and position < len(text):
        match = _STEP.match(text, position)
        if match is None:
            break
        steps.append(_step(match))
        position = match.end()
    if not text.startswith("$") or position < len(text):
        message = f"{text!r} is no location; write one like $.data.attributes.metric_summaries[*].mean"
        raise MockUsageError(message)
    return tuple(steps)


def _step(match: re.Match[str]) -> Step:
    plain, index, quoted = match.groups()
    if plain is not None:
        return str(plain)
    if index is not None:
        return EACH if index == "*" else int(index)
    return re.sub(r"\\(.)", r"\1", quoted, flags=re.DOTALL)


@cache
def contract_locations() -> tuple[str, ...]:
    """Return every location the contract names, of a run first and of errors after it."""
    found: dict[str, None] = {}
    for status in (200, 400, 429):
        for path in _schema_paths(schemas.schema_for(status) or {}, ()):
            found.setdefault(location(path))
    return tuple(found)


def _schema_paths(schema: Mapping[str, Any], path: Path) -> Iterator[Path]:
    yield path
    for name, child in schema.get("properties", {}).items():
        yield from _schema_paths(child, (*path, name))
    if "items" in schema:
        yield from _schema_paths(schema["items"], (*path, EACH))
