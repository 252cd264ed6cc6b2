"""Members that went matched with members that came: renamed beside their parent, or moved under another one."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

from monitors.drift.likeness import PLAUSIBLE, STRONG, UNLIKE, Likeness
from monitors.drift.names import alike, event, spelled, words

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from monitors.drift.deltas import Path

_FEW = 40
_MAX_PER_WORD = 8
_WRAPPERS = frozenset({"attributes", "data", "relationships"})
"""Members of JSON:API that only hold others: the path of what they hold is no other one for them."""

L = TypeVar("L", bound=Likeness)


@dataclass(frozen=True, slots=True)
class Member(Generic[L]):
    """A member that went or came: where it stands and what it holds."""

    path: Path
    form: L

    @property
    def name(self) -> str:
        """Its own name, empty for an item of a list."""
        return self.path[-1] if self.path and isinstance(self.path[-1], str) else ""

    @property
    def parent(self) -> Path:
        """Where the object that holds it stands."""
        return self.path[:-1]


Pairs = list[tuple[Member[L], Member[L]]]


class _Matching(Generic[L]):
    """Pairs found so far, and what is left to pair."""

    def __init__(self, lost: Sequence[Member[L]], gained: Sequence[Member[L]]) -> None:
        self.lost = {member.path: member for member in sorted(lost, key=_order)}
        self.gained = {member.path: member for member in sorted(gained, key=_order)}
        self.pairs: Pairs[L] = []

    def pair(self, gone: Member[L], come: Member[L]) -> None:
        """Take both as one member."""
        self.pairs.append((gone, come))
        del self.lost[gone.path], self.gained[come.path]

    def offer(self, candidates: Iterable[tuple[int, Member[L], Member[L]]]) -> None:
        """Pair the best candidates first, each member once."""
        for _, gone, come in sorted(candidates, key=lambda c: (-c[0], _order(c[1]), _order(c[2]))):
            if gone.path in self.lost and come.path in self.gained:
                self.pair(gone, come)


def _order(member: Member[L]) -> tuple[int, str]:
    return len(member.path), str(member.path)


def renames(lost: Sequence[Member[L]], gained: Sequence[Member[L]]) -> Pairs[L]:
    """Match the members one object lost with those it gained.

    In this order: another spelling of the name; the time of one event; a name alike; a form so particular that only one
    on each side has it; and where one went and one came, no more, their kind. Forms that contradict each other are one
    member only under one name in two spellings, as two ways to write a time, or where nothing else went or came.
    """
    found: _Matching[L] = _Matching(lost, gained)
    found.offer(_spelled_alike(found, UNLIKE))
    found.offer(_times_of_one_event(found))
    found.offer(_named_alike(found, UNLIKE if len(lost) == len(gained) == 1 else PLAUSIBLE))
    found.offer(_marked_alike(found))
    if len(lost) == len(gained) == 1:
        found.offer(_only_pair(found))
    return found.pairs


def _spelled_alike(
    found: _Matching[L], least: int, text: Callable[[Member[L]], str] = lambda member: spelled(member.name)
) -> list[tuple[int, Member[L], Member[L]]]:
    by_text: dict[str, list[Member[L]]] = {}
    for come in found.gained.values():
        by_text.setdefault(text(come), []).append(come)
    return [
        (gone.form.alike(come.form), gone, come)
        for gone in found.lost.values()
        for come in by_text.get(text(gone), ())[:_MAX_PER_WORD]
        if gone.form.alike(come.form) >= least
    ]


def _path_spelled(member: Member[L]) -> str:
    holders = [step for step in member.parent if isinstance(step, str) and step not in _WRAPPERS]
    return "".join(spelled(step) for step in (*holders, member.name))


def _times_of_one_event(found: _Matching[L]) -> list[tuple[int, Member[L], Member[L]]]:
    """Return points in time that say of the same event when it was, be it in numbers or in text."""
    candidates = _spelled_alike(found, UNLIKE, lambda member: event(member.name) or "")
    return [c for c in candidates if event(c[1].name) and {c[1].form.kind, c[2].form.kind} <= {"number", "string"}]


def _named_the_same(found: _Matching[L]) -> list[tuple[int, Member[L], Member[L]]]:
    return _spelled_alike(found, PLAUSIBLE)


def _spelled_along_the_path(found: _Matching[L]) -> list[tuple[int, Member[L], Member[L]]]:
    """Return members whose parent's name became part of theirs, or the other way round."""
    return _spelled_alike(found, PLAUSIBLE, _path_spelled)


def _named_alike(found: _Matching[L], least: int) -> list[tuple[int, Member[L], Member[L]]]:
    candidates = []
    for gone, come in _worth_a_look(found):
        evidence = gone.form.alike(come.form)
        if evidence >= least and alike(gone.name, come.name):
            shared = len(set(words(gone.name)) & set(words(come.name)))
            candidates.append((evidence + 2 * shared, gone, come))
    return candidates


def _worth_a_look(found: _Matching[L]) -> Iterator[tuple[Member[L], Member[L]]]:
    """Yield the pairs whose names are compared: all of few, else those that share a rare word (linear in size)."""
    if len(found.lost) * len(found.gained) <= _FEW * _FEW:
        yield from ((gone, come) for gone in found.lost.values() for come in found.gained.values())
        return
    by_word: dict[str, list[Member[L]]] = {}
    for come in found.gained.values():
        for word in words(come.name):
            by_word.setdefault(word, []).append(come)
    for gone in found.lost.values():
        for word in words(gone.name):
            sharing = by_word.get(word, ())
            if len(sharing) <= _MAX_PER_WORD:
                yield from ((gone, come) for come in sharing)


def _marked_alike(found: _Matching[L]) -> list[tuple[int, Member[L], Member[L]]]:
    marks = Counter(member.form.mark for member in (*found.lost.values(), *found.gained.values()))
    came = {come.form.mark: come for come in found.gained.values()}
    return [
        (STRONG, gone, came[gone.form.mark])
        for gone in found.lost.values()
        if gone.form.mark is not None and gone.form.mark in came and marks[gone.form.mark] == 2  # noqa: PLR2004  # one each
    ]


def _only_pair(found: _Matching[L]) -> list[tuple[int, Member[L], Member[L]]]:
    return [
        (evidence, gone, come)
        for gone in found.lost.values()
        for come in found.gained.values()
        if (evidence := gone.form.alike(come.form)) >= PLAUSIBLE
    ]


def moves(lost: Sequence[Member[L]], gained: Sequence[Member[L]]) -> Pairs[L]:
    """Match members that went from one object with members that came in another.

    In this order: one name; one path in two spellings (`creator.email`, `creator_email`); one particular form.
    """
    found: _Matching[L] = _Matching(lost, gained)
    for search in (_named_the_same, _spelled_along_the_path, _marked_alike):
        found.offer(candidate for candidate in search(found) if candidate[1].parent != candidate[2].parent)
    tops = {(gone.path, come.path) for gone, come in found.pairs}
    return [pair for pair in found.pairs if not _moved_along(pair, tops)]


def _moved_along(pair: tuple[Member[L], Member[L]], moved: set[tuple[Path, Path]]) -> bool:
    """Tell whether a member merely moved along with one that holds it."""
    gone, come = pair
    shared = 0
    for one, other in zip(reversed(gone.path), reversed(come.path), strict=False):
        if one != other:
            break
        shared += 1
    return any((gone.path[:-steps], come.path[:-steps]) in moved for steps in range(1, shared + 1))
