"""The neutral diff of two JSON Schemas, for who reads the answers they describe."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from monitors.drift.comparison import Comparison
from monitors.drift.deltas import Delta, Path, each, place
from monitors.drift.likeness import Form, describe
from monitors.drift.plain import canonical
from monitors.drift.renames import Member, moves
from monitors.drift.resolve import Home, Part, Parts
from monitors.location import EACH

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from monitors.model import Change

_REMOVED = ("required-property-removed", "optional-property-removed")
_ADDED = ("required-property-added", "optional-property-added")
_MAX_INSIDE = 4
_MAX_MEMBERS = 20_000


def diff(base: Any, revision: Any) -> list[Change]:
    """Return every change from one JSON Schema to another, ordered by place, none where they mean the same.

    Any two JSON values are compared: what is no schema keyword is passed over. A member that went and came back
    under another name or parent is one change.
    """
    return diff_parts((Part(base, Home(base)),), (Part(revision, Home(revision)),))


def diff_parts(base: Parts, revision: Parts, walk: Comparison | None = None) -> list[Change]:
    """Return every change between two schemas inside documents, see `diff`; `walk` shares work between several."""
    if _written_alike(base, revision):
        return []
    walk = walk or Comparison()
    deltas = _with_moves(walk, walk.compare(base, revision))
    once = {(delta.what, each(delta.path), canonical([delta.base, delta.revision])): delta for delta in deltas}
    found = [delta.change() for delta in once.values()]
    return sorted(found, key=lambda change: (change.location, change.what, change.message))


def _written_alike(base: Parts, revision: Parts) -> bool:
    """Tell whether two whole documents are the same text, which needs no comparison, however odd they are."""
    roots = [part.raw is part.home.root and not part.home.neighbours for part in (*base, *revision)]
    try:
        return all(roots) and canonical([p.raw for p in base]) == canonical([p.raw for p in revision])
    except (RecursionError, ValueError):
        return False


def _with_moves(walk: Comparison, deltas: Sequence[Delta]) -> list[Delta]:
    """Turn members that went here and came there into one change each."""
    removed = [delta for delta in deltas if delta.what in _REMOVED]
    added = [delta for delta in deltas if delta.what in _ADDED]
    if not removed or not added:
        return list(deltas)
    lost, gained = _members(walk, removed), _members(walk, added)
    pairs = moves(lost, gained)
    went = {gone.path for gone, _ in pairs}
    came = {come.path for _, come in pairs}
    emptied = {delta.path for delta in removed if _emptied(walk, delta, went)}
    moved = [_moved(gone, come) for gone, come in pairs]
    kept = [
        delta
        for delta in deltas
        if not (delta.what in _REMOVED and (delta.path in went or delta.path in emptied))
        and not (delta.what in _ADDED and delta.path in came)
        and not (delta.what == "object-replaced" and any(path[:-1] == delta.path for path in went))
    ]
    return kept + moved


def _moved(gone: Member[Form], come: Member[Form]) -> Delta:
    old, new = place(gone.path), place(come.path)
    return Delta("property-moved", gone.path, old, new, f"moved to `{new}`")


def _emptied(walk: Comparison, delta: Delta, went: set[Path]) -> bool:
    """Tell whether a member that went held nothing but members that moved."""
    inside = [member.path for member in _inside(walk, delta.path, delta.held or (), 1)]
    return bool(inside) and all(path in went for path in inside)


def _members(walk: Comparison, deltas: Sequence[Delta]) -> list[Member[Form]]:
    """Return the members that went or came, with those inside them."""
    members: list[Member[Form]] = []
    for delta in deltas:
        members.append(Member(delta.path, describe(walk.node, delta.held or ())))
        members.extend(_inside(walk, delta.path, delta.held or (), _MAX_INSIDE))
        if len(members) > _MAX_MEMBERS:
            break
    return members


def _inside(walk: Comparison, path: Path, parts: Parts, depth: int) -> Iterator[Member[Form]]:
    variants = walk.node(parts).variants
    if depth == 0 or len(variants) != 1:
        return
    for name, child in variants[0].properties.items():
        yield Member((*path, name), describe(walk.node, child))
        yield from _inside(walk, (*path, name), child, depth - 1)
    if variants[0].items:
        yield from _inside(walk, (*path, EACH), variants[0].items, depth - 1)
