"""What two sites' answers to one check differ in, told from the answers alone."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING, Any

from monitors.location import EACH, Step, location

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_TYPE_NAMES = {bool: "boolean", int: "number", float: "number", str: "string", list: "array", dict: "object"}


@dataclass(frozen=True, slots=True)
class Difference:
    """One place where sites disagree; `said` maps each site to what it says there."""

    location: str
    said: Mapping[str, str]

    def __str__(self) -> str:
        """Return the difference on one line, sites that agree together."""
        groups: dict[str, list[str]] = {}
        for site, word in self.said.items():
            groups.setdefault(word, []).append(site)
        return f"{self.location}: " + ", ".join(f"{word} on {' '.join(sites)}" for word, sites in groups.items())


def types_of(value: Any) -> dict[str, set[str]]:
    """Return the types at each location of a body; null says nothing, and an integer is a number."""
    found: dict[str, set[str]] = {}
    for path, node in _walk((), value):
        if node is not None:
            found.setdefault(location(path), set()).add(_TYPE_NAMES[type(node)])
    return found


def _walk(path: tuple[Step, ...], node: Any) -> Iterator[tuple[tuple[Step, ...], Any]]:
    yield path, node
    if isinstance(node, dict):
        for name, member in node.items():
            yield from _walk((*path, name), member)
    elif isinstance(node, list):
        for item in node:
            yield from _walk((*path, EACH), item)


def conflicts(bodies: Mapping[str, Any]) -> list[Difference]:
    """Return the locations that several sites fill, where two of them have no type in common."""
    per_site = {site: types_of(body) for site, body in bodies.items()}
    differences = []
    for place in dict.fromkeys(place for types in per_site.values() for place in types):
        here = {site: types[place] for site, types in per_site.items() if place in types}
        if any(not one & other for one, other in combinations(here.values(), 2)):
            said = {site: "/".join(sorted(types)) for site, types in here.items()}
            differences.append(Difference(place, said))
    return differences


def uneven(places: Mapping[str, set[str]]) -> list[Difference]:
    """Return the places, of those found on any site, that only some of the sites have."""
    return [
        Difference(place, {site: "there" if place in found else "absent" for site, found in places.items()})
        for place in dict.fromkeys(place for found in places.values() for place in sorted(found))
        if not all(place in found for found in places.values())
    ]
