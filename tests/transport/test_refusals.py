"""What never leaves: other methods, keys to a foreign host, plain HTTP beyond this machine."""

from __future__ import annotations

import logging
from typing import Any

import httpx
import pytest

from monitors.checks import CHECKS
from monitors.errors import RefusedError, UsageError
from monitors.probe import probe
from monitors.sites import SITES
from monitors.transport import SiteClient, is_loopback, parse_overrides, tls_context

US5 = SITES["US5"]
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
KEY = {"DD-API-KEY": "0123456789"}


@pytest.mark.parametrize("method", ["DELETE", "POST", "PUT", "PATCH", "OPTIONS", "TRACE", "CONNECT", "QUERY", ""])
def test_nothing_but_get_and_head_reaches_the_wire(serve: Any, target: Any, method: str) -> None:
    server = serve(OK)
    with pytest.raises(RefusedError, match="only GET and HEAD"):
        probe(target(server), CHECKS["run"], method=method)
    assert server.connections == 0


@pytest.mark.parametrize("method", ["DELETE", "POST", "PUT", "PATCH"])
def test_an_httpx_client_on_the_transport_is_held_to_the_same(serve: Any, target: Any, method: str) -> None:
    server = serve(OK)
    with (
        httpx.Client(transport=target(server).client.transport) as client,
        pytest.raises(RefusedError, match=f"refused to send {method}"),
    ):
        client.request(method, f"http://127.0.0.1:{server.port}/")
    assert server.connections == 0


def test_an_httpx_client_reads_through_the_transport(serve: Any, target: Any) -> None:
    server = serve(OK)
    with httpx.Client(transport=target(server).client.transport) as client:
        assert client.get(f"http://127.0.0.1:{server.port}/").json() == {}


def _client(server: Any, **options: Any) -> SiteClient:
    overrides = parse_overrides(connect_to=[f"::127.0.0.1:{server.port}"])
    return SiteClient(
        "https://api.us5.datadoghq.com", site_host=US5.api_host, overrides=overrides, environ={}, **options
    )


@pytest.mark.parametrize("header", ["dd-api-key", "DD-APPLICATION-KEY"])
@pytest.mark.parametrize("host", ["api.us5.datadoghq.com.evil.invalid", "evil.invalid", SITES["EU1"].api_host])
def test_keys_go_to_no_other_host(serve: Any, host: str, header: str) -> None:
    server = serve(OK)
    with (
        httpx.Client(transport=_client(server).transport) as client,
        pytest.raises(RefusedError, match="refused to send keys to"),
    ):
        client.get(f"https://{host}/", headers={header: "0123456789"})
    assert server.connections == 0


def test_keys_go_to_a_host_the_user_named(serve: Any, authority: Any) -> None:
    server = serve(OK, tls=authority.server("named.invalid"))
    client = _client(server, named_hosts=["Named.invalid"], context=tls_context(authority.file))
    with httpx.Client(transport=client.transport) as http:
        assert http.get("https://named.invalid/", headers=KEY).status_code == 200


def test_a_target_at_a_foreign_address_sends_no_key(serve: Any, target: Any) -> None:
    server = serve(OK)
    overrides = parse_overrides(connect_to=[f"::127.0.0.1:{server.port}"])
    with pytest.raises(RefusedError, match=r"refused to send keys to evil\.invalid"):
        probe(target(server, base_url="https://evil.invalid", overrides=overrides), CHECKS["run"])
    assert server.connections == 0


@pytest.mark.parametrize("url", ["ftp://127.0.0.1/", "ws://127.0.0.1/"])
def test_other_schemes_are_refused(serve: Any, url: str) -> None:
    with (
        httpx.Client(transport=_client(serve(OK)).transport) as client,
        pytest.raises(RefusedError, match="only https"),
    ):
        client.get(url)


def test_a_loopback_name_that_leads_elsewhere_gets_no_plain_http(target: Any) -> None:
    """`localhost` is loopback by name; an override that sends it elsewhere must not carry keys there in the clear."""
    overrides = parse_overrides(["localhost:80:192.0.2.1"])
    with pytest.raises(RefusedError, match="plain HTTP to localhost would leave this machine"):
        probe(target(80, base_url="http://localhost", overrides=overrides), CHECKS["run"])


@pytest.mark.parametrize(
    ("address", "message"),
    [
        ("api.datadoghq.com", "the address of a site must be like https://api.datadoghq.com"),
        ("ftp://api.datadoghq.com", "the address of a site must be like https://api.datadoghq.com"),
        ("https://", "the address of a site must be like https://api.datadoghq.com"),
        ("https://[::1", "the address of a site must be like https://api.datadoghq.com"),
        ("https://a:b@host", "the address of a site is scheme, host and port only; write https://host"),
        ("https://host/api", "the address of a site is scheme, host and port only; write https://host"),
        ("https://host?a=b", "the address of a site is scheme, host and port only; write https://host"),
        ("http://host", "http://host: plain HTTP is for loopback only; write https://host"),
    ],
)
def test_an_address_that_cannot_be_used_is_a_usage_error(address: str, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        SiteClient(address, site_host="host", environ={})
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("host", "loopback"),
    [
        ("localhost", True),
        ("us5.localhost.", True),
        ("127.8.9.1", True),
        ("::1", True),
        ("[::1]", True),
        ("localhost.evil.invalid", False),
        ("127.0.0.1.evil.invalid", False),
        ("128.0.0.1", False),
        ("::2", False),
    ],
)
def test_loopback_is_told_by_the_name_itself(host: str, *, loopback: bool) -> None:
    assert is_loopback(host) is loopback


def test_no_key_reaches_a_log_even_at_debug(serve: Any, target: Any, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    site = target(serve(b"HTTP/1.1 200 OK\r\nX-Echo: 0123456789abcdef0123456789abcdef\r\nContent-Length: 0\r\n\r\n"))
    probe(site, CHECKS["run"])
    assert site.credentials.api_key not in caplog.text
