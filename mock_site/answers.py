"""Whole answers but for a run: every error in the form the real sites give it. Pure data, built once."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mock_site.ratelimit import Header

JSON_TYPE = b"application/json"
JSONAPI_TYPE = b"application/vnd.api+json"


@dataclass(frozen=True, slots=True)
class Answer:
    """A status, the content type, further headers and the body."""

    status: int
    content_type: bytes
    body: bytes
    extra: tuple[Header, ...] = ()

    @property
    def headers(self) -> list[Header]:
        """All headers as ASGI wants them, the length of the body included."""
        length = (b"content-length", b"%d" % len(self.body))
        return [(b"content-type", self.content_type), length, *self.extra]


def json_answer(status: int, document: Any, content_type: bytes = JSON_TYPE) -> Answer:
    """Make an answer of a JSON document."""
    return Answer(status, content_type, json.dumps(document, separators=(",", ":")).encode())


def strings(status: int, *errors: str) -> Answer:
    """Make an error in the vendor's older form: a list of strings."""
    return json_answer(status, {"errors": list(errors)})


def preference_error(detail: str) -> Answer:
    """Make the 400 for a `Prefer` header that asks for something unknown."""
    error = {"status": "400", "title": "Invalid Preference", "detail": detail, "source": {"header": "Prefer"}}
    return json_answer(400, {"errors": [error]}, JSONAPI_TYPE)


_REASONS = {502: "Bad Gateway", 503: "Service Unavailable", 504: "Gateway Timeout"}


def _edge(status: int, status_host: str | None) -> Answer:
    """Make the envelope of the edge in front of the API; the members are those seen in public reports."""
    envelope = {
        "status": "error",
        "code": status,
        "errors": [_REASONS[status]],
        "statuspage": f"http://{status_host or 'status.datadoghq.com'}",
        "twitter": "http://twitter.com/datadogops",
        "email": "support@datadoghq.com",
    }
    return json_answer(status, envelope)


_HTML = b"<html><body><h1>403 Forbidden</h1>\nRequest forbidden by administrative rules.\n</body></html>\n"

_BAD_ID = {
    "status": "400",
    "title": "Invalid Parameter",
    "detail": 'invalid parameter "run_id" in "path"; expected type "int64"',
}

METHOD_NOT_ALLOWED = Answer(405, JSON_TYPE, b'{"errors":["Method Not Allowed"]}', ((b"allow", b"GET, HEAD"),))

MISDIRECTED = strings(
    421,
    "This mock serves no site of that host name: ask for one of the nine API hosts or for a loopback address.",
)


@cache
def canned(status_host: str | None) -> Mapping[str, Answer]:
    """Return every canned answer of a site by name; `status_host` is the site's status page, named by its edge.

    The sources are recorded interactions of the vendor's v2 API and public reports.
    """
    return {
        "400": json_answer(400, {"errors": [_BAD_ID]}, JSONAPI_TYPE),
        "401": strings(401, "Unauthorized"),
        "403": strings(403, "Forbidden"),
        "permission": Answer(403, b"text/plain; charset=utf-8", b'{"errors":[{"title":"Forbidden"}]}\n'),
        "404": json_answer(404, {"errors": [{"title": "Generic Error", "detail": "run not found"}]}),
        "route": strings(404, "Not found"),
        "500": json_answer(500, {"errors": [{"status": "500", "title": "Internal Server Error"}]}),
        "edge-502": _edge(502, status_host),
        "edge-503": _edge(503, status_host),
        "edge-504": _edge(504, status_host),
        "edge-html": Answer(403, b"text/html", _HTML),
    }


CODES: Mapping[int, str] = {
    200: "run",
    400: "400",
    401: "401",
    403: "403",
    404: "404",
    429: "429",
    500: "500",
    502: "edge-502",
    503: "edge-503",
    504: "edge-504",
}
"""What may be asked for with `Prefer: code=…`: status and name of the canned answer (200 and 429 are made anew)."""

BEFORE_KEYS = frozenset({"route", "edge-502", "edge-503", "edge-504", "edge-html"})
"""Canned answers that come before anybody looks at keys."""
