"""Faults that take time or never end: silence, resets, drips and floods, all within the bounds of `wire`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mock_site.faults.framing import CHUNKED
from mock_site.faults.model import AnswerFault, Fault
from mock_site.wire import head_of, status_line_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mock_site.wire import Wire

HUGE_BYTES = 100 * 2**20
FLOOD_HEADERS = 100_000
DRIP_S = 0.25
_BLOCK = b" " * 65_536


async def _silent(wire: Wire) -> None:
    await wire.hold()


async def _reset_before_headers(wire: Wire) -> None:
    wire.reset()


async def _close_before_headers(wire: Wire) -> None:
    wire.close()


async def _close_in_headers(wire: Wire) -> None:
    answer = await wire.answer()
    head = answer.head(answer.length_line)
    await wire.write(head[: len(head) * 2 // 3])


async def _reset_after_headers(wire: Wire) -> None:
    answer = await wire.answer()
    await wire.write(answer.head(answer.length_line))
    await wire.flushed()
    wire.reset()


async def _reset_in_body(wire: Wire) -> None:
    answer = await wire.answer()
    await wire.write(answer.head(answer.length_line))
    await wire.write_body(answer.body[: len(answer.body) // 2])
    await wire.flushed()
    wire.reset()


async def _drip(wire: Wire, data: bytes) -> None:
    for byte in data:
        await wire.write(bytes((byte,)))
        await wire.pause(DRIP_S)


async def _drip_header(wire: Wire) -> None:
    answer = await wire.answer()
    await _drip(wire, answer.head(answer.length_line) + (b"" if wire.bodiless else answer.body))


async def _drip_body(wire: Wire) -> None:
    answer = await wire.answer()
    await wire.write(answer.head(answer.length_line))
    await _drip(wire, b"" if wire.bodiless else answer.body)


async def _endless_body(wire: Wire) -> None:
    answer = await wire.answer()
    await wire.write(answer.head(CHUNKED))
    chunk = b"%x\r\n%s\r\n" % (len(_BLOCK), _BLOCK)
    while not wire.bodiless:
        await wire.write_body(chunk)


async def _endless_header(wire: Wire) -> None:
    answer = await wire.answer()
    await wire.write(answer.head(b"x-endless: ").removesuffix(b"\r\nconnection: close\r\n\r\n"))
    while True:
        await wire.write(b"a" * len(_BLOCK))


async def _header_flood(wire: Wire) -> None:
    answer = await wire.answer()
    await wire.write(answer.head(answer.length_line).removesuffix(b"\r\n"))
    for first in range(0, FLOOD_HEADERS, 1_000):
        await wire.write(b"".join(b"x-flood-%d: %s\r\n" % (first + at, b"a" * 64) for at in range(1_000)))
    await wire.write(b"\r\n")
    await wire.write_body(answer.body)


async def _interim_flood(wire: Wire) -> None:
    batch = head_of(status_line_of(103), (b"link: </a.css>",)) * 100
    while True:
        await wire.write(batch)
        await wire.pause(0.001)


async def _huge_body(wire: Wire) -> None:
    answer = await wire.answer()
    await wire.write(answer.head(b"content-length: %d" % (HUGE_BYTES + len(answer.body))))
    for _ in range(0, 0 if wire.bodiless else HUGE_BYTES, len(_BLOCK)):
        await wire.write_body(_BLOCK)
    await wire.write_body(answer.body)


_ROWS = (
    AnswerFault("silent", "The connection is accepted, and nothing is ever said.", "timeout", _silent),
    AnswerFault(
        "reset-before-headers",
        "The connection is reset instead of an answer.",
        "connection-reset",
        _reset_before_headers,
    ),
    AnswerFault(
        "close-before-headers",
        "The connection is closed instead of an answer.",
        "connection-closed",
        _close_before_headers,
    ),
    AnswerFault(
        "close-in-headers",
        "The connection is closed in the middle of the headers.",
        "connection-closed",
        _close_in_headers,
    ),
    AnswerFault(
        "reset-after-headers", "The connection is reset after the headers.", "connection-reset", _reset_after_headers
    ),
    AnswerFault(
        "reset-in-body", "The connection is reset in the middle of the body.", "connection-reset", _reset_in_body
    ),
    AnswerFault(
        "drip-header",
        "The answer comes one byte each quarter of a second, from the status line on.",
        "timeout",
        _drip_header,
    ),
    AnswerFault("drip-body", "The body comes one byte each quarter of a second.", "timeout", _drip_body),
    AnswerFault("endless-body", "Chunks of blanks that never end.", "response-body-too-large", _endless_body),
    AnswerFault("huge-body", "100 MiB of blanks, then the JSON.", "response-body-too-large", _huge_body),
    AnswerFault("endless-header", "A header that never ends.", "response-headers-too-large", _endless_header),
    AnswerFault("header-flood", "100,000 headers.", "response-headers-too-large", _header_flood),
    AnswerFault("interim-flood", "Interim answers (103) that never end.", "response-headers-too-large", _interim_flood),
)


def rows() -> Iterator[Fault]:
    """Return the rows of the table, in the order of the docs."""
    yield from _ROWS
