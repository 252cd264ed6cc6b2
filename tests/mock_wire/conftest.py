from __future__ import annotations

import socket
import ssl
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import h11
import pytest

from mock_site.server import MockSites

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

HOST = "api.us5.datadoghq.com"
PATH = "/api/v2/model-lab-api/runs/1"


@dataclass(frozen=True)
class Heard:
    """What came back on the wire, and how it ended: closed, reset, cut (TLS without its goodbye) or open."""

    data: bytes
    end: str
    took_s: float


@dataclass(frozen=True)
class Understood:
    """An answer as a strict HTTP client understands it; interim statuses come first."""

    status: int
    headers: dict[str, str]
    body: bytes
    interim: tuple[int, ...] = ()


def request(*headers: str, method: str = "GET", path: str = PATH, host: str = HOST, close: bool = True) -> bytes:
    """Write a request with the right keys."""
    lines = [f"{method} {path} HTTP/1.1", f"Host: {host}", "DD-API-KEY: mock-api-key"]
    lines += ["DD-APPLICATION-KEY: mock-app-key", *headers, *(["Connection: close"] if close else [])]
    return "\r\n".join([*lines, "", ""]).encode("latin-1")


def listen_to(sock: socket.socket, *, wait_s: float = 5.0, limit: int = 1 << 31) -> Heard:
    """Read until the other side ends it, or for so many seconds or bytes."""
    began, data, end = time.monotonic(), bytearray(), "open"
    try:
        while len(data) < limit and (left_s := began + wait_s - time.monotonic()) > 0:
            sock.settimeout(left_s)
            chunk = sock.recv(1 << 20)
            if not chunk:
                end = "closed"
                break
            data += chunk
    except TimeoutError:
        pass
    except ssl.SSLEOFError:
        end = "cut"
    except ConnectionResetError:
        end = "reset"
    return Heard(bytes(data), end, time.monotonic() - began)


def understand(data: bytes, method: str = "GET") -> Understood:
    """Read an answer as h11 does, which raises for whatever is not HTTP/1.1."""
    client = h11.Connection(h11.CLIENT, max_incomplete_event_size=65_536)
    client.send(h11.Request(method=method, target=PATH, headers=[("host", HOST)]))
    client.send(h11.EndOfMessage())
    client.receive_data(data)
    client.receive_data(b"")
    interim: list[int] = []
    response, body = None, b""
    while not isinstance(event := client.next_event(), h11.EndOfMessage | h11.ConnectionClosed):
        if isinstance(event, h11.InformationalResponse):
            interim.append(event.status_code)
        elif isinstance(event, h11.Response):
            response = event
        elif isinstance(event, h11.Data):
            body += bytes(event.data)
        else:
            pytest.fail(f"not to be expected in an answer: {event}")
    assert response is not None
    headers = {name.decode(): value.decode("latin-1") for name, value in response.headers}
    return Understood(response.status_code, headers, body, tuple(interim))


@dataclass(frozen=True)
class Client:
    """A client of bare sockets for one running mock."""

    sites: MockSites
    trust: ssl.SSLContext

    def connect(self, host: str = HOST, *, tls: bool = False) -> socket.socket:
        site = self.sites.state.site_for_host(host)
        assert site is not None
        sock = socket.create_connection(self.sites.address(site.row.key, tls=tls), timeout=5)
        if not tls:
            return sock
        try:
            return self.trust.wrap_socket(sock, server_hostname=host, suppress_ragged_eofs=False)
        except BaseException:
            sock.close()
            raise

    def talk(
        self, data: bytes, *, host: str = HOST, tls: bool = False, wait_s: float = 5.0, limit: int = 1 << 31
    ) -> Heard:
        with self.connect(host, tls=tls) as sock:
            sock.sendall(data)
            return listen_to(sock, wait_s=wait_s, limit=limit)

    request = staticmethod(request)
    listen_to = staticmethod(listen_to)
    understand = staticmethod(understand)

    def ask(self, *headers: str, tls: bool = False, **options: str) -> Understood:
        """Send one request and understand its answer."""
        heard = self.talk(request(*headers, **options), tls=tls)
        return understand(heard.data, options.get("method", "GET"))

    def fault(
        self, name: str, *, method: str = "GET", tls: bool = False, wait_s: float = 5.0, limit: int = 1 << 31
    ) -> Heard:
        asked = request(f"Prefer: fault={name}", method=method)
        return self.talk(asked, tls=tls, wait_s=wait_s, limit=limit)


@pytest.fixture(scope="session")
def running() -> Iterator[Callable[[MockSites], Client]]:
    """Make a client for mock sites that run."""

    def client(sites: MockSites) -> Client:
        return Client(sites, ssl.create_default_context(cafile=str(sites.ca_file)))

    return client


@pytest.fixture(scope="session")
def client(running: Callable[[MockSites], Client]) -> Iterator[Client]:
    """One healthy mock for all tests that only choose by request."""
    with MockSites() as sites:
        yield running(sites)
