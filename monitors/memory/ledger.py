"""The ledger: what was seen at each place, on which site, first when, last when, in how many answers."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from monitors.memory.traits import ANY_NAME, Trait, is_documented, is_named, parent_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

MAX_NAMES = 64
"""An object that had more members the contract does not know is a map: further names are counted together."""
MAX_ROWS = 5_000
"""How many rows the contract does not bound there are at most; traits beyond are not noted."""
MAX_VALUES = 64
"""More undocumented values of one place are not told apart."""


@dataclass(frozen=True, slots=True)
class Seen:
    """When something was seen on a site (UTC), in how many answers, and in which of them last, counted from 1."""

    first: datetime
    last: datetime
    count: int = 1
    answer: int = 1

    def again(self, at: datetime, answer: int) -> Seen:
        """Return the same, seen once more in the site's answer of that number."""
        return Seen(min(self.first, at), max(self.last, at), self.count + 1, max(self.answer, answer))


class Row(NamedTuple):
    """What a row of the ledger is about."""

    check: str
    trait: Trait


@dataclass(frozen=True, slots=True)
class Sighting:
    """What one answer showed."""

    site: str
    check: str
    at: datetime
    traits: frozenset[Trait]


@dataclass(frozen=True, slots=True)
class Ledger:
    """Rows by what they are about, each with its sites; `answers` counts those of a site to a check."""

    rows: Mapping[Row, Mapping[str, Seen]] = field(default_factory=dict)
    answers: Mapping[tuple[str, str], Seen] = field(default_factory=dict)

    def away(self, row: Row, site: str) -> int | None:
        """Return how many answers in a row have lacked what the row is about; None where the site never had it."""
        seen = self.rows.get(row, {}).get(site)
        return None if seen is None else self.answers[site, row.check].answer - seen.answer

    def checks(self) -> list[str]:
        """Return the checks that have answers, in the order they were first seen."""
        return list(dict.fromkeys(check for _, check in self.answers))

    def sites(self, check: str) -> list[str]:
        """Return the sites with answers to a check, in the order they were first seen."""
        return [site for site, asked in self.answers if asked == check]


def observe(ledger: Ledger, sighting: Sighting) -> Ledger:
    """Return the ledger with one more answer noted; the one given stays as it is."""
    site, check, at = sighting.site, sighting.check, sighting.at
    known = ledger.answers.get((site, check))
    number = 1 if known is None else known.answer + 1
    visit = Seen(at, at) if known is None else known.again(at, number)
    rows = dict(ledger.rows)
    shown = _rows_of(check, sighting.traits)
    if any(row not in rows for row in shown):
        shown = tuple(Row(check, trait) for trait in _admitted(rows, check, sighting.traits))
    first = Seen(at, at, 1, number)
    for row in shown:
        sites = rows.get(row, {})
        seen = sites.get(site)
        rows[row] = {**sites, site: first if seen is None else seen.again(at, number)}
    return replace(ledger, rows=rows, answers={**ledger.answers, (site, check): visit})


@lru_cache(maxsize=256)
def _rows_of(check: str, traits: frozenset[Trait]) -> tuple[Row, ...]:
    """Return the rows of what an answer shows: a canary run mostly shows the same."""
    return tuple(Row(check, trait) for trait in traits)


def _admitted(rows: Mapping[Row, object], check: str, found: Iterable[Trait]) -> set[Trait]:
    """Return the traits to note: those that would let a hostile or merely lively site grow the ledger are joined."""
    new = [trait for trait in found if Row(check, trait) not in rows]
    bounded = sorted(trait for trait in new if not _is_bounded_anyway(check, trait))
    admitted = set(found).difference(bounded)
    if bounded:
        admitted.update(_within_bounds(rows, check, bounded))
    return admitted


def _is_bounded_anyway(check: str, trait: Trait) -> bool:
    """Tell whether the contract itself bounds how many traits like this there can be."""
    return is_named(check, trait.location) and is_documented(check, trait)


def _within_bounds(rows: Mapping[Row, object], check: str, fresh: list[Trait]) -> Iterable[Trait]:
    known = [row.trait for row in rows if row.check == check and not _is_bounded_anyway(check, row.trait)]
    places = {trait.location for trait in known}
    names = Counter(map(parent_of, places))
    values = Counter(trait.location for trait in known)
    room = MAX_ROWS - len(known)
    joined: set[str] = set()
    # Sorted, so that a place comes after all it is inside of.
    for trait in fresh:
        place, parent = trait.location, parent_of(trait.location)
        if parent in joined or (place not in places and names[parent] >= MAX_NAMES):
            joined.add(place)
            if parent not in joined:
                yield Trait(parent + ANY_NAME, "any")
        elif room > 0 and values[place] < MAX_VALUES:
            names[parent] += place not in places
            places.add(place)
            values[place] += 1
            room -= 1
            yield trait
