"""Places in a document, written as JSONPath (RFC 9535) with `[*]` for every list index."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")
_SHOWN_CHARS = 120


class _Index:
    """The step that stands for every index of a list."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "EACH"


EACH = _Index()
"""A step of a path: every item of a list."""

Step = str | int | _Index


def location(path: Iterable[Step]) -> str:
    """Return the path as JSONPath, list indexes written as `[*]`, odd names quoted as RFC 9535 has it.

    A name longer than 120 characters is cut, since a hostile body chooses it.
    """
    return "$" + "".join(_step(step) for step in path)


def _step(step: Step) -> str:
    if not isinstance(step, str):
        return "[*]"
    if _PLAIN.match(step) and len(step) <= _SHOWN_CHARS:
        return f".{step}"
    name = step if len(step) <= _SHOWN_CHARS else step[:_SHOWN_CHARS] + "…"
    escaped = name.replace("\\", "\\\\").replace("'", "\\'")
    return "['" + "".join(c if c.isprintable() else f"\\u{ord(c):04x}" for c in escaped) + "']"


def indexes(path: Iterable[Step]) -> tuple[int, ...]:
    """Return the list indexes of a path, outermost first."""
    return tuple(step for step in path if isinstance(step, int))
