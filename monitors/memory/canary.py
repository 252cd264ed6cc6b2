"""A canary run compared with how it was first seen: a finished run never changes, so any difference is drift."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any

import schemas
from monitors.drift import baseline
from monitors.drift.deltas import Delta, Path, brief, gathered, place, quoted
from monitors.drift.explain import Explainer
from monitors.drift.formats import moment
from monitors.drift.plain import canonical, type_name
from monitors.drift.resolve import Home, Part
from monitors.memory.promises import promises

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from monitors.model import JSON, Change

FINISHED = frozenset({"completed", "failed", "killed"})
"""Statuses a run does not leave; in any other one its values still move."""

VOLATILE: Mapping[str, str] = {
    "$.data.attributes.deleted_at": "a finished run can be deleted, and be restored",
    "$.data.attributes.descendant_match": "says something of the request's filters, not of the run",
    "$.data.attributes.description": "people edit it",
    "$.data.attributes.has_children": "further runs can be started below a finished one",
    "$.data.attributes.is_pinned": "the owner of the keys pins and unpins runs",
    "$.data.attributes.name": "people rename runs",
    "$.data.attributes.tags": "people label runs afterwards",
    "$.data.attributes.updated_at": "every edit moves it",
}
"""Values that may change on a finished run, and why. How they are written may not change."""

_OF_FORM = frozenset({"property-moved", "property-renamed", "timestamp-reformatted", "type-changed"})
"""Changes that tell something even of a run whose values still move."""

_OF_WRITING = _OF_FORM | {"array-reordered", "value-rewritten"}
"""Changes that no edit explains: the same thing is written in another way, or stands elsewhere."""

_CLOSE = Fraction(1, 10**6)
_STATUS = ("data", "attributes", "status")


def is_finished(run: Any) -> bool:
    """Tell whether the body is that of a run that no longer changes."""
    return status_of(run) in FINISHED


def status_of(run: Any) -> str | None:
    """Return the status in the body of a run, None where there is none."""
    node = run
    for name in _STATUS:
        node = node.get(name) if isinstance(node, dict) else None
    return node if isinstance(node, str) else None


def compare(first: JSON, now: JSON) -> list[Change]:
    """Return how a run's representation differs from how it was first seen, one change for each kind and place.

    Both are bodies of the same run. While the run is not finished only its form is compared; of a finished run that
    runs again, that it does.
    """
    schema = schemas.schema_for(200)
    deltas = list(baseline.changes(Explainer(), (Part(schema, Home(schema)),), [first], now))
    if is_finished(first) and (is_finished(now) or status_of(now) not in _statuses()):
        deltas.extend(_untold(deltas, _values(first, now, ())))
        kept = [delta for delta in deltas if delta.what in _OF_WRITING or not _is_volatile(place(delta.path))]
    else:
        kept = [delta for delta in deltas if delta.what in _OF_FORM]
        if is_finished(first):
            kept.append(_changed(status_of(first), status_of(now), _STATUS))
    return gathered(kept)


def _statuses() -> frozenset[str]:
    listed = promises("run")["$.data.attributes.status"].values or frozenset()
    return frozenset(text.strip('"') for text in listed)


def _is_volatile(where: str) -> bool:
    return any(_within(where, name) for name in VOLATILE)


def _within(inner: str, outer: str) -> bool:
    return inner == outer or inner.startswith((outer + ".", outer + "["))


def _untold(told: list[Delta], more: Iterator[Delta]) -> list[Delta]:
    """Return the changes at places nothing is told of yet; items of a list in another order have no pairs."""
    places = {place(delta.path) for delta in told}
    shuffled = [place(delta.path) for delta in told if delta.what == "array-reordered"]
    return [
        delta
        for delta in more
        if (where := place(delta.path)) not in places and not any(_within(where, outer) for outer in shuffled)
    ]


def _values(old: Any, new: Any, path: Path) -> Iterator[Delta]:
    """Yield what the comparison of forms leaves out: values that are merely other ones."""
    if isinstance(old, dict) and isinstance(new, dict):
        yield from _members(old, new, path)
    elif isinstance(old, list) and isinstance(new, list):
        yield from _items(old, new, path)
    elif old is None and new is not None:
        yield Delta("value-added", path, None, brief(new), f"was null, now {quoted(new)}")
    elif isinstance(old, str) and isinstance(new, str):
        if old != new:
            yield _text(old, new, path)
    elif _is_number(old) and _is_number(new):
        if old != new:
            yield _number(old, new, path)
    elif isinstance(old, bool) and isinstance(new, bool) and old is not new:
        yield _changed(old, new, path)


def _members(old: dict[str, Any], new: dict[str, Any], path: Path) -> Iterator[Delta]:
    for name, value in new.items():
        where: Path = (*path, name)
        if name in old:
            yield from _values(old[name], value, where)
        elif value is not None and place(where) in promises("run"):
            message = f"{quoted(name)} was absent, now {type_name(value)}"
            yield Delta("value-added", where, "absent", type_name(value), message)


def _items(old: list[Any], new: list[Any], path: Path) -> Iterator[Delta]:
    if len(old) != len(new):
        yield Delta("value-changed", path, len(old), len(new), f"had {len(old)} items, now {len(new)}")
    elif sorted(map(canonical, old)) != sorted(map(canonical, new)):
        for index, (before, after) in enumerate(zip(old, new, strict=True)):
            yield from _values(before, after, (*path, index))


def _text(old: str, new: str, path: Path) -> Delta:
    before, after = moment(old), moment(new)
    if before is not None and after is not None and _instant(before) == _instant(after):
        message = f"the same point in time, {quoted(old)} before, now {quoted(new)}"
        return Delta("value-rewritten", path, brief(old), brief(new), message)
    return _changed(old, new, path)


def _instant(read: Any) -> tuple[Any, str]:
    return read.instant, read.fraction


def _number(old: float, new: float, path: Path) -> Delta:
    if _is_close(old, new):
        message = f"was {old}, now {new}: the last digits are lost"
        return Delta("precision-lost", path, old, new, message)
    return _changed(old, new, path)


def _is_close(old: float, new: float) -> bool:
    # As fractions: an integer may have more digits than a double keeps, and more than one can hold.
    try:
        before, after = Fraction(old), Fraction(new)
    except (OverflowError, ValueError):
        return False
    return abs(before - after) <= abs(before) * _CLOSE


def _changed(old: JSON, new: JSON, path: Path) -> Delta:
    message = f"was {quoted(old)}, now {quoted(new)}, though a finished run does not change"
    return Delta("value-changed", path, brief(old), brief(new), message)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
