"""Schemas that all apply at one place folded into one flat record, keyword by keyword."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from monitors.drift.plain import EVERY_TYPE, Bound, Plain, canonical, matches, type_name
from monitors.drift.resolve import Part, Parts, inside

if TYPE_CHECKING:
    from collections.abc import Callable

_SIZES = {
    "maxLength": min, "minLength": max, "maxItems": min, "minItems": max, "maxProperties": min, "minProperties": max,
    "maxContains": min, "minContains": max,
}  # fmt: skip
"""Limits on sizes, with how two of them are folded into the stricter one."""
_SINGLE = ("propertyNames", "contains", "unevaluatedItems", "unevaluatedProperties", "contentSchema")
_NOTES = ("deprecated", "writeOnly", "default")


def _schema_map(raw: Any) -> dict[str, Any]:
    return {name: child for name, child in raw.items() if isinstance(name, str)} if isinstance(raw, dict) else {}


def _number(raw: Any) -> float | None:
    return raw if isinstance(raw, int | float) and not isinstance(raw, bool) and raw == raw else None  # noqa: PLR0124  # NaN


def _strings(raw: Any) -> list[str]:
    return [name for name in raw if isinstance(name, str)] if isinstance(raw, list) else []


def fold(flat: tuple[Part, ...]) -> Plain:
    """Fold schemas that all apply into one record; whatever is no valid keyword is passed over."""
    if any(part.raw is False for part in flat):
        return Plain(types=frozenset())
    parts = [part for part in flat if isinstance(part.raw, dict)]
    types = _types(parts)
    enum, constant = _enum(parts)
    if enum is not None:
        types &= _closed_types({type_name(value) for value in enum.values()})
        enum = {text: value for text, value in enum.items() if value is not None and type_name(value) in types}
        if types == {"boolean"} and len(enum) > 1:
            enum = None
        elif not enum:
            enum, types = None, types & {"null"}
    return _rest(parts, _collapsed(types), enum, constant=constant)


def _closed_types(names: set[str]) -> frozenset[str]:
    return frozenset(names | {"integer"} if "number" in names else names)


def _collapsed(types: frozenset[str]) -> frozenset[str]:
    return types - {"integer"} if "number" in types else types


def _types(parts: list[Part]) -> frozenset[str]:
    types = EVERY_TYPE
    for part in parts:
        declared = part.raw.get("type")
        names = {declared} if isinstance(declared, str) else set(_strings(declared))
        known = names & EVERY_TYPE
        if not known:
            continue
        if part.raw.get("nullable") is True:
            known |= {"null"}
        types &= _closed_types(known)
    return types


def _enum(parts: list[Part]) -> tuple[dict[str, Any] | None, bool]:
    allowed: dict[str, Any] | None = None
    constant = False
    for part in parts:
        listed = part.raw.get("enum")
        groups = [listed] if isinstance(listed, list) and listed else []
        if "const" in part.raw:
            groups.append([part.raw["const"]])
            constant = True
        for group in groups:
            values = {canonical(value): value for value in group}
            if part.raw.get("nullable") is True:
                values["null"] = None
            allowed = values if allowed is None else {text: v for text, v in allowed.items() if text in values}
    return allowed, constant


def _rest(parts: list[Part], types: frozenset[str], enum: dict[str, Any] | None, *, constant: bool) -> Plain:
    said = frozenset[str]().union(*(part.raw.keys() for part in parts))
    fields: dict[str, Any] = {name: folded(parts) for triggers, name, folded in _FOLDS if not said.isdisjoint(triggers)}
    properties: dict[str, Parts] = fields.get("properties", {})
    if any(_forbidden(properties.get(name, ())) for name in fields.get("required", ())):
        types -= {"object"}
    if "number" in types and any(_is_whole(step) for step in fields.get("multiples", ())):
        types = types - {"number"} | {"integer"}
    if "number" not in types and "integer" in types:
        _whole(fields)
    constant = constant and enum is not None and len(enum) == 1
    return Plain(types=types, enum=enum, constant=constant, **fields)


def _is_whole(number: float) -> bool:
    return isinstance(number, int) or number.is_integer()


def _forbidden(parts: Parts) -> bool:
    return any(part.raw is False for part in parts)


def _bound(parts: list[Part], name: str, stricter: Any) -> Bound | None:
    """Fold `maximum`/`exclusiveMaximum` (or the minimum) into one bound; draft 4 wrote the exclusion as a boolean."""
    found: list[Bound] = []
    for part in parts:
        plain, exclusive = part.raw.get(f"m{name}"), part.raw.get(f"exclusiveM{name}")
        limit = _number(plain)
        if limit is not None:
            found.append((limit, exclusive is True))
        excluded = _number(exclusive)
        if excluded is not None:
            found.append((excluded, True))
    if not found:
        return None
    limit = stricter(value for value, _ in found)
    return limit, any(exclusive for value, exclusive in found if value == limit)


def _whole(fields: dict[str, Any]) -> None:
    """Write the bounds of an integer as the first and last one allowed, and forget steps of 1."""
    for name, rounded, inward in (("upper", math.floor, -1), ("lower", math.ceil, 1)):
        bound: Bound | None = fields.get(name)
        if bound is not None and _is_finite(bound[0]):
            limit = rounded(bound[0])
            fields[name] = (limit + inward, False) if bound[1] and limit == bound[0] else (limit, False)
    fields["multiples"] = fields.get("multiples", frozenset()) - {1}


def _is_finite(number: float) -> bool:
    # An integer is finite however long; `math.isfinite` takes it for a double, and raises where it does not fit one.
    return isinstance(number, int) or math.isfinite(number)


def _sizes(parts: list[Part]) -> dict[str, float]:
    sizes: dict[str, float] = {}
    for name, stricter in _SIZES.items():
        found = [limit for part in parts if (limit := _number(part.raw.get(name))) is not None]
        if found and not (name.startswith("min") and stricter(found) <= 0 and name != "minContains"):
            sizes[name] = stricter(found)
    return sizes


def _multiples(parts: list[Part]) -> frozenset[float]:
    return frozenset(step for part in parts if (step := _number(part.raw.get("multipleOf"))) and _is_finite(step))


def _texts(parts: list[Part], name: str) -> frozenset[str]:
    return frozenset(part.raw[name] for part in parts if isinstance(part.raw.get(name), str))


def _single(parts: list[Part]) -> dict[str, Parts]:
    return {name: found for name in _SINGLE if (found := _gathered(parts, name))}


def _required(parts: list[Part]) -> frozenset[str]:
    return frozenset(name for part in parts for name in _strings(part.raw.get("required")))


def _nots(parts: list[Part]) -> tuple[Parts, ...]:
    return tuple((inside(part, part.raw["not"]),) for part in parts if isinstance(part.raw.get("not"), dict | bool))


def _content(parts: list[Part]) -> dict[str, str]:
    names = ("contentEncoding", "contentMediaType")
    return {name: part.raw[name] for part in parts for name in names if isinstance(part.raw.get(name), str)}


def _notes(parts: list[Part]) -> dict[str, Any]:
    return {name: part.raw[name] for part in reversed(parts) for name in _NOTES if name in part.raw}


def _gathered(parts: list[Part], name: str) -> Parts:
    return tuple(
        inside(p, p.raw[name]) for p in parts if isinstance(p.raw.get(name), dict | bool) and p.raw[name] is not True
    )


def _merged_maps(parts: list[Part], name: str) -> dict[str, Parts]:
    merged: dict[str, Parts] = {}
    for part in parts:
        for child_name, child in _schema_map(part.raw.get(name)).items():
            merged[child_name] = (*merged.get(child_name, ()), inside(part, child))
    return merged


def _properties(parts: list[Part]) -> dict[str, Parts]:
    """Gather what each named member must keep, with what the other schemas say of names they do not list."""
    declared = _merged_maps(parts, "properties")
    for name in _required(parts):
        declared.setdefault(name, ())
    strict = [part for part in parts if "patternProperties" in part.raw or _closing(part)]
    for name in declared if strict else ():
        declared[name] = (*declared[name], *(extra for part in strict for extra in _of_unlisted(part, name)))
    return declared


def _closing(part: Part) -> bool:
    others = part.raw.get("additionalProperties")
    return others is False or (isinstance(others, dict) and bool(others))


def _of_unlisted(part: Part, name: str) -> Parts:
    patterns = _schema_map(part.raw.get("patternProperties"))
    matched = tuple(inside(part, child) for pattern, child in patterns.items() if matches(pattern, name))
    if matched or name in _schema_map(part.raw.get("properties")) or not _closing(part):
        return matched
    return (inside(part, part.raw["additionalProperties"]),)


def _others(parts: list[Part]) -> Parts:
    return tuple(inside(part, part.raw["additionalProperties"]) for part in parts if _closing(part))


def _prefix(parts: list[Part]) -> tuple[Parts, ...]:
    lists = [_prefix_of(part) for part in parts]
    length = max((len(prefix) for prefix in lists), default=0)
    return tuple(_items_from(parts, index) for index in range(length))


def _prefix_of(part: Part) -> list[Any]:
    # Before 2020-12 a list under `items` was what `prefixItems` is now.
    for name in ("prefixItems", "items"):
        if isinstance(part.raw.get(name), list):
            return list(part.raw[name])
    return []


def _items_from(parts: list[Part], index: int | None) -> Parts:
    found: list[Part] = []
    for part in parts:
        prefix = _prefix_of(part)
        if index is not None and index < len(prefix):
            found.append(inside(part, prefix[index]))
            continue
        rest = part.raw.get("additionalItems") if isinstance(part.raw.get("items"), list) else part.raw.get("items")
        if rest is False or (isinstance(rest, dict) and rest):
            found.append(inside(part, rest))
    return tuple(found)


def _dependent_required(parts: list[Part]) -> dict[str, frozenset[str]]:
    merged: dict[str, frozenset[str]] = {}
    for part in parts:
        for keyword in ("dependentRequired", "dependencies"):
            for name, names in _schema_map(part.raw.get(keyword)).items():
                if isinstance(names, list) and _strings(names):
                    merged[name] = merged.get(name, frozenset()) | frozenset(_strings(names))
    return merged


def _dependent_schemas(parts: list[Part]) -> dict[str, Parts]:
    merged: dict[str, Parts] = {}
    for part in parts:
        for keyword in ("dependentSchemas", "dependencies"):
            for name, child in _schema_map(part.raw.get(keyword)).items():
                if child is False or (isinstance(child, dict) and child):
                    merged[name] = (*merged.get(name, ()), inside(part, child))
    return merged


def _condition(part: Part) -> dict[str, Parts]:
    if not isinstance(part.raw.get("if"), dict | bool):
        return {}
    return {
        name: (inside(part, part.raw[name]),)
        for name in ("if", "then", "else")
        if isinstance(part.raw.get(name), dict | bool)
    }


def _discriminator(part: Part) -> str | None:
    declared = part.raw.get("discriminator")
    name = declared.get("propertyName") if isinstance(declared, dict) else None
    return name if isinstance(name, str) else None


_FOLDS: tuple[tuple[frozenset[str], str, Callable[[list[Part]], Any]], ...] = (
    (frozenset({"format"}), "formats", lambda parts: _texts(parts, "format")),
    (frozenset({"maximum", "exclusiveMaximum"}), "upper", lambda parts: _bound(parts, "aximum", min)),
    (frozenset({"minimum", "exclusiveMinimum"}), "lower", lambda parts: _bound(parts, "inimum", max)),
    (frozenset({"multipleOf"}), "multiples", _multiples),
    (frozenset(_SIZES), "sizes", _sizes),
    (frozenset({"pattern"}), "patterns", lambda parts: _texts(parts, "pattern")),
    (frozenset({"uniqueItems"}), "unique", lambda parts: any(part.raw.get("uniqueItems") is True for part in parts)),
    (frozenset({"properties", "required"}), "properties", _properties),
    (frozenset({"required"}), "required", _required),
    (frozenset({"patternProperties"}), "pattern_properties", lambda parts: _merged_maps(parts, "patternProperties")),
    (frozenset({"additionalProperties"}), "additional", _others),
    (frozenset({"prefixItems", "items"}), "prefix", _prefix),
    (frozenset({"items", "additionalItems"}), "items", lambda parts: _items_from(parts, None)),
    (frozenset(_SINGLE), "single", _single),
    (frozenset({"dependentRequired", "dependencies"}), "dependent_required", _dependent_required),
    (frozenset({"dependentSchemas", "dependencies"}), "dependent_schemas", _dependent_schemas),
    (frozenset({"if"}), "conditions", lambda parts: tuple(c for part in parts if (c := _condition(part)))),
    (frozenset({"not"}), "nots", _nots),
    (frozenset({"contentEncoding", "contentMediaType"}), "content", _content),
    (frozenset({"discriminator"}), "discriminator", lambda parts: next(filter(None, map(_discriminator, parts)), None)),
    (frozenset(_NOTES), "notes", _notes),
)
"""Per field of the record, the keywords that say something about it and how they are folded."""
