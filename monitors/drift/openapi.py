"""Responses of OpenAPI 3.0 and 3.1 documents, and their differences: statuses, media types, headers, bodies."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from monitors.drift.comparison import Comparison
from monitors.drift.deltas import level_of
from monitors.drift.resolve import Part, inside, resolve
from monitors.drift.schema_diff import diff_parts
from monitors.model import Change, Level

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from monitors.drift.resolve import Home, Parts

_METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
_LONGEST_CHAIN = 32
_HEADER_RULES = {
    "type-changed": "header-type-changed",
    "type-generalized": "header-type-generalized",
    "list-of-types-widened": "header-type-generalized",
    "type-specialized": "header-type-specialized",
    "list-of-types-narrowed": "header-type-specialized",
    "became-nullable": "header-became-nullable",
    "became-not-nullable": "header-became-not-nullable",
}


@dataclass(frozen=True, slots=True)
class Header:
    """One response header."""

    required: bool
    parts: Parts | None


@dataclass(frozen=True, slots=True)
class Response:
    """What one status answers with: a schema (or None) per media type, and headers by lower-case name."""

    media: Mapping[str, Parts | None] = field(default_factory=dict)
    headers: Mapping[str, Header] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation by method and path, with its responses by status as written (`200`, `4XX`, `default`)."""

    name: str
    responses: Mapping[str, Response]


def operations(home: Home) -> dict[str, Operation]:
    """Return every operation of a document by `GET /path`; templates are equal whatever their parameters are called."""
    found: dict[str, Operation] = {}
    for path, item in _children(Part(home.root, home), "paths"):
        for method in _METHODS:
            operation = _child(item, method)
            if operation is not None:
                name = f"{method.upper()} {path}"
                responses = {
                    str(s): _response(r) for s, r in _children(operation, "responses") if not s.startswith("x-")
                }
                found[_unnamed(name)] = Operation(name, responses)
    return found


def _unnamed(path: str) -> str:
    return "/".join("{}" if step[:1] == "{" and step[-1:] == "}" else step for step in path.split("/"))


def _followed(part: Part) -> Part:
    for _ in range(_LONGEST_CHAIN):
        reference = part.raw.get("$ref") if isinstance(part.raw, dict) else None
        target = resolve(part, reference) if isinstance(reference, str) else None
        if target is None:
            return part
        part = target
    return part


def _child(part: Part, name: str) -> Part | None:
    raw = part.raw.get(name) if isinstance(part.raw, dict) else None
    return _followed(inside(part, raw)) if isinstance(raw, dict) else None


def _children(part: Part, name: str) -> list[tuple[str, Part]]:
    held = _child(part, name)
    if held is None:
        return []
    return [(str(key), _followed(inside(held, raw))) for key, raw in held.raw.items() if isinstance(raw, dict)]


def _response(part: Part) -> Response:
    media = {name.split(";")[0].strip().lower(): _schema(held) for name, held in _children(part, "content")}
    headers = {
        name.lower(): Header(held.raw.get("required") is True, _schema(held))
        for name, held in _children(part, "headers")
        if name.lower() != "content-type"  # OpenAPI: ignored, the media type says it
    }
    return Response(media, headers)


def _schema(part: Part) -> Parts | None:
    raw = part.raw.get("schema") if isinstance(part.raw, dict) else None
    return (inside(part, raw),) if isinstance(raw, dict | bool) else None


def changes(base: Home, revision: Home) -> Iterator[tuple[str, Change]]:
    """Yield the changes of what two documents answer, each with the answer it is about."""
    old, new = operations(base), operations(revision)
    walk = Comparison()
    for key, operation in old.items():
        if key not in new:
            yield operation.name, _whole("operation-removed", operation.name, None, "is no longer described")
            continue
        yield from _statuses(walk, operation.name, operation.responses, new[key].responses)
    for key, operation in new.items():
        if key not in old:
            yield operation.name, _whole("operation-added", None, operation.name, "is new")


def _whole(what: str, base: str | None, revision: str | None, message: str) -> Change:
    return Change(what, "$", base, revision, f"{revision if base is None else base} {message}")


def _statuses(
    walk: Comparison, name: str, old: Mapping[str, Response], new: Mapping[str, Response]
) -> Iterator[tuple[str, Change]]:
    for status, response in old.items():
        where = f"{name} {status}"
        if status in new:
            yield from _media(walk, where, response.media, new[status].media)
            yield from _headers(walk, where, response.headers, new[status].headers)
        else:
            yield where, _whole(f"{_outcome(status)}-status-removed", f"status {status}", None, "is not documented")
    for status in new:
        if status not in old:
            what = f"{_outcome(status)}-status-added"
            yield f"{name} {status}", _whole(what, None, f"status {status}", "is documented now")


def _outcome(status: str) -> str:
    return "success" if status.startswith("2") else "non-success"


def _media(
    walk: Comparison, where: str, old: Mapping[str, Parts | None], new: Mapping[str, Parts | None]
) -> Iterator[tuple[str, Change]]:
    gone, came = [name for name in old if name not in new], [name for name in new if name not in old]
    pairs = [(name, name) for name in old if name in new]
    relabelled = len(gone) == len(came) == 1 and _is_json(gone[0]) and _is_json(came[0])
    if relabelled:
        message = f"{gone[0]} is now labelled {came[0]}"
        yield where, Change("media-type-name-changed", "$", gone[0], came[0], message)
        pairs.append((gone[0], came[0]))
    else:
        for name in gone:
            yield where, _whole("media-type-removed", name, None, "is no longer answered")
        for name in came:
            yield where, _whole("media-type-added", None, name, "may be answered too")
    for before, after in pairs:
        yield from ((f"{where} {after}", change) for change in _bodies(walk, old[before], new[after]))


def _is_json(name: str) -> bool:
    return name == "application/json" or name.endswith("+json")


def _bodies(walk: Comparison, old: Parts | None, new: Parts | None) -> Iterator[Change]:
    if old is not None and new is not None:
        yield from diff_parts(old, new, walk)
    elif old is not None:
        yield _whole("response-body-media-type-schema-removed", "the schema", None, "is gone")
    elif new is not None:
        yield _whole("response-body-media-type-schema-added", None, "a schema", "is given now")


def _headers(
    walk: Comparison, where: str, old: Mapping[str, Header], new: Mapping[str, Header]
) -> Iterator[tuple[str, Change]]:
    for name, header in old.items():
        if name in new:
            yield from ((where, change) for change in _header(walk, name, header, new[name]))
        else:
            what = f"{'required' if header.required else 'optional'}-response-header-removed"
            yield where, _whole(what, f"header {name}", None, "no longer comes")
    for name in new:
        if name not in old:
            yield where, _whole("header-added", None, f"header {name}", "is new")


def _header(walk: Comparison, name: str, old: Header, new: Header) -> Iterator[Change]:
    if old.required and not new.required:
        yield _whole("header-became-optional", f"header {name}", None, "is no longer promised")
    for change in diff_parts(old.parts or (), new.parts or (), walk):
        what = _HEADER_RULES.get(change.what)
        if what is None and level_of(change.what, root=change.location == "$") >= Level.WARNING:
            what = "header-changed"
        if what is not None:
            message = f"header {name}: {change.message}"
            yield Change(what, "$", change.base, change.revision, message)


def sole_body(home: Home) -> Any:
    """Return the schema of the one success of a document with one operation, None where there are several or none."""
    bodies = [
        parts
        for operation in operations(home).values()
        for status, response in operation.responses.items()
        if status.startswith("2")
        for media, parts in response.media.items()
        if parts is not None and _is_json(media)
    ]
    return bodies[0] if len(bodies) == 1 else None
