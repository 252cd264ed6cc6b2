"""One body judged against a contract, earlier bodies of the same resource, and bodies of other resources."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from monitors.drift import baseline as earlier
from monitors.drift import others
from monitors.drift.deltas import Delta, Path, gathered, place
from monitors.drift.explain import Explainer
from monitors.drift.resolve import Home, Part, shortened
from monitors.drift.shape import learn
from monitors.errors import UsageError
from monitors.model import JSON, Change, Level
from monitors.rules import RULES, rule_id
from monitors.violations import Contract

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from monitors.drift.resolve import Parts

_DATA = frozenset({"enum", "const", "default", "example", "examples"})
_DEFINITIONS = ("$defs", "definitions", "components")
_NAMES = frozenset({"properties", "patternProperties", "$defs", "definitions", "dependentSchemas"})
_BY_KEYWORD = {
    "pattern": "pattern-changed",
    "uniqueItems": "unique-items-unset",
    "propertyNames": "property-names-changed",
    "not": "not-changed",
    "contains": "contains-removed",
}
"""Keywords only the validator judges, with the change that two contracts would show."""
_SUPERSEDED = frozenset({"required-property-removed", "optional-property-added"})
_OTHER_THING = frozenset({"variant-added", "one-of-flattened", "type-changed", "became-nullable"})


def judge_sample(schema: Any, baseline: Sequence[JSON], samples: Sequence[JSON], body: JSON) -> list[Change]:
    """Return what a body breaks of a schema and how it drifted, as changes ordered by place.

    `schema` is a self-contained JSON Schema or None. `baseline` holds earlier bodies of the same resource, oldest
    first; `samples` bodies of other resources of its kind; all of them as `jsonbody` reads bodies. Raises
    `UsageError` for a schema that cannot be used.
    """
    parts: Parts | None = None if schema is None else (Part(schema, Home(schema)),)
    return SampleJudge(parts, baseline, samples).judge(body)


class SampleJudge:
    """Judges any number of bodies against the same schema, earlier bodies and samples, see `judge_sample`."""

    __slots__ = ("_baseline", "_others", "_parts", "_validator")

    def __init__(self, parts: Parts | None, baseline: Sequence[JSON] = (), samples: Sequence[JSON] = ()) -> None:
        """Make everything ready; raises `UsageError` for a schema that cannot be used."""
        self._parts = None if parts is None else shortened(parts)
        self._validator = None if self._parts is None else _validator(_whole(self._parts[0]))
        self._baseline = list(baseline)
        self._others = learn(samples) if samples else None

    def judge(self, body: JSON) -> list[Change]:
        """Return what one body breaks and how it drifted, as changes ordered by place."""
        explainer, parts = Explainer(), self._parts
        found: list[Change] = []
        if parts is not None and self._validator is not None:
            found = gathered(explainer.explain(parts, body))
            found.extend(_unexplained(self._validator, body, found))
        drift = list(earlier.changes(explainer, parts, self._baseline, body)) if self._baseline else []
        found = _with_drift(found, drift)
        if self._others is not None:
            aside = others.changes(explainer, parts, self._others, body)
            found.extend(_new_places(found, gathered(aside)))
        return sorted(found, key=lambda change: (change.location, change.what, change.message))


def _whole(part: Part) -> Any:
    """Return a schema with the definitions of its document, so that it can stand alone."""
    root = part.home.root
    if part.raw is root or not isinstance(part.raw, dict) or not isinstance(root, dict):
        return part.raw
    return {**{name: root[name] for name in _DEFINITIONS if name in root}, **part.raw}


def _level(change: Change) -> Level:
    return RULES[rule_id(change)].level


def _unexplained(validator: Contract, body: JSON, found: list[Change]) -> Iterator[Change]:
    """Yield what only the validator knows: keywords that speak of no single type, patterns, conditions."""
    bad = [change for change in found if _level(change) >= Level.WARNING]
    said = {(change.what, change.location) for change in found}
    for change in validator.explain(body):
        known = (change.what, change.location) in said or any(_touches(change, other) for other in bad)
        if not known and change.what != "optional-property-added":
            named = _BY_KEYWORD.get(str(change.base)) if change.what == "constraint-violated" else None
            yield change if named is None else replace(change, what=named)


def _touches(change: Change, other: Change) -> bool:
    return _within(change.location, other.location) or _within(other.location, change.location)


def _within(inner: str, outer: str) -> bool:
    # What holds for every member of a map is said as `.*`, while the validator names each member.
    outer = outer.partition(".*")[0]
    return inner == outer or (inner.startswith(outer) and inner[len(outer)] in ".[")


def _validator(schema: Any) -> Contract:
    try:
        return Contract(readable(schema))
    except ValueError as error:
        text = str(error).splitlines()[0]
        message = f"the schema is no usable JSON Schema: {text}"
        raise UsageError(message) from error


def readable(schema: Any) -> dict[str, Any]:
    """Return a schema as its readers take it, in 2020-12: `oneOf` is a choice, closed objects are open, null is a type.

    A value that fits two variants harms no reader, nor does a member nobody listed; `nullable` and boolean exclusive
    bounds (OpenAPI 3.0) are written the newer way.
    """
    rewritten = _rewritten(schema)
    if not isinstance(rewritten, dict):
        return {"not": {}} if rewritten is False else {}
    return {name: value for name, value in rewritten.items() if name != "$schema"}


def _rewritten(schema: Any) -> Any:
    if not isinstance(schema, dict):
        return schema
    written: dict[str, Any] = {}
    for name, value in schema.items():
        if name in _DATA:
            written[name] = value
        elif name in _NAMES and isinstance(value, dict):
            written[name] = {key: _rewritten(child) for key, child in value.items()}
        elif name in {"additionalProperties", "unevaluatedProperties"} and value is False:
            continue
        elif isinstance(value, list):
            written[name] = [_rewritten(child) for child in value]
        else:
            written[name] = _rewritten(value)
    return _older_keywords(_as_choice(written))


def _as_choice(schema: dict[str, Any]) -> dict[str, Any]:
    choice = schema.get("oneOf")
    if not isinstance(choice, list):
        return schema
    rest = {name: value for name, value in schema.items() if name != "oneOf"}
    if "anyOf" not in rest:
        return {**rest, "anyOf": choice}
    return {**rest, "allOf": [*rest.get("allOf", []), {"anyOf": choice}]}


def _older_keywords(schema: dict[str, Any]) -> dict[str, Any]:
    for bound in ("aximum", "inimum"):
        exclusive = schema.get(f"exclusiveM{bound}")
        if isinstance(exclusive, bool):
            del schema[f"exclusiveM{bound}"]
            if exclusive and f"m{bound}" in schema:
                schema[f"exclusiveM{bound}"] = schema.pop(f"m{bound}")
    if schema.pop("nullable", False) is True:
        declared = schema.get("type")
        if isinstance(declared, str):
            schema["type"] = [declared, "null"]
        if isinstance(schema.get("enum"), list) and None not in schema["enum"]:
            schema["enum"] = [*schema["enum"], None]
    return schema


def _with_drift(found: list[Change], drift: Sequence[Delta]) -> list[Change]:
    """Join what the contract and what earlier bodies say: a rename takes the place of a member missing and one new."""
    paired = [delta for delta in drift if delta.what in {"property-renamed", "property-moved"}]
    went = {place(delta.path) for delta in paired}
    came = {_came(delta) for delta in paired}
    kept = [
        change
        for change in found
        if not (change.what in _SUPERSEDED and (change.location in went or change.location in came))
    ]
    return kept + list(_new_places(kept, gathered(drift)))


def _came(delta: Delta) -> str:
    if delta.what == "property-moved":
        return str(delta.revision)
    renamed: Path = (*delta.path[:-1], str(delta.revision))
    return place(renamed)


def _new_places(found: list[Change], more: Sequence[Change]) -> Iterator[Change]:
    """Yield the changes at places where nothing as bad is known, and not inside a value known to be another thing."""
    worst: dict[str, Level] = {}
    for change in found:
        worst[change.location] = max(worst.get(change.location, Level.INFO), _level(change))
    other_things = [change.location for change in found if change.what in _OTHER_THING]
    for change in more:
        known = worst.get(change.location, Level.INFO)
        inside = any(_within(change.location, location) for location in other_things)
        if not inside and (change.location not in worst or _level(change) > known):
            yield change
