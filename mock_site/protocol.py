"""uvicorn's HTTP protocol, with one look at each request for a fault that is to happen to its answer."""

from __future__ import annotations

import asyncio
import json
import logging
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol, cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from mock_site.control import CONTROL_PREFIX
from mock_site.faults import FAULTS, AnswerFault, HandshakeFault, PortFault
from mock_site.mistakes import MockUsageError
from mock_site.prefer import parse_prefer
from mock_site.wire import Wire, WireAnswer, WireClosedError, reset

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from uvicorn import Config
    from uvicorn.protocols.http.httptools_impl import RequestResponseCycle
    from uvicorn.server import ServerState

    from mock_site.faults import Fault
    from mock_site.ratelimit import Header
    from mock_site.state import MockState, SiteState

_CONTROL = CONTROL_PREFIX.encode()


class _AppErrorsOnly(logging.Filter):
    """Lets an exception of the application through, and nothing of a request that was cancelled or malformed."""

    def filter(self, record: logging.LogRecord) -> bool:
        error = record.exc_info[1] if record.exc_info else None
        return error is not None and not isinstance(error, asyncio.CancelledError)


_LOG = logging.getLogger("mock_site.requests")
_LOG.setLevel(logging.ERROR)
_LOG.addFilter(_AppErrorsOnly())


class Quick(Protocol):
    """An application's short way: headers and body of a 200 for method, path and headers, or None for the long way."""

    def __call__(self, method: str, raw_path: bytes, headers: list[Header], /) -> tuple[Sequence[Header], bytes] | None:
        """Answer at once or not at all."""
        ...


@dataclass(frozen=True, slots=True)
class Served:
    """What all connections share: uvicorn's settings, who is connected, the state, and two ways to look at it."""

    config: Config
    connected: ServerState
    state: MockState
    site_of: Callable[[bytes], SiteState | None]
    quick: Quick


class MockProtocol(HttpToolsProtocol):
    """One connection, plain or within TLS.

    What it uses of its base class is there since uvicorn 0.20 and is held by the tests.
    """

    def __init__(self, served: Served) -> None:
        """Serve what all connections share."""
        super().__init__(served.config, served.connected, app_state={})
        self.logger = _LOG
        self.access_log = False
        self._served = served
        self._app = self.app
        self._answered = False
        self._in_fault = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as in uvicorn
        """Start the clock for a client that connects and says nothing."""
        super().connection_made(transport)
        self._await_next()

    def eof_received(self) -> bool | None:  # type: ignore[override]  # uvicorn never keeps a connection open
        """Let a client that has said all it wanted to say still have its answer; within TLS there is no such thing."""
        waits = self.cycle is not None and not self.cycle.response_complete
        if not waits or self._in_fault or self.scheme == "https":
            return None
        self.cycle.keep_alive = False
        return True

    def on_headers_complete(self) -> None:
        """Answer at once where nothing is in the way; else leave it to the application or to a fault."""
        if self._answers_at_once():
            self._answered = True
            return
        fault = self._fault()
        if fault is None:
            super().on_headers_complete()
            return
        self.app = partial(self._perform, fault)
        super().on_headers_complete()
        self.app = self._app

    def on_body(self, body: bytes) -> None:
        """Drop the body of a request that has its answer."""
        if not self._answered:
            super().on_body(body)

    def on_message_complete(self) -> None:
        """Make ready for the next request."""
        if self._answered:
            self._answered = False
        else:
            super().on_message_complete()

    def _answers_at_once(self) -> bool:
        """Write the answer the application has ready; a task and its bookkeeping cost several times as much."""
        parser, cycle = self.parser, self.cycle
        busy = cycle is not None and not cycle.response_complete
        if busy or self.flow.write_paused or self.expect_100_continue or not parser.should_keep_alive():
            return False
        if parser.get_http_version() != "1.1":
            return False
        ready = self._served.quick(parser.get_method().decode("ascii"), self.url.partition(b"?")[0], self.headers)
        if ready is None:
            return False
        lines = [b"%s: %s\r\n" % row for row in (*self.server_state.default_headers, *ready[0])]
        self.transport.writelines((b"HTTP/1.1 200 OK\r\n", *lines, b"\r\n", ready[1]))
        self._await_next()
        return True

    def _await_next(self) -> None:
        self._unset_keepalive_if_required()
        self.timeout_keep_alive_task = self.loop.call_later(self.timeout_keep_alive, self.timeout_keep_alive_handler)

    def _fault(self) -> Fault | None:
        prefer, host = b"", b""
        for name, value in self.headers:
            if name == b"prefer":
                prefer += b"," + value
            elif name == b"host":
                host = value
        if b"fault" in prefer.lower():
            return self._preferred(prefer.decode("latin-1"))
        site = self._served.site_of(host)
        if site is None or site.calm or self.url.startswith(_CONTROL):
            return None
        fault = FAULTS.get(self._served.state.fault_for(site.row.key) or "")
        # A fault of the handshake has had its chance; on plain HTTP there is none.
        return None if isinstance(fault, HandshakeFault) else fault

    def _preferred(self, prefer: str) -> Fault | None:
        try:
            return FAULTS.get(parse_prefer([prefer], FAULTS).fault or "")
        except MockUsageError:
            return None  # the application says what is wrong with it

    async def _perform(self, fault: Fault, scope: Any, _receive: Any, send: Any) -> None:
        """Answer with a fault, as an application that may also write to the connection itself."""
        self._in_fault = True
        wire = Wire(self.transport, self.flow.drain, scope, self._app, send)
        try:
            if isinstance(fault, AnswerFault):
                await fault.act(wire)
            elif isinstance(fault, PortFault):
                reset(self.transport)
            else:
                await wire.send(_too_late(fault.name))
        except WireClosedError:
            pass
        finally:
            self._in_fault = False
        if wire.raw:
            # uvicorn must not add an answer of its own to what was written.
            cast("RequestResponseCycle", send.__self__).disconnected = True
            self.transport.close()


def _too_late(name: str) -> WireAnswer:
    detail = f"{name} happens in the TLS handshake, before any request: set the scenario fault:{name} on a site."
    error = {"status": "400", "title": "Invalid Preference", "detail": detail, "source": {"header": "Prefer"}}
    headers = ((b"content-type", b"application/vnd.api+json"),)
    return WireAnswer(400, headers, b"").with_body(json.dumps({"errors": [error]}).encode())
