"""Faults of HTTP itself, each the bytes of one answer: lengths, chunks, status line, headers, redirects."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mock_site.faults.model import AnswerFault, Fault, written
from mock_site.wire import WireAnswer, head_of, status_line_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from mock_site.wire import Wire

CHUNKED = b"transfer-encoding: chunked"
_MALFORMED = "response-malformed"
_TRUNCATED = "response-body-truncated"
_GARBAGE = bytes(range(0x80, 0x100)) * 4

Written = tuple[bytes, bytes]


def _row(name: str, write: Callable[[WireAnswer], Written], meaning: str, rule: str | None) -> AnswerFault:
    return AnswerFault(name, meaning, rule, written(write), level="none" if rule is None else "breaking")


def _lines(*lines: bytes) -> Callable[[WireAnswer], Written]:
    """Return an answer with its body and the right length, and these lines added to its head."""
    return lambda answer: (answer.head(answer.length_line, *lines), answer.body)


def _lengths(*values: Callable[[int], bytes]) -> Callable[[WireAnswer], Written]:
    def write(answer: WireAnswer) -> Written:
        lines = (b"content-length: " + value(len(answer.body)) for value in values)
        return answer.head(*lines), answer.body

    return write


def _status(line: bytes) -> Callable[[WireAnswer], Written]:
    return lambda answer: (answer.head(answer.length_line, status_line=line), answer.body)


def chunked(body: bytes, size: int, *, extension: bytes = b"", end: bytes = b"0\r\n\r\n") -> bytes:
    """Return a body in chunks of `size` bytes."""
    pieces = (body[at : at + size] for at in range(0, len(body), size))
    return b"".join(b"%x%s\r\n%s\r\n" % (len(piece), extension, piece) for piece in pieces) + end


def _truncated_chunks(answer: WireAnswer) -> Written:
    return answer.head(CHUNKED), chunked(answer.body, 1_000)[: len(answer.body) // 2]


def _no_last_chunk(answer: WireAnswer) -> Written:
    return answer.head(CHUNKED), chunked(answer.body, 1_000, end=b"")


def _bad_chunk(answer: WireAnswer) -> Written:
    return answer.head(CHUNKED), b"xyz\r\n" + answer.body + b"\r\n0\r\n\r\n"


_LENGTHS = (
    _row(
        "truncated-body",
        lambda answer: (answer.head(answer.length_line), answer.body[: len(answer.body) // 2]),
        "The connection ends in the middle of the body.",
        _TRUNCATED,
    ),
    _row(
        "missing-body",
        lambda answer: (answer.head(answer.length_line), b""),
        "The connection ends where the announced body should begin.",
        _TRUNCATED,
    ),
    _row("truncated-chunked", _truncated_chunks, "The connection ends in the middle of a chunk.", _TRUNCATED),
    _row("no-last-chunk", _no_last_chunk, "Every chunk comes but the one that says it was the last.", _TRUNCATED),
    _row(
        "content-length-too-large",
        _lengths(lambda size: b"%d" % (size + 1_000)),
        "The length announced is 1,000 bytes more than the body has.",
        _TRUNCATED,
    ),
    _row(
        "content-length-too-small",
        _lengths(lambda size: b"%d" % (size // 2)),
        "The length announced is half of what is sent, so the JSON is cut there.",
        "response-body-not-json",
    ),
    _row(
        "content-length-no-number",
        _lengths(lambda _size: b"many"),
        "The length announced is no number.",
        _MALFORMED,
    ),
    _row(
        "content-length-negative",
        _lengths(lambda _size: b"-1"),
        "The length announced is negative.",
        _MALFORMED,
    ),
    _row(
        "content-length-twice",
        _lengths(lambda size: b"%d" % size, lambda size: b"%d" % (size // 2)),
        "Two different lengths are announced.",
        _MALFORMED,
    ),
    _row("bad-chunk-size", _bad_chunk, "The size of a chunk is no number.", _MALFORMED),
)

_STATUS_LINES = (
    _row("status-garbage", lambda _answer: (_GARBAGE, b""), "The answer is binary garbage.", _MALFORMED),
    _row("status-no-code", _status(b"HTTP/1.1 OK"), "The status line has no number.", _MALFORMED),
    _row("status-letters", _status(b"HTTP/1.1 2xx OK"), "The status is no number.", _MALFORMED),
    _row("status-four-digits", _status(b"HTTP/1.1 2000 OK"), "The status has four digits.", _MALFORMED),
    _row("status-zero", _status(b"HTTP/1.1 000 Nothing"), "The status is 000.", _MALFORMED),
    _row("status-999", _status(b"HTTP/1.1 999 Denied"), "The status is 999, of no class.", "unexpected-status"),
    _row("other-protocol", _status(b"ICY 200 OK"), "The status line is of another protocol.", _MALFORMED),
    _row("http-0.9", lambda answer: (answer.body, b""), "The body alone, without any head.", _MALFORMED),
    _row(
        "switching-protocols",
        lambda _answer: (head_of(status_line_of(101), (b"upgrade: h2c", b"connection: upgrade")), b""),
        "Status 101 that nobody asked for.",
        _MALFORMED,
    ),
)

_HEADERS = (
    _row("header-nul", _lines(b"x-note: a\x00b"), "The value of a header holds a NUL byte.", _MALFORMED),
    _row("header-bad-name", _lines(b"bad name(): x"), "The name of a header holds a space.", _MALFORMED),
    _row("header-no-colon", _lines(b"x-note without a colon"), "A header has no colon.", _MALFORMED),
)


# --- redirects -----------------------------------------------------------------------------------------------------


def _redirect(
    name: str, status: int, meaning: str, location: Callable[[str, str, str], str] | None = None
) -> AnswerFault:
    """Make a redirect; `location` is given scheme, host and path of the request."""

    async def act(wire: Wire) -> None:
        answer = WireAnswer(status, (), b"").with_body(b"")
        if location is not None:
            asked = wire.scope["scheme"], wire.header(b"host").decode("latin-1"), wire.scope["raw_path"].decode("ascii")
            answer = answer.with_header(b"location", location(*asked).encode("latin-1"))
        await wire.send(answer)

    return AnswerFault(name, meaning, "redirected", act)


_REDIRECTS = (
    _redirect("redirect-same-host", 301, "301 to another path of this host.", lambda *_asked: "/api/v3/moved"),
    _redirect(
        "redirect-other-host",
        302,
        "302 to the same path of a host that is no site's.",
        lambda scheme, _host, path: f"{scheme}://elsewhere.invalid{path}",
    ),
    _redirect("redirect-loop", 307, "307 to where the request went.", lambda _scheme, _host, path: path),
    _redirect(
        "redirect-to-http",
        308,
        "308 to the same address without TLS.",
        lambda _scheme, host, path: f"http://{host}{path}",
    ),
    _redirect("redirect-nowhere", 302, "302 without a Location."),
)


def rows() -> Iterator[Fault]:
    """Return the rows of the table, in the order of the docs."""
    yield from (*_LENGTHS, *_STATUS_LINES, *_HEADERS, *_REDIRECTS)
