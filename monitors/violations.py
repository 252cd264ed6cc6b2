"""What a value breaks of a JSON Schema, as neutral changes: promised (base) against found (revision)."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from itertools import islice
from typing import TYPE_CHECKING, Any

import jsonschema_rs

from monitors.location import Step, indexes, location
from monitors.model import JSON, Change
from monitors.schema_walk import IntegerPlaces, KnownMembers, Path, closed, integer_paths, judges_items_apart, values_at
from monitors.windows import windows
from schemas.formats import FORMATS

if TYPE_CHECKING:
    from collections.abc import Iterator

_SHOWN_CHARS = 60
_MAX_ERRORS = 20_000
_MAX_CHANGES = 500

_BOUNDS = {
    "maximum": ("max-increased", "at most {}"),
    "minimum": ("min-decreased", "at least {}"),
    "exclusiveMaximum": ("exclusive-max-increased", "below {}"),
    "exclusiveMinimum": ("exclusive-min-decreased", "above {}"),
    "maxLength": ("max-length-increased", "at most {} characters"),
    "minLength": ("min-length-decreased", "at least {} characters"),
    "minItems": ("min-items-decreased", "at least {} items"),
}
"""Keywords that bound a value, with the neutral name of the change and the words for a person."""


def type_of(value: Any) -> str:
    """Return the JSON type of a value; a number without fraction, however it is written, is an integer."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int | float):
        return "integer" if isinstance(value, int) or value.is_integer() else "number"
    if isinstance(value, str):
        return "string"
    return "array" if isinstance(value, list) else "object"


def shown(value: Any) -> JSON:
    """Return a scalar as it may stand in a report: strings cut at 60 characters, containers as their type."""
    if isinstance(value, str):
        safe = value.encode("utf-8", "replace").decode()
        return safe if len(safe) <= _SHOWN_CHARS else safe[: _SHOWN_CHARS - 1] + "…"
    if isinstance(value, dict | list):
        return type_of(value)
    return value  # type: ignore[no-any-return]  # null, a boolean or a number


def normalised(text: str) -> str:
    """Return a name without letter case and separators, so that spellings of one name are equal."""
    return re.sub(r"[^0-9a-z]", "", text.casefold())


@dataclass(frozen=True, slots=True)
class Place:
    """One violation at one concrete place; several of the same kind become one change."""

    what: str
    path: tuple[Step, ...]
    base: JSON
    revision: JSON
    message: str


def _validator(schema: Any) -> jsonschema_rs.Draft202012Validator:
    return jsonschema_rs.Draft202012Validator(schema, validate_formats=True, formats=dict(FORMATS))


class Contract:
    """A JSON Schema made ready to judge values: a fast yes, and an explanation for a no.

    The fast yes asks a copy of the schema whose objects are closed, so it vouches for "no violation, no unknown
    member" at once. Where objects cannot be closed (`allOf`, `unevaluatedProperties`), every value is explained.
    """

    __slots__ = ("_closed", "_integer_paths", "_integers", "_known", "_open", "_sliceable", "schema")

    def __init__(self, schema: dict[str, Any]) -> None:
        """Compile the schema; raises `ValueError` where it is no JSON Schema 2020-12 or a `$ref` leads nowhere."""
        self.schema = schema
        self._open = _validator(schema)
        shut = closed(schema)
        self._closed = None if shut is None else _validator(shut)
        self._sliceable = judges_items_apart(schema)
        self._known = KnownMembers([schema], schema)
        self._integer_paths = integer_paths(schema)
        self._integers = IntegerPlaces(self._integer_paths)

    def keeps(self, value: Any) -> bool:
        """Tell whether a value is known to break nothing and to hold nothing unknown; False means: explain it."""
        if self._closed is None:
            return False
        try:
            valid = self._closed.is_valid(value)
        except ValueError:  # deeper than the validator goes, or text it cannot take
            return False
        return valid and not self._integers.has_float(value)

    def allows(self, value: Any) -> bool:
        """Tell whether a value is valid under the schema, unknown members allowed."""
        try:
            return self._open.is_valid(value)
        except ValueError:
            return False

    def explain(self, value: Any) -> list[Change]:
        """Return every violation and every unknown member as changes, in the order of the document.

        The value must be nested at most `jsonbody.MAX_DEPTH` levels and hold no lone surrogates (see `jsonbody`).
        A hostile value breaks its contract in millions of places: those beyond the first 20,000, and kinds beyond the
        first 500, are not told one by one.
        """
        places = list(islice(self._violations(value), _MAX_ERRORS))
        places.extend(_integers_as_floats(value, self._integer_paths))
        places.extend(_unknown_places(self._known, value))
        return gather(places)

    def _violations(self, value: Any) -> Iterator[Place]:
        # The validator makes all errors of a value at once, 30 µs and 1 KB each: it is fed long lists in parts, unless
        # the schema says something of a list as a whole.
        if not self._sliceable:
            yield from self._violations_of(value)
            return
        for window in windows(value):
            if not self.allows(window.value):
                yield from (
                    replace(place, path=window.path_in_whole(place.path))
                    for place in self._violations_of(window.value)
                    if window.owns(place.path)
                )

    def _violations_of(self, value: Any) -> Iterator[Place]:
        typed: set[tuple[Step, ...]] = set()
        for error in sorted(self._open.iter_errors(value), key=lambda error: error.kind.name != "type"):
            path = tuple(error.instance_path)
            if error.kind.name == "type":
                typed.add(path)
            elif path in typed and error.kind.name in {"enum", "const"}:
                continue  # a wrong type is no allowed value either: once is enough
            elif _about_others(error):
                continue  # said as an unknown member, which hurts no reader of responses, closed object or not
            yield from _places(error, path)


def gather(places: list[Place]) -> list[Change]:
    """Make one change of all places that differ only by list index, saying how many and which is the first."""
    groups: dict[tuple[str, str, str], list[Place]] = {}
    for place in places:
        detail = str(place.revision) if place.what.startswith("enum-value") else ""
        groups.setdefault((place.what, location(place.path), detail), []).append(place)
    changes = []
    for (what, where, _), members in islice(groups.items(), _MAX_CHANGES):
        first = members[0]
        at = indexes(first.path)
        message = first.message
        if at:
            first_at = "".join(f"[{index}]" for index in at)
            message += f" (at {first_at})" if len(members) == 1 else f" ({len(members)} times, first at {first_at})"
        changes.append(Change(what, where, first.base, first.revision, message, len(members)))
    if len(groups) > _MAX_CHANGES:
        changes[-1] = replace(changes[-1], message=f"{changes[-1].message}; {len(groups) - _MAX_CHANGES} more follow")
    return changes


def _types(kind: Any) -> list[str]:
    # "integer" stands last of what an error lists; a reader expects the type first and null last.
    return sorted(kind.types, key=lambda name: (name == "null", name))


_OTHERS = ("additionalProperties", "unevaluatedProperties")


def _about_others(error: Any) -> bool:
    return error.kind.name in _OTHERS or (
        error.kind.name == "falseSchema" and error.schema_path[-1:] in ([k] for k in _OTHERS)
    )


def _places(error: Any, path: tuple[Step, ...]) -> Iterator[Place]:
    """Translate one error of the validator; unions are looked into."""
    if error.kind.name in {"anyOf", "oneOf"}:
        yield from _union_places(error, path)
    else:
        yield _place(error, path)


def _union_places(error: Any, path: tuple[Step, ...]) -> Iterator[Place]:
    """Say what a value that fits no variant breaks: of the one variant it resembles, or that it is a new one."""
    value = error.instance
    alike, types = [], set()
    for variant in error.kind.context:
        misfit = next((e for e in variant if e.kind.name == "type" and len(e.instance_path) == len(path)), None)
        if misfit is None:
            alike.append(variant)
        else:
            types.update(misfit.kind.types)
    if not alike:
        yield _type_place(sorted(types, key=lambda name: (name == "null", name)), value, path)
        return
    variants = [[p for inner in variant for p in _places(inner, tuple(inner.instance_path))] for variant in alike]
    resembled = _in_every(variants) or _deepest(variants)
    if resembled:
        yield from resembled
        return
    message = f"fits none of the {len(error.kind.context)} documented variants"
    yield Place("variant-added", path, f"one of {len(error.kind.context)} variants", type_of(value), message)


def _in_every(variants: list[list[Place]]) -> list[Place]:
    """Return what a value breaks of every variant alike: it would be broken whichever was meant."""
    shared = set.intersection(*({(place.what, place.path) for place in variant} for variant in variants))
    found: dict[tuple[str, tuple[Step, ...]], list[Place]] = {}
    for place in (place for variant in variants for place in variant if (place.what, place.path) in shared):
        found.setdefault((place.what, place.path), []).append(place)
    return [_joined(places) for places in found.values()]


def _joined(places: list[Place]) -> Place:
    bases = list(dict.fromkeys(str(place.base) for place in places))
    if len(bases) == 1:
        return places[0]
    promised = " or ".join(bases)
    return replace(places[0], base=promised, message=f"{places[0].revision} where {promised} is promised")


def _deepest(variants: list[list[Place]]) -> list[Place]:
    """Return the violations of the one variant the value resembles most: it is broken only further down."""
    depths = [min(len(place.path) for place in variant) for variant in variants]
    deepest = [variant for variant, depth in zip(variants, depths, strict=True) if depth == max(depths)]
    return deepest[0] if len(deepest) == 1 else []


def _place(error: Any, path: tuple[Step, ...]) -> Place:
    """Translate one error of the validator that is no union; the only place that knows its kinds."""
    kind, value = error.kind, error.instance
    translate = _TRANSLATE.get(kind.name)
    if translate is not None:
        return translate(kind, value, path)
    if kind.name in _BOUNDS:
        what, words = _BOUNDS[kind.name]
        promised, found = words.format(kind.limit), _measure(value)
        return Place(what, path, promised, found, f"{found} where {promised} is promised")
    return Place("constraint-violated", path, kind.name, shown(value), f"breaks the schema's `{kind.name}`")


def _required_place(kind: Any, _value: Any, path: tuple[Step, ...]) -> Place:
    message = f"{_quoted(kind.property)} is missing"
    return Place("required-property-removed", (*path, kind.property), "present", "absent", message)


def _format_place(kind: Any, value: Any, path: tuple[Step, ...]) -> Place:
    found = shown(value)
    return Place("type-changed", path, f"string ({kind.format})", found, f"{_quoted(found)} is no {kind.format}")


def _type_place(types: list[str], value: Any, path: tuple[Step, ...]) -> Place:
    promised, found = " or ".join(types), type_of(value)
    if value is None:
        return Place("became-nullable", path, promised, "null", f"null where {promised} is promised")
    if found == "number" and "integer" in types:
        message = f"{value!r} has a fraction where an integer is promised"
        return Place("type-generalized", path, promised, "number", message)
    return Place("type-changed", path, promised, found, f"{found} where {promised} is promised")


def _enum_place(options: list[Any], value: Any, path: tuple[Step, ...]) -> Place:
    if len(options) == 1:
        return _constant_place(options[0], value, path)
    if value is None:
        return Place("became-nullable", path, list(options), None, "null is no allowed value")
    found = shown(value)
    if type_of(value) not in {type_of(option) for option in options}:
        promised = " or ".join(sorted({type_of(option) for option in options}))
        return Place("type-changed", path, promised, type_of(value), f"{type_of(value)} where {promised} is promised")
    if isinstance(value, str):
        respelled = [o for o in options if isinstance(o, str) and normalised(o) == normalised(value)]
        if respelled and normalised(value):
            message = f"{_quoted(found)} stands where {_quoted(respelled[0])} is documented"
            return Place("enum-value-renamed", path, respelled[0], found, message)
    message = f"{_quoted(found)} is none of the {len(options)} documented values"
    return Place("enum-value-added", path, list(options), found, message)


def _constant_place(expected: Any, value: Any, path: tuple[Step, ...]) -> Place:
    message = f"{_quoted(shown(value))} where only {_quoted(shown(expected))} is documented"
    return Place("const-changed", path, shown(expected), shown(value), message)


def _measure(value: Any) -> JSON:
    if isinstance(value, str):
        return f"{len(value)} characters"
    return f"{len(value)} items" if isinstance(value, list) else shown(value)


def _quoted(value: JSON) -> str:
    return f"`{shown(value)}`" if isinstance(value, str) else str(value)


def _integers_as_floats(value: Any, paths: tuple[Path, ...]) -> Iterator[Place]:
    for path in paths:
        for where, number in values_at(value, path):
            if type(number) is float and number.is_integer():
                message = f"{number!r} is written with a fraction or an exponent where an integer is promised"
                yield Place("type-generalized", where, "integer", "number", message)


def _unknown_places(known: KnownMembers, value: Any) -> Iterator[Place]:
    for path, member in known.unknown(value):
        found = type_of(member)
        message = f"{_quoted(str(path[-1]))} ({found}) is not in the contract"
        yield Place("optional-property-added", path, None, found, message)


_TRANSLATE = {
    "required": _required_place,
    "type": lambda kind, value, path: _type_place(_types(kind), value, path),
    "enum": lambda kind, value, path: _enum_place(list(kind.options), value, path),
    "const": lambda kind, value, path: _constant_place(kind.expected_value, value, path),
    "format": _format_place,
}
"""How each kind of error that is no bound and no union becomes a place."""
