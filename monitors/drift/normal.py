"""The normal form of a schema: references followed, `allOf` merged, unions spread out, one level at a time."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from itertools import islice, product
from typing import TYPE_CHECKING

from monitors.drift.folding import fold
from monitors.drift.resolve import Part, Parts, flatten, key

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from monitors.drift.plain import Plain

_MAX_VARIANTS = 1024
_MAX_NESTING = 16


@dataclass(frozen=True, slots=True)
class Node:
    """What one place may hold: null or not, and one or more variants; none at all where nothing is allowed.

    No variant has `null` among its types. `union` tells that the schema says `oneOf` or `anyOf` and means more than
    "or null": who reads it must look which variant came. `cut`: there were too many variants to look at.
    """

    variants: tuple[Plain, ...]
    nullable: bool
    union: bool
    discriminator: str | None = None
    cut: bool = False

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


def _normalise(parts: Parts) -> Node:
    spread = _Spread(parts)
    folded = [plain for flat in spread.choices if (plain := fold(flat)).types]
    nullable = any(_null_fits(plain, frozenset({key(parts)})) for plain in folded)
    solid = [_without_null(plain) for plain in folded if plain.types != {"null"}]
    null_idiom = len(solid) == 1 and len(folded) > 1
    names = {plain.discriminator for plain in solid if plain.discriminator}
    name = names.pop() if len(names) == 1 else None
    return Node(tuple(_merge_bare(solid)), nullable, spread.union and not null_idiom, name, spread.cut)


def _allows_null(parts: Parts, seen: frozenset[tuple[int, ...]]) -> bool:
    """Tell whether null keeps schemas that all hold; negations and conditions are followed, circles pass."""
    place = key(parts)
    return place in seen or any(_null_fits(fold(flat), seen | {place}) for flat in _Spread(parts).choices)


def _null_fits(plain: Plain, seen: frozenset[tuple[int, ...]]) -> bool:
    return (
        "null" in plain.types
        and not any(_allows_null(child, seen) for child in plain.nots)
        and all(_met_by_null(condition, seen) for condition in plain.conditions)
    )


def _met_by_null(condition: Mapping[str, Parts], seen: frozenset[tuple[int, ...]]) -> bool:
    branch = "then" if _allows_null(condition["if"], seen) else "else"
    return branch not in condition or _allows_null(condition[branch], seen)


def _without_null(plain: Plain) -> Plain:
    return replace(plain, types=plain.types - {"null"}) if "null" in plain.types else plain


class _Spread:
    """The choices a place offers: for each choice of one variant per union, the schemas that then apply.

    `cut` tells that there were too many, or they nest too deep; the place then allows more than it does.
    """

    __slots__ = ("choices", "cut", "union")

    def __init__(self, parts: Parts) -> None:
        self.cut = False
        self.union = False
        self.choices = list(islice(self._from(parts, 0), _MAX_VARIANTS + 1))
        if len(self.choices) > _MAX_VARIANTS:
            self.cut, self.choices = True, [tuple(flatten(parts)[0])]

    def _from(self, parts: Parts, depth: int) -> Iterator[tuple[Part, ...]]:
        flat, unions = flatten(parts)
        lists = [variants for _, variants in unions]
        if math.prod(map(len, lists)) > _MAX_VARIANTS or depth > _MAX_NESTING:
            self.cut, lists = True, []
        if not lists:
            yield tuple(flat)
            return
        self.union = True
        for chosen in product(*lists):
            together = tuple(part for variant in chosen for part in variant)
            for inner in self._from(together, depth + 1):
                yield _once((*flat, *inner))


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
