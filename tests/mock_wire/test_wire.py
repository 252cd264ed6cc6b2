"""A fault keeps its bounds, whatever the client does."""

from __future__ import annotations

import asyncio
import socket
import time
from typing import TYPE_CHECKING, Any

import pytest
from uvicorn.protocols.http.flow_control import FlowControl

from mock_site.tls import Authority
from mock_site.wire import Peer, Wire, WireAnswer, WireClosedError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable


class Connection(asyncio.Protocol):
    """A connection with uvicorn's flow control."""

    def connection_made(self, transport: Any) -> None:
        self.flow = FlowControl(transport)
        self.pause_writing, self.resume_writing = self.flow.pause_writing, self.flow.resume_writing

    async def drain(self) -> None:
        await self.flow.drain()


async def on_a_wire(use: Callable[[Wire, socket.socket], Awaitable[None]], **bounds: Any) -> None:
    """Run `use` with a wire to a socket nobody reads from unless `use` does."""
    ours, theirs = socket.socketpair()
    theirs.setblocking(False)
    transport, connection = await asyncio.get_running_loop().create_connection(Connection, sock=ours)

    async def nothing(*_: Any) -> None:
        """Answer nothing."""

    try:
        await use(
            Wire(transport, connection.drain, {"method": "GET", "headers": []}, nothing, nothing, **bounds), theirs
        )
    finally:
        theirs.close()
        transport.abort()
        await asyncio.sleep(0)


def test_more_bytes_than_allowed_are_not_written() -> None:
    async def use(wire: Wire, peer: socket.socket) -> None:
        await wire.write(b"x" * 10)
        with pytest.raises(WireClosedError):
            await wire.write(b"y")
        assert peer.recv(100) == b"x" * 10

    asyncio.run(on_a_wire(use, max_bytes=10))


def test_a_client_that_does_not_read_is_reset_when_the_time_is_over() -> None:
    async def use(wire: Wire, _peer: socket.socket) -> None:
        async def forever() -> None:
            while True:
                await wire.write(b"x" * 1_000_000)

        began = time.monotonic()
        with pytest.raises(WireClosedError):
            await forever()
        assert 0.05 < time.monotonic() - began < 2

    asyncio.run(on_a_wire(use, max_s=0.2))


def test_silence_ends_when_the_time_is_over() -> None:
    async def use(wire: Wire, _peer: socket.socket) -> None:
        began = time.monotonic()
        with pytest.raises(WireClosedError):
            await wire.hold()
        assert 0.05 < time.monotonic() - began < 2
        with pytest.raises(WireClosedError):
            await wire.write(b"late")

    asyncio.run(on_a_wire(use, max_s=0.2))


def test_silence_ends_when_the_client_goes() -> None:
    async def use(wire: Wire, peer: socket.socket) -> None:
        peer.close()
        began = time.monotonic()
        with pytest.raises(WireClosedError):
            await wire.hold()
        assert time.monotonic() - began < 2

    asyncio.run(on_a_wire(use, max_s=30))


def test_what_was_written_has_left_before_the_next_step() -> None:
    async def use(wire: Wire, peer: socket.socket) -> None:
        async def read_late() -> int:
            await asyncio.sleep(0.1)
            read = 0
            while read < 30_000:
                read += len(await asyncio.get_running_loop().sock_recv(peer, 1_000_000))
            return read

        reading = asyncio.get_running_loop().create_task(read_late())
        await wire.write(b"x" * 30_000)
        began = time.monotonic()
        await wire.flushed()
        assert time.monotonic() - began > 0.02
        assert await reading == 30_000

    async def small(wire: Wire, peer: socket.socket) -> None:
        wire._transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4_096)
        await use(wire, peer)

    asyncio.run(on_a_wire(small))


def test_silence_in_the_handshake_ends_with_a_reset_when_the_time_is_over() -> None:
    async def silent() -> None:
        with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()) as peer:
            peer.settimeout(5)
            peer.sendall(b"hello")
            accepted, _ = server.accept()
            with accepted:
                accepted.setblocking(False)
                await Peer(accepted, b"hello", Authority(["a.example"])).hold(max_s=0.1)
            with pytest.raises(ConnectionResetError):
                peer.recv(1)

    asyncio.run(silent())


def test_an_answer_is_changed_in_a_copy() -> None:
    answer = WireAnswer(200, ((b"a", b"1"), (b"content-length", b"9")), b"123456789")
    assert answer.with_header(b"a", b"2").headers == ((b"content-length", b"9"), (b"a", b"2"))
    assert answer.without_header(b"a").headers == ((b"content-length", b"9"),)
    assert answer.with_body(b"1").headers == ((b"a", b"1"), (b"content-length", b"1"))
    assert answer.head(answer.length_line) == (
        b"HTTP/1.1 200 OK\r\na: 1\r\ncontent-length: 9\r\nconnection: close\r\n\r\n"
    )
