"""The ledger as rows to look at: which changes there are, who had each first, and how far it has come."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from monitors.memory.traits import is_documented
from monitors.sites import SITES

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

    from monitors.memory.ledger import Ledger, Row, Seen


@dataclass(frozen=True, slots=True)
class Entry:
    """One row: what was seen, and on which sites; `latest` are the sites whose latest answer still has it."""

    row: Row
    sites: Mapping[str, Seen]
    latest: frozenset[str]
    documented: bool
    change: bool

    @property
    def first(self) -> datetime:
        """When it was first seen anywhere."""
        return min(seen.first for seen in self.sites.values())

    @property
    def first_on(self) -> tuple[str, ...]:
        """The sites that had it first."""
        return tuple(site for site, seen in self.sites.items() if seen.first == self.first)


def sites_of(ledger: Ledger, chosen: Sequence[str]) -> list[str]:
    """Return the sites the ledger knows, in the order of the table of sites; only the chosen ones, if any are."""
    known = {site for site, _ in ledger.answers}
    ordered = [site for site in SITES if site in known] + sorted(known - SITES.keys())
    return [site for site in ordered if not chosen or site in chosen]


def entries(ledger: Ledger, sites: Sequence[str], *, everything: bool) -> list[Entry]:
    """Return the rows of the sites: changes first, the oldest of them first; only changes unless all are wanted.

    A change is what the contract does not document, and what a site began or ceased to show after its first answer.
    """
    found = [entry for entry in _entries(ledger, sites) if everything or entry.change]
    return sorted(found, key=lambda entry: (not entry.change, entry.first, entry.row))


def _entries(ledger: Ledger, sites: Sequence[str]) -> Iterator[Entry]:
    for row, seen in ledger.rows.items():
        here = {site: seen[site] for site in sites if site in seen}
        if here:
            latest = frozenset(site for site in here if ledger.away(row, site) == 0)
            documented = is_documented(row.check, row.trait)
            moved = any(_moved(ledger, row, site, here[site]) for site in here)
            yield Entry(row, here, latest, documented, not documented or moved)


def _moved(ledger: Ledger, row: Row, site: str, seen: Seen) -> bool:
    answers = ledger.answers[site, row.check]
    return seen.count != answers.count and (seen.first > answers.first or seen.answer < answers.answer)
