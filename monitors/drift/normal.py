"""The normal form of a schema: references followed, `allOf` merged, unions spread out, one level at a time."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import product
from typing import TYPE_CHECKING

from monitors.drift.folding import fold
from monitors.drift.resolve import Part, Parts, flatten, key

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from monitors.drift.plain import Plain

_MAX_VARIANTS = 64
_MAX_NESTING = 16


@dataclass(frozen=True, slots=True)
class Node:
    """What one place may hold: null or not, and one or more variants; none at all where nothing is allowed.

    No variant has `null` among its types. `union` tells that the schema says `oneOf` or `anyOf` and means more than
    "or null": who reads it must look which variant came.
    """

    variants: tuple[Plain, ...]
    nullable: bool
    union: bool
    discriminator: str | None = None

    @property
    def anything(self) -> bool:
        """Tell whether the schema allows every value there is."""
        return self.nullable and len(self.variants) == 1 and self.variants[0].anything


class Normaliser:
    """Makes normal forms and keeps those it made; the documents must outlive it."""

    __slots__ = ("_made",)

    def __init__(self) -> None:
        """Start with nothing made."""
        self._made: dict[tuple[int, ...], tuple[Parts, Node]] = {}

    def node(self, parts: Parts) -> Node:
        """Return the normal form of schemas that all hold at one place."""
        place = key(parts)
        if place not in self._made:
            self._made[place] = (parts, _normalise(parts))
        return self._made[place][1]

    def never(self, parts: Parts) -> bool:
        """Tell whether no value at all is allowed."""
        node = self.node(parts)
        return not node.variants and not node.nullable


def _normalise(parts: Parts) -> Node:
    spread = list(_spread(parts, 0))
    folded = [plain for flat, _ in spread if (plain := fold(flat)).types]
    nullable = allows_null(parts)
    solid = [_without_null(plain) for plain in folded if plain.types != {"null"}]
    declared = any(spread_over for _, spread_over in spread)
    null_idiom = len(solid) == 1 and len(folded) > 1
    names = {plain.discriminator for plain in solid if plain.discriminator}
    name = names.pop() if len(names) == 1 else None
    return Node(tuple(_merge_bare(solid)), nullable, declared and not null_idiom, name)


def allows_null(parts: Parts, seen: frozenset[tuple[int, ...]] = frozenset()) -> bool:
    """Tell whether null keeps schemas that all hold; negations and conditions are followed, circles pass."""
    place = key(parts)
    if place in seen:
        return True
    inside = seen | {place}
    return any(
        "null" in (plain := fold(flat)).types
        and not any(allows_null(child, inside) for child in plain.nots)
        and all(_met_by_null(condition, inside) for condition in plain.conditions)
        for flat, _ in _spread(parts, 0)
    )


def _met_by_null(condition: Mapping[str, Parts], seen: frozenset[tuple[int, ...]]) -> bool:
    branch = "then" if allows_null(condition["if"], seen) else "else"
    return branch not in condition or allows_null(condition[branch], seen)


def _without_null(plain: Plain) -> Plain:
    return replace(plain, types=plain.types - {"null"}) if "null" in plain.types else plain


def _spread(parts: Parts, depth: int) -> Iterator[tuple[tuple[Part, ...], bool]]:
    """Yield, for each choice of one variant per union, the schemas that then apply, and whether there was a choice.

    Too many or too deep unions are left out: the place then allows more than it does.
    """
    flat, unions = flatten(parts)
    if not unions or depth > _MAX_NESTING:
        yield tuple(flat), False
        return
    lists = [variants for _, variants in unions]
    choices = 1
    for variants in lists:
        choices *= len(variants)
    if choices > _MAX_VARIANTS:
        lists = _fitting(lists)
    if not lists:
        yield tuple(flat), False
        return
    for chosen in product(*lists):
        together = tuple(part for variant in chosen for part in variant)
        for inner, _ in _spread(together, depth + 1):
            yield _once((*flat, *inner)), True


def _fitting(lists: list[list[Parts]]) -> list[list[Parts]]:
    kept, room = [], _MAX_VARIANTS
    for variants in lists:
        if len(variants) <= room:
            kept.append(variants)
            room //= len(variants)
    return kept


def _once(parts: tuple[Part, ...]) -> tuple[Part, ...]:
    return tuple({id(part.raw): part for part in parts}.values())


def _merge_bare(variants: list[Plain]) -> list[Plain]:
    """Join variants that say nothing but a type: `oneOf` of bare types is a list of types."""
    bare = [plain for plain in variants if plain.bare]
    if len(bare) < 2:  # noqa: PLR2004  # one is nothing to join
        return variants
    types = frozenset[str]().union(*(plain.types for plain in bare))
    joined = replace(bare[0], types=types - {"integer"} if "number" in types else types)
    return [joined, *(plain for plain in variants if not plain.bare)]
