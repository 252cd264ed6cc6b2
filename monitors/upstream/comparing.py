"""What the vendor publishes compared with our contract; base is the contract, revision what is published."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import schemas
from monitors.checks import CHECKS, RUN_PATH
from monitors.drift.resolve import Home, Part
from monitors.drift.schema_diff import diff_parts
from monitors.model import Change, Kind, Level
from monitors.rules import judge
from monitors.upstream.erasing import written_out
from monitors.upstream.openapi import to_openapi
from monitors.upstream.page import Page, unreadable
from monitors.upstream.parameters import parameter_changes
from monitors.upstream.sites import site_findings
from monitors.upstream.view import Body, View, find_path, view

if TYPE_CHECKING:
    from collections.abc import Iterator

    from monitors.model import Finding

_METHOD = "get"
_MARKED_ENOUGH = 3
_CHECKS = {str(status): check.name for check in CHECKS.values() for status in check.expected}


def contract() -> View:
    """Return the contract of this project as it is compared."""
    found = view(Home(schemas.OPENAPI), RUN_PATH, _METHOD)
    bodies = {}
    for status, body in found.responses.items():
        whole = schemas.schema_for(int(status))
        bodies[status] = replace(body, schema=None if whole is None else Part(whole, Home(whole)))
    return replace(found, responses=bodies)


def compare(published: Page | Home, base: View | None = None, *, source: str | None = None) -> list[Finding]:
    """Return what is published differently from the contract (`base`, else this project's own).

    `published` is a page, or an OpenAPI document whose references are good. A page is judged by what it can say: null,
    bounds, media types and our own additions (`x-overlay`) are no difference. Raises `PageError` for a page that
    cannot be read or is about another operation, and `UsageError` for a document that is no OpenAPI.
    """
    base = contract() if base is None else base
    from_page = isinstance(published, Page)
    home = Home(_of_page(published, base)) if isinstance(published, Page) else published
    path = find_path(home.root, base.path, _METHOD)
    if path is None:
        gone = f"GET {base.path}"
        change = Change("operation-removed", "$", gone, None, f"{gone} is not among the operations described")
        return judge([change], source=source)
    revision = view(home, path, _METHOD)
    if from_page:
        _refuse_gaps(base, revision)
    return [replace(found, source=source, kind=Kind.DRIFT) for found in findings(base, revision, from_page=from_page)]


def findings(base: View, revision: View, *, from_page: bool) -> list[Finding]:
    """Return what differs between two descriptions of one operation; `from_page` where at least one is a page."""
    found = judge([*_operation_changes(base, revision), *parameter_changes(base, revision)])
    found += site_findings(base, revision, from_page=from_page)
    for status, body in base.responses.items():
        found += _status_findings(status, body, revision.responses.get(status), from_page=from_page)
    added = [status for status, body in revision.responses.items() if status not in base.responses and not body.overlay]
    return found + judge(map(_status_added, added))


def _of_page(page: Page, base: View) -> dict[str, Any]:
    """Return the page's operation that the contract is about, as a document."""
    known: dict[str, Any] = {op.path: {op.method.lower(): {}} for op in page.operations if op.method.lower() == _METHOD}
    path = find_path({"paths": known}, base.path, _METHOD)
    chosen = [op for op in page.operations if op.path == path and op.method.lower() == _METHOD]
    if not chosen:
        others = ", ".join(f"{op.method} {op.path}" for op in page.operations[:3])
        unreadable(f"it does not describe GET {base.path} but {others}", page.operations[0].line)
    return to_openapi(page, chosen[:1])


def _refuse_gaps(base: View, revision: View) -> None:
    """Refuse a page that lacks a whole kind of statement: its form changed, which says nothing about the API."""
    for status, body in base.responses.items():
        other = revision.responses.get(status)
        if body.schema is not None and not body.overlay and other is not None and other.schema is None:
            unreadable(f"the response {status} has no table of fields")
    if "200" in base.responses and not any(status.startswith("2") for status in revision.responses):
        unreadable("no successful response is described")
    if _marks(base) >= _MARKED_ENOUGH and not _marks(revision):
        unreadable("no field is marked as required any more, so the marks have changed their form")


def _marks(of: View) -> int:
    return sum(_required(body.schema.raw) for body in of.responses.values() if body.schema is not None)


def _required(schema: Any) -> int:
    if not isinstance(schema, dict):
        return 0
    listed = schema.get("required")
    parts = [*(schema.get("properties") or {}).values(), schema.get("items"), *(schema.get("oneOf") or [])]
    return (len(listed) if isinstance(listed, list) else 0) + sum(map(_required, parts))


def _operation_changes(base: View, revision: View) -> Iterator[Change]:
    if _braces(base.path) != _braces(revision.path):
        message = f"the path is {revision.path}, not {base.path}"
        yield Change("endpoint-path-changed", "$", base.path, revision.path, message)
    if base.preview and not revision.preview:
        yield Change("preview-ended", "$", True, False, "no longer called a preview")
    if revision.deprecated and not base.deprecated:
        yield Change("operation-deprecated", "$", False, True, "called deprecated")


def _braces(path: str) -> list[str]:
    return ["{}" if step.startswith("{") else step for step in path.split("/")]


def _status_findings(status: str, base: Body, revision: Body | None, *, from_page: bool) -> list[Finding]:
    if revision is None:
        if base.overlay:
            return []
        kind = "success" if status.startswith("2") else "non-success"
        message = f"the response {status} is no longer described"
        place = f"$.responses['{status}']"
        return judge([Change(f"response-{kind}-status-removed", place, status, None, message)])
    if base.schema is None or revision.schema is None:
        return []
    old, new = (written_out(schema, sayable=from_page) for schema in (base.schema, revision.schema))
    changes = diff_parts((old,), (new,))
    found = judge(changes, check=_CHECKS.get(status))
    if base.overlay:
        # Ours names every form ever seen; that the vendor documents one of them is no news.
        found = [finding for finding in found if finding.level > Level.INFO]
    return [_of_status(finding, status) for finding in found]


def _of_status(finding: Finding, status: str) -> Finding:
    """Return a finding that says which response it is about; a body's own fingerprint is that of the live answer."""
    if status == "200":
        return finding
    told = f"{finding.message} (response {status})"
    return replace(finding, message=told, discriminator=f"{status} {finding.discriminator}".strip())


def _status_added(status: str) -> Change:
    kind = "success" if status.startswith("2") else "non-success"
    place = f"$.responses['{status}']"
    return Change(f"response-{kind}-status-added", place, None, status, f"the response {status} is described")
