"""The sockets of the mock: both listeners, and what happens to a connection before uvicorn has it.

A connection costs one look at its ClientHello; a request costs one look at its headers, and nothing else is added to
what uvicorn does.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import time
from email.utils import formatdate
from functools import lru_cache
from typing import TYPE_CHECKING

from uvicorn import Config
from uvicorn.server import ServerState

from mock_site.faults import FAULTS, HandshakeFault, PortFault
from mock_site.hello import MAX_HELLO_BYTES, Hello, read_hello
from mock_site.mistakes import MockUsageError
from mock_site.protocol import MockProtocol, Served
from mock_site.wire import Peer

if TYPE_CHECKING:
    from collections.abc import Coroutine
    from ssl import SSLContext

    from starlette.types import ASGIApp

    from mock_site.ratelimit import Header
    from mock_site.state import MockState
    from mock_site.tls import Authority

_LOG = logging.getLogger("mock_site")
_BACKLOG = 1_024
_HELLO_S = 10.0
_POLL_S = 0.005
_GONE_S = 2.0
_KEEP_ALIVE_S = 75
_CACHED_HOSTS = 256
_NOT_TLS = (
    b"HTTP/1.1 400 Bad Request\r\ncontent-type: text/plain\r\nconnection: close\r\ncontent-length: 29\r\n\r\n"
    b"This port speaks TLS: https.\n"
)


def listen(host: str, port: int) -> socket.socket:
    """Return a listening socket that does not block; raises `MockUsageError` where the port cannot be had."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(_BACKLOG)
    except OSError as error:
        listener.close()
        message = f"cannot listen on {host} port {port}: {(error.strerror or str(error)).lower()}; choose another port."
        raise MockUsageError(message) from error
    listener.setblocking(False)
    return listener


class Front:
    """Serves an application on two listening sockets, one plain and one for TLS, with the faults the state asks for.

    Takes over the sockets. Everything runs in the loop `start` is called in.
    """

    def __init__(
        self, app: ASGIApp, state: MockState, authority: Authority, plain: socket.socket, tls: socket.socket
    ) -> None:
        """Serve nothing yet."""
        self._state, self._authority, self._plain, self._tls = state, authority, plain, tls
        config = Config(
            app,
            http=MockProtocol,
            ws="none",
            lifespan="off",
            log_config=None,
            proxy_headers=False,
            server_header=False,
            timeout_keep_alive=_KEEP_ALIVE_S,
        )
        config.load()
        self._served = Served(
            config,
            ServerState(),
            state,
            lru_cache(_CACHED_HOSTS)(lambda host: state.site_for_host(host.decode("latin-1"))),
            getattr(app, "quick", _never),
        )
        self._tasks: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server

    async def start(self) -> None:
        """Begin to accept connections."""
        loop = asyncio.get_running_loop()
        self._spawn(self._tell_time())
        self._spawn(self._accept_tls())
        self._server = await loop.create_server(self._protocol, sock=self._plain, backlog=_BACKLOG)

    async def stop(self, grace_s: float = 0.0) -> None:
        """Stop accepting, give answers under way `grace_s` seconds to finish, then end every connection."""
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tls.close()
        for connection in list(self._served.connected.connections):
            connection.shutdown()
        await self._until_idle(grace_s)
        for connection in list(self._served.connected.connections):
            connection.transport.abort()
        for answering in list(self._served.connected.tasks):
            answering.cancel()
        await asyncio.gather(*self._served.connected.tasks, return_exceptions=True)
        await self._until_idle(_GONE_S)

    async def _until_idle(self, wait_s: float) -> None:
        """Wait for the last connection to go, which uvicorn tells nobody of."""
        until = time.monotonic() + wait_s
        while self._served.connected.connections and time.monotonic() < until:  # noqa: ASYNC110  # a set has no event
            await asyncio.sleep(_POLL_S)

    def _protocol(self) -> MockProtocol:
        return MockProtocol(self._served)

    def _spawn(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _tell_time(self) -> None:
        """Keep the Date header right, as uvicorn's own server would."""
        while True:
            self._served.connected.default_headers = [(b"date", formatdate(usegmt=True).encode())]
            await asyncio.sleep(1)

    async def _accept_tls(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            try:
                sock, _ = await loop.sock_accept(self._tls)
            except OSError as error:
                # Out of file descriptors, or the client left before it was accepted: the next one may fare better.
                _LOG.debug("accept failed: %s", error)
                await asyncio.sleep(10 * _POLL_S)
                continue
            sock.setblocking(False)
            self._spawn(self._shake_hands(sock))

    async def _shake_hands(self, sock: socket.socket) -> None:
        """Deal with one connection until uvicorn has it; whatever the client does ends here."""
        handed_over = False
        try:
            context = await self._context_for(sock)
            if context is not None:
                handed_over = True
                await asyncio.get_running_loop().connect_accepted_socket(
                    self._protocol, sock, ssl=context, ssl_handshake_timeout=_HELLO_S, ssl_shutdown_timeout=_HELLO_S
                )
        except OSError as error:
            _LOG.debug("no TLS connection came about: %s", error)
        finally:
            if not handed_over:
                sock.close()

    async def _context_for(self, sock: socket.socket) -> SSLContext | None:
        """Return the context to go on with, or None where the connection has been dealt with."""
        hello, seen = await _peek_hello(sock)
        peer = Peer(sock, seen, self._authority)
        if not hello.is_tls:
            await peer.read_hello()
            await peer.write(_NOT_TLS)
            return None
        fault = self._fault_at(hello.host)
        if isinstance(fault, HandshakeFault):
            return await fault.act(peer)
        if isinstance(fault, PortFault):
            peer.reset()
            return None
        return self._authority.good

    def _fault_at(self, host: str | None) -> object:
        site = self._state.site_for_host(host or "localhost")
        if site is None or site.calm:
            return None
        return FAULTS.get(self._state.fault_for(site.row.key) or "")


def _never(_method: str, _raw_path: bytes, _headers: list[Header]) -> None:
    """Stand in for the short way of an application that has none."""


async def _peek_hello(sock: socket.socket) -> tuple[Hello, bytes]:
    """Look at the first bytes without taking them; returns what they are, and them.

    Raises `TimeoutError` for a client that is too slow, `ConnectionError` for one that leaves.
    """
    async with asyncio.timeout(_HELLO_S):
        await _readable(sock)
        seen = -1
        while True:
            data = sock.recv(MAX_HELLO_BYTES, socket.MSG_PEEK)
            hello = read_hello(data)
            if hello is not None:
                return hello, data
            if not data:
                raise ConnectionResetError
            # What is peeked at stays readable, so there is nothing to wait for but time.
            await asyncio.sleep(_POLL_S if len(data) > seen else 10 * _POLL_S)
            seen = len(data)


async def _readable(sock: socket.socket) -> None:
    loop = asyncio.get_running_loop()
    ready: asyncio.Future[None] = loop.create_future()

    def wake() -> None:
        if not ready.done():
            ready.set_result(None)

    loop.add_reader(sock, wake)
    try:
        await ready
    finally:
        loop.remove_reader(sock)
