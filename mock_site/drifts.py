"""Drifts applied to documents: pure functions over parsed JSON, deterministic. The table is in `drift_table`."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from mock_site.drift_table import DRIFTS, Drift
from mock_site.mistakes import MockUsageError, unknown
from mock_site.mutations import Place
from mock_site.spots import Path, contract_locations, generalised, location, parse_location, walk

__all__ = ["DRIFTS", "Drift", "DriftAt", "applicable_locations", "apply", "dump", "parse_drift"]

_OK = 200


@dataclass(frozen=True, slots=True)
class DriftAt:
    """A drift at a location. Without one it goes to its default or, where that does not apply, to the first place.

    A drift without location leaves errors alone if it is one of runs, and runs if it is one of errors.
    """

    drift: Drift
    location: str | None = None

    def apply_if_it_fits(self, document: Any, status: int) -> tuple[Any] | None:
        """Return the drifted document, alone in a tuple since it may be null, or None where it applies nowhere."""
        if self.location is not None:
            return _applied(document, self.drift, parse_location(self.location), status)
        if (status == _OK) != (self.drift.on == "run"):
            return None
        changed = _applied(document, self.drift, parse_location(self.drift.default), status)
        if changed is not None:
            return changed
        first = next((spot.path for spot in walk(document, status) if self.drift.applies(spot)), None)
        return None if first is None else _applied(document, self.drift, generalised(first), status)


def parse_drift(text: str) -> DriftAt:
    """Read `NAME` or `NAME@LOCATION`.

    Raises `MockUsageError` for an unknown name, a location that does not parse, and one the contract does not name.
    """
    name, _, where = text.partition("@")
    drift = DRIFTS.get(name)
    if drift is None:
        raise unknown(name, "drift", DRIFTS)
    if not where:
        return DriftAt(drift)
    if location(generalised(parse_location(where))) not in contract_locations():
        raise unknown(where, "location", contract_locations())
    return DriftAt(drift, where)


def applicable_locations(document: Any, drift: Drift, status: int = 200) -> list[str]:
    """Return every location of an answer's document a drift applies to, `[*]` for list indexes, each once.

    `status` is the answer's: it decides which schema of the contract tells required members and types.
    """
    found: dict[Path, None] = {}
    for spot in walk(document, status):
        if drift.applies(spot):
            found.setdefault(generalised(spot.path))
    return [location(path) for path in found]


def apply(document: Any, drift: Drift, where: str | None = None, status: int = 200) -> Any:
    """Return the document with the drift at a location, by default its own; the given document stays as it is.

    `[*]` means every item the drift applies to; an index means that item. Raises `MockUsageError` where it applies
    to nothing there.
    """
    changed = DriftAt(drift, where).apply_if_it_fits(document, status)
    if changed is None:
        message = f"the drift {drift.name} does not apply at {where or 'any place'} of this answer."
        raise MockUsageError(message)
    return changed[0]


def _applied(document: Any, drift: Drift, pattern: Path, status: int) -> tuple[Any] | None:
    spots = [spot for spot in walk(document, status, pattern) if drift.applies(spot)]
    if not spots:
        return None
    root = {"": _copy(document)}
    for spot in reversed(spots):  # from the end, so that indexes still to come keep their meaning
        drift.mutate(Place(root, spot))
    return (root[""],)


def _copy(node: Any) -> Any:
    if isinstance(node, dict):
        return {name: _copy(member) for name, member in node.items()}
    return [_copy(item) for item in node] if isinstance(node, list) else node


def dump(document: Any) -> bytes:
    """Write a drifted document: integers of any size, half surrogate pairs and members named twice included."""
    text = json.dumps(document, ensure_ascii=False, separators=(",", ":"))
    try:
        return text.encode()
    except UnicodeEncodeError:
        return json.dumps(document, separators=(",", ":")).encode()
