"""What sites show that others do not: one finding for each difference, however many sites it has reached."""

from __future__ import annotations

from collections import defaultdict
from datetime import timedelta
from typing import TYPE_CHECKING

from monitors.memory.traits import ANY_NAME, MACHINE_TEXT, is_left_open, is_named, parent_of
from monitors.model import Change
from monitors.rules import judge
from monitors.sites import SITES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from monitors.memory.ledger import Ledger, Row
    from monitors.memory.patience import Patience
    from monitors.memory.traits import Trait
    from monitors.model import Finding

_ENOUGH_SITES = 2


def differences(ledger: Ledger, patience: Patience) -> list[Finding]:
    """Return what some sites' answers have and other sites' lack, in a fixed order.

    Compared are sites heard of within the window of the newest answer. Members the contract lists may be absent from
    one run and present in another, so only members it does not know count by presence; of these, and of text only
    machines write, types and formats count too.
    """
    found: list[Finding] = []
    for check in ledger.checks():
        view = _View(ledger, check, patience)
        if len(view.sites) >= _ENOUGH_SITES:
            newest = max(ledger.answers[site, check].last for site in view.sites)
            found += judge(sorted(view.changes(), key=lambda change: change.location), check=check, at=newest)
    return found


class _View:
    """The ledger's rows of one check, as the sites heard of lately show them now."""

    def __init__(self, ledger: Ledger, check: str, patience: Patience) -> None:
        self.ledger, self.check, self.patience = ledger, check, patience
        self.sites = _lately(ledger, check, patience)
        self.rows: dict[str, list[Row]] = defaultdict(list)
        for row in ledger.rows:
            if row.check == check:
                self.rows[row.trait.location].append(row)

    def changes(self) -> Iterator[Change]:
        for place, rows in self.rows.items():
            unknown = ANY_NAME not in place and not is_named(self.check, place) and not is_left_open(self.check, place)
            if unknown and is_named(self.check, parent_of(place)):
                yield from self._presence(place, rows)
            if unknown or place in MACHINE_TEXT:
                yield from self._form(place, [row for row in rows if unknown or row.trait.type == "string"])

    def _presence(self, place: str, rows: list[Row]) -> Iterator[Change]:
        have = [site for site in self.sites if any(self._shows(row, site) for row in rows)]
        lack = [site for site in self.sites if self._lacks(place, rows, site)]
        if have and lack:
            message = f"on {', '.join(have)}; not on {', '.join(lack)}"
            yield Change("property-not-on-all-sites", place, list(lack), list(have), message)

    def _shows(self, row: Row, site: str) -> bool:
        """Tell whether the site has it, more than once and still."""
        seen, away = self.ledger.rows[row].get(site), self.ledger.away(row, site)
        return seen is not None and away is not None and seen.count >= self.patience.count > away

    def _lacks(self, place: str, rows: list[Row], site: str) -> bool:
        """Tell whether the site had enough chances to show it, and did not."""
        chances = self._seen_there(parent_of(place), site)
        spells = [self.ledger.away(row, site) for row in rows]
        away = min((spell for spell in spells if spell is not None), default=self.patience.enough)
        return chances >= self.patience.enough and away >= self.patience.enough

    def _seen_there(self, place: str, site: str) -> int:
        counts = (self.ledger.rows[row].get(site) for row in self.rows.get(place, ()) if row.trait.type == "object")
        return max((seen.count for seen in counts if seen is not None), default=0)

    def _form(self, place: str, rows: list[Row]) -> Iterator[Change]:
        """Tell sites apart whose values have no form in common."""
        groups: dict[frozenset[str], list[str]] = defaultdict(list)
        for site in self.sites:
            forms = frozenset(_family(row.trait) for row in rows if self._has_enough(row, site))
            if forms := forms - {"null"}:
                groups[forms].append(site)
        if len(groups) < _ENOUGH_SITES:
            return
        usual = min(groups, key=lambda forms: (self._since(forms, rows), -len(groups[forms]), sorted(forms)))
        others = {forms: sites for forms, sites in groups.items() if not forms & usual}
        if others:
            told = [_told(forms, sites) for forms, sites in [(usual, groups[usual]), *others.items()]]
            revision = [site for sites in others.values() for site in sites]
            yield Change("property-unlike-other-sites", place, _words(usual), list(revision), "; ".join(told))

    def _since(self, forms: frozenset[str], rows: list[Row]) -> datetime:
        """Return when one of the forms was first seen anywhere: what came before is what others have left."""
        return min(seen.first for row in rows if _family(row.trait) in forms for seen in self.ledger.rows[row].values())

    def _has_enough(self, row: Row, site: str) -> bool:
        seen = self.ledger.rows[row].get(site)
        return seen is not None and seen.count >= self.patience.enough and self._shows(row, site)


def _lately(ledger: Ledger, check: str, patience: Patience) -> list[str]:
    last = {site: ledger.answers[site, check].last for site in ledger.sites(check)}
    newest, window = max(last.values()), timedelta(seconds=patience.window_s)
    heard = {site for site, at in last.items() if newest - at <= window}
    return [site for site in SITES if site in heard] + sorted(heard - SITES.keys())


def _family(trait: Trait) -> str:
    return "number" if trait.type == "integer" else trait.form


def _words(forms: Iterable[str]) -> str:
    return " or ".join(sorted(forms))


def _told(forms: frozenset[str], sites: list[str]) -> str:
    return f"{_words(forms)} on {', '.join(sites)}"
