"""The smallest change of a schema that makes one problem true: a sample proves widening, never narrowing."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from monitors.acceptance import jsontext
from monitors.acceptance.jsontext import value_at
from monitors.acceptance.paths import schema_pointers, steps
from monitors.violations import type_of
from schemas.formats import FORMATS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from monitors.acceptance.jsontext import Pointer
    from monitors.acceptance.known import Known
    from monitors.acceptance.paths import Path
    from monitors.model import JSON


class ImpossibleError(Exception):
    """No small change of a schema makes this problem true; the text says why."""


@dataclass(frozen=True, slots=True)
class Widened:
    """A schema's text changed for one problem.

    `words` say what changed, for the history. `samples` are values that were wrong at the location and now are right;
    none where a member may now be missing. `wrong` are values that still are, or have become so.
    """

    text: str
    words: str
    samples: tuple[JSON, ...] = ()
    wrong: tuple[JSON, ...] = ()


@dataclass(frozen=True, slots=True)
class _Case:
    """One problem, one schema, and one place in it that describes the location."""

    text: str
    schema: Any
    pointer: Pointer
    known: Known
    path: Path
    seen: tuple[JSON, ...]

    @property
    def node(self) -> Any:
        return value_at(self.schema, self.pointer)

    @property
    def types(self) -> list[str]:
        given = self.node.get("type", [])
        return [given] if isinstance(given, str) else list(given)


SAMPLES: dict[str, tuple[JSON, ...]] = {
    "null": (None,),
    "boolean": (True,),
    "integer": (1,),
    "number": (1.5, 1),
    "string": ("text",),
    "array": ([],),
    "object": ({"name": "text"},),
}
"""A value or two of each type, for examples."""

_PREFIX = re.compile(r"response-(?:property|body)-")


def widened(text: str, schema: Any, known: Known, seen: tuple[JSON, ...] = ()) -> list[Widened]:
    """Return every way to widen the schema for a problem; several where a union describes the place more than once.

    `text` is the schema as written, `seen` the values at the place where they are known. Raises `ImpossibleError`.
    """
    if known.location is None:
        message = "it is about the answer as a whole, which no schema describes"
        raise ImpossibleError(message)
    widen = _WIDENINGS.get(_PREFIX.sub("", known.rule).removeprefix("response-"))
    if widen is None or known.kind == "availability":
        message = "no change of a schema makes this rule true"
        raise ImpossibleError(message)
    try:
        path = steps(known.location)
    except ValueError as error:
        raise ImpossibleError(str(error)) from error
    above = widen in {_describe, _make_optional}
    pointers = schema_pointers(schema, path[:-1] if above else path)
    found, refused = [], []
    for pointer in pointers:
        try:
            found.append(widen(_Case(text, schema, pointer, known, path, seen)))
        except ImpossibleError as error:
            refused.append(error)
    if found:
        return found
    raise refused[0] if refused else ImpossibleError("the contract describes no such place")


def _describe(case: _Case) -> Widened:
    """Describe a member the contract does not know: optional, of the type seen, and nothing more."""
    name = case.path[-1] if case.path else None
    if not isinstance(name, str) or "object" not in case.types or name in case.node.get("properties", {}):
        message = "its parent is no object the contract describes"
        raise ImpossibleError(message)
    kinds = _kinds(case)
    if not kinds <= SAMPLES.keys():
        message = f"its type {case.known.revision!r} is none of JSON's"
        raise ImpossibleError(message)
    # A double arrives as a whole number when it is one: the first fraction would be a false alarm.
    types = {"number" if kind == "integer" else kind for kind in kinds}
    listed: list[JSON] = [kind for kind in reversed(SAMPLES) if kind in types]
    described: dict[str, JSON] = {"description": _description(case, kinds)}
    if types != {"null"}:
        described = {"type": listed[0] if len(listed) == 1 else listed, **described}
    text = case.text
    if "properties" not in case.node:
        text = jsontext.with_member(text, case.pointer, "properties", {}, after=("type", "description", "required"))
    text = jsontext.with_member(text, (*case.pointer, "properties"), name, described)
    samples = tuple(sample for kind in SAMPLES if kind in types for sample in SAMPLES[kind])
    fine = types | ({"integer"} if "number" in types else set())
    wrong = tuple(SAMPLES[kind][0] for kind in SAMPLES if kind not in fine) if "type" in described else ()
    words = f"the optional member {name} is described ({' or '.join(map(str, listed))})"
    return Widened(text, words, samples, wrong)


def _kinds(case: _Case) -> set[str]:
    """Return the types seen: of the values where they are known, else of the one the report speaks of."""
    return {type_of(value) for value in case.seen} or {str(case.known.revision)}


def _description(case: _Case, kinds: set[str]) -> str:
    since = case.known.first_seen
    words = f"Seen since {since.date().isoformat()}; not documented." if since else "Seen; not documented."
    only = {"integer": " Only whole numbers so far.", "null": " Only null so far."}
    return words + (only.get(next(iter(kinds)), "") if len(kinds) == 1 else "")


def _make_optional(case: _Case) -> Widened:
    name = case.path[-1] if case.path else None
    required = case.node.get("required", [])
    if name not in required:
        message = "the contract does not require it there"
        raise ImpossibleError(message)
    gone: Pointer = (*case.pointer, "required")
    if len(required) > 1:
        gone = (*gone, required.index(name))
    return Widened(jsontext.without(case.text, gone), f"{name} is no longer required")


def _make_nullable(case: _Case) -> Widened:
    text = case.text
    if case.types and "null" not in case.types:
        text = _with_type(case, text, "null")
    if "enum" in case.node and None not in case.node["enum"]:
        text = jsontext.with_item(text, (*case.pointer, "enum"), None)
    if text == case.text:
        message = "the contract allows null there"
        raise ImpossibleError(message)
    return Widened(text, "may be null", (None,))


def _with_type(case: _Case, text: str, added: str) -> str:
    pointer = (*case.pointer, "type")
    given = value_at(json.loads(text), pointer)
    if isinstance(given, str):
        return jsontext.replaced(text, pointer, [given, added])
    if given[-1:] != ["null"]:
        return jsontext.with_item(text, pointer, added)
    return jsontext.replaced(text, pointer, [*given[:-1], added, "null"])


def _change_type(case: _Case) -> Widened:
    """Allow further types; text that no longer has its format loses the format."""
    allowed = {*case.types, "integer"} if "number" in case.types else set(case.types)
    base, revision = str(case.known.base), str(case.known.revision)
    unformatted = _unformatted(case, revision if base.startswith("string (") else None)
    kinds = {type_of(value) for value in case.seen} if case.seen or unformatted else {revision}
    added = [kind for kind in SAMPLES if kind in kinds - allowed and kind != "null"]
    if not (added or unformatted) or not case.types:
        message = "the contract promises no other type there"
        raise ImpossibleError(message)
    text, words, samples = case.text, [], unformatted[:1]
    if unformatted:
        text = jsontext.without(text, (*case.pointer, "format"))
        words.append(f"is no longer promised to be a {case.node['format']}")
    for kind in added:
        text = _with_type(case, text, kind)
        words.append(f"may be of type {kind}")
        samples += SAMPLES[kind][:1]
    if "enum" not in case.node:
        return Widened(text, " and ".join(words), samples)
    values = tuple(value for value in case.seen if type_of(value) in added)
    if not values or any(isinstance(value, dict | list) for value in values):
        message = "its values are listed; the new one must be a plain value, from the recorded answer itself"
        raise ImpossibleError(message)
    for value in values:
        text = jsontext.with_item(text, (*case.pointer, "enum"), value)
    return Widened(text, " and ".join(words), values)


def _unformatted(case: _Case, told: str | None) -> tuple[JSON, ...]:
    """Return texts without the format the contract promises: those seen, or the one the report tells of."""
    fits = FORMATS.get(str(case.node.get("format")))
    if fits is None:
        return ()
    seen = case.seen or (() if told is None else (told,))
    return tuple(value for value in seen if isinstance(value, str) and not fits(value))


def _generalize(case: _Case) -> Widened:
    if "integer" not in case.types:
        message = "the contract promises no integer there"
        raise ImpossibleError(message)
    at: Pointer = (*case.pointer, "type")
    if isinstance(case.node["type"], list):
        at = (*at, case.types.index("integer"))
    text = jsontext.replaced(case.text, at, "number")
    if str(case.node.get("format", "")).startswith("int"):
        text = jsontext.replaced(text, (*case.pointer, "format"), "double")
    return Widened(text, "may have a fraction", (1.5,))


def _add_value(case: _Case) -> Widened:
    """List a further value; the only allowed value becomes one of several."""
    node, value = case.node, case.known.revision
    if "const" in node:
        text = jsontext.replaced(case.text, (*case.pointer, "const"), [node["const"], value])
        return Widened(jsontext.renamed(text, (*case.pointer, "const"), "enum"), f"may be {_shown(value)}", (value,))
    if "enum" not in node or value in node["enum"]:
        message = "the contract lists no values there"
        raise ImpossibleError(message)
    if isinstance(value, str) and value.endswith("…"):
        whole = [seen for seen in case.seen if isinstance(seen, str) and seen.startswith(value[:-1])]
        if not whole:
            message = "the report cuts the value short; give the recorded answer itself"
            raise ImpossibleError(message)
        value = whole[0]
    text = jsontext.with_item(case.text, (*case.pointer, "enum"), value)
    return Widened(text, f"may be {_shown(value)}", (value,))


def _shown(value: JSON) -> str:
    return value if isinstance(value, str) else str(value).lower()


_BOUNDS = {
    "max-increased": "maximum",
    "min-decreased": "minimum",
    "exclusive-max-increased": "exclusiveMaximum",
    "exclusive-min-decreased": "exclusiveMinimum",
    "max-length-increased": "maxLength",
    "min-length-decreased": "minLength",
    "min-items-decreased": "minItems",
}
_INCLUSIVE = {"exclusiveMaximum": "maximum", "exclusiveMinimum": "minimum"}


def _move_bound(case: _Case) -> Widened:
    keyword = _BOUNDS[_PREFIX.sub("", case.known.rule)]
    value = case.known.revision
    numbers = [seen for seen in case.seen if type(seen) in {int, float} and isinstance(seen, int | float)]
    if numbers and not isinstance(value, str):
        value = max(numbers) if "max" in keyword else min(numbers)
    if isinstance(value, str):
        value = int(value.split()[0]) if re.match(r"\d{1,9} (characters|items)\Z", value) else None
    if not isinstance(value, int | float) or isinstance(value, bool) or keyword not in case.node:
        message = "the contract has no such bound there"
        raise ImpossibleError(message)
    text = jsontext.replaced(case.text, (*case.pointer, keyword), value)
    if keyword in _INCLUSIVE:
        text = jsontext.renamed(text, (*case.pointer, keyword), _INCLUSIVE[keyword])
    if str(case.node.get("format", "")).startswith("int"):
        text = jsontext.without(text, (*case.pointer, "format"))
    samples: tuple[JSON, ...] = (value,)
    beyond: tuple[JSON, ...] = (value + (1 if "max" in keyword else -1),)
    if keyword.endswith("Length"):
        samples, beyond = ("x" * int(value),), ()
    elif keyword == "minItems":
        lists: list[JSON] = [*case.seen, []]
        samples, beyond = tuple(one for one in lists if isinstance(one, list) and len(one) == value)[:1], ()
    words = f"has {value} as its {_INCLUSIVE.get(keyword, keyword)}"
    return Widened(text, words, samples, beyond)


_WIDENINGS: Mapping[str, Callable[[_Case], Widened]] = {
    "optional-property-added": _describe,
    "required-property-removed": _make_optional,
    "became-nullable": _make_nullable,
    "type-changed": _change_type,
    "type-generalized": _generalize,
    "enum-value-added": _add_value,
    "enum-value-renamed": _add_value,
    "const-changed": _add_value,
    **dict.fromkeys(_BOUNDS, _move_bound),
}
"""What each rule's change leads to, by the rule's id without its scope."""
