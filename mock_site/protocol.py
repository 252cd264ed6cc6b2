"""uvicorn's HTTP protocol, with one look at each request for a fault that is to happen to its answer."""

from __future__ import annotations

import asyncio
import json
import logging
from functools import partial
from typing import TYPE_CHECKING, Any, cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from mock_site.control import CONTROL_PREFIX
from mock_site.faults import FAULTS, AnswerFault, HandshakeFault, PortFault
from mock_site.mistakes import MockUsageError
from mock_site.prefer import parse_prefer
from mock_site.wire import Wire, WireAnswer, WireClosedError, reset

if TYPE_CHECKING:
    from collections.abc import Callable

    from uvicorn import Config
    from uvicorn.protocols.http.httptools_impl import RequestResponseCycle
    from uvicorn.server import ServerState

    from mock_site.faults import Fault
    from mock_site.state import MockState, SiteState

_CONTROL = CONTROL_PREFIX.encode()


class _AppErrorsOnly(logging.Filter):
    """Lets an exception of the application through, and nothing of a request that was cancelled or malformed."""

    def filter(self, record: logging.LogRecord) -> bool:
        error = record.exc_info[1] if record.exc_info else None
        return error is not None and not isinstance(error, asyncio.CancelledError)


_LOG = logging.getLogger("mock_site.requests")
_LOG.addFilter(_AppErrorsOnly())


class MockProtocol(HttpToolsProtocol):
    """One connection, plain or within TLS."""

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        state: MockState,
        site_of: Callable[[bytes], SiteState | None],
    ) -> None:
        """Serve the application of `config`; `state` says which fault the site has that a Host header means."""
        super().__init__(config, server_state, app_state={})
        self.logger = _LOG
        self.access_log = False
        self._state, self._site_of = state, site_of
        self._app = self.app

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as in uvicorn
        """Start the clock for a client that connects and says nothing."""
        super().connection_made(transport)
        self.timeout_keep_alive_task = self.loop.call_later(self.timeout_keep_alive, self.timeout_keep_alive_handler)

    def on_headers_complete(self) -> None:
        """Hand the request to the application, or to the fault that is to happen."""
        fault = self._fault()
        if fault is None:
            super().on_headers_complete()
            return
        self.app = partial(self._perform, fault)
        super().on_headers_complete()
        self.app = self._app

    def _fault(self) -> Fault | None:
        prefer, host = b"", b""
        for name, value in self.headers:
            if name == b"prefer":
                prefer += b"," + value
            elif name == b"host":
                host = value
        if b"fault" in prefer.lower():
            return self._preferred(prefer.decode("latin-1"))
        site = self._site_of(host)
        if site is None or site.calm or self.url.startswith(_CONTROL):
            return None
        fault = FAULTS.get(self._state.fault_for(site.row.key) or "")
        # A fault of the handshake has had its chance; on plain HTTP there is none.
        return None if isinstance(fault, HandshakeFault) else fault

    def _preferred(self, prefer: str) -> Fault | None:
        try:
            return FAULTS.get(parse_prefer([prefer], FAULTS).fault or "")
        except MockUsageError:
            return None  # the application says what is wrong with it

    async def _perform(self, fault: Fault, scope: Any, _receive: Any, send: Any) -> None:
        """Answer with a fault, as an application that may also write to the connection itself."""
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
        if wire.raw:
            # uvicorn must not add an answer of its own to what was written.
            cast("RequestResponseCycle", send.__self__).disconnected = True
            self.transport.close()


def _too_late(name: str) -> WireAnswer:
    detail = f"{name} happens in the TLS handshake, before any request: set the scenario fault:{name} on a site."
    error = {"status": "400", "title": "Invalid Preference", "detail": detail, "source": {"header": "Prefer"}}
    headers = ((b"content-type", b"application/vnd.api+json"),)
    return WireAnswer(400, headers, b"").with_body(json.dumps({"errors": [error]}).encode())
