"""A body compared with earlier bodies of the same resource: what went, came, moved or changed its form."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from monitors.drift.deltas import Delta, Path, brief, place, quoted
from monitors.drift.plain import canonical, type_name
from monitors.drift.renames import Member, moves, renames
from monitors.drift.seen import Seen, form_changes
from monitors.location import EACH

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from monitors.drift.explain import Explainer
    from monitors.drift.resolve import Parts

_IDENTITIES = ("id", "key", "name", "uuid", "slug")
_MAX_DEPTH = 100
_MAX_INSIDE = 4


@dataclass(frozen=True, slots=True)
class Lost:
    """A member every earlier body had and this one has not; `promised` tells how the contract speaks of it."""

    path: Path
    value: Any
    promised: bool


@dataclass(slots=True)
class Comparison:
    """What one walk over earlier and present values found."""

    deltas: list[Delta] = field(default_factory=list)
    lost: list[Lost] = field(default_factory=list)
    gained: list[tuple[Path, Any]] = field(default_factory=list)


def changes(explainer: Explainer, parts: Parts | None, earlier: Sequence[Any], body: Any) -> list[Delta]:
    """Return how a body drifted from earlier bodies of the same resource, oldest first, with concrete paths.

    `parts` is the contract, None where there is none: then everything seen counts as promised. What the contract
    never listed may go (an `info`); a member it lists cannot be a new name for one that went.
    """
    walk = _Walk(explainer)
    walk.place(parts, list(earlier), [body], (), paired=True)
    return [*walk.found.deltas, *_matched(walk.found)]


class _Walk:
    """Walks earlier values (all of one place) beside present ones."""

    __slots__ = ("explainer", "found")

    def __init__(self, explainer: Explainer) -> None:
        self.explainer = explainer
        self.found = Comparison()

    def place(self, parts: Parts | None, olds: list[Any], news: list[Any], path: Path, *, paired: bool) -> None:
        """Compare one place; `paired` tells that the last earlier and the one present value are the same thing."""
        if not olds or not news or len(path) > _MAX_DEPTH:
            return
        objects = [old for old in olds if isinstance(old, dict)], [new for new in news if isinstance(new, dict)]
        lists = [old for old in olds if isinstance(old, list)], [new for new in news if isinstance(new, list)]
        if all(objects):
            self._objects(parts, *objects, path, paired=paired)
        if all(lists):
            self._lists(parts, *lists, path, paired=paired)
        if paired:
            self._values(parts, olds[-1], news[0], path)

    def _values(self, parts: Parts | None, old: Any, new: Any, path: Path) -> None:
        if new is None and old is not None:
            allowed = parts is not None and self.explainer.node(parts).nullable
            if parts is None:
                message = f"was {type_name(old)}, now null"
                self.found.deltas.append(Delta("became-nullable", path, type_name(old), "null", message))
            elif allowed:
                message = f"was {quoted(old)}, now null"
                self.found.deltas.append(Delta("value-nulled", path, brief(old), None, message))
        elif parts is None and old is not None and _family(old) != _family(new):
            message = f"was {type_name(old)}, now {type_name(new)}"
            self.found.deltas.append(Delta("type-changed", path, type_name(old), type_name(new), message))
        if not isinstance(new, str) or self._promises_form(parts):
            self.found.deltas.extend(delta.under(path) for delta in form_changes(old, new))

    def _promises_form(self, parts: Parts | None) -> bool:
        """Tell whether the contract says how a text is written; free text may be written in any way."""
        return parts is None or any(plain.formats for plain in self.explainer.node(parts).variants)

    def _objects(
        self, parts: Parts | None, olds: list[dict[str, Any]], news: list[dict[str, Any]], path: Path, *, paired: bool
    ) -> None:
        listed, named = self._listed(parts, news)
        always = [name for name in olds[-1] if all(name in old for old in olds)]
        seen = frozenset(name for old in olds for name in old)
        for name in always:
            if not any(name in new for new in news) and (listed is None or name in listed or not named):
                promised = listed is None or name in listed
                self.found.lost.append(Lost((*path, name), olds[-1][name], promised))
        for name, value in news[0].items():
            if name not in seen and (listed is None or name not in listed) and not (named and listed is not None):
                self.found.gained.append(((*path, name), value))
        for name in seen:
            held = [new[name] for new in news if name in new]
            if held and (below := self._below(parts, name, news)) is not _UNLISTED:
                earlier = [old[name] for old in olds if name in old]
                self.place(below, earlier, held, (*path, name), paired=paired)

    def _listed(self, parts: Parts | None, news: list[dict[str, Any]]) -> tuple[frozenset[str] | None, bool]:
        """Return the names the contract lists for these objects, None for any; and whether other names are data."""
        if parts is None:
            return None, False
        variants = [plain for new in news[:1] for plain in self.explainer.variants(parts, new)]
        listed = frozenset(name for plain in variants for name in plain.properties)
        return listed, any(plain.additional or plain.pattern_properties for plain in variants)

    def _below(self, parts: Parts | None, name: str, news: list[dict[str, Any]]) -> Any:
        """Return what the contract says below a member; `_UNLISTED` where it says nothing."""
        if parts is None:
            return None
        for plain in self.explainer.variants(parts, news[0]):
            if name in plain.properties:
                return plain.properties[name] or _UNLISTED
            if plain.member(name):
                return plain.member(name)
        return _UNLISTED

    def _lists(
        self, parts: Parts | None, olds: list[list[Any]], news: list[list[Any]], path: Path, *, paired: bool
    ) -> None:
        below: Any = None
        if parts is not None:
            variants = self.explainer.variants(parts, news[0])
            below = variants[0].items if variants else ()
            if not below:
                return
        order = _reordered(olds, news[0]) if paired else None
        if order is not None:
            self.found.deltas.append(order.under(path))
        pairs = list(_same_items(olds[-1], news[0])) if paired else []
        for index, old, new in pairs:
            self.place(below, [old], [new], (*path, index), paired=True)
        if not pairs:
            earlier, present = [item for old in olds for item in old], [item for new in news for item in new]
            self.place(below, earlier, present, (*path, EACH), paired=False)


_UNLISTED: Any = object()


def _family(value: Any) -> str:
    return "number" if type_name(value) == "integer" else type_name(value)


def _identity(items: list[Any]) -> str | None:
    """Return the member that names each object of a list and no two alike, or None."""
    if not items or not all(isinstance(item, dict) for item in items):
        return None
    for name in _IDENTITIES:
        values = [canonical(item[name]) for item in items if name in item and not isinstance(item[name], dict | list)]
        if len(values) == len(items) == len(set(values)):
            return name
    return None


def _same_items(olds: list[Any], news: list[Any]) -> Iterator[tuple[int, Any, Any]]:
    """Yield the items of two lists that are the same thing: by what names them, else by place in equally long lists."""
    name = _identity(olds)
    if name is not None and name == _identity(news):
        by_name = {canonical(old[name]): old for old in olds}
        for index, new in enumerate(news):
            if (old := by_name.get(canonical(new[name]))) is not None:
                yield index, old, new
    elif len(olds) == len(news) and not _shuffled(olds, news):
        yield from ((index, old, new) for index, (old, new) in enumerate(zip(olds, news, strict=True)))


def _shuffled(olds: list[Any], news: list[Any]) -> bool:
    before, after = [canonical(old) for old in olds], [canonical(new) for new in news]
    return before != after and Counter(before) == Counter(after)


def _reordered(olds: list[list[Any]], new: list[Any]) -> Delta | None:
    """Tell that a list has the same items in another order, unless earlier ones already came in several orders."""
    old = olds[-1]
    if len(old) != len(new) or any(_shuffled(other, old) for other in olds[:-1]):
        return None
    name = _identity(old)
    if name is not None and name == _identity(new):
        old, new = [item[name] for item in old], [item[name] for item in new]
    if not _shuffled(old, new):
        return None
    return Delta("array-reordered", (), None, None, f"the same {len(new)} items in another order")


def _matched(found: Comparison) -> Iterator[Delta]:
    """Yield what went as renamed, moved or gone."""
    lost = [Member(gone.path, Seen(gone.value)) for gone in found.lost]
    gained = [Member(path, Seen(value)) for path, value in found.gained]
    pairs = []
    beside = _by_parent(gained)
    for parent, gone_here in _by_parent(lost).items():
        pairs.extend(renames(gone_here, beside.get(parent, [])))
    paired = {member.path for pair in pairs for member in pair}
    for gone, come in pairs:
        message = f"{quoted(gone.name)} is now called {quoted(come.name)}"
        yield Delta("property-renamed", gone.path, brief(gone.name), brief(come.name), message)
    left = [gone for gone in found.lost if gone.path not in paired]
    came = _with_inside((path, value) for path, value in found.gained if path not in paired)
    moved = moves(list(_with_inside((gone.path, gone.value) for gone in left)), list(came))
    went = {gone.path for gone, _ in moved}
    for gone, come in moved:
        yield Delta("property-moved", gone.path, place(gone.path), place(come.path), f"moved to `{place(come.path)}`")
    for member in left:
        inside = [(*member.path, name) for name in member.value] if isinstance(member.value, dict) else []
        if member.path not in went and not (inside and all(path in went for path in inside)):
            yield _gone(member)


def _by_parent(members: list[Member[Seen]]) -> dict[Path, list[Member[Seen]]]:
    groups: dict[Path, list[Member[Seen]]] = {}
    for member in members:
        groups.setdefault(member.parent, []).append(member)
    return groups


def _with_inside(members: Iterator[tuple[Path, Any]], depth: int = 0) -> Iterator[Member[Seen]]:
    for path, value in members:
        yield Member(path, Seen(value))
        if depth < _MAX_INSIDE and isinstance(value, dict):
            yield from _with_inside((((*path, name), child) for name, child in value.items()), depth + 1)
        elif depth < _MAX_INSIDE and isinstance(value, list) and value and isinstance(value[0], dict):
            inner = (((*path, EACH, name), child) for name, child in value[0].items())
            yield from _with_inside(inner, depth + 1)


def _gone(gone: Lost) -> Delta:
    what = "optional-property-removed" if gone.promised else "undeclared-property-removed"
    message = f"{quoted(str(gone.path[-1]))} was there and is gone"
    return Delta(what, gone.path, type_name(gone.value), "absent", message)
