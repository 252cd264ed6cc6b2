"""Oddities a good client does not even notice: each is allowed by HTTP, each has broken some client."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mock_site.faults.framing import CHUNKED, chunked
from mock_site.faults.model import AnswerFault, Fault, written
from mock_site.wire import WireAnswer, head_of, status_line_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from mock_site.wire import Wire

Written = tuple[bytes, bytes]


def _row(name: str, write: Callable[[WireAnswer], Written], meaning: str) -> AnswerFault:
    return AnswerFault(name, meaning, None, written(write), level="none")


def _lines(*lines: bytes) -> Callable[[WireAnswer], Written]:
    """Return an answer with its body and the right length, and these lines added to its head."""
    return lambda answer: (answer.head(answer.length_line, *lines), answer.body)


def _after(*interim: bytes) -> Callable[[WireAnswer], Written]:
    """Return an answer that comes after interim ones."""
    return lambda answer: (b"".join(interim) + answer.head(answer.length_line), answer.body)


def _upper_case(answer: WireAnswer) -> Written:
    lines = (*answer.plain_lines(), answer.length_line, b"connection: close")
    shouted = (name.upper() + b":" + value for name, _, value in (line.partition(b":") for line in lines))
    return head_of(status_line_of(answer.status), shouted), answer.body


def _spaces(answer: WireAnswer) -> Written:
    lines = (*answer.plain_lines(), answer.length_line, b"connection: close")
    spaced = (
        name + b":" + value.strip().join((b" \t ", b"\t ")) for name, _, value in (x.partition(b":") for x in lines)
    )
    return head_of(status_line_of(answer.status), spaced), answer.body


def _http_1_0(answer: WireAnswer) -> Written:
    return head_of(b"HTTP/1.0 %d OK" % answer.status, answer.plain_lines()), answer.body


def _trailers(answer: WireAnswer) -> Written:
    end = b"0\r\nx-checksum: none\r\n\r\n"
    return answer.head(CHUNKED), chunked(answer.body, 1_000, extension=b';note="x"', end=end)


def _no_reason(answer: WireAnswer) -> Written:
    return answer.head(answer.length_line, status_line=b"HTTP/1.1 %d " % answer.status), answer.body


async def _split(wire: Wire) -> None:
    answer = await wire.answer()
    head = answer.head(answer.length_line)
    for at in range(0, len(head), 16):
        await wire.write(head[at : at + 16])
        await wire.pause(0.001)
    for at in range(0, len(answer.body), 1_024):
        await wire.write_body(answer.body[at : at + 1_024])
        await wire.pause(0.001)


async def _ragged(wire: Wire) -> None:
    answer = await wire.answer()
    await wire.write(answer.head(answer.length_line))
    await wire.write_body(answer.body)
    await wire.flushed()
    wire.abort()


_ROWS = (
    _row("http-1.0-close", _http_1_0, "An answer in HTTP/1.0 whose body ends with the connection."),
    _row(
        "close-delimited", lambda answer: (answer.head(), answer.body), "No length: the body ends with the connection."
    ),
    _row("tiny-chunks", lambda answer: (answer.head(CHUNKED), chunked(answer.body, 1)), "Chunks of one byte each."),
    _row("trailers", _trailers, "Chunks with extensions, and a header after the last one."),
    AnswerFault("small-pieces", "The answer comes in small pieces, cut anywhere.", None, _split, level="none"),
    _row(
        "unasked-continue",
        _after(head_of(status_line_of(100), ())),
        "An interim 100 that nobody asked for, then the answer.",
    ),
    _row(
        "early-hints",
        _after(head_of(status_line_of(103), (b"link: </style.css>; rel=preload",))),
        "An interim 103, then the answer.",
    ),
    _row("headers-upper-case", _upper_case, "Every header name in capitals, no space after the colon."),
    _row("headers-spaced", _spaces, "Blanks and tabs around every header value."),
    _row(
        "headers-twice",
        _lines(b"set-cookie: a=1", b"set-cookie: b=2", b"vary: accept", b"vary: accept-encoding"),
        "Headers that may come twice do.",
    ),
    _row("headers-latin-1", _lines(b"x-note: caf\xe9"), "A header value holds a byte beyond ASCII."),
    _row("no-reason", _no_reason, "The status line ends after the number."),
    _row(
        "trailing-garbage",
        lambda answer: (answer.head(answer.length_line), answer.body + b"\x00garbage\r\n\r\n"),
        "Bytes follow the end of the answer, on a connection that is about to close.",
    ),
    AnswerFault("ragged-end", "Within TLS, the connection ends without saying so first.", None, _ragged, level="none"),
)


def rows() -> Iterator[Fault]:
    """Return the rows of the table, in the order of the docs."""
    yield from _ROWS
