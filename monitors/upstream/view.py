"""One operation of an OpenAPI document, as far as it is compared, references followed."""

from __future__ import annotations

import re
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import islice, product
from typing import TYPE_CHECKING, Any

from monitors.drift.resolve import Home, Part, resolve
from monitors.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_VERSION = re.compile(r"v\d+\Z|unstable\Z|preview\Z")
_PREVIEW = re.compile(r"\bin (\w+ )?(preview|beta)\b", re.IGNORECASE)
_PLACEHOLDER = re.compile(r"\{[^{}]*\}")
_ALIKE = 0.75
_MAX_SERVERS = 200


@dataclass(frozen=True, slots=True)
class Server:
    """A site as a document lists it; `endpoint` only where it differs from the other sites'."""

    url: str
    label: str
    overlay: bool = False
    endpoint: str | None = None
    site: str | None = None


@dataclass(frozen=True, slots=True)
class Body:
    """A response: its JSON schema with where references lead, None without one; `overlay` where it is our addition."""

    schema: Part | None
    overlay: bool = False


@dataclass(frozen=True, slots=True)
class View:
    """One operation: what is compared of it."""

    path: str
    servers: tuple[Server, ...]
    parameters: Mapping[tuple[str, str], Mapping[str, Any]]
    responses: Mapping[str, Body]
    preview: bool
    deprecated: bool


def paths(document: Any) -> dict[str, Any]:
    """Return the paths of an OpenAPI document. Raises `UsageError` for a document that has none."""
    found = document.get("paths") if isinstance(document, dict) else None
    if not isinstance(found, dict):
        message = "this is neither a page of the vendor's API reference nor an OpenAPI document with paths"
        raise UsageError(message)
    return found


def find_path(document: Any, wanted: str, method: str) -> str | None:
    """Return the path under which a document describes the operation: this one, or the one it has moved to.

    A path counts as the same operation's where names in braces differ, or where it still ends alike and only the
    version or a few letters of what stands before changed.
    """
    known = [path for path, item in paths(document).items() if isinstance(item, dict) and method in item]
    if wanted in known:
        return wanted
    same = [path for path in known if _PLACEHOLDER.sub("{}", path) == _PLACEHOLDER.sub("{}", wanted)]
    moved = [path for path in known if _moved(wanted, path)]
    return next(iter([*same, *moved]), None)


def _moved(old: str, new: str) -> bool:
    before, after = _steps(old), _steps(new)
    ends = before[-2:] == after[-2:] and len(after) >= len(before[-2:])
    return ends and SequenceMatcher(None, "/".join(before), "/".join(after)).ratio() >= _ALIKE


def _steps(path: str) -> list[str]:
    return [step for step in _PLACEHOLDER.sub("{}", path).strip("/").split("/") if not _VERSION.match(step)]


def view(home: Home, path: str, method: str) -> View:
    """Return what is compared of the operation at a path of a document that has it."""
    document = home.root
    item = paths(document)[path]
    operation = item[method] if isinstance(item[method], dict) else {}
    listed: Any = next((part["servers"] for part in (operation, item, document) if part.get("servers")), [])
    parameters = [*_listed(item.get("parameters")), *_listed(operation.get("parameters"))]
    responses = operation.get("responses")
    text = f"{operation.get('description', '')} {operation.get('x-unstable', '')}"
    return View(
        path,
        tuple(islice(_servers(_listed(listed)), _MAX_SERVERS)),
        {
            (str(p["in"]), str(p["name"])): p
            for p in (_followed(p, home) for p in parameters)
            if {"in", "name"} <= p.keys()
        },
        {str(status): _body(raw, home) for status, raw in (responses if isinstance(responses, dict) else {}).items()},
        preview=operation.get("x-preview") is True or bool(_PREVIEW.search(text)),
        deprecated=operation.get("deprecated") is True,
    )


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _followed(raw: Any, home: Home) -> dict[str, Any]:
    for _ in range(8):
        reference = raw.get("$ref") if isinstance(raw, dict) else None
        if not isinstance(reference, str):
            break
        found = resolve(Part(raw, home), reference)
        raw = found.raw if found is not None else None
    return raw if isinstance(raw, dict) else {}


def _body(raw: Any, home: Home) -> Body:
    response = _followed(raw, home)
    content = response.get("content")
    media = content.get("application/json") if isinstance(content, dict) else None
    schema = media.get("schema") if isinstance(media, dict) else None
    return Body(None if schema is None else Part(schema, home), "x-overlay" in response)


def _servers(listed: list[Any]) -> Iterator[Server]:
    """Yield each server once, those with variables once for each combination of values."""
    seen = set()
    for raw in listed:
        if not isinstance(raw, dict) or not isinstance(raw.get("url"), str):
            continue
        for url in _filled(raw["url"], raw.get("variables")):
            address = url.rstrip("/")
            if address in seen or not address.startswith(("https://", "http://")):
                continue
            seen.add(address)
            label = str(raw.get("description", ""))
            yield Server(address, label, "x-overlay" in raw, raw.get("x-endpoint"), raw.get("x-site"))


def _filled(url: str, variables: Any) -> Iterator[str]:
    names = re.findall(r"\{([^{}]*)\}", url)
    known = variables if isinstance(variables, dict) else {}
    choices = []
    for name in names:
        variable = known.get(name)
        variable = variable if isinstance(variable, dict) else {}
        choices.append(_listed(variable.get("enum")) or [variable.get("default", "")])
    for values in islice(product(*choices), _MAX_SERVERS):
        filled = url
        for name, value in zip(names, values, strict=True):
            filled = filled.replace(f"{{{name}}}", str(value))
        yield filled
