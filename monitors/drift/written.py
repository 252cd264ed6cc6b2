"""Shapes written down: as JSON that reads back the same, and as a JSON Schema."""

from __future__ import annotations

import json
from typing import Any

from monitors.drift.shape import TEXT, Shape
from monitors.model import JSON

_VERSION = 1
_MARK = "model-lab-monitor/shape"
_TYPES = ("null", "boolean", "integer", "number", "string", "array", "object")
_DEEPEST = 100


def to_json(shape: Shape) -> dict[str, JSON]:
    """Return a shape as JSON, equal for equal shapes; `from_json` reads it back."""
    return {"kind": _MARK, "version": _VERSION, "shape": _written(shape)}


def _written(shape: Shape) -> dict[str, JSON]:
    written: dict[str, JSON] = {"types": {name: shape.types[name] for name in _TYPES if shape.types.get(name)}}
    if shape.whole:
        written["whole"] = shape.whole
    if shape.formats:
        written["formats"] = list[JSON](sorted(shape.formats))
    if shape.names:
        written["names"] = {name: _written(child) for name, child in sorted(shape.names.items())}
    if shape.members is not None:
        written["members"] = _written(shape.members)
    if shape.items is not None:
        written["items"] = _written(shape.items)
    if shape.open:
        written["open"] = True
    elif shape.values:
        written["values"] = dict(sorted(shape.values.items()))
    return written


def is_shape(document: Any) -> bool:
    """Tell whether a JSON document says of itself that it is a shape."""
    return isinstance(document, dict) and document.get("kind") == _MARK


def from_json(document: Any) -> Shape:
    """Return the shape written by `to_json`; raises `ValueError` saying what is wrong for anything else."""
    if not is_shape(document):
        message = f'no shape: "kind" is not "{_MARK}"'
        raise ValueError(message)
    if document.get("version") != _VERSION:
        message = f"a shape of version {document.get('version')}, not {_VERSION}"
        raise ValueError(message)
    return _read(document.get("shape"), "shape", 0)


def _read(raw: Any, where: str, depth: int) -> Shape:
    if not isinstance(raw, dict) or depth > _DEEPEST:
        message = f"{where} is no shape"
        raise ValueError(message)
    unknown = raw.keys() - {"types", "whole", "formats", "names", "members", "items", "values", "open"}
    if unknown:
        message = f"{where} has the unknown member {min(unknown)!r}"
        raise ValueError(message)
    names = raw.get("names", {})
    formats = raw.get("formats", [])
    if not isinstance(names, dict) or not isinstance(formats, list):
        message = f"{where}: names must be an object and formats a list"
        raise ValueError(message)  # noqa: TRY004  # from_json promises one kind of error for every bad document
    return Shape(
        types={name: count for name, count in _counts(raw.get("types", {}), f"{where}.types").items() if count},
        whole=_counts({"whole": raw.get("whole", 0)}, where)["whole"],
        formats=frozenset(str(name) for name in formats),
        names={name: _read(child, f"{where}.names.{name}", depth + 1) for name, child in names.items()},
        members=_read(raw["members"], f"{where}.members", depth + 1) if "members" in raw else None,
        items=_read(raw["items"], f"{where}.items", depth + 1) if "items" in raw else None,
        values=_counts(raw.get("values", {}), f"{where}.values"),
        open=raw.get("open") is True,
    )


def _counts(raw: Any, where: str) -> dict[str, int]:
    if not isinstance(raw, dict) or not all(type(count) is int and count >= 0 for count in raw.values()):
        message = f"{where} must hold counts"
        raise ValueError(message)
    return raw


def to_schema(shape: Shape) -> dict[str, JSON]:
    """Return what a shape asserts as a JSON Schema 2020-12: types, members always seen, formats, listed values."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **_schema(shape)}


def _schema(shape: Shape) -> dict[str, JSON]:
    types = {name for name, count in shape.types.items() if count}
    if "number" in types:
        types.discard("integer")
    schema: dict[str, JSON] = {}
    listed = [name for name in _TYPES if name in types]
    if listed:
        schema["type"] = listed[0] if len(listed) == 1 else list[JSON](listed)
    if len(shape.formats) == 1 and TEXT not in shape.formats:
        schema["format"] = next(iter(shape.formats))
    if shape.names:
        schema["properties"] = {name: _schema(child) for name, child in sorted(shape.names.items())}
        required = sorted(name for name, child in shape.names.items() if child.count == shape.objects)
        if required:
            schema["required"] = list[JSON](required)
    if shape.members is not None:
        schema["additionalProperties"] = _schema(shape.members)
    if shape.items is not None and shape.items.count:
        schema["items"] = _schema(shape.items)
    if shape.values and not shape.open:
        schema["enum"] = [json.loads(text) for text in sorted(shape.values)]
    return schema
