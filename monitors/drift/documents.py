"""Contracts in files compared: JSON Schemas, OpenAPI documents and saved shapes, in any combination."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from monitors import rules
from monitors.drift import openapi
from monitors.drift.reading import Folder
from monitors.drift.resolve import Home, Part
from monitors.drift.schema_diff import diff_parts
from monitors.drift.written import from_json, is_shape, to_schema
from monitors.errors import UsageError
from monitors.model import Kind

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from monitors.drift.resolve import Parts
    from monitors.model import Change, Finding

_KEYWORDS = frozenset(
    {
        "$schema", "$id", "$ref", "$defs", "$comment", "$dynamicRef", "definitions", "type", "properties", "required",
        "items", "prefixItems", "enum", "const", "oneOf", "anyOf", "allOf", "not", "if", "title", "description",
        "format", "additionalProperties", "patternProperties", "unevaluatedProperties", "dependentSchemas", "nullable",
        "minimum", "maximum", "minLength", "maxLength", "pattern",
    }
)  # fmt: skip
"""One of these makes an object a JSON Schema rather than, say, a response body."""


@dataclass(frozen=True, slots=True)
class Document:
    """One contract: an OpenAPI document, or the schema of one body."""

    path: Path
    kind: str
    home: Home
    body: Parts | None = None


@dataclass(frozen=True, slots=True)
class Loader:
    """One kind of contract file: how it is recognised once parsed, and what it is made into."""

    kind: str
    recognises: Callable[[Any], bool]
    load: Callable[[Path, Home], Document]


def _openapi(path: Path, home: Home) -> Document:
    version = str(home.root.get("openapi", home.root.get("swagger")))
    if not version.startswith(("3.0", "3.1")):
        message = f"{path}: OpenAPI {version} is not read; write the document as OpenAPI 3.0 or 3.1"
        raise UsageError(message)
    return Document(path, "an OpenAPI document", home)


def _shape(path: Path, home: Home) -> Document:
    try:
        schema = to_schema(from_json(home.root))
    except ValueError as error:
        message = f"{path}: {error}"
        raise UsageError(message) from error
    made = Home(schema)
    return Document(path, "a shape", made, (Part(schema, made),))


def _schema(path: Path, home: Home) -> Document:
    return Document(path, "a JSON Schema", home, (Part(home.root, home),))


def _is_openapi(root: Any) -> bool:
    return isinstance(root, dict) and bool({"openapi", "swagger"} & root.keys())


def _is_schema(root: Any) -> bool:
    return isinstance(root, bool) or root == {} or (isinstance(root, dict) and bool(_KEYWORDS & root.keys()))


LOADERS: tuple[Loader, ...] = (
    Loader("OpenAPI document", _is_openapi, _openapi),
    Loader("saved shape", is_shape, _shape),
    Loader("JSON Schema", _is_schema, _schema),
)
"""Every kind of contract that is read, the most particular first."""


def load(path: Path) -> Document:
    """Read a contract; raises `UsageError` naming file and place for one that cannot be used."""
    home = Folder().open(path)
    for loader in LOADERS:
        if loader.recognises(home.root):
            return loader.load(path, home)
    kinds = ", ".join(loader.kind for loader in LOADERS)
    message = f"{path}: is none of what can be compared ({kinds}); a response body is judged with `check`"
    raise UsageError(message)


def diff_documents(base: Path, revision: Path) -> list[Finding]:
    """Return what changed from one contract file to another, worst first.

    Two OpenAPI documents are compared answer by answer, and `source` names the answer (`GET /runs/{id} 200
    application/json`). One of them is compared with a schema or a shape by the JSON body of its only success. Raises
    `UsageError` for a file that cannot be used.
    """
    old, new = load(base), load(revision)
    if old.body is None and new.body is None:
        pairs = list(openapi.changes(old.home, new.home))
    else:
        pairs = [("", change) for change in diff_parts(body_of(old), body_of(new))]
    findings = [_finding(source, change) for source, change in pairs]
    return sorted(findings, key=lambda finding: -finding.level)


def body_of(document: Document) -> Parts:
    """Return the schema of a document's one body; raises `UsageError` where it describes several, or none."""
    body: Parts | None = document.body or openapi.sole_body(document.home)
    if body is None:
        message = (
            f"{document.path}: describes more than one JSON success, or none; compare it with another OpenAPI "
            f"document, or compare the schema of one body"
        )
        raise UsageError(message)
    return body


def _finding(source: str, change: Change) -> Finding:
    finding = rules.judge([change], source=source or None)[0]
    distinct = " ".join(part for part in (source, finding.discriminator) if part)
    return replace(finding, kind=Kind.DRIFT, discriminator=distinct)
