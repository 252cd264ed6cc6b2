"""Contracts in files compared where at least one is a page of the vendor's reference."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from monitors.drift import documents, openapi
from monitors.drift.resolve import Home, Part
from monitors.drift.schema_diff import diff_parts
from monitors.errors import UsageError
from monitors.model import Change, Kind
from monitors.rules import judge
from monitors.upstream import sources
from monitors.upstream.comparing import findings
from monitors.upstream.erasing import written_out
from monitors.upstream.openapi import to_openapi
from monitors.upstream.page import PageError
from monitors.upstream.parsing import parse
from monitors.upstream.view import find_path, paths, view

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from monitors.model import Finding

_METHODS = frozenset({"get", "put", "post", "delete", "options", "head", "patch", "trace"})


def diff(base: Path, revision: Path) -> list[Finding]:
    """Return what changed from one contract file to another, worst first; either may be a page in Markdown.

    Where one is a page, only what a page can say is compared, and of two OpenAPI descriptions the sites and
    parameters too. `source` names the operation. Raises `UsageError` for a file that cannot be used, and `PageError`
    for a page that cannot be read.
    """
    pages = [sources.is_page(path) for path in (base, revision)]
    if not any(pages):
        return documents.diff_documents(base, revision)
    old, new = _load(base, page=pages[0]), _load(revision, page=pages[1])
    found = list(_operations(old, new) if isinstance(old, Home) and isinstance(new, Home) else _bodies(old, new))
    return sorted(found, key=lambda finding: -finding.level)


def _load(path: Path, *, page: bool) -> Home | Part:
    """Return a whole description, or the schema of one body."""
    if not page:
        document = documents.load(path)
        return document.home if document.body is None else document.body[0]
    try:
        return Home(to_openapi(parse(sources.text_of(path))))
    except PageError as error:
        message = f"{path}: {error}"
        raise PageError(message) from error


def _operations(old: Home, new: Home) -> Iterator[Finding]:
    matched = set()
    for path, method in _methods(old):
        name = f"{method.upper()} {path}"
        other = find_path(new.root, path, method)
        if other is None:
            found = judge([Change("operation-removed", "$", name, None, f"{name} is no longer described")])
        else:
            matched.add((other, method))
            found = findings(view(old, path, method), view(new, other, method), from_page=True)
        yield from (_of(name, finding) for finding in found)
    for path, method in _methods(new):
        if (path, method) not in matched:
            name = f"{method.upper()} {path}"
            (added,) = judge([Change("operation-added", "$", None, name, f"{name} is new")])
            yield _of(name, added)


def _of(operation: str, finding: Finding) -> Finding:
    distinct = f"{operation} {finding.discriminator}".strip()
    return replace(finding, source=operation, discriminator=distinct, kind=Kind.DRIFT)


def _methods(home: Home) -> list[tuple[str, str]]:
    return [
        (path, method)
        for path, item in paths(home.root).items()
        for method in (item if isinstance(item, dict) else ())
        if method in _METHODS
    ]


def _bodies(old: Home | Part, new: Home | Part) -> Iterator[Finding]:
    before, after = (written_out(_sole(side), sayable=True) for side in (old, new))
    yield from (replace(finding, kind=Kind.DRIFT) for finding in judge(diff_parts((before,), (after,))))


def _sole(side: Home | Part) -> Part:
    if isinstance(side, Part):
        return side
    parts = openapi.sole_body(side)
    if not parts:
        message = "a description of several successes, or of none, cannot be compared with the schema of one body"
        raise UsageError(message)
    part: Part = parts[0]
    return part
