"""A page written as an OpenAPI document that says what the page says and no more."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from monitors.upstream.fields import ANY_KEY, ITEMS, Field
from monitors.upstream.page import Operation, Page, Parameter, Response, path_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

FROM_PAGE = "x-from-page"
"""Marks a document made from a page: what it does not say, the page could not say."""

_VARIANT = re.compile(r"(?:Option|Object|Variant) \d+\Z", re.IGNORECASE)
_WHOLE = re.compile(r"-?\d{1,18}\Z")
_FRACTION = re.compile(r"-?\d{1,18}\.\d{1,18}\Z")


def to_openapi(page: Page, operations: Iterable[Operation] | None = None) -> dict[str, Any]:
    """Return an OpenAPI 3.1 document of the operations given, else of all on the page.

    The servers stand with each operation, with the site's name on the page as `description`, and `x-endpoint` where a
    site has another endpoint than most. Raises `PageError` for an operation that could not be read as a whole.
    """
    paths: dict[str, dict[str, Any]] = {}
    for operation in page.operations if operations is None else operations:
        operation.readable()
        paths.setdefault(operation.path, {}).setdefault(operation.method.lower(), _operation(operation))
    return {"openapi": "3.1.0", "info": {"title": "the vendor's page", "version": ""}, FROM_PAGE: True, "paths": paths}


def _operation(operation: Operation) -> dict[str, Any]:
    written: dict[str, Any] = {"summary": operation.title, "servers": _servers(operation)}
    if operation.preview:
        written["x-preview"] = True
    if operation.deprecated:
        written["deprecated"] = True
    written["parameters"] = [_parameter(parameter) for parameter in operation.parameters]
    written["responses"] = {response.status: _response(response) for response in reversed(operation.responses)}
    return written


def _servers(operation: Operation) -> list[dict[str, Any]]:
    method, path = operation.method, operation.path
    servers = []
    for endpoint in operation.endpoints:
        server = {"url": _origin(endpoint.url), "description": endpoint.site}
        if (endpoint.method, path_of(endpoint.url)) != (method, path):
            server["x-endpoint"] = f"{endpoint.method} {endpoint.url}"
        servers.append(server)
    return servers


def _origin(url: str) -> str:
    try:
        parts = urlsplit(url)
    except ValueError:
        return url
    return f"{parts.scheme}://{parts.netloc}"


def _parameter(parameter: Parameter) -> dict[str, Any]:
    required = parameter.field.required or parameter.place == "path"
    written: dict[str, Any] = {"name": parameter.field.name, "in": parameter.place, "required": required}
    if parameter.field.deprecated:
        written["deprecated"] = True
    return {**written, "schema": schema(parameter.field)}


def _response(response: Response) -> dict[str, Any]:
    written: dict[str, Any] = {"description": response.description}
    if response.fields is not None:
        body = _holding(response.fields)
        whole = {"type": "array", "items": body} if response.listed else body
        written["content"] = {"application/json": {"schema": whole}}
    return written


def schema(field: Field) -> dict[str, Any]:
    """Return the JSON Schema of one field."""
    written = _one(field)
    for _ in range(field.type.lists):
        written = {"type": "array", "items": written}
    if field.deprecated:
        written = {**written, "deprecated": True}
    return written


def _one(field: Field) -> dict[str, Any]:
    """Return the schema of the value inside all lists."""
    if field.type.union is not None:
        return {field.type.union: [schema(variant) for variant in field.fields]} if field.fields else {}
    if field.fields and (field.type.schema.get("type") == "object" or not field.type.schema):
        return _holding(field.fields)
    if field.values:
        return _enumerated(field.type.schema, field.values)
    return dict(field.type.schema)


def _holding(fields: Iterable[Field]) -> dict[str, Any]:
    """Return the schema of an object, of a list whose items have no name, or of several variants."""
    parts = {field.name: field for field in fields}
    if set(parts) == {ITEMS}:
        return {"type": "array", "items": schema(parts[ITEMS])}
    if parts and all(_VARIANT.match(name) for name in parts):
        return {"oneOf": [schema(variant) for variant in parts.values()]}
    written: dict[str, Any] = {
        "type": "object",
        "properties": {name: schema(part) for name, part in parts.items() if name != ANY_KEY},
    }
    required = [name for name, part in parts.items() if part.required and name != ANY_KEY]
    if required:
        written["required"] = required
    if ANY_KEY in parts:
        written["additionalProperties"] = schema(parts[ANY_KEY])
    return written


def _enumerated(base: Mapping[str, Any], values: tuple[str, ...]) -> dict[str, Any]:
    """Return the schema of a value with listed ones; the page prints numbers and text alike."""
    kind = base.get("type")
    if kind is None:
        kind = "integer" if all(map(_WHOLE.match, values)) else "string"
    listed = [_value(kind, value) for value in values]
    return {**base, "type": kind, "enum": listed}


def _value(kind: str, value: str) -> str | int | float | bool:
    if kind in {"integer", "number"} and _WHOLE.match(value):
        return int(value)
    if kind == "number" and _FRACTION.match(value):
        return float(value)
    if kind == "boolean" and value in {"true", "false"}:
        return value == "true"
    return value
