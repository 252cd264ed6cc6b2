"""The less common keywords compared: lists, conditions, dependencies, negations, notes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from monitors.drift.deltas import Delta, brief, quoted, worst
from monitors.drift.keywords import same_values
from monitors.location import EACH
from monitors.model import Level

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from monitors.drift.comparison import Comparison
    from monitors.drift.plain import Plain
    from monitors.drift.resolve import Parts

_SINGLE = {
    "propertyNames": ("property-names", "object"),
    "contains": ("contains", "array"),
    "unevaluatedItems": ("unevaluated-items", "array"),
    "unevaluatedProperties": ("unevaluated-properties", "object"),
    "contentSchema": ("content-schema", "string"),
}
"""Keywords that hold one schema: their name in rule ids, and the type they speak of."""


def list_changes(walk: Comparison, base: Plain, revision: Plain) -> Iterator[Delta]:
    """Yield the changes of what a list's items must keep, place by place and for the rest."""
    for index in range(max(len(base.prefix), len(revision.prefix))):
        yield from _item(walk, base.item(index), revision.item(index), "prefix-items-added")
    yield from _item(walk, base.items, revision.items, "items-opened")


def _item(walk: Comparison, base: Parts, revision: Parts, opened: str) -> Iterator[Delta]:
    old, new = walk.node(base), walk.node(revision)
    if not new.variants and not new.nullable:
        if old.variants or old.nullable:
            yield Delta("items-closed", (), "more items", "no more items", "the list is shorter than it could be")
    elif not old.variants and not old.nullable:
        yield Delta(opened, (), "no more items", "more items", "the list may be longer than it could be")
    else:
        yield from walk.under(base, revision, (EACH,))


def changes(walk: Comparison, base: Plain, revision: Plain) -> Iterator[Delta]:
    """Yield the changes of conditions, dependencies, negations and notes."""
    for keyword, (name, kind) in _SINGLE.items():
        if kind in base.types and kind in revision.types:
            both_ways = keyword == "contains" and "maxContains" in base.sizes
            yield from _single(walk, base.single.get(keyword), revision.single.get(keyword), name, both_ways=both_ways)
    if "object" in base.types and "object" in revision.types:
        yield from _dependent_required(base, revision)
        yield from _dependent_schemas(walk, base.dependent_schemas, revision.dependent_schemas)
    yield from _conditions(walk, base, revision)
    yield from _nots(walk, base, revision)
    yield from _notes(base.notes, revision.notes)


def _single(walk: Comparison, old: Parts | None, new: Parts | None, name: str, *, both_ways: bool) -> Iterator[Delta]:
    """Compare a keyword with one schema; `both_ways`: a stricter schema allows more too, since items are counted."""
    if old is not None and new is not None:
        nested = walk.compare(old, new)
        if worst(nested) >= Level.WARNING or (both_ways and nested):
            yield Delta(f"{name}-changed", (), None, None, f"`{name}` allows more: {nested[0].message}")
        elif nested:
            yield Delta(f"{name}-added", (), None, None, f"`{name}` is stricter: {nested[0].message}")
    elif old is not None:
        closed = name == "unevaluated-properties" and any(part.raw is False for part in old)
        what = "additional-properties-opened" if closed else f"{name}-removed"
        yield Delta(what, (), True, None, f"`{name}` restricts nothing any more")
    elif new is not None:
        yield Delta(f"{name}-added", (), None, True, f"`{name}` restricts now")


def _dependent_required(base: Plain, revision: Plain) -> Iterator[Delta]:
    old, new = base.dependent_required, revision.dependent_required
    for name in {**old, **new}:
        before = old.get(name, frozenset()) - revision.required
        after = new.get(name, frozenset())
        if before - after:
            what = "dependent-required-changed" if name in new else "dependent-required-removed"
            message = f"{quoted(name)} no longer comes with {', '.join(sorted(before - after))}"
            yield Delta(what, (), brief(sorted(before)), brief(sorted(after)), message)
        elif after - old.get(name, frozenset()):
            message = f"{quoted(name)} comes with {', '.join(sorted(after))}"
            yield Delta("dependent-required-added", (), brief(sorted(before)), brief(sorted(after)), message)


def _dependent_schemas(walk: Comparison, old: Mapping[str, Parts], new: Mapping[str, Parts]) -> Iterator[Delta]:
    for name in {**old, **new}:
        if name in old and name in new:
            yield from walk.compare(old[name], new[name])
        elif name in old:
            message = f"nothing follows from {quoted(name)} any more"
            yield Delta("dependent-schema-removed", (), brief(name), None, message)
        else:
            yield Delta("dependent-schema-added", (), None, brief(name), f"more follows from {quoted(name)}")


def _conditions(walk: Comparison, base: Plain, revision: Plain) -> Iterator[Delta]:
    for index in range(max(len(base.conditions), len(revision.conditions))):
        if index >= len(base.conditions):
            yield Delta("if-added", (), None, True, "a condition restricts now")
        elif index >= len(revision.conditions):
            yield Delta("if-removed", (), True, None, "a condition restricts nothing any more")
        else:
            yield from _condition(walk, base.conditions[index], revision.conditions[index])


def _condition(walk: Comparison, old: Mapping[str, Parts], new: Mapping[str, Parts]) -> Iterator[Delta]:
    if not walk.equivalent(old["if"], new["if"]):
        yield Delta("if-changed", (), None, None, "a condition is another one")
        return
    for branch in ("then", "else"):
        if branch in old and branch in new:
            yield from walk.compare(old[branch], new[branch])
        elif branch in old:
            yield Delta(f"{branch}-removed", (), True, None, f"`{branch}` restricts nothing any more")
        elif branch in new:
            yield Delta(f"{branch}-added", (), None, True, f"`{branch}` restricts now")


def _nots(walk: Comparison, base: Plain, revision: Plain) -> Iterator[Delta]:
    """Compare negations: what was forbidden must stay forbidden, else values come that never came."""
    left = list(revision.nots)
    for old in base.nots:
        match = next((new for new in left if walk.equivalent(old, new)), None)
        if match is None:
            yield Delta("not-changed", (), True, None, "a value that was ruled out may come now")
        else:
            left.remove(match)
    if left:
        yield Delta("not-added", (), None, True, "more values are ruled out now")


def _notes(old: Mapping[str, object], new: Mapping[str, object]) -> Iterator[Delta]:
    if ("default" in old) != ("default" in new):
        what = "default-value-added" if "default" in new else "default-value-removed"
        yield Delta(what, (), brief(old.get("default")), brief(new.get("default")), "the default value changed")
    elif not same_values(old.get("default"), new.get("default")):
        message = "the default value changed"
        yield Delta("default-value-changed", (), brief(old["default"]), brief(new["default"]), message)
    if (old.get("deprecated") is True) != (new.get("deprecated") is True):
        deprecated = new.get("deprecated") is True
        what = "deprecated" if deprecated else "reactivated"
        yield Delta(what, (), not deprecated, deprecated, "is deprecated" if deprecated else "is no longer deprecated")
