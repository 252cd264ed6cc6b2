"""Drifts applied to documents: pure functions over parsed JSON, deterministic. The table is in `drift_table`."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from mock_site.drift_table import DRIFTS, Drift
from mock_site.mistakes import MockUsageError, unknown
from mock_site.mutations import Place
from mock_site.spots import Path, Spot, contract_locations, generalised, location, parse_location, walk

__all__ = ["DRIFTS", "Drift", "DriftAt", "applicable_locations", "apply", "dump", "parse_drift"]


@dataclass(frozen=True, slots=True)
class DriftAt:
    """A drift at a location: the one asked for, else the drift's own."""

    drift: Drift
    location: str


def parse_drift(text: str) -> DriftAt:
    """Read `NAME` or `NAME@LOCATION`.

    Raises `MockUsageError` for an unknown name, a location that does not parse, and one the contract does not name.
    """
    name, _, where = text.partition("@")
    drift = DRIFTS.get(name)
    if drift is None:
        raise unknown("drift", name, DRIFTS)
    if not where:
        return DriftAt(drift, drift.default)
    if location(generalised(parse_location(where))) not in contract_locations():
        raise unknown("location", where, contract_locations())
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
    pattern = parse_location(where or drift.default)
    changed = applied(document, drift, pattern, status)
    if changed is None:
        message = f"the drift {drift.name} does not apply at {where or drift.default} of this answer."
        raise MockUsageError(message)
    return changed[0]


def applied(document: Any, drift: Drift, pattern: Path, status: int) -> tuple[Any] | None:
    """Return the drifted document, alone in a tuple since it may be null, or None where the drift does not apply."""
    spots = [spot for spot in walk(document, status, pattern) if drift.applies(spot)]
    if not spots:
        return None
    root = {"": _copy(document)}
    for spot in reversed(spots):  # from the end, so that indexes still to come keep their meaning
        _mutate(root, drift, spot)
    return (root[""],)


def _mutate(root: dict[str, Any], drift: Drift, spot: Spot) -> None:
    drift.mutate(Place(root, spot))


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
