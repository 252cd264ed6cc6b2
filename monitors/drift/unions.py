"""Unions compared: variants paired, variants that came or went, a value wrapped in a union or taken out of one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from monitors.drift.deltas import Delta, Deltas, worst
from monitors.drift.keywords import covers, words
from monitors.drift.names import spelled
from monitors.model import Level

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from monitors.drift.comparison import Comparison
    from monitors.drift.normal import Node
    from monitors.drift.plain import Plain
    from monitors.drift.resolve import Parts

_HALF = 0.5
_LACKS = frozenset({"optional-property-removed", "required-property-removed"})


class HasNode(Protocol):
    """What knows the normal form of schemas."""

    def node(self, parts: Parts) -> Node:
        """Return the normal form of schemas that all hold at one place."""


def changes(walk: Comparison, base: Node, revision: Node) -> Iterator[Delta]:
    """Yield the changes where at least one side has several variants."""
    if len(base.variants) == 1 and not base.union:
        yield from _wrapped(walk, base.variants[0], revision)
    elif len(revision.variants) == 1 and not revision.union:
        yield from _flattened(walk, base, revision.variants[0])
    else:
        yield from _variants(walk, base, revision)


def _plain(walk: Comparison, base: Plain, revision: Plain) -> Deltas:
    return tuple(walk.plain(base, revision))


def _wrapped(walk: Comparison, base: Plain, revision: Node) -> Iterator[Delta]:
    """One form became several: harmless where a reader of the one form reads each of them."""
    found = [_plain(walk, base, variant) for variant in revision.variants]
    if max(map(worst, found)) < Level.BREAKING and not any(
        delta.what in _LACKS for deltas in found for delta in deltas
    ):
        yield from dict.fromkeys(delta for deltas in found for delta in deltas)
        return
    types = frozenset(name for variant in revision.variants for name in variant.types)
    added = frozenset(name for name in types if not covers(base.types, name))
    if added:
        message = f"was {words(base.types)}, may now be {words(added)} too"
        yield Delta("list-of-types-widened", (), words(base.types), words(types), message)
        return
    message = f"one form became {len(revision.variants)}, which a reader of the one form does not all understand"
    yield Delta("wrapped-in-one-of", (), words(base.types), f"{len(revision.variants)} variants", message)


def _flattened(walk: Comparison, base: Node, revision: Plain) -> Iterator[Delta]:
    """Several forms became one: harmless where it is one of them, and has nothing of the others."""
    gone = f"{len(base.variants)} variants"
    found = [(_plain(walk, variant, revision), variant) for variant in base.variants]
    best, closest = min(found, key=lambda pair: (worst(pair[0]), len(pair[0])))
    tags = tag_names(walk, base.variants)
    same_tag = any(_tag(walk, variant, tags) & _tag(walk, revision, tags) for variant in base.variants)
    of_others = {name for variant in base.variants for name in variant.properties} - closest.properties.keys()
    mixed = of_others & revision.properties.keys()
    if same_tag or (worst(best) < Level.WARNING and not mixed):
        yield Delta("one-of-removed", (), gone, "1 variant", f"only one of {gone} is left")
        yield from best
    elif all(any(delta.what == "type-changed" and not delta.path for delta in deltas) for deltas, _ in found):
        yield from best
    else:
        message = f"{gone} became one form that mixes them: what told them apart is gone"
        yield Delta("one-of-flattened", (), gone, "1 variant", message)


def _variants(walk: Comparison, base: Node, revision: Node) -> Iterator[Delta]:
    pairing = _Pairing(walk, base, revision)
    for deltas in pairing.run():
        yield from deltas
    for variant in pairing.new:
        if pairing.tags or not _read_by(walk, base.variants, variant):
            name = _name(walk, variant, pairing.tags or tag_names(walk, revision.variants))
            message = f"a new variant may come: {name}"
            yield Delta("variant-added", (), f"{len(base.variants)} variants", name, message)
    for variant in pairing.old:
        name = _name(walk, variant, pairing.tags or tag_names(walk, base.variants))
        yield Delta("one-of-removed", (), name, None, f"a variant no longer comes: {name}")


def _read_by(walk: Comparison, readers: Iterable[Plain], variant: Plain) -> bool:
    """Tell whether a variant is a narrower form of a known one: it harms no reader and brings no further member."""
    return any(
        variant.properties.keys() <= known.properties.keys() and worst(_plain(walk, known, variant)) < Level.WARNING
        for known in readers
    )


def tag_names(walk: HasNode, variants: Iterable[Plain]) -> frozenset[str]:
    """Return the members that tell object variants apart: each lists them with allowed values no other one has."""
    objects = [variant for variant in variants if "object" in variant.types]
    if not objects:
        return frozenset()
    names = set.intersection(*(set(variant.properties) for variant in objects))
    return frozenset(name for name in names if _apart([tag_values(walk, variant, name) for variant in objects]))


def _apart(sets: list[frozenset[str]]) -> bool:
    return all(sets) and sum(map(len, sets)) == len(frozenset().union(*sets))


def tag_values(walk: HasNode, variant: Plain, name: str) -> frozenset[str]:
    """Return the values a variant allows for a member, as canonical JSON; none where it allows any."""
    found: set[str] = set()
    for plain in walk.node(variant.properties.get(name, ())).variants:
        if plain.enum is None:
            return frozenset()
        found.update(plain.enum)
    return frozenset(found)


def _tag(walk: Comparison, variant: Plain, tags: Iterable[str]) -> frozenset[tuple[str, str]]:
    return frozenset((name, value) for name in tags for value in tag_values(walk, variant, name))


def _name(walk: Comparison, variant: Plain, tags: Iterable[str]) -> str:
    """Return a variant in a few words: by its tag, else by its members, else by its type."""
    tag = sorted(_tag(walk, variant, tags))
    if tag:
        return f"{tag[0][0]} {tag[0][1]}"
    if "object" in variant.types and variant.properties:
        return f"object with {', '.join(sorted(variant.required or variant.properties)[:4])}"
    return words(variant.types)


class _Pairing:
    """Pairs the variants of two unions, the surest pairs first."""

    def __init__(self, walk: Comparison, base: Node, revision: Node) -> None:
        self.walk = walk
        self.old, self.new = list(base.variants), list(revision.variants)
        self.tags = tag_names(walk, base.variants) & tag_names(walk, revision.variants)
        self.found: list[Deltas] = []

    def run(self) -> list[Deltas]:
        """Return the changes of each pair; what stays unpaired is left in `old` and `new`."""
        self._take(self._same_tag)
        self._take(self._unchanged)
        self._take(self._respelled_tag)
        self._take(self._alike)
        return self.found

    def _take(self, fits: Callable[[Plain, Plain], Deltas | None]) -> None:
        for variant in list(self.new):
            for known in self.old:
                deltas = fits(known, variant)
                if deltas is not None:
                    self.found.append(deltas)
                    self.old.remove(known)
                    self.new.remove(variant)
                    break

    def _same_tag(self, known: Plain, variant: Plain) -> Deltas | None:
        shared = _tag(self.walk, known, self.tags) & _tag(self.walk, variant, self.tags)
        return _plain(self.walk, known, variant) if shared else None

    def _unchanged(self, known: Plain, variant: Plain) -> Deltas | None:
        return None if _plain(self.walk, known, variant) else ()

    def _respelled_tag(self, known: Plain, variant: Plain) -> Deltas | None:
        mine = {spelled(value) for _, value in _tag(self.walk, known, self.tags)}
        other = {spelled(value) for _, value in _tag(self.walk, variant, self.tags)}
        return _plain(self.walk, known, variant) if mine & other else None

    def _alike(self, known: Plain, variant: Plain) -> Deltas | None:
        """Pair variants of one type that share most members; a tag that differs tells them apart instead."""
        if known.types != variant.types or (self.tags and "object" in known.types):
            return None
        mine, other = set(known.properties), set(variant.properties)
        if mine | other and len(mine & other) < _HALF * len(mine | other):
            return None
        return _plain(self.walk, known, variant)
