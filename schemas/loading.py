"""Reads the contract's files into one registry; every reference is followed while loading, so none fails later."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from referencing import Registry
from referencing.exceptions import Unresolvable
from referencing.jsonschema import DRAFT202012

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

BASE = "https://model-lab-monitor.invalid/schemas/"
"""What every `$id` starts with. The top-level domain `.invalid` is reserved (RFC 2606): it never resolves."""

DIALECT = "https://json-schema.org/draft/2020-12/schema"

DOCUMENTS = ("run", "jsonapi-error", "rate-limit-error", "string-list-error", "report", "notification")

RUN_PATH = "/api/v2/model-lab-api/runs/{run_id}"


class ContractError(Exception):
    """A file of the contract cannot be used; the text says which file, where in it, and why."""


@dataclass(frozen=True, slots=True)
class Contract:
    """The files as read: the OpenAPI document, the JSON Schemas by name, and a registry of them all."""

    openapi: dict[str, Any]
    documents: Mapping[str, dict[str, Any]]
    registry: Registry[Any]

    def body_schema(self, status: int) -> dict[str, Any] | None:
        """Return the self-contained schema of a status's JSON body, or None for an undocumented status."""
        response = self.openapi["paths"][RUN_PATH]["get"]["responses"].get(str(status))
        if response is None:
            return None
        inlined: dict[str, Any] = self._inline(response["content"]["application/json"]["schema"])
        # A file stays itself, `$id` and all; what openapi.json itself puts together gets a dialect of its own.
        return inlined if "$id" in inlined else {"$schema": DIALECT, **inlined}

    def _inline(self, schema: Any) -> Any:
        if "$ref" in schema:
            target = self.registry.resolver(BASE + "openapi.json").lookup(schema["$ref"]).contents
            return self._inline(target)
        if "anyOf" in schema:
            return {**schema, "anyOf": [self._inline(branch) for branch in schema["anyOf"]]}
        return schema


def load(folder: Path) -> Contract:
    """Read and check the contract in `folder`.

    Raises `ContractError` for a file that is missing or no JSON, an `$id` or `$schema` that is not the one its
    name demands, and a reference that leads nowhere. Nothing is ever fetched.
    """
    documents = {name: _read(folder, name) for name in DOCUMENTS}
    openapi = _read(folder, "openapi")
    for name, document in documents.items():
        _expect(name, document, "$id", f"{BASE}{name}.json")
        _expect(name, document, "$schema", DIALECT)
    registry: Registry[Any] = Registry().with_resources(
        (f"{BASE}{name}.json", DRAFT202012.create_resource(document))
        for name, document in {**documents, "openapi": openapi}.items()
    )
    for name, document in {**documents, "openapi": openapi}.items():
        _follow_references(name, document, registry)
    return Contract(openapi, documents, registry.crawl())


def _read(folder: Path, name: str) -> dict[str, Any]:
    path = folder / f"{name}.json"
    try:
        document = json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        message = f"schemas/{path.name}: cannot be read as JSON: {error}"
        raise ContractError(message) from error
    if not isinstance(document, dict):
        message = f"schemas/{path.name}: must be a JSON object"
        raise ContractError(message)
    return document


def _expect(name: str, document: dict[str, Any], keyword: str, wanted: str) -> None:
    if document.get(keyword) != wanted:
        message = f"schemas/{name}.json: {keyword} must be {wanted!r}, not {document.get(keyword)!r}"
        raise ContractError(message)


def _follow_references(name: str, document: dict[str, Any], registry: Registry[Any]) -> None:
    resolver = registry.resolver(f"{BASE}{name}.json")
    for pointer, reference in _references(document, "#"):
        try:
            resolver.lookup(reference)
        except Unresolvable as error:
            message = f"schemas/{name}.json: the reference {reference!r} at {pointer} leads nowhere"
            raise ContractError(message) from error


def _references(node: Any, pointer: str) -> Iterator[tuple[str, str]]:
    if isinstance(node, list):
        for index, item in enumerate(node):
            yield from _references(item, f"{pointer}/{index}")
    elif isinstance(node, dict):
        for key, value in node.items():
            place = f"{pointer}/{key.replace('~', '~0').replace('/', '~1')}"
            if key in {"$ref", "$dynamicRef"} and isinstance(value, str):
                yield place, value
            else:
                yield from _references(value, place)
