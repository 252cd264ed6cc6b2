"""What a comparison finds while it walks: changes at places relative to where it started."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from functools import cache
from typing import TYPE_CHECKING, Any

from monitors.location import EACH, Step, indexes, location
from monitors.model import JSON, Change, Level
from monitors.rules import RULES, rule_id

if TYPE_CHECKING:
    from collections.abc import Iterable

_SHOWN_CHARS = 80
_SHOWN_VALUES = 12


class _Named:
    """The step that stands for every member of a map."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "MEMBERS"


MEMBERS: Any = _Named()
"""A step of a path: every member of an object whose names are data."""

Path = tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Delta:
    """One change at a path relative to where the comparison started; `held` is what a member lost or gained holds."""

    what: str
    path: Path
    base: JSON
    revision: JSON
    message: str
    held: Any = field(default=None, compare=False)

    def under(self, prefix: Path) -> Delta:
        """Return the same change seen from further up."""
        return replace(self, path=prefix + self.path) if prefix else self

    def change(self) -> Change:
        """Return the change as the rest of the harness knows it."""
        return Change(self.what, place(self.path), self.base, self.revision, self.message)

    @property
    def level(self) -> Level:
        """How bad the table of rules says the change is."""
        return level_of(self.what, root=not self.path)


Deltas = tuple[Delta, ...]


@cache
def level_of(what: str, *, root: bool = False) -> Level:
    """Return the level of a kind of change; at the root of a body it may have a rule of its own."""
    return RULES[rule_id(Change(what, "$" if root else "$.x", None, None, ""))].level


def worst(deltas: Iterable[Delta]) -> int:
    """Return the worst level among changes, 0 where there are none."""
    return max((delta.level for delta in deltas), default=0)


def place(path: Path) -> str:
    """Return a path as JSONPath, `[*]` for every item and `.*` for every member of a map."""
    written, waiting = "$", list[Step]()
    for step in path:
        if step is MEMBERS:
            written += location(waiting)[1:] + ".*"
            waiting = []
        else:
            waiting.append(step)
    return written + location(waiting)[1:]


def gathered(deltas: Iterable[Delta]) -> list[Change]:
    """Return changes in which places that differ only by list index are one, saying how many and which is the first."""
    groups: dict[tuple[str, str, str], list[Delta]] = {}
    for delta in deltas:
        detail = json.dumps(delta.revision, default=str) if delta.what.startswith("enum-value") else ""
        groups.setdefault((delta.what, place(delta.path), detail), []).append(delta)
    return [_one(members) for members in groups.values()]


def _one(members: list[Delta]) -> Change:
    change, count = members[0].change(), len({delta.path for delta in members})
    at = indexes(members[0].path)
    if not at:
        return change
    first = "".join(f"[{index}]" for index in at)
    where = f"at {first}" if count == 1 else f"{count} times, first at {first}"
    return replace(change, message=f"{change.message} ({where})", count=count)


def each(path: Path) -> Path:
    """Return a path with every list index as `EACH`."""
    return tuple(EACH if isinstance(step, int) else step for step in path)


def brief(value: Any) -> JSON:
    """Return a small JSON value for a report: long text and long lists are cut."""
    if isinstance(value, str):
        safe = value.encode("utf-8", "replace").decode()
        return safe if len(safe) <= _SHOWN_CHARS else safe[: _SHOWN_CHARS - 1] + "…"
    if isinstance(value, list | dict):
        text = json.dumps(value, sort_keys=True, default=str)
        return text if len(text) <= _SHOWN_CHARS else text[: _SHOWN_CHARS - 1] + "…"
    return value if value is None or isinstance(value, bool | int | float) else str(value)


def values(allowed: Iterable[Any]) -> str:
    """Return allowed values in a few words."""
    shown = [quoted(value) for value in allowed]
    more = f" and {len(shown) - _SHOWN_VALUES} more" if len(shown) > _SHOWN_VALUES else ""
    return ", ".join(shown[:_SHOWN_VALUES]) + more


def quoted(value: Any) -> str:
    """Return one value as it stands in a message."""
    small = brief(value)
    return f"`{small}`" if isinstance(small, str) else json.dumps(small)
