"""Schemas written out so that only what both sides can say is compared."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from monitors.drift.resolve import Home, Part, entered, inside, resolve

if TYPE_CHECKING:
    from monitors.model import JSON

_INT64 = {"minimum": -(2**63), "maximum": 2**63 - 1}
_SAID = frozenset(
    (
        "type", "format", "properties", "required", "items", "enum", "const", "oneOf", "anyOf", "allOf",
        "additionalProperties", "deprecated",
    )
)  # fmt: skip
"""Keywords the vendor's page has words for."""
_ONE = frozenset(
    (
        "items", "additionalProperties", "not", "propertyNames", "contains", "unevaluatedItems",
        "unevaluatedProperties", "if", "then", "else",
    )
)  # fmt: skip
_NAMED = frozenset({"properties", "patternProperties", "dependentSchemas"})
_LISTED = frozenset({"oneOf", "anyOf", "allOf", "prefixItems"})
_ADDRESSES = frozenset({"$ref", "$defs", "definitions", "$id", "$schema", "$anchor"})
_NULL: dict[str, JSON] = {"type": "null"}
_DEEPEST = 100


def written_out(part: Part, *, sayable: bool) -> Part:
    """Return a schema with its references followed and no bounds that only repeat the format `int64`.

    OpenAPI 3.0's `nullable` becomes a type. `sayable` also takes out what the vendor's page has no words for: null,
    bounds, patterns, whether an object is closed. A schema that holds itself is followed once and then allows anything.
    """
    whole = _Writer(sayable=sayable).write(part, 0)
    return Part(whole, Home(whole))


class _Writer:
    """Writes each schema once, so that one used in several places stays one."""

    def __init__(self, *, sayable: bool) -> None:
        self._sayable = sayable
        self._done: dict[tuple[int, int], Any] = {}
        self._open: set[tuple[int, int]] = set()

    def write(self, part: Part, depth: int) -> Any:
        if not isinstance(part.raw, dict):
            return part.raw
        key = (id(part.raw), id(part.home))
        if key in self._open or depth > _DEEPEST:
            return {}
        if key not in self._done:
            self._open.add(key)
            self._done[key] = self._schema(entered(part), depth + 1)
            self._open.discard(key)
        return self._done[key]

    def _schema(self, here: Part, depth: int) -> dict[str, Any]:
        written = {
            keyword: self._value(here, keyword, value, depth)
            for keyword, value in here.raw.items()
            if keyword not in _ADDRESSES and (keyword in _SAID or not self._sayable)
        }
        reference = here.raw.get("$ref")
        target = resolve(here, reference) if isinstance(reference, str) else None
        if target is not None:
            written["allOf"] = [self.write(target, depth), *written.get("allOf", [])]
        if self._sayable:
            return _without_null(written)
        return _even(written, old=_is_old(here.home.root))

    def _value(self, here: Part, keyword: str, value: Any, depth: int) -> Any:
        if keyword in _ONE:
            return self.write(inside(here, value), depth)
        if keyword in _NAMED and isinstance(value, dict):
            return {name: self.write(inside(here, child), depth) for name, child in value.items()}
        if keyword in _LISTED and isinstance(value, list):
            return [self.write(inside(here, child), depth) for child in value]
        return value


def _without_null(schema: dict[str, Any]) -> dict[str, Any]:
    if not isinstance(schema.get("additionalProperties"), dict):
        schema.pop("additionalProperties", None)
    for keyword in ("oneOf", "anyOf"):
        if isinstance(schema.get(keyword), list):
            variants = [variant for variant in schema[keyword] if variant != _NULL]
            if len(variants) == 1 and len(variants) < len(schema[keyword]):
                del schema[keyword]
                schema["allOf"] = [*schema.get("allOf", []), variants[0]]
            else:
                schema[keyword] = variants
    if isinstance(schema.get("type"), list) and schema["type"] != ["null"]:
        types = [name for name in schema["type"] if name != "null"]
        schema["type"] = types[0] if len(types) == 1 else types
    if isinstance(schema.get("enum"), list):
        schema["enum"] = [value for value in schema["enum"] if value is not None]
    return schema


def _is_old(root: Any) -> bool:
    return isinstance(root, dict) and str(root.get("openapi", "")).startswith("3.0")


def _even(schema: dict[str, Any], *, old: bool) -> dict[str, Any]:
    if schema.get("format") == "int64":
        schema = {keyword: value for keyword, value in schema.items() if _INT64.get(keyword) != value}
    if not old or schema.get("nullable") is not True:
        return schema
    schema = {keyword: value for keyword, value in schema.items() if keyword != "nullable"}
    if isinstance(schema.get("enum"), list) and None not in schema["enum"]:
        schema["enum"] = [*schema["enum"], None]
    if isinstance(schema.get("type"), str):
        return {**schema, "type": [schema["type"], "null"]}
    return {"anyOf": [schema, _NULL]}
