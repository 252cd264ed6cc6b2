"""Faults of well-formed answers: the HTTP is in order, what it carries is not."""

from __future__ import annotations

import gzip
import re
import zlib
from functools import cache
from typing import TYPE_CHECKING

from mock_site.faults.model import AnswerFault, Fault, rewritten
from mock_site.wire import WireAnswer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

DEEP = 100_000
BOMB_BYTES = 256 * 2**20
_BLOCK = b" " * 2**20
_HTML = b"text/html; charset=utf-8"
_JSON = b"application/json"
_NUMBER = re.compile(rb'("(?:mean|duration|count)"\s*:\s*)-?[0-9][0-9.eE+-]*')
_TEXT = re.compile(rb'("(?:name|title|errors)"\s*:\s*\[?\s*")')
_FIRST_NAME = re.compile(rb'\s*\{\s*("(?:[^"\\]|\\.)*")\s*:')


def _row(name: str, change: Callable[[WireAnswer], WireAnswer], meaning: str, rule: str | None) -> AnswerFault:
    level = "none" if rule is None else "breaking"
    return AnswerFault(name, meaning, rule, rewritten(change), level=level)


def _body(change: Callable[[bytes], bytes]) -> Callable[[WireAnswer], WireAnswer]:
    return lambda answer: answer.with_body(change(answer.body))


def _page(status: int, content_type: bytes, body: bytes) -> Callable[[WireAnswer], WireAnswer]:
    page = WireAnswer(status, ((b"content-type", content_type), (b"server", b"edge")), b"").with_body(body)
    return lambda _answer: page


def _labelled(name: bytes, value: bytes) -> Callable[[WireAnswer], WireAnswer]:
    return lambda answer: answer.with_header(name, value)


# --- bytes that are no JSON ----------------------------------------------------------------------------------------


def inserted(body: bytes, member: bytes) -> bytes:
    """Put a member in front of an object's own; a body that is no object becomes one of this member only."""
    head, brace, rest = body.partition(b"{")
    if not brace or head.strip():
        return b"{" + member + b"}"
    comma = b"" if rest.lstrip().startswith(b"}") else b","
    return b"{" + member + comma + rest


def _number(word: bytes) -> Callable[[bytes], bytes]:
    """Write a word in the place of the first number that may have a fraction."""

    def change(body: bytes) -> bytes:
        changed, count = _NUMBER.subn(rb"\g<1>" + word, body, count=1)
        return changed if count else inserted(body, b'"value":' + word)

    return change


def _text(raw: bytes) -> Callable[[bytes], bytes]:
    """Write bytes at the start of the first text."""

    def change(body: bytes) -> bytes:
        changed, count = _TEXT.subn(lambda match: match[0] + raw, body, count=1)
        return changed if count else inserted(body, b'"name":"' + raw + b'"')

    return change


def _twice(body: bytes) -> bytes:
    first = _FIRST_NAME.match(body)
    return inserted(body, (first[1] if first else b'"data":1,"data"') + b":null")


_NO_JSON = (
    _row("invalid-utf8", _body(_text(b"\xff\xc0")), "A text holds bytes that are not UTF-8.", "response-body-not-utf8"),
    _row(
        "utf-16",
        _body(lambda body: body.decode().encode("utf-16")),
        "The JSON is UTF-16, with a byte order mark.",
        "response-body-not-utf8",
    ),
    _row(
        "byte-order-mark",
        _body(lambda body: b"\xef\xbb\xbf" + body),
        "A byte order mark stands before the JSON.",
        "response-body-byte-order-mark",
    ),
    _row("nan", _body(_number(b"NaN")), "A number is `NaN`.", "response-body-number-not-finite"),
    _row("infinity", _body(_number(b"-Infinity")), "A number is `-Infinity`.", "response-body-number-not-finite"),
    _row(
        "duplicate-member",
        _body(_twice),
        "The first member is named twice, null the first time.",
        "response-body-duplicate-member",
    ),
    _row(
        "deep-arrays",
        _body(lambda _body: b"[" * DEEP + b"]" * DEEP),
        "The body is 100,000 arrays within each other.",
        "response-body-nesting-too-deep",
    ),
    _row(
        "deep-objects",
        _body(lambda body: inserted(body, b'"note":' + b'{"a":' * DEEP + b"1" + b"}" * DEEP)),
        "A member unknown so far holds 100,000 objects within each other.",
        "response-body-nesting-too-deep",
    ),
    _row(
        "cut-json",
        _body(lambda body: body[: len(body) * 2 // 3]),
        "The JSON ends early, the length announced is that of what is sent.",
        "response-body-not-json",
    ),
    _row(
        "two-documents",
        _body(lambda body: body + b"\n" + body),
        "The JSON is sent twice in one body.",
        "response-body-not-json",
    ),
)

# --- other bodies than asked for -----------------------------------------------------------------------------------

_HTML_OK = b"<!DOCTYPE html>\n<html><head><title>Sign in</title></head><body><form></form></body></html>\n"
_HTML_FORBIDDEN = b"<html><body><h1>403 Forbidden</h1>\nRequest forbidden by administrative rules.\n</body></html>\n"
_HTML_GATEWAY = b"<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body></body>\r\n</html>\r\n"
_ENVELOPE = b'{"status":"error","code":502,"errors":["Bad Gateway"],"statuspage":"http://status.datadoghq.com"}'
_UPSTREAM = b"upstream connect error or disconnect/reset before headers. reset reason: connection timeout"

_OTHER_BODY = (
    _row("html-200", _page(200, _HTML, _HTML_OK), "A sign-in page with status 200.", "edge-answer"),
    _row(
        "html-as-json",
        _page(200, _JSON, _HTML_OK),
        "A page in HTML with status 200, labelled as JSON.",
        "edge-answer",
    ),
    _row("html-403", _page(403, b"text/html", _HTML_FORBIDDEN), "The edge forbids, in HTML.", "edge-answer"),
    _row("html-502", _page(502, b"text/html", _HTML_GATEWAY), "The edge finds no gateway, in HTML.", "edge-answer"),
    _row("envelope-502", _page(502, _JSON, _ENVELOPE), "The edge finds no gateway, in its JSON.", "edge-answer"),
    _row("text-503", _page(503, b"text/plain", _UPSTREAM), "The edge finds no upstream, in plain text.", "edge-answer"),
    _row("empty-200", _page(200, _JSON, b""), "Status 200 and no body.", "response-body-empty"),
    _row(
        "no-content",
        lambda _answer: WireAnswer(204, (), b""),
        "Status 204, which has no body.",
        "unexpected-status",
    ),
    _row(
        "wrong-content-type",
        _labelled(b"content-type", b"text/plain; charset=utf-8"),
        "The JSON is labelled as plain text.",
        "response-media-type-removed",
    ),
    _row(
        "no-content-type",
        lambda answer: answer.without_header(b"content-type"),
        "The JSON has no label at all.",
        "response-media-type-removed",
    ),
)

# --- content codings -----------------------------------------------------------------------------------------------


def _gzipped(answer: WireAnswer) -> WireAnswer:
    return _coded(answer, b"gzip", gzip.compress(answer.body))


def _coded(answer: WireAnswer, coding: bytes, body: bytes) -> WireAnswer:
    return answer.with_body(body).with_header(b"content-encoding", coding)


@cache
def _spaces() -> tuple[bytes, int]:
    """Return raw deflate data of `BOMB_BYTES` spaces, open at its end, and their checksum."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    block = packer.compress(_BLOCK) + packer.flush(zlib.Z_FULL_FLUSH)
    blocks = BOMB_BYTES // len(_BLOCK)
    checksum = 0
    for _ in range(blocks):
        checksum = zlib.crc32(_BLOCK, checksum)
    return block * blocks, checksum


def _bomb(answer: WireAnswer) -> WireAnswer:
    """Return valid gzip of valid JSON: very many spaces, then the body."""
    packed, checksum = _spaces()
    packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    tail = packer.compress(answer.body) + packer.flush()
    size = (BOMB_BYTES + len(answer.body)) % 2**32
    header = gzip.compress(b"")[:10]
    end = zlib.crc32(answer.body, checksum).to_bytes(4, "little") + size.to_bytes(4, "little")
    return _coded(answer, b"gzip", header + packed + tail + end)


def _damaged(answer: WireAnswer) -> WireAnswer:
    packed = bytearray(gzip.compress(answer.body))
    # A block of the kind reserved by RFC 1951: no reader can take it for anything.
    packed[10] = 0xFF
    return _coded(answer, b"gzip", bytes(packed))


def _cut_gzip(answer: WireAnswer) -> WireAnswer:
    packed = gzip.compress(answer.body)
    return _coded(answer, b"gzip", packed[: len(packed) * 2 // 3])


_CODINGS = (
    _row("gzip", _gzipped, "The body is gzip, whether asked for or not.", None),
    _row(
        "gzip-bomb",
        _bomb,
        "A quarter of a megabyte of gzip becomes 256 MiB of spaces before the JSON.",
        "response-body-too-large",
    ),
    _row("bad-gzip", _damaged, "The gzip data is damaged.", "response-body-undecodable"),
    _row("truncated-gzip", _cut_gzip, "The gzip data ends early.", "response-body-undecodable"),
    _row(
        "not-gzip",
        _labelled(b"content-encoding", b"gzip"),
        "Plain JSON, labelled as gzip.",
        "response-body-undecodable",
    ),
    _row(
        "unknown-content-encoding",
        _labelled(b"content-encoding", b"x-nobody-knows"),
        "The content coding is one nobody knows.",
        "response-body-undecodable",
    ),
)


def rows() -> Iterator[Fault]:
    """Return the rows of the table, in the order of the docs."""
    yield from (*_NO_JSON, *_OTHER_BODY, *_CODINGS)
