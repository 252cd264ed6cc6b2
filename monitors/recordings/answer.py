"""Files that hold one answer and no request: a status with headers and body, or what `curl -i` prints."""

from __future__ import annotations

import re
from functools import partial
from typing import TYPE_CHECKING, Any

from monitors.recordings.bodies import bytes_of, from_base64
from monitors.recordings.entry import Exchange, UnreadableError, http_version_of, moment, text_of, whole_number

if TYPE_CHECKING:
    from collections.abc import Iterator

    from monitors.recordings.jsontext import Written

_STATUS_LINE = re.compile(rb"HTTP/(?P<version>[\d.]{1,3}) (?P<status>\d{3})(?: [^\r\n]*)?\r?\n")
_BLANK_LINE = re.compile(rb"\r?\n\r?\n")


def matches(document: Any) -> bool:
    """Tell whether a JSON document is a record of one answer: a numeric `status` beside a `body`."""
    return isinstance(document, dict) and "body" in document and _status(document) is not None


def exchanges(document: Any, written: Written) -> Iterator[Exchange | None]:
    """Yield the answer; a body kept as JSON is taken as written."""
    yield Exchange(
        method=(text_of(document.get("method")) or "GET").upper(),
        url=text_of(document.get("url")),
        status=_status(document),
        read_body=partial(_body, document, written),
        headers=document.get("headers"),
        at=moment(document.get("at")),
    )


def _status(document: dict[str, Any]) -> int | None:
    value = document.get("status")
    # The lenient reader leaves numbers as text, and the edge's own envelope has a word there.
    return whole_number(value)


def _body(document: dict[str, Any], written: Written) -> bytes:
    body = document["body"]
    if body is None and "note" not in document:
        return b""
    # In this project's own examples, which have a note, a body is always JSON: a text stands for a JSON text.
    if isinstance(body, str) and "note" not in document:
        return from_base64(body) if document.get("encoding") == "base64" else bytes_of(body)
    try:
        return written.member("body")
    except RecursionError:
        message = "the body nests too deep"
        raise UnreadableError(message) from None


def is_dump(data: bytes) -> bool:
    """Tell whether the bytes are an HTTP message from its status line on."""
    return _STATUS_LINE.match(data) is not None


def dump(data: bytes) -> Iterator[Exchange]:
    """Yield the last answer of the message: interim answers, a proxy's and redirects come before it."""
    at, head, body = 0, b"", len(data)
    while (line := _STATUS_LINE.match(data, at)) is not None:
        blank = _BLANK_LINE.search(data, line.end() - 2)
        head, body = data[at : blank.start() if blank else len(data)], blank.end() if blank else len(data)
        at = body
    line = _STATUS_LINE.match(head + b"\n")
    assert line is not None
    pairs = [field.partition(b":")[::2] for field in head.splitlines()[1:]]
    yield Exchange(
        method="GET",
        url=None,
        status=int(line["status"]),
        read_body=lambda: data[body:],
        headers=[[name.decode("latin-1").strip(), value.decode("latin-1").strip()] for name, value in pairs],
        http_version=http_version_of(line["version"]),
    )
