"""How alike two members are by what they may hold, names aside: the evidence for a rename or a move."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, Self

if TYPE_CHECKING:
    from collections.abc import Callable

    from monitors.drift.normal import Node
    from monitors.drift.plain import Plain
    from monitors.drift.resolve import Parts

UNLIKE, PLAUSIBLE, STRONG = 0, 1, 2
"""How much two forms speak for one member under two names."""

_MAX_DEPTH = 3
_HALF = 0.5


class Likeness(Protocol):
    """What a rename looks at beside names."""

    @property
    def kind(self) -> str:
        """The JSON type, `number` for integers too; only members of one kind are compared."""

    @property
    def mark(self) -> str | None:
        """Text that is equal for forms so particular that equality alone speaks for a rename, else None."""

    def alike(self, other: Self) -> int:
        """Return `UNLIKE`, `PLAUSIBLE` or `STRONG`."""


@dataclass(frozen=True, slots=True)
class Form:
    """What a schema says of a member, in short."""

    kind: str
    formats: frozenset[str] = frozenset()
    allowed: frozenset[str] = frozenset()
    names: frozenset[str] = frozenset()
    items: Form | None = None

    @property
    def mark(self) -> str | None:
        """The allowed values or the member names, where there are several."""
        if self.items is not None:
            inner = self.items.mark
            return None if inner is None else f"[{inner}]"
        said = self.allowed or self.names
        return f"{self.kind} {sorted(said)}" if len(said) > 1 else None

    def alike(self, other: Form) -> int:
        """Return how much speaks for this being the other one under another name."""
        if "any" in (self.kind, other.kind):
            return PLAUSIBLE
        if self.kind != other.kind:
            return UNLIKE
        if self.kind == "array":
            return PLAUSIBLE if self.items is None or other.items is None else self.items.alike(other.items)
        if self.kind == "object":
            return overlap(self.names, other.names)
        return self._scalar(other)

    def _scalar(self, other: Form) -> int:
        if (self.formats and other.formats and self.formats != other.formats) or (self.formats and other.allowed):
            return UNLIKE
        return overlap(self.allowed, other.allowed)


def overlap(one: frozenset[str], other: frozenset[str]) -> int:
    """Compare names or allowed values; a side that lists none contradicts nothing."""
    if not one or not other:
        return PLAUSIBLE
    if len(one & other) < _HALF * len(one | other):
        return UNLIKE
    return STRONG if len(one & other) > 1 else PLAUSIBLE


def describe(node: Callable[[Parts], Node], parts: Parts, depth: int = 0) -> Form:
    """Return the form of a schema, null aside, looking a few levels of lists deep."""
    variants = node(parts).variants
    if len(variants) != 1:
        return Form("any" if not variants else _kind(frozenset(t for v in variants for t in v.types)))
    plain = variants[0]
    kind = _kind(plain.types)
    items = describe(node, plain.items, depth + 1) if kind == "array" and plain.items and depth < _MAX_DEPTH else None
    return Form(kind, plain.formats, frozenset(plain.enum or ()), _names(plain, kind), items)


def _kind(types: frozenset[str]) -> str:
    kinds = {"number" if name == "integer" else name for name in types}
    return kinds.pop() if len(kinds) == 1 else "any"


def _names(plain: Plain, kind: str) -> frozenset[str]:
    return frozenset(plain.properties) if kind == "object" else frozenset()
