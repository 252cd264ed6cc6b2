"""Two schemas walked side by side: what a reader of the base meets in answers that keep the revision."""

from __future__ import annotations

from typing import TYPE_CHECKING

from monitors.drift import members, rest, unions
from monitors.drift.deltas import Delta, Deltas, Path
from monitors.drift.keywords import common, enum_changes, limit_changes, type_changes, words
from monitors.drift.normal import Node, Normaliser
from monitors.drift.plain import canonical
from monitors.drift.resolve import Parts, key, shortened

if TYPE_CHECKING:
    from collections.abc import Iterator

    from monitors.drift.plain import Plain

_MAX_DEPTH = 48
_MAX_STEPS = 400_000

_Pair = tuple[tuple[int, ...], tuple[int, ...]]


class Comparison:
    """Compares any number of pairs of schemas, each pair once; changes are relative to the pair.

    Recursive schemas: a pair met again inside itself is taken to be without changes there, since its changes are
    found where it was met first. A result that leans on such an assumption is not kept for other places.
    """

    __slots__ = ("_done", "_leaning", "_normal", "_open", "_steps")

    def __init__(self) -> None:
        """Start with nothing compared."""
        self._normal = Normaliser()
        self._done: dict[_Pair, Deltas] = {}
        self._open: dict[_Pair, int] = {}
        self._leaning: list[int] = []
        self._steps = 0

    def node(self, parts: Parts) -> Node:
        """Return the normal form of a schema of either side."""
        return self._normal.node(parts)

    def compare(self, base: Parts, revision: Parts) -> Deltas:
        """Return the changes from base to revision, relative to this place."""
        base, revision = shortened(base), shortened(revision)
        pair = (key(base), key(revision))
        if not base and not revision:
            return ()
        if pair in self._done:
            return self._done[pair]
        if pair in self._open:
            self._leaning[-1] = min(self._leaning[-1], self._open[pair])
            return ()
        if len(self._open) >= _MAX_DEPTH or self._steps >= _MAX_STEPS:
            return (_uncompared(),)
        self._steps += 1
        depth = len(self._open)
        self._open[pair] = depth
        self._leaning.append(depth)
        try:
            found = tuple(self._places(self.node(base), self.node(revision)))
            if (self.node(base).cut or self.node(revision).cut) and not _same_text(base, revision):
                found += (_uncompared(),)
        finally:
            del self._open[pair]
            leans = self._leaning.pop()
        if leans >= depth:
            self._done[pair] = found
        elif self._leaning:
            self._leaning[-1] = min(self._leaning[-1], leans)
        return found

    def under(self, base: Parts, revision: Parts, prefix: Path) -> Iterator[Delta]:
        """Yield the changes between two schemas as seen from the place that holds them."""
        for delta in self.compare(base, revision):
            yield delta.under(prefix)

    def equivalent(self, base: Parts, revision: Parts) -> bool:
        """Tell whether two schemas differ in nothing, in either direction."""
        return not self.compare(base, revision) and not self.compare(revision, base)

    def _places(self, base: Node, revision: Node) -> Iterator[Delta]:
        if not revision.variants and not revision.nullable:
            if base.variants or base.nullable:
                yield Delta("list-of-types-narrowed", (), "something", "nothing", "nothing is allowed here any more")
            return
        yield from _null_changes(base, revision)
        if base.discriminator != revision.discriminator:
            yield _discriminator(base.discriminator, revision.discriminator)
        if len(base.variants) == len(revision.variants) == 1:
            yield from self.plain(base.variants[0], revision.variants[0], union=base.union)
        elif base.variants and revision.variants:
            yield from unions.changes(self, base, revision)
        elif base.variants and base.nullable:
            yield Delta("list-of-types-narrowed", (), "a value or null", "null", "is always null now")
        elif base.variants or revision.variants:
            old, new = _words(base), _words(revision)
            yield Delta("type-changed", (), old, new, f"was {old}, now {new}")

    def plain(self, base: Plain, revision: Plain, *, union: bool = False) -> Iterator[Delta]:
        """Yield the changes between two single variants."""
        yield from type_changes(base, revision, union=union)
        shared = common(base.types, revision.types)
        if not shared:
            return
        yield from enum_changes(base, revision)
        yield from limit_changes(base, revision, shared)
        if "object" in shared:
            yield from members.changes(self, base, revision)
        if "array" in shared:
            yield from rest.list_changes(self, base, revision)
        yield from rest.changes(self, base, revision)


def _same_text(base: Parts, revision: Parts) -> bool:
    return [canonical(part.raw) for part in base] == [canonical(part.raw) for part in revision]


def _null_changes(base: Node, revision: Node) -> Iterator[Delta]:
    if revision.nullable and not base.nullable:
        old = _words(base)
        yield Delta("became-nullable", (), old, "null", f"was {old}, may now be null too")
    elif base.nullable and not revision.nullable:
        yield Delta("became-not-nullable", (), "null", None, "is no longer null")


def _words(node: Node) -> str:
    types = frozenset(name for plain in node.variants for name in plain.types)
    return words(types | {"null"} if node.nullable and not types else types)


def _discriminator(old: str | None, new: str | None) -> Delta:
    if old is None:
        return Delta("discriminator-added", (), None, new, f"variants are told apart by `{new}`")
    if new is None:
        return Delta("discriminator-removed", (), old, None, f"variants are no longer told apart by `{old}`")
    message = f"variants are told apart by `{new}`, no longer by `{old}`"
    return Delta("discriminator-property-name-changed", (), old, new, message)


def _uncompared() -> Delta:
    message = "the schemas are too deep or too tangled to compare from here on"
    return Delta("schema-not-compared", (), None, None, message)
