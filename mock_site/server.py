"""The mock sites as a whole: in a thread of this process for tests, or in the foreground for anybody's client."""

from __future__ import annotations

import asyncio
import ipaddress
import os
import signal
import socket
import tempfile
import threading
from concurrent.futures import Future
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Self

from mock_site.app import create_app
from mock_site.faults import FAULTS, PortFault
from mock_site.front import Front, listen
from mock_site.mistakes import MockUsageError
from mock_site.state import MockState, site_rows
from mock_site.tls import Authority

try:
    import uvloop
except ImportError:  # pragma: no cover  # there is no uvloop for Windows
    uvloop = None  # type: ignore[assignment]  # a module or nothing

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from starlette.types import ASGIApp

    from mock_site.ratelimit import RateLimit
    from mock_site.state import Keys


def new_event_loop() -> asyncio.AbstractEventLoop:
    """Return the fastest loop there is."""
    return asyncio.new_event_loop() if uvloop is None else uvloop.new_event_loop()


class Address(NamedTuple):
    """Where to connect to: an IP address and a port."""

    ip: str
    port: int


class MockSites:
    """All nine sites on loopback, run in a thread of this process between `with` and its end.

    `state` is what the sites share with whoever wants to look or change; `port` and `tls_port` are those in use while
    it runs (0 lets the system choose), `ca_file` what its certificates verify with.
    """

    def __init__(
        self,
        *,
        scenario: str = "healthy",
        scenarios: Mapping[str, str] | None = None,
        api_key: str = "mock-api-key",
        app_key: str = "mock-app-key",
        keys: Mapping[str, Keys] | None = None,
        rate_limit: RateLimit | None = None,
        host: str = "127.0.0.1",
        port: int = 0,
        tls_port: int = 0,
        grace_s: float = 0.0,
        app: Callable[[MockState], ASGIApp] = create_app,
        loop_factory: Callable[[], asyncio.AbstractEventLoop] = new_event_loop,
    ) -> None:
        """Open nothing yet; raises `MockUsageError` for an unknown scenario, a host that is not loopback, a bad port.

        `scenarios` and `keys` are per site key. On leaving, answers under way get `grace_s` seconds to finish. `app`
        makes the application served, `loop_factory` the loop it runs in (uvloop where there is one).
        """
        self.state = MockState(
            api_key=api_key,
            app_key=app_key,
            keys=keys,
            rate_limit=rate_limit,
            scenario=scenario,
            scenarios=scenarios,
            faults=FAULTS,
        )
        self.host = loopback_address(host)
        self.port, self.tls_port = _checked_port(port), _checked_port(tls_port)
        self._wanted = self.port, self.tls_port
        self._grace_s, self._app, self._loop_factory = grace_s, app, loop_factory
        self._running = ExitStack()
        self._ca_file: Path | None = None
        self._closed_port = 0

    @property
    def ca_file(self) -> Path:
        """The certificate of the authority, in PEM; it is gone when the sites are."""
        if self._ca_file is None:
            message = "the mock sites are not running: the CA file is there between `with` and its end."
            raise RuntimeError(message)
        return self._ca_file

    def address(self, site_key: str, *, tls: bool) -> Address:
        """Return where a site is to be found now: a fault `refused` moves it to a port nobody listens on."""
        fault = FAULTS.get(self.state.fault_for(site_key) or "")
        if isinstance(fault, PortFault):
            return Address(self.host, self._closed_port)
        return Address(self.host, self.tls_port if tls else self.port)

    def set_scenario(self, site_key: str | None, text: str) -> None:
        """Put a scenario on one site, or on all where `site_key` is None; raises `MockUsageError`."""
        self.state.set_scenario(site_key, text)

    def __enter__(self) -> Self:
        """Start; raises `MockUsageError` where a port cannot be had."""
        with ExitStack() as stack:
            authority = Authority(row.api_host for row in site_rows().values())
            plain = stack.enter_context(listen(self.host, self._wanted[0]))
            tls = stack.enter_context(listen(self.host, self._wanted[1]))
            closed = stack.enter_context(_bound(self.host))
            self.port, self.tls_port, self._closed_port = (sock.getsockname()[1] for sock in (plain, tls, closed))
            self._ca_file = _written(authority.ca_pem)
            stack.callback(self._ca_file.unlink, missing_ok=True)
            front = Front(self._app(self.state), self.state, authority, plain, tls)
            stack.callback(_start(front, self._grace_s, self._loop_factory))
            self._running = stack.pop_all()
        return self

    def __exit__(self, *_exc_info: object) -> None:
        """Stop, and leave no socket, thread or file behind."""
        self._running.close()
        self._ca_file = None
        self.port, self.tls_port = self._wanted


def serve_forever(sites: MockSites, announce: Callable[[MockSites], None]) -> None:
    """Run the sites until SIGINT or SIGTERM, then stop in good order; `announce` is called once they listen.

    Only for the main thread, which is the only one to get signals.
    """
    stop = threading.Event()
    before = {number: signal.signal(number, lambda *_: stop.set()) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        with sites:
            announce(sites)
            stop.wait()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def loopback_address(host: str) -> str:
    """Return the loopback address a host means; raises `MockUsageError` for any other: keys must not leave here."""
    name = host.strip().strip("[]").lower()
    try:
        address = ipaddress.ip_address("127.0.0.1" if name == "localhost" else name)
    except ValueError:
        address = None
    if address is None or not address.is_loopback:
        message = f"the mock listens on loopback only, not on {host!r}: write 127.0.0.1, ::1 or localhost."
        raise MockUsageError(message)
    return str(address)


def _checked_port(port: int) -> int:
    if not 0 <= port <= 65_535:  # noqa: PLR2004  # the ports of TCP
        message = f"a port is a number from 0 (any free one) to 65535, not {port}."
        raise MockUsageError(message)
    return port


def _bound(host: str) -> socket.socket:
    """Return a socket that keeps a port and does not listen, so that connections to it are refused."""
    sock = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    try:
        sock.bind((host, 0))
    except OSError:
        sock.close()
        raise
    return sock


def _written(pem: bytes) -> Path:
    handle, name = tempfile.mkstemp(prefix="mock-site-ca-", suffix=".pem")
    with os.fdopen(handle, "wb") as file:
        file.write(pem)
    return Path(name)


def _start(front: Front, grace_s: float, loop_factory: Callable[[], asyncio.AbstractEventLoop]) -> Callable[[], None]:
    """Run a front in a thread; returns, once it accepts connections, the function that ends it."""
    ready: Future[Callable[[], object]] = Future()

    async def serve() -> None:
        loop, stopped = asyncio.get_running_loop(), asyncio.Event()
        await front.start()
        ready.set_result(lambda: loop.call_soon_threadsafe(stopped.set))
        await stopped.wait()
        await front.stop(grace_s)

    def run() -> None:
        try:
            with asyncio.Runner(loop_factory=loop_factory) as runner:
                runner.run(serve())
        except BaseException as error:
            if ready.done():
                raise
            ready.set_exception(error)

    thread = threading.Thread(target=run, name="mock-sites", daemon=True)
    thread.start()
    tell_to_stop = ready.result()

    def stop() -> None:
        tell_to_stop()
        thread.join()

    return stop
