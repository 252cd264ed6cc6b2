"""Healthy connections stay healthy, and no client whatever can stop the mock."""

from __future__ import annotations

import socket
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mock_site.server import MockSites
from mock_site.state import site_rows

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from conftest import Client

FORMS = ["{}", "{}:80", "{}.", "{}.:8443"]


@pytest.fixture(scope="module")
def outage(running: Callable[[MockSites], Client]) -> Iterator[Client]:
    """A mock on which only one site is down, so that an answer tells which site it is of."""
    with MockSites(scenarios={"AP1": "fault:html-502"}) as sites:
        yield running(sites)


@pytest.mark.parametrize("written", [*FORMS, *(form.upper() for form in FORMS)])
def test_a_site_is_known_by_its_host_name_however_it_is_written(outage: Client, written: str) -> None:
    assert outage.ask(host=written.format("api.ap1.datadoghq.com")).status == 502
    assert outage.ask(host=written.format("api.ap2.datadoghq.com")).status == 200


@pytest.mark.parametrize("tls", [False, True], ids=["plain", "tls"])
def test_every_site_answers_under_its_own_name(outage: Client, *, tls: bool) -> None:
    told = {row.key: outage.ask(host=row.api_host, tls=tls).status for row in site_rows().values()}
    assert told == {key: 502 if key == "AP1" else 200 for key in site_rows()}


def test_the_control_route_answers_whatever_the_scenario(outage: Client) -> None:
    answer = outage.ask(host="api.ap1.datadoghq.com", path="/__mock__/scenarios")
    assert answer.status == 200
    assert b'"AP1":"fault:html-502"' in answer.body


@pytest.mark.parametrize("tls", [False, True], ids=["plain", "tls"])
def test_a_connection_serves_many_requests_faults_among_them(client: Client, *, tls: bool) -> None:
    kinds = [
        ((), 200),
        (("Prefer: code=404",), 404),
        (("Prefer: fault=nan",), 200),
        ((), 200),
        (("Prefer: fault=html-403",), 403),
        (("Prefer: fault=nonsense",), 400),
        ((), 200),
    ]
    with client.connect(tls=tls) as sock:
        for headers, status in kinds:
            sock.sendall(client.request(*headers, close=False))
            assert read_one(sock)[0] == status


def read_one(sock: socket.socket) -> tuple[int, bytes]:
    """Read one answer that announces its length, and nothing behind it."""
    data = b""
    while b"\r\n\r\n" not in data:
        data += sock.recv(1)
    head = data.decode("latin-1").lower()
    length = int(head.partition("content-length: ")[2].partition("\r\n")[0])
    body = b""
    while len(body) < length:
        body += sock.recv(length - len(body))
    return int(head.split()[1]), body


def test_pipelined_requests_are_answered_in_order(client: Client) -> None:
    kinds = [(), ("Prefer: code=404",), (), ("Prefer: delay=0.05",), (), ("Prefer: fault=html-403",), ()]
    with client.connect() as sock:
        sock.sendall(b"".join(client.request(*headers, close=False) for headers in kinds))
        assert [read_one(sock)[0] for _ in kinds] == [200, 404, 200, 200, 200, 403, 200]


def test_a_fault_that_ends_the_connection_ends_it_for_what_is_pipelined_too(client: Client) -> None:
    asked = client.request(close=False), client.request("Prefer: fault=truncated-body"), client.request()
    heard = client.talk(b"".join(asked))
    assert heard.end in {"closed", "reset"}
    assert heard.data.count(b"HTTP/1.1 200 OK\r\n") == 2


@pytest.mark.parametrize("tls", [False, True], ids=["plain", "tls"])
def test_a_head_request_gets_the_headers_of_a_get(client: Client, *, tls: bool) -> None:
    got, head = client.ask(tls=tls), client.ask(tls=tls, method="HEAD")
    assert (head.status, head.body) == (200, b"")
    assert head.headers["content-length"] == got.headers["content-length"] == str(len(got.body))


def test_an_answer_at_once_and_one_the_long_way_are_the_same(client: Client) -> None:
    at_once = client.talk(client.request(close=False), wait_s=0.3)
    long_way = client.talk(client.request("Expect: 100-continue", close=False), wait_s=0.3)
    quick, slow = client.understand(at_once.data), client.understand(long_way.data)
    assert (quick.status, quick.body) == (slow.status, slow.body)
    assert list(quick.headers) == list(slow.headers)


def test_a_body_sent_with_a_get_is_passed_over(client: Client) -> None:
    with client.connect() as sock:
        for _ in range(2):
            sock.sendall(client.request("Content-Length: 9", close=False) + b"GET / HTT")
            assert read_one(sock)[0] == 200


def test_an_upgrade_nobody_offers_is_passed_over(client: Client) -> None:
    headers = "Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAEAAEAAAAIAAAABAAMAAABk"
    with client.connect() as sock:
        for wanted in (headers, (), headers):
            sock.sendall(client.request(*wanted, close=False))
            assert read_one(sock)[0] == 200


def test_http_1_0_is_answered_and_closed(client: Client) -> None:
    asked = client.request(close=False).replace(b"HTTP/1.1", b"HTTP/1.0")
    heard = client.talk(asked)
    assert heard.end == "closed"
    assert client.understand(heard.data).status == 200


def test_http_1_0_may_ask_to_keep_the_connection(client: Client) -> None:
    asked = client.request("Connection: keep-alive", close=False).replace(b"HTTP/1.1", b"HTTP/1.0")
    assert client.understand(client.talk(asked).data).status == 200


@pytest.mark.parametrize("prefer", ["", "Prefer: delay=0.1"], ids=["at once", "later"])
def test_a_client_that_has_said_all_it_wanted_still_gets_its_answer(client: Client, prefer: str) -> None:
    with client.connect() as sock:
        sock.sendall(client.request(*([prefer] if prefer else []), close=False))
        sock.shutdown(socket.SHUT_WR)
        heard = client.listen_to(sock)
    assert heard.end == "closed"
    assert client.understand(heard.data).status == 200


def test_a_request_that_comes_byte_by_byte_is_served(client: Client) -> None:
    with client.connect() as sock:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in client.request("Prefer: fault=html-403"):
            sock.sendall(bytes((byte,)))
        assert client.understand(client.listen_to(sock).data).status == 403


@pytest.mark.parametrize("tls", [False, True], ids=["plain", "tls"])
def test_a_hundred_clients_at_once_are_served(client: Client, *, tls: bool) -> None:
    socks = [client.connect(tls=tls) for _ in range(100)] if not tls else []
    try:
        if tls:
            with ThreadPoolExecutor(20) as pool:
                socks = list(pool.map(lambda _: client.connect(tls=True), range(100)))
        for number, sock in enumerate(socks):
            sock.sendall(client.request(*(["Prefer: fault=nan"] if number % 2 else []), close=False))
        assert {read_one(sock)[0] for sock in socks} == {200}
    finally:
        for sock in socks:
            sock.close()


def test_nagle_is_off(client: Client) -> None:
    """Small answers leave at once: a request and its answer take no 40 ms of a delayed acknowledgement."""
    with client.connect() as sock:
        for _ in range(20):
            sock.sendall(client.request("Prefer: code=404", close=False))
            read_one(sock)
    assert client.ask().headers["date"].endswith("GMT")


@pytest.mark.parametrize("tls", [False, True], ids=["plain", "tls"])
def test_garbage_of_any_kind_does_no_harm(client: Client, *, tls: bool) -> None:
    address = client.sites.host, client.sites.tls_port if tls else client.sites.port
    starts = st.sampled_from([b"", b"\x16\x03\x01", b"GET ", b"GET / HTTP/1.1\r\n", client.request()[:-2]])

    @settings(max_examples=40, deadline=None)
    @given(starts, st.binary(max_size=200))
    def throw(start: bytes, garbage: bytes) -> None:
        with socket.create_connection(address, timeout=5) as sock:
            sock.sendall(start + garbage)
            sock.shutdown(socket.SHUT_WR)
            client.listen_to(sock, wait_s=0.05)

    throw()
    assert client.ask(tls=tls).status == 200


def test_garbage_within_tls_does_no_harm(client: Client) -> None:
    heard = client.talk(b"\x00\x01\x02 garbage\r\n\r\n", tls=True)
    assert heard.data.startswith(b"HTTP/1.1 400 Bad Request\r\n")
    assert client.ask(tls=True).status == 200
