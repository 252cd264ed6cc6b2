"""A large value looked at in parts: its long lists in slices, so that no step costs more than one slice does."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from monitors.location import Step

SLICE_ITEMS = 2_000
"""Longest list that is looked at in one go."""


@dataclass(frozen=True, slots=True)
class Window:
    """The value with its long lists, those at `sliced`, cut down to the slice that starts at item `start`."""

    value: Any
    start: int
    sliced: frozenset[tuple[Step, ...]]

    def owns(self, path: tuple[Step, ...]) -> bool:
        """Tell whether a path leads into a slice; all else is the same in every window and told by the first."""
        return self.start == 0 or self._list_above(path) is not None

    def path_in_whole(self, path: tuple[Step, ...]) -> tuple[Step, ...]:
        """Return the path in the whole value of what stands at `path` in this window."""
        above = self._list_above(path)
        if above is None:
            return path
        return (*path[:above], path[above] + self.start, *path[above + 1 :])  # type: ignore[operator]  # an index

    def _list_above(self, path: tuple[Step, ...]) -> int | None:
        return next((length for length in range(len(path)) if path[:length] in self.sliced), None)


def windows(value: Any) -> Iterator[Window]:
    """Yield the value in windows that together hold every item of its lists; as it is where none is long.

    Lists are not looked for inside the items of a long list: those stay whole. The lists of one window are copies,
    their items and all else are the value's own.
    """
    longest: dict[tuple[Step, ...], int] = {}
    _find(value, (), longest)
    if not longest:
        yield Window(value, 0, frozenset())
        return
    sliced = frozenset(longest)
    for start in range(0, max(longest.values()), SLICE_ITEMS):
        yield Window(_cut(value, (), sliced, start), start, sliced)


def _find(node: Any, path: tuple[Step, ...], longest: dict[tuple[Step, ...], int]) -> None:
    if isinstance(node, list):
        if len(node) > SLICE_ITEMS:
            longest[path] = len(node)
            return
        for index, child in enumerate(node):
            _find(child, (*path, index), longest)
    elif isinstance(node, dict):
        for name, child in node.items():
            _find(child, (*path, name), longest)


def _cut(node: Any, path: tuple[Step, ...], sliced: frozenset[tuple[Step, ...]], start: int) -> Any:
    """Copy what stands above the sliced lists; the rest is shared."""
    if path in sliced:
        return node[start : start + SLICE_ITEMS]
    if not any(of[: len(path)] == path for of in sliced):
        return node
    if isinstance(node, dict):
        return {name: _cut(child, (*path, name), sliced, start) for name, child in node.items()}
    return [_cut(child, (*path, index), sliced, start) for index, child in enumerate(node)]
