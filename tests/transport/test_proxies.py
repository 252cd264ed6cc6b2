"""HTTP proxies from the environment: honoured by a tunnel, or refused with a reason."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from typing import Any

import pytest

from monitors.checks import CHECKS
from monitors.errors import UsageError
from monitors.model import Phase
from monitors.probe import probe
from monitors.sites import SITES
from monitors.transport import parse_overrides, proxy_for

US5 = SITES["US5"]
HOST = US5.api_host
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
PROXY = "http://proxy:3128"


@pytest.mark.parametrize(
    ("environ", "found"),
    [
        ({}, None),
        ({"HTTPS_PROXY": PROXY}, ("proxy", 3128)),
        ({"https_proxy": PROXY}, ("proxy", 3128)),
        ({"ALL_PROXY": PROXY}, ("proxy", 3128)),
        ({"HTTPS_PROXY": "http://one:1", "ALL_PROXY": "http://two:2"}, ("one", 1)),
        ({"HTTPS_PROXY": "http://upper:1", "https_proxy": "http://lower:2"}, ("lower", 2)),
        ({"HTTPS_PROXY": PROXY, "https_proxy": ""}, None),
        ({"HTTP_PROXY": PROXY}, None),
        ({"HTTPS_PROXY": "proxy:3128"}, ("proxy", 3128)),
        ({"HTTPS_PROXY": "http://proxy"}, ("proxy", 80)),
        ({"HTTPS_PROXY": "http://[::1]:3128/"}, ("::1", 3128)),
        ({"HTTPS_PROXY": PROXY, "NO_PROXY": "*"}, None),
        ({"HTTPS_PROXY": PROXY, "NO_PROXY": "a, datadoghq.com"}, None),
        ({"HTTPS_PROXY": PROXY, "NO_PROXY": ".datadoghq.com"}, None),
        ({"HTTPS_PROXY": PROXY, "NO_PROXY": "API.US5.datadoghq.com:443"}, None),
        ({"HTTPS_PROXY": PROXY, "NO_PROXY": "api.us5.datadoghq.com:8443"}, ("proxy", 3128)),
        ({"HTTPS_PROXY": PROXY, "NO_PROXY": "hq.com"}, ("proxy", 3128)),
        ({"HTTPS_PROXY": PROXY, "no_proxy": "", "NO_PROXY": "*"}, ("proxy", 3128)),
    ],
)
def test_the_environment_names_the_proxy(environ: dict[str, str], found: tuple[str, int] | None) -> None:
    proxy = proxy_for(HOST, 443, environ)
    assert (proxy and (proxy.host, proxy.port)) == found


@pytest.mark.parametrize("listed", ["10.0.0.0/8", "10.1.2.3", "10.1.2.3:443"])
def test_addresses_and_networks_can_be_excepted(listed: str) -> None:
    assert proxy_for("10.1.2.3", 443, {"HTTPS_PROXY": PROXY, "NO_PROXY": listed}) is None
    assert proxy_for("11.1.2.3", 443, {"HTTPS_PROXY": PROXY, "NO_PROXY": listed}) is not None


@pytest.mark.parametrize("listed", ["::1", "[::1]", "[::1]:443", "::/64"])
def test_addresses_of_the_sixth_version_can_be_excepted(listed: str) -> None:
    assert proxy_for("::1", 443, {"HTTPS_PROXY": PROXY, "NO_PROXY": listed}) is None


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (
            "socks5://user:secret@proxy:1080",
            "https_proxy: socks5 proxies are not supported; name an http:// proxy or unset it",
        ),
        ("https://proxy:3128", "https_proxy: https proxies are not supported; name an http:// proxy or unset it"),
        ("http://user:secret@", "https_proxy is no proxy address; write http://host:port"),
        ("http://proxy:port", "https_proxy is no proxy address; write http://host:port"),
        ("http://proxy:3128/secret", "https_proxy is no proxy address; write http://host:port"),
        ("http://[proxy", "https_proxy is no proxy address; write http://host:port"),
    ],
)
def test_a_proxy_that_cannot_be_used_is_a_usage_error_before_anything_is_sent(
    target: Any, value: str, message: str
) -> None:
    with pytest.raises(UsageError) as caught:
        target(443, base_url=f"https://{HOST}", environ={"https_proxy": value})
    assert str(caught.value) == message


def test_a_loopback_target_needs_no_proxy_and_minds_no_bad_one(serve: Any, target: Any) -> None:
    assert probe(target(serve(OK), environ={"ALL_PROXY": "socks5://proxy"}), CHECKS["run"]).status == 200


def test_the_password_of_a_proxy_is_not_shown() -> None:
    proxy = proxy_for(HOST, 443, {"HTTPS_PROXY": "http://me:p%40ss@proxy"})
    assert proxy is not None
    assert proxy.authorization == b"Basic bWU6cEBzcw=="
    assert "bWU6" not in repr(proxy)


# --- the tunnel ----------------------------------------------------------------------------------------------------


def _pump(source: Any, sink: Any) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            sink.sendall(data)
        sink.shutdown(socket.SHUT_WR)


def _tunnel_to(port: int) -> Any:
    def script(opened: Any) -> None:
        with socket.create_connection(("127.0.0.1", port)) as onward:
            opened.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            back = threading.Thread(target=_pump, args=(onward, opened), daemon=True)
            back.start()
            _pump(opened, onward)
            back.join(5)

    return script


def _behind(proxy: Any, target: Any, *, login: str = "", **options: Any) -> Any:
    environ = {"HTTPS_PROXY": f"http://{login}127.0.0.1:{proxy.port}"}
    return target(443, base_url=f"https://{HOST}", environ=environ, **options)


def test_a_site_is_reached_through_the_tunnel_and_verified_as_itself(serve: Any, target: Any, authority: Any) -> None:
    site = serve(OK, tls=authority.server())
    proxy = serve(_tunnel_to(site.port))
    seen = probe(_behind(proxy, target, login="me:secret@"), CHECKS["run"])
    assert (seen.status, seen.failure, seen.tls.verified) == (200, None, True)
    assert seen.phases.connect_s > 0
    asked = proxy.received[0].decode()
    assert asked.startswith(f"CONNECT {HOST}:443 HTTP/1.1\r\n")
    assert "Proxy-Authorization: Basic bWU6c2VjcmV0\r\n" in asked
    assert "dd-a" not in asked.lower()
    assert b"Proxy-Auth" not in site.received[0]


def test_a_bad_certificate_behind_a_proxy_is_read_through_a_second_tunnel(
    serve: Any, target: Any, authority: Any
) -> None:
    site = serve(OK, tls=authority.server("elsewhere.invalid"))
    proxy = serve(_tunnel_to(site.port))
    seen = probe(_behind(proxy, target), CHECKS["run"])
    assert seen.failure.rule == "tls-certificate-wrong-host"
    assert seen.tls.subject_names == ("elsewhere.invalid",)
    assert proxy.connections == 2


ANSWERS = {
    "refused": (b"HTTP/1.1 407 Give me:secret\r\n\r\n", "refused the tunnel: 407 Proxy Authentication Required"),
    "unknown status": (b"HTTP/1.1 599 Odd\r\n\r\n", "refused the tunnel: 599"),
    "no HTTP": (b"SSH-2.0-x\r\n", "does not answer as a proxy"),
    "closed": (b"", "does not answer as a proxy"),
    "headers without end": (b"HTTP/1.1 200 OK\r\n" + b"X-A: b\r\n" * 20_000, "does not answer as a proxy"),
}


@pytest.mark.parametrize("name", ANSWERS)
def test_a_proxy_that_refuses_is_told_from_the_site(serve: Any, target: Any, name: str) -> None:
    answer, message = ANSWERS[name]
    proxy = serve(answer)
    seen = probe(_behind(proxy, target, login="me:secret@"), CHECKS["run"])
    assert (seen.failure.rule, seen.failure.phase) == ("proxy-failed", Phase.CONNECT)
    assert seen.failure.message == f"the proxy 127.0.0.1:{proxy.port} {message}"
    assert seen.status is None


def test_a_proxy_out_of_reach_is_told_from_the_site(target: Any) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    site = target(443, base_url=f"https://{HOST}", environ={"ALL_PROXY": f"http://127.0.0.1:{port}"})
    failure = probe(site, CHECKS["run"]).failure
    assert failure.rule == "proxy-failed"
    assert failure.message.startswith(f"the proxy 127.0.0.1:{port} is out of reach: ")


def test_a_silent_proxy_ends_at_the_deadline(serve: Any, target: Any) -> None:
    seen = probe(_behind(serve(lambda _: time.sleep(2)), target, timeout_s=0.2), CHECKS["run"])
    assert (seen.failure.rule, seen.failure.phase) == ("timeout", Phase.CONNECT)
    assert seen.phases.total_s < 1.5


def test_a_proxy_that_cannot_be_connected_to_in_time_is_a_timeout(target: Any) -> None:
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))
        deaf.listen(0)
        fillers = [socket.socket() for _ in range(4)]
        for filler in fillers:
            filler.setblocking(False)
            filler.connect_ex(deaf.getsockname())
        time.sleep(0.05)
        environ = {"ALL_PROXY": f"http://127.0.0.1:{deaf.getsockname()[1]}"}
        seen = probe(target(443, base_url=f"https://{HOST}", environ=environ, timeout_s=0.2), CHECKS["run"])
        for filler in fillers:
            filler.close()
    assert (seen.failure.rule, seen.failure.phase) == ("timeout", Phase.CONNECT)


@pytest.mark.parametrize("kind", ["resolve", "connect_to"])
def test_an_override_goes_direct(serve: Any, target: Any, authority: Any, kind: str) -> None:
    site = serve(OK, tls=authority.server())
    proxy = serve(OK)
    rows = {
        "resolve": parse_overrides([f"{HOST}:{site.port}:127.0.0.1"]),
        "connect_to": parse_overrides((), [f"{HOST}:{site.port}:127.0.0.1:{site.port}"]),
    }
    options = {"base_url": f"https://{HOST}:{site.port}", "overrides": rows[kind]}
    environ = {"ALL_PROXY": f"http://127.0.0.1:{proxy.port}"}
    assert probe(target(443, environ=environ, **options), CHECKS["run"]).status == 200
    assert proxy.connections == 0
