"""What a fault may do with the connection it happens on: one connection of the mock, within bounds."""

from __future__ import annotations

import asyncio
import socket
import struct
import time
from dataclasses import dataclass, replace
from http import HTTPStatus
from ssl import MemoryBIO, SSLError, SSLWantReadError
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Mapping
    from ssl import SSLContext

    from mock_site.ratelimit import Header
    from mock_site.tls import Authority

MAX_FAULT_BYTES = 120_000_000
MAX_FAULT_S = 60.0
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)
_FRAMING = frozenset({b"content-length", b"transfer-encoding", b"connection"})
_HELD_BYTES = 65_536


class WireClosedError(Exception):
    """The connection is gone, or the fault has used up its bytes or its time: there is nothing left to do."""


@dataclass(frozen=True, slots=True)
class WireAnswer:
    """What the site would have said without the fault: names of headers in lower case, the body decoded."""

    status: int
    headers: tuple[Header, ...]
    body: bytes

    def with_header(self, name: bytes, value: bytes) -> WireAnswer:
        """Return the same answer with a header set in place of any other of the name."""
        return replace(self, headers=(*self.without_header(name).headers, (name, value)))

    def without_header(self, name: bytes) -> WireAnswer:
        """Return the same answer without a header."""
        return replace(self, headers=tuple(row for row in self.headers if row[0] != name))

    def with_body(self, body: bytes) -> WireAnswer:
        """Return the same answer with another body, its length corrected."""
        return replace(self, body=body).with_header(b"content-length", b"%d" % len(body))

    def head(self, *lines: bytes, status_line: bytes | None = None) -> bytes:
        """Return the head as bytes, the lines given (without their end) in place of the framing headers."""
        return head_of(status_line or status_line_of(self.status), (*self.plain_lines(), *lines, b"connection: close"))

    def plain_lines(self) -> tuple[bytes, ...]:
        """Return the header lines without those that say where the body ends."""
        return tuple(name + b": " + value for name, value in self.headers if name not in _FRAMING)

    @property
    def length_line(self) -> bytes:
        """The line that tells the length of the body truly."""
        return b"content-length: %d" % len(self.body)


def status_line_of(status: int) -> bytes:
    """Return the status line of HTTP/1.1."""
    return b"HTTP/1.1 %d %s" % (status, HTTPStatus(status).phrase.encode())


def head_of(status_line: bytes, lines: Iterable[bytes]) -> bytes:
    """Return a head as bytes, the empty line at its end included."""
    return b"\r\n".join((status_line, *lines, b"", b""))


class Wire:
    """A connection on which a request has arrived, plain or within TLS; the fault answers it.

    All a fault writes counts against `max_bytes`, and it has `max_s` seconds in all.
    """

    def __init__(
        self,
        transport: asyncio.Transport,
        drain: Callable[[], Awaitable[None]],
        scope: Mapping[str, Any],
        app: Callable[..., Awaitable[None]],
        send: Callable[[Any], Awaitable[None]],
        *,
        max_bytes: int = MAX_FAULT_BYTES,
        max_s: float = MAX_FAULT_S,
    ) -> None:
        """Take the connection of one request (`scope`); `app` answers it, `send` is uvicorn's own way to send."""
        self.scope = scope
        self.raw = True
        self._transport, self._drain, self._app, self._send = transport, drain, app, send
        self._bytes_left = max_bytes
        self._until = time.monotonic() + max_s

    @property
    def bodiless(self) -> bool:
        """True where the request forbids a body in the answer (HEAD)."""
        return bool(self.scope["method"] == "HEAD")

    def header(self, name: bytes) -> bytes:
        """Return the first value of a header of the request, or nothing."""
        return next((value for key, value in self.scope["headers"] if key == name), b"")

    async def answer(self) -> WireAnswer:
        """Ask the application what it says to this request; a HEAD is asked as a GET, so that there is a body."""
        messages: list[Any] = []

        async def receive() -> Any:
            return {"type": "http.request", "body": b"", "more_body": False}

        async def collect(message: Any) -> None:
            messages.append(message)

        method = "GET" if self.bodiless else self.scope["method"]
        await self._app({**self.scope, "method": method}, receive, collect)
        body = b"".join(message.get("body", b"") for message in messages[1:])
        return WireAnswer(messages[0]["status"], tuple(messages[0]["headers"]), body)

    async def send(self, answer: WireAnswer) -> None:
        """Send a well-formed answer, so that the connection stays alive if both sides want it to."""
        self.raw = False
        await self._send({"type": "http.response.start", "status": answer.status, "headers": list(answer.headers)})
        await self._send({"type": "http.response.body", "body": answer.body})

    async def write(self, data: bytes) -> None:
        """Write bytes as they are, waiting for a slow reader; raises `WireClosedError`."""
        if self._transport.is_closing() or self._bytes_left < len(data):
            raise WireClosedError
        self._bytes_left -= len(data)
        self._transport.write(data)
        try:
            async with asyncio.timeout(self._left_s()):
                await self._drain()
        except TimeoutError:
            self.reset()
            raise WireClosedError from None
        # One turn of the loop, so that an endless writer hears of a peer that has gone.
        await asyncio.sleep(0)

    async def write_body(self, data: bytes) -> None:
        """Write bytes of a body; nothing where the request forbids one."""
        if not self.bodiless:
            await self.write(data)

    async def pause(self, pause_s: float) -> None:
        """Wait; raises `WireClosedError` when the time of the fault is over or the peer has gone."""
        await asyncio.sleep(min(pause_s, self._left_s()))
        if self._transport.is_closing():
            raise WireClosedError

    async def flushed(self) -> None:
        """Wait until everything written has left for the peer, and a moment more for it to arrive."""
        while self._transport.get_write_buffer_size():
            await self.pause(0.01)
        await self.pause(0.05)

    async def hold(self) -> None:
        """Say nothing more until the peer goes or the time is over; raises `WireClosedError` then."""
        while True:
            await self.pause(0.05)

    def close(self) -> None:
        """Close in good order, after what was written."""
        self._transport.close()

    def reset(self) -> None:
        """Close with a TCP reset."""
        reset(self._transport)

    def abort(self) -> None:
        """Close the TCP connection in good order but, within TLS, without saying so first."""
        self._transport.abort()

    def _left_s(self) -> float:
        left_s = self._until - time.monotonic()
        if left_s <= 0:
            raise WireClosedError
        return left_s


def reset(transport: asyncio.Transport) -> None:
    """Close a connection with a TCP reset in place of the orderly end."""
    opened = transport.get_extra_info("socket")
    if opened is not None and not transport.is_closing():
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
    transport.abort()


class Peer:
    """A connection that has sent its ClientHello and is still a bare socket; a fault speaks to it in place of TLS."""

    def __init__(self, sock: socket.socket, hello: bytes, authority: Authority) -> None:
        """Take the socket; its first bytes are `hello`, looked at but not yet read."""
        self.authority = authority
        self._sock, self._hello = sock, hello

    async def agreed(self, context: SSLContext) -> SSLContext | None:
        """Return the context if it can agree with this client; else tell the client why not, as OpenSSL does.

        asyncio closes the connection of a failed handshake before the alert has left.
        """
        incoming, outgoing = MemoryBIO(), MemoryBIO()
        incoming.write(self._hello)
        try:
            context.wrap_bio(incoming, outgoing, server_side=True).do_handshake()
        except SSLWantReadError:
            return context
        except SSLError:
            await self.read_hello()
            await self.write(outgoing.read())
        return None

    async def read_hello(self) -> None:
        """Read the ClientHello, so that closing ends the connection in good order."""
        loop, left = asyncio.get_running_loop(), len(self._hello)
        while left and (data := await loop.sock_recv(self._sock, left)):
            left -= len(data)

    async def write(self, data: bytes) -> None:
        """Write bytes as they are."""
        await asyncio.get_running_loop().sock_sendall(self._sock, data)

    async def hold(self, max_s: float = MAX_FAULT_S) -> None:
        """Say nothing until the peer goes or the time is over."""
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(max_s):
                while await loop.sock_recv(self._sock, _HELD_BYTES):
                    pass
        except TimeoutError:
            self.reset()

    def reset(self) -> None:
        """Make the end of this connection a TCP reset."""
        self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
