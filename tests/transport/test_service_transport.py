"""Services of the user's: any method, plain HTTP where it is meant, and the proxies of the probes."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from monitors.errors import RefusedError
from monitors.transport import ProbeError, Resolver, ServiceTransport, until

if TYPE_CHECKING:
    from collections.abc import Iterator

PROXY = {"HTTPS_PROXY": "http://127.0.0.1:9", "HTTP_PROXY": "http://127.0.0.1:9"}


@pytest.fixture
def port() -> Iterator[int]:
    class Echo(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_args: Any) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Echo)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    yield server.server_address[1]
    server.shutdown()
    thread.join()
    server.server_close()


def resolves_to(address: str, port: int) -> Resolver:
    return Resolver(lambda _host, _port, **_: [(2, 1, 6, "", (address, port))])


def post(transport: ServiceTransport, url: str, timeout_s: float = 10.0) -> bytes:
    with httpx.Client(transport=transport, trust_env=False) as client:
        return client.post(url, content=b"said", extensions=until(timeout_s)).content


def test_what_is_sent_arrives_and_no_proxy_is_asked_for_plain_http(port: int) -> None:
    transport = ServiceTransport(plain_http=True, environ=PROXY, resolver=resolves_to("127.0.0.1", port))
    assert post(transport, f"http://hooks.lan.test:{port}/") == b"said"


def test_plain_http_that_was_not_asked_for_stays_on_this_machine(port: int) -> None:
    transport = ServiceTransport(environ={}, resolver=resolves_to("192.0.2.1", port))
    with pytest.raises(RefusedError, match="plain HTTP"):
        post(transport, f"http://hooks.lan.test:{port}/")


def test_https_goes_through_the_proxy_of_the_probes() -> None:
    transport = ServiceTransport(environ=PROXY)
    with pytest.raises(ProbeError, match=r"the proxy 127\.0\.0\.1:9 is out of reach"):
        post(transport, "https://hooks.test/")


def test_a_time_that_is_up_sends_nothing(port: int) -> None:
    with pytest.raises(ProbeError, match="within"):
        post(ServiceTransport(plain_http=True, environ={}), f"http://127.0.0.1:{port}/", 0.0)
