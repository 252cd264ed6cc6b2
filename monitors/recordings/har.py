"""HTTP archives, version 1.2: of browsers, of Polly.js, of schemathesis and other tools."""

from __future__ import annotations

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
    from collections.abc import Callable, Iterator

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
    if encoding == "base64":
        return _chunks(text, from_base64)
    # Polly.js before its version 6 wrote hex, and before its version 4 did not even say so.
    if encoding == "hex" or content.get("_isBinary") or _is_bare_hex(text):
        return _chunks(text, _from_hex)
    return bytes_of(text)


def _is_bare_hex(text: Any) -> bool:
    return isinstance(text, str) and text.startswith('["1f8b')


def _chunks(text: Any, decode: Callable[[Any], bytes]) -> bytes:
    """Join what Polly.js keeps of a compressed body: a JSON list of chunks, each encoded by itself."""
    if isinstance(text, str) and text.startswith("["):
        try:
            chunks = orjson.loads(text)
        except ValueError:
            chunks = [text]
        return b"".join(decode(chunk) for chunk in chunks)
    return decode(text)


def _from_hex(chunk: Any) -> bytes:
    try:
        return bytes.fromhex(chunk)
    except (ValueError, TypeError):
        message = "the body is not hexadecimal"
        raise UnreadableError(message) from None
