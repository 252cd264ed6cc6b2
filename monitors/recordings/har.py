"""HTTP archives, version 1.2: of browsers, of Polly.js, of schemathesis and other tools."""

from __future__ import annotations

import binascii
from functools import partial
from typing import TYPE_CHECKING, Any

import orjson

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

_NOT_MODIFIED = 304


def matches(document: Any) -> bool:
    """Tell whether a JSON document is an HTTP archive."""
    log = document.get("log") if isinstance(document, dict) else None
    return isinstance(log, dict) and isinstance(log.get("entries"), list)


def exchanges(document: Any) -> Iterator[Exchange | None]:
    """Yield each entry of the archive, None for one that cannot be read."""
    return (_exchange(entry) for entry in document["log"]["entries"])


def _exchange(entry: Any) -> Exchange | None:
    if not isinstance(entry, dict) or not isinstance(entry.get("request"), dict):
        return None
    request, response = entry["request"], entry.get("response")
    method, url = text_of(request.get("method")), text_of(request.get("url"))
    if method is None or url is None:
        return None
    if not isinstance(response, dict):
        response = {}
    return Exchange(
        method=method.upper(),
        url=url,
        status=whole_number(response.get("status")),
        read_body=partial(_body, response),
        request_headers=request.get("headers"),
        headers=response.get("headers"),
        at=moment(entry.get("startedDateTime")),
        http_version=http_version_of(response.get("httpVersion")),
    )


def _body(response: dict[str, Any]) -> bytes:
    if response.get("status") == _NOT_MODIFIED:
        message = "answered from the browser's cache"
        raise UnreadableError(message)
    content = response.get("content")
    content = content if isinstance(content, dict) else {}
    text, encoding = content.get("text"), content.get("encoding")
    if not text:
        # Browsers leave the text out when they no longer have it; only sizes of zero say that none came.
        if content.get("size") == 0 and response.get("bodySize", 0) in (0, -1):
            return b""
        message = "the archive holds no body"
        raise UnreadableError(message)
    if encoding == "base64" or content.get("_isBinary"):
        return _binary(text)
    return _joined(text, response) or bytes_of(text)


def _binary(text: Any) -> bytes:
    return _joined(text, None) or _decode(text)


def _joined(text: Any, response: dict[str, Any] | None) -> bytes | None:
    """Join the chunks Polly.js keeps of a compressed body: a JSON list of base64, in older versions of hex."""
    if response is not None and "_isBinary" not in response.get("content", {}):
        return None
    if not (isinstance(text, str) and text.startswith("[")):
        return None
    try:
        chunks = orjson.loads(text)
    except ValueError:
        return None
    if not (isinstance(chunks, list) and chunks and all(isinstance(chunk, str) for chunk in chunks)):
        return None
    return b"".join(_decode(chunk) for chunk in chunks)


def _decode(chunk: Any) -> bytes:
    try:
        return binascii.unhexlify(chunk)
    except (binascii.Error, ValueError, TypeError):
        return from_base64(chunk)
