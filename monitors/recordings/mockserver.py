"""Expectations of MockServer, which its proxy records and its clients keep as cassettes."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from monitors.recordings.bodies import bytes_of, from_base64
from monitors.recordings.entry import Exchange, UnreadableError, headers_of, text_of, whole_number

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from monitors.recordings.jsontext import Written

_TYPED = {"JSON", "STRING", "BINARY", "XML"}
_KEEPERS = {"json", "string", "rawBytes", "base64Bytes", "xml"}
_ASIDE = {"type", "contentType", "not", "optional", "matchType", "subString"}


def matches(document: Any) -> bool:
    """Tell whether a JSON document is one expectation or a list of them."""
    first = document[0] if isinstance(document, list) and document else document
    return isinstance(first, dict) and isinstance(first.get("httpRequest"), dict)


def exchanges(document: Any, written: Written) -> Iterator[Exchange | None]:
    """Yield each expectation, None for one that cannot be read; bodies kept as JSON are taken as written."""
    if isinstance(document, dict):
        yield _exchange(document, written.member)
        return
    for item, expectation in enumerate(document):
        yield _exchange(expectation, partial(written.member, item=item))


def _exchange(expectation: Any, member: Callable[..., bytes]) -> Exchange | None:
    request = expectation.get("httpRequest") if isinstance(expectation, dict) else None
    if not isinstance(request, dict):
        return None
    path = text_of(request.get("path"))
    if path is None:
        return None
    response = expectation.get("httpResponse")
    answered = isinstance(response, dict)
    response = response if answered else {}
    return Exchange(
        # An expectation without a method holds for every one; what it was recorded from we cannot know.
        method=(text_of(request.get("method")) or "GET").upper(),
        url=_url(request, path),
        status=whole_number(response.get("statusCode", 200)) if answered else None,
        read_body=partial(_body, response.get("body"), member),
        request_headers=request.get("headers"),
        headers=response.get("headers"),
    )


def _url(request: dict[str, Any], path: str) -> str:
    address = request.get("socketAddress")
    host = text_of(address.get("host")) if isinstance(address, dict) else None
    host = host or next((value for name, value in headers_of(request.get("headers")) if name == "host"), None)
    return f"https://{host}{path}" if host and path.startswith("/") else path


def _body(body: Any, member: Callable[..., bytes]) -> bytes:
    if not isinstance(body, dict | list):
        return bytes_of(body)
    if isinstance(body, dict) and _is_wrapped(body):
        for name in ("rawBytes", "base64Bytes"):
            if body.get(name) is not None:
                return from_base64(body[name])
        kept = next((body[name] for name in ("json", "string", "xml") if name in body), None)
        if "json" in body and not isinstance(kept, str):
            return _as_written(member, "body", "json")
        return bytes_of(kept)
    return _as_written(member, "body")


def _is_wrapped(body: dict[str, Any]) -> bool:
    names = set(body)
    if not names & _KEEPERS:
        return False
    return body["type"] in _TYPED if isinstance(body.get("type"), str) else names <= _KEEPERS | _ASIDE


def _as_written(member: Callable[..., bytes], *names: str) -> bytes:
    try:
        return member("httpResponse", *names)
    except RecursionError:
        message = "the body nests too deep"
        raise UnreadableError(message) from None
