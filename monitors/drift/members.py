"""Objects compared: members lost, gained, renamed, no longer promised; maps and names by pattern."""

from __future__ import annotations

from typing import TYPE_CHECKING

from monitors.drift.deltas import MEMBERS, Delta, brief, quoted
from monitors.drift.likeness import describe
from monitors.drift.renames import Member, renames

if TYPE_CHECKING:
    from collections.abc import Iterator

    from monitors.drift.comparison import Comparison
    from monitors.drift.plain import Plain
    from monitors.drift.resolve import Parts


def changes(walk: Comparison, base: Plain, revision: Plain) -> Iterator[Delta]:
    """Yield the changes of an object, its members' changes included."""
    old = {name: parts for name, parts in base.properties.items() if _answered(walk, parts)}
    new = {name: parts for name, parts in revision.properties.items() if _answered(walk, parts)}
    lost = [name for name in old if name not in new]
    gained = [name for name in new if name not in old]
    for name in old:
        if name in new:
            yield from _kept(walk, base, revision, name)
    renamed = renames(
        [Member((name,), describe(walk.node, old[name])) for name in lost],
        [Member((name,), describe(walk.node, new[name])) for name in gained],
    ) if lost and gained else []  # fmt: skip
    for gone, come in renamed:
        old_name, new_name = str(gone.path[-1]), str(come.path[-1])
        message = f"{quoted(old_name)} is now called {quoted(new_name)}"
        yield Delta("property-renamed", (old_name,), brief(old_name), brief(new_name), message)
    gone_names = {gone.path[-1] for gone, _ in renamed}
    come_names = {come.path[-1] for _, come in renamed}
    yield from _lost([name for name in lost if name not in gone_names], base)
    yield from _gained(walk, [name for name in gained if name not in come_names], base, revision)
    if len(old) > 1 and new and len(lost) == len(old) and not renamed:
        message = f"none of the {len(old)} members is left, {len(new)} others came"
        yield Delta("object-replaced", (), brief(sorted(old)), brief(sorted(new)), message)
    yield from _others(walk, base, revision)


def _answered(walk: Comparison, parts: Parts) -> bool:
    """Tell whether an answer may hold a member: it is not forbidden, and not only ever sent to the API."""
    return not _forbidden(parts) and not any(p.notes.get("writeOnly") is True for p in walk.node(parts).variants)


def _forbidden(parts: Parts) -> bool:
    return any(part.raw is False for part in parts)


def _kept(walk: Comparison, base: Plain, revision: Plain, name: str) -> Iterator[Delta]:
    if name in base.required and name not in revision.required:
        message = f"{quoted(name)} is no longer promised"
        yield Delta("became-optional", (name,), "required", "optional", message)
    elif name in revision.required and name not in base.required:
        yield Delta("became-required", (name,), "optional", "required", f"{quoted(name)} is promised now")
    yield from walk.under(base.properties[name], revision.properties[name], (name,))


def _lost(names: list[str], base: Plain) -> Iterator[Delta]:
    for name in names:
        required = name in base.required
        what = "required-property-removed" if required else "optional-property-removed"
        promise = "required" if required else "optional"
        message = f"{quoted(name)} is gone" if required else f"the optional {quoted(name)} is gone"
        yield Delta(what, (name,), promise, "absent", message, base.properties[name])


def _gained(walk: Comparison, names: list[str], base: Plain, revision: Plain) -> Iterator[Delta]:
    for name in names:
        required = name in revision.required
        what = "required-property-added" if required else "optional-property-added"
        promise = "required" if required else "optional"
        yield Delta(what, (name,), None, promise, f"{quoted(name)} is new", revision.properties[name])
        promised = base.member(name)
        if promised and not _forbidden(promised):
            yield from walk.under(promised, revision.properties[name], (name,))


def _others(walk: Comparison, base: Plain, revision: Plain) -> Iterator[Delta]:
    """Compare what names not listed may hold: by pattern, and the rest."""
    for pattern, parts in base.pattern_properties.items():
        if pattern in revision.pattern_properties:
            yield from walk.under(parts, revision.pattern_properties[pattern], (MEMBERS,))
        elif not walk.node(parts).anything:
            message = f"names that match {quoted(pattern)} are no longer described"
            yield Delta("pattern-property-removed", (), brief(pattern), None, message)
    for pattern, parts in revision.pattern_properties.items():
        if pattern not in base.pattern_properties:
            message = f"names that match {quoted(pattern)} are described now"
            yield Delta("pattern-property-added", (), None, brief(pattern), message)
            if base.additional and not _forbidden(base.additional):
                yield from walk.under(base.additional, parts, (MEMBERS,))
    yield from _additional(walk, base, revision)


def _additional(walk: Comparison, base: Plain, revision: Plain) -> Iterator[Delta]:
    old, new = walk.node(base.additional), walk.node(revision.additional)
    old_closed, new_closed = not old.variants and not old.nullable, not new.variants and not new.nullable
    if old_closed and not new_closed:
        yield Delta("additional-properties-opened", (), False, True, "members not listed may come now")
    elif new_closed and not old_closed:
        map_like = base.additional and not base.properties and not old.anything
        what = "additional-properties-removed" if map_like else "additional-properties-closed"
        yield Delta(what, (), True, False, "members not listed no longer come")
    elif old.anything and not new.anything:
        yield Delta("additional-properties-described", (), True, "described", "members not listed are described now")
    elif not old_closed:
        yield from walk.under(base.additional, revision.additional, (MEMBERS,))
