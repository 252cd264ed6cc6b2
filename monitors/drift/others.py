"""A body compared with bodies of other resources of its kind, which prove little: optional members come and go."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from monitors.drift.deltas import Delta, Path, brief, quoted
from monitors.drift.formats import format_of
from monitors.drift.names import spelled
from monitors.drift.plain import type_name
from monitors.drift.shape import TEXT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from monitors.drift.explain import Explainer
    from monitors.drift.resolve import Parts
    from monitors.drift.shape import Shape

_ENOUGH = 2


def changes(explainer: Explainer, parts: Parts | None, shape: Shape, body: Any) -> Iterator[Delta]:
    """Yield how a body differs from the shape of other resources, with concrete paths.

    An absent member is an `info` however often others have it: only the contract or this very resource can promise
    it. Where there is no contract, types and formats that all others agree on count.
    """
    yield from _Walk(explainer).place(parts, shape, body, ())


class _Walk:
    __slots__ = ("explainer",)

    def __init__(self, explainer: Explainer) -> None:
        self.explainer = explainer

    def place(self, parts: Parts | None, shape: Shape, value: Any, path: Path) -> Iterator[Delta]:
        if parts is None:
            yield from (delta.under(path) for delta in _unlike(shape, value))
        if isinstance(value, dict):
            yield from self._object(parts, shape, value, path)
        elif isinstance(value, list) and shape.items is not None:
            below = self._items(parts, value)
            for index, item in enumerate(value):
                yield from self.place(below, shape.items, item, (*path, index))

    def _items(self, parts: Parts | None, value: list[Any]) -> Parts | None:
        if parts is None:
            return None
        variants = self.explainer.variants(parts, value)
        return variants[0].items if variants else ()

    def _object(self, parts: Parts | None, shape: Shape, value: dict[str, Any], path: Path) -> Iterator[Delta]:
        variants = [] if parts is None else self.explainer.variants(parts, value)
        listed = {name: below for plain in variants for name, below in plain.properties.items()}
        new_names = {spelled(name): name for name in value if name not in shape.names and name not in listed}
        for name, child in shape.names.items():
            if name in value:
                below = None if parts is None else listed.get(name, ())
                yield from self.place(below, child, value[name], (*path, name))
            elif child.count == shape.objects and (parts is None or name in listed):
                yield _absent(name, new_names.get(spelled(name)), child.count).under(path)


def _absent(name: str, respelled: str | None, count: int) -> Delta:
    if respelled is not None:
        message = f"{quoted(name)} is called {quoted(respelled)}"
        return Delta("property-renamed", (name,), brief(name), brief(respelled), message)
    message = f"{quoted(name)} is absent, though all {count} others had it"
    return Delta("absent-unlike-others", (name,), "present", "absent", message)


def _unlike(shape: Shape, value: Any) -> Iterator[Delta]:
    """Compare type and format with what at least two others agree on; null and whole numbers contradict nothing."""
    solid = {name: count for name, count in shape.types.items() if name != "null"}
    found = "number" if type_name(value) == "integer" else type_name(value)
    usual = {"number" if name == "integer" else name for name in solid}
    if value is None or sum(solid.values()) < _ENOUGH:
        return
    if found not in usual:
        was = " or ".join(sorted(usual))
        yield Delta("unlike-others", (), was, found, f"{found}, though all others had {was}")
    elif isinstance(value, str) and TEXT not in shape.formats and usual == {"string"}:
        was = " or ".join(sorted(shape.formats))
        if format_of(value) not in shape.formats:
            yield Delta("unlike-others", (), was, brief(value), f"{quoted(value)} is no {was}, as all others were")
