"""Cassettes of the VCR family, one reader for all of them.

vcrpy (with its httpx form and the Python 2 era), Ruby's VCR (with its first form), R's vcr, betamax, rvcr and
go-vcr 1 to 4 differ only in a few names.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from monitors.recordings.bodies import bytes_of, from_base64
from monitors.recordings.entry import (
    Exchange,
    UnreadableError,
    http_version_of,
    moment,
    text_of,
    whole_number,
)

if TYPE_CHECKING:
    from collections.abc import Iterator


def matches(document: Any) -> bool:
    """Tell whether a JSON document is a cassette."""
    items = _interactions(document)
    return isinstance(items, list) and all(
        isinstance(item, dict) and "request" in item and "response" in item for item in items[:1]
    )


def exchanges(document: Any) -> Iterator[Exchange | None]:
    """Yield each interaction of a JSON cassette, None for one that cannot be read."""
    return (exchange(item) for item in _interactions(document))


def _interactions(document: Any) -> Any:
    if not isinstance(document, dict):
        return None
    return document.get("http_interactions", document.get("interactions"))


def exchange(item: Any) -> Exchange | None:
    """Return one interaction in the common form, None where it is none."""
    if not isinstance(item, dict):
        return None
    request, response = item.get("request"), item.get("response")
    if not isinstance(request, dict):
        return None
    method, url = text_of(request.get("method")), _url(request)
    if method is None or url is None:
        return None
    if not isinstance(response, dict):
        response = {}
    return Exchange(
        # Ruby's first form writes the method as a symbol.
        method=method.removeprefix(":").upper(),
        url=url,
        status=_status(response),
        read_body=partial(_body, response),
        request_headers=request.get("headers"),
        headers=response.get("headers"),
        at=moment(item.get("recorded_at")),
        http_version=http_version_of(response.get("proto", response.get("http_version"))),
    )


def _url(request: dict[str, Any]) -> str | None:
    url = text_of(request.get("uri", request.get("url")))
    if url is not None:
        return url
    # Before its version 1, vcrpy kept the parts.
    host, path = text_of(request.get("host")), text_of(request.get("path"))
    return f"{text_of(request.get('protocol')) or 'https'}://{host}{path}" if host and path else None


def _status(response: dict[str, Any]) -> int | None:
    for name in ("code", "status_code", "status"):
        value = response.get(name)
        number = whole_number(value.get("code") if isinstance(value, dict) else value)
        if number is not None:
            return number
    return None


def _body(response: dict[str, Any]) -> bytes:
    body = response.get("body", response.get("content"))
    if not isinstance(body, dict):
        return bytes_of(body)
    if body.get("base64_string") is not None:
        return from_base64(body["base64_string"])
    if body and "string" not in body:
        message = "the recording holds no body"
        raise UnreadableError(message)
    return bytes_of(body.get("string"), body.get("encoding"))
