"""One value held against a schema: what a reader of the schema meets in it, unions understood."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import jsonschema_rs

from monitors.drift.deltas import MEMBERS, Delta, Deltas, Path, brief, quoted, worst
from monitors.drift.keywords import DECODED, MACHINE_EDGES, beyond, bound_words, covers, multiple, words
from monitors.drift.names import spelled
from monitors.drift.normal import Node, Normaliser
from monitors.drift.plain import Plain, canonical, type_name
from monitors.drift.resolve import Parts, key
from monitors.drift.unions import tag_names, tag_values
from monitors.model import Level

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_MAX_DEPTH = 100
_SIZES = {
    "maxLength": (str, 1, "max-length-increased", "characters"),
    "minLength": (str, -1, "min-length-decreased", "characters"),
    "maxItems": (list, 1, "max-items-increased", "items"),
    "minItems": (list, -1, "min-items-decreased", "items"),
    "maxProperties": (dict, 1, "max-properties-increased", "members"),
    "minProperties": (dict, -1, "min-properties-decreased", "members"),
}
_WIDTHS = {"int32": 31, "int64": 63}
_STRUCTURE = frozenset({"required-property-removed", "optional-property-added"})


@cache
def _checker(name: str) -> jsonschema_rs.Draft202012Validator:
    return jsonschema_rs.Draft202012Validator({"format": name}, validate_formats=True)


def has_format(text: str, name: str) -> bool:
    """Tell whether a text has a format of JSON Schema; a format nobody knows is had by any text."""
    try:
        return _checker(name).is_valid(text)
    except ValueError:
        return True


class Explainer:
    """Holds values against schemas; the documents of the schemas and the values must outlive it."""

    __slots__ = ("_done", "_normal")

    def __init__(self) -> None:
        """Start with nothing explained."""
        self._normal = Normaliser()
        self._done: dict[tuple[tuple[int, ...], int], tuple[Any, Deltas]] = {}

    def node(self, parts: Parts) -> Node:
        """Return the normal form of schemas that all hold at one place."""
        return self._normal.node(parts)

    def explain(self, parts: Parts, value: Any, depth: int = 0) -> Deltas:
        """Return what the value breaks or adds, relative to where it stands; equal values may share a result."""
        if not isinstance(value, dict | list):
            return tuple(self._place(self.node(parts), value, depth))
        place = (key(parts), id(value))
        if place not in self._done:
            found = tuple(self._place(self.node(parts), value, depth)) if depth < _MAX_DEPTH else ()
            self._done[place] = (value, found)
        return self._done[place][1]

    def variants(self, parts: Parts, value: Any) -> list[Plain]:
        """Return the variants a value is, all of its type where it is none."""
        fitting = _of_type(self.node(parts), value)
        accepted = [plain for plain in fitting if worst(self._plain(plain, value, 0)) < Level.WARNING]
        return accepted or fitting

    def _place(self, node: Node, value: Any, depth: int) -> Iterator[Delta]:
        promised = words(frozenset().union(*(plain.types for plain in node.variants)))
        if value is None:
            if not node.nullable:
                yield Delta("became-nullable", (), promised, "null", f"null where {promised} is promised")
            return
        fitting = _of_type(node, value)
        if fitting:
            yield from self._variants(node, fitting, value, depth)
            return
        found = type_name(value)
        message = f"{found} where {promised} is promised"
        if found == "number" and any("integer" in plain.types for plain in node.variants):
            yield Delta("type-generalized", (), promised, found, f"{quoted(value)} has a fraction")
        else:
            yield Delta("variant-added" if node.union else "type-changed", (), promised, found, message)

    def _variants(self, node: Node, fitting: list[Plain], value: Any, depth: int) -> Iterator[Delta]:
        if not node.union and len(fitting) == 1:
            yield from self._plain(fitting[0], value, depth)
            return
        by_tag = self._by_tag(fitting, value, depth) if isinstance(value, dict) else None
        if by_tag is not None:
            yield from by_tag
            return
        tried = [(tuple(self._plain(plain, value, depth)), plain) for plain in fitting]
        best, closest = min(tried, key=lambda pair: (worst(pair[0]), len(pair[0])))
        if not isinstance(value, dict):
            yield from best
            return
        known = {name for plain in fitting for name in plain.properties}
        strays = value.keys() & (known - closest.properties.keys())
        mixed = closest.single.keys() & {"unevaluatedProperties"} or any(p.raw is False for p in closest.additional)
        if worst(best) < Level.WARNING and not (strays and mixed):
            yield from best
        elif not value.keys() & known:
            yield _new_variant(len(fitting), f"object with {', '.join(sorted(value)[:4])}")
        elif strays and {delta.what for delta in best} <= _STRUCTURE:
            message = f"mixes members of several variants: {', '.join(sorted(value.keys() & known)[:4])}"
            yield Delta("one-of-flattened", (), f"one of {len(fitting)} variants", "a mixture", message)
        else:
            yield from best

    def _by_tag(self, fitting: Sequence[Plain], value: dict[str, Any], depth: int) -> list[Delta] | None:
        """Let the member that tells variants apart decide; None where there is no such member."""
        for name in sorted(tag_names(self, fitting)):
            if name not in value:
                continue
            found = canonical(value[name])
            by_value = {tag: plain for plain in fitting for tag in tag_values(self, plain, name)}
            if found in by_value:
                return list(self._plain(by_value[found], value, depth))
            respelled = next((tag for tag in by_value if spelled(tag) == spelled(found)), None)
            if respelled is not None:
                return [_respelled(respelled, found, (name,))]
            if len(by_value) > 1 or len(fitting) > 1:
                return [_new_variant(len(fitting), f"{name} {found}")]
        return None

    def _plain(self, plain: Plain, value: Any, depth: int) -> Iterator[Delta]:
        if plain.enum is not None and canonical(value) not in plain.enum:
            yield _not_listed(plain, value)
            return
        if isinstance(value, str):
            yield from _text(plain, value)
        elif isinstance(value, int | float) and not isinstance(value, bool):
            yield from _number(plain, value)
        yield from _sizes(plain, value)
        if isinstance(value, list):
            for index, item in enumerate(value):
                inner = plain.item(index)
                if inner:
                    yield from (delta.under((index,)) for delta in self.explain(inner, item, depth + 1))
        elif isinstance(value, dict):
            yield from self._object(plain, value, depth)

    def _object(self, plain: Plain, value: dict[str, Any], depth: int) -> Iterator[Delta]:
        unlisted = [name for name in value if name not in plain.properties]
        absent = {spelled(name): name for name in plain.properties if name not in value} if unlisted else {}
        respelled = {absent[spelled(name)]: name for name in unlisted if spelled(name) in absent}
        for name, parts in plain.properties.items():
            if name in value:
                if parts:
                    yield from (delta.under((name,)) for delta in self.explain(parts, value[name], depth + 1))
            elif name in respelled:
                message = f"{quoted(name)} is called {quoted(respelled[name])}"
                yield Delta("property-renamed", (name,), brief(name), brief(respelled[name]), message)
            elif name in plain.required:
                message = f"{quoted(name)} is missing"
                yield Delta("required-property-removed", (name,), "required", "absent", message)
        taken = set(respelled.values())
        for name in unlisted:
            if name not in taken:
                yield from self._unlisted(plain, name, value[name], depth)

    def _unlisted(self, plain: Plain, name: str, value: Any, depth: int) -> Iterator[Delta]:
        parts = plain.member(name)
        if parts and not any(part.raw is False for part in parts):
            step: Path = (name,) if plain.properties else (MEMBERS,)
            yield from (delta.under(step) for delta in self.explain(parts, value, depth + 1))
        elif parts or plain.properties:
            message = f"{quoted(name)} ({type_name(value)}) is not in the contract"
            yield Delta("optional-property-added", (name,), None, type_name(value), message, value)


def _of_type(node: Node, value: Any) -> list[Plain]:
    return [plain for plain in node.variants if covers(plain.types, type_name(value))]


def _new_variant(known: int, name: str) -> Delta:
    message = f"fits none of the documented variants: {name}"
    return Delta("variant-added", (), f"{known} variants", brief(name), message)


def _respelled(old: str, new: str, path: Path) -> Delta:
    message = f"{new} stands where {old} is documented"
    return Delta("enum-value-renamed", path, brief(old.strip('"')), brief(new.strip('"')), message)


def _not_listed(plain: Plain, value: Any) -> Delta:
    allowed = list((plain.enum or {}).values())
    if len(allowed) == 1:
        message = f"{quoted(value)} where only {quoted(allowed[0])} is documented"
        return Delta("const-changed", (), brief(allowed[0]), brief(value), message)
    same = [text for text in plain.enum or {} if isinstance(value, str) and spelled(text) == spelled(canonical(value))]
    if same:
        return _respelled(same[0], canonical(value), ())
    message = f"{quoted(value)} is none of the {len(allowed)} documented values"
    return Delta("enum-value-added", (), None, brief(value), message)


def _text(plain: Plain, value: str) -> Iterator[Delta]:
    for name in sorted(plain.formats):
        if not has_format(value, name):
            what = "type-changed" if name in DECODED else "format-changed"
            yield Delta(what, (), f"string ({name})", brief(value), f"{quoted(value)} is no {name}")


def _number(plain: Plain, value: float) -> Iterator[Delta]:
    if isinstance(value, float) and "number" not in plain.types:
        message = f"{value!r} is written with a fraction or an exponent where an integer is promised"
        yield Delta("type-generalized", (), "integer", "number", message)
    bits = next((bits for name, bits in _WIDTHS.items() if name in plain.formats), None)
    if bits is not None and not -(2**bits) <= value < 2**bits:
        yield Delta("type-generalized", (), f"int{bits + 1}", brief(value), f"{value} does not fit into int{bits + 1}")
        return
    for limit, sign, edge in ((plain.upper, 1, "max-increased"), (plain.lower, -1, "min-decreased")):
        if limit is not None and beyond((value, False), limit, sign):
            what = edge if limit[0] in MACHINE_EDGES else "range-widened"
            promised = bound_words(limit, sign)
            yield Delta(what, (), promised, brief(value), f"{value} where {promised} is promised")
    for step in plain.multiples:
        if not multiple(value, step):
            yield Delta("multiple-of-changed", (), brief(step), brief(value), f"{value} is no multiple of {step}")


def _sizes(plain: Plain, value: Any) -> Iterator[Delta]:
    for name, (kind, sign, what, unit) in _SIZES.items():
        limit = plain.sizes.get(name)
        if limit is not None and isinstance(value, kind) and beyond((len(value), False), (limit, False), sign):
            promised = f"{'at most' if sign > 0 else 'at least'} {limit} {unit}"
            yield Delta(what, (), promised, f"{len(value)} {unit}", f"{len(value)} {unit}, {promised} are promised")
