"""The contract as data: an OpenAPI 3.1 document and JSON Schema 2020-12 files, one REGISTRY.

`OPENAPI` and `REGISTRY` are loaded when first asked for, so that importing this package stays cheap. Loading
checks every reference of every file and raises `ContractError` for one that leads nowhere.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from referencing import Registry

    from schemas.loading import Contract

    OPENAPI: dict[str, Any]
    REGISTRY: Registry[Any]

__all__ = ["OPENAPI", "OPENAPI_PATH", "REGISTRY", "Example", "document", "examples", "schema_for"]

JSON = None | bool | int | float | str | list["JSON"] | dict[str, "JSON"]

_FOLDER = Path(__file__).parent

OPENAPI_PATH = _FOLDER / "openapi.json"
"""The OpenAPI document, for tools that want a file; its relative references lead to its neighbours."""


@dataclass(frozen=True, slots=True)
class Example:
    """One response, and whether it keeps the contract.

    `name` is its path under `schemas/examples` without the suffix. An invalid one breaks exactly one rule:
    `rule` is its id and `location` the JSONPath of the place, `[*]` for every list index.
    """

    name: str
    valid: bool
    status: int
    body: JSON
    location: str | None
    rule: str | None


@cache
def _contract() -> Contract:
    # Deferred: the registry's library takes longer to import than the whole command line takes to print its help.
    from schemas.loading import load  # noqa: PLC0415

    return load(_FOLDER)


def __getattr__(name: str) -> Any:
    """Load `OPENAPI` (the document) and `REGISTRY` (a `referencing.Registry` of every file) when first asked for.

    Raises `schemas.loading.ContractError` for a file that cannot be used.
    """
    if name == "OPENAPI":
        return _contract().openapi
    if name == "REGISTRY":
        return _contract().registry
    message = f"module {__name__!r} has no attribute {name!r}"
    raise AttributeError(message)


def document(name: str) -> dict[str, Any]:
    """Return the JSON Schema `schemas/<name>.json`: self-contained, shared by all callers, hence not to be changed.

    Names: `run`, `jsonapi-error`, `rate-limit-error`, `string-list-error`, `report`, `notification`. Raises `KeyError`
    for another.
    """
    return _contract().documents[name]


@cache
def schema_for(status: int) -> dict[str, Any] | None:
    """Return the JSON Schema of the body documented for a status (the overlay's 401 and 403 too), or None.

    Self-contained, shared by all callers, hence not to be changed.
    """
    return _contract().body_schema(status)


def examples() -> Iterator[Example]:
    """Yield every example in the order of its name, read afresh, so a body may be changed."""
    for path in sorted(_FOLDER.joinpath("examples").rglob("*.json")):
        name = path.relative_to(_FOLDER / "examples").with_suffix("").as_posix()
        entry = json.loads(path.read_bytes())
        valid = name.startswith("valid/")
        yield Example(name, valid, entry["status"], entry["body"], entry.get("location"), entry.get("rule"))
