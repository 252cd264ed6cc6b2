"""TLS: the good certificate verifies for every site, each fault fails as its row says."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from typing import TYPE_CHECKING

import pytest

from mock_site.faults import FAULTS, HandshakeFault
from mock_site.server import MockSites
from mock_site.state import site_rows

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from conftest import Client

HANDSHAKES = [fault.name for fault in FAULTS.values() if isinstance(fault, HandshakeFault)]
HOSTS = [row.api_host for row in site_rows().values()]
REASONS = {
    "tls-expired": "certificate has expired",
    "tls-not-yet-valid": "certificate is not yet valid",
    "tls-self-signed": "self-signed certificate",
    "tls-untrusted": "unable to get local issuer certificate",
    "tls-incomplete-chain": "unable to get local issuer certificate",
    "tls-wrong-host": "Hostname mismatch",
    "tls-old-protocol": "ALERT_PROTOCOL_VERSION",
    "tls-cut": "EOF",
    "tls-alert": "HANDSHAKE_FAILURE",
    "tls-garbage": "WRONG_VERSION_NUMBER",
    "tls-plain-http": "WRONG_VERSION_NUMBER|HTTP_REQUEST",
    "tls-reset": "reset by peer",
    "tls-silent": "timed out",
}


@pytest.fixture(scope="module")
def faulty(running: Callable[[MockSites], Client]) -> Iterator[Client]:
    """A mock whose sites' scenarios are changed by the tests."""
    with MockSites() as sites:
        yield running(sites)


@pytest.mark.parametrize("host", [*HOSTS, *(host.upper() for host in HOSTS[:1]), "localhost", "127.0.0.1", "::1"])
def test_the_certificate_verifies_for_every_name(client: Client, host: str) -> None:
    with (
        socket.create_connection((client.sites.host, client.sites.tls_port)) as sock,
        client.trust.wrap_socket(sock, server_hostname=host) as tls,
    ):
        tls.sendall(client.request(host=f"[{host}]" if ":" in host else host))
        assert client.understand(client.listen_to(tls).data).status == 200


def test_the_handshake_is_modern_and_offers_http_1_1(client: Client) -> None:
    context = ssl.create_default_context(cafile=str(client.sites.ca_file))
    context.set_alpn_protocols(["h2", "http/1.1"])
    with (
        socket.create_connection((client.sites.host, client.sites.tls_port)) as sock,
        context.wrap_socket(sock, server_hostname=HOSTS[0]) as tls,
    ):
        assert (tls.version(), tls.selected_alpn_protocol()) == ("TLSv1.3", "http/1.1")


def test_the_certificate_is_of_nobody_the_system_trusts(client: Client) -> None:
    with (
        socket.create_connection((client.sites.host, client.sites.tls_port)) as sock,
        pytest.raises(ssl.SSLCertVerificationError, match="local issuer"),
    ):
        ssl.create_default_context().wrap_socket(sock, server_hostname=HOSTS[0])


@pytest.mark.parametrize("name", REASONS)
def test_a_fault_of_the_handshake_fails_for_its_own_reason(faulty: Client, name: str) -> None:
    faulty.sites.set_scenario("US5", f"fault:{name}")
    with (
        socket.create_connection(faulty.sites.address("US5", tls=True), timeout=0.5) as sock,
        pytest.raises((OSError, TimeoutError), match=REASONS[name]),
    ):
        faulty.trust.wrap_socket(sock, server_hostname="api.us5.datadoghq.com")


def test_every_fault_of_the_handshake_is_tried() -> None:
    assert {*REASONS, "tls-expires-soon"} == set(HANDSHAKES)


def test_a_certificate_that_expires_soon_is_valid_still(faulty: Client) -> None:
    faulty.sites.set_scenario("US5", "fault:tls-expires-soon")
    with faulty.connect(tls=True) as sock:
        assert isinstance(sock, ssl.SSLSocket)
        certificate = sock.getpeercert()
        assert certificate is not None
        ends, now = ssl.cert_time_to_seconds(str(certificate["notAfter"])), time.time()
        assert 2.9 < (ends - now) / 86_400 <= 3.0


def test_the_fault_of_one_site_is_not_anothers(faulty: Client) -> None:
    faulty.sites.set_scenario("US5", "fault:tls-expired")
    assert faulty.talk(faulty.request(host=HOSTS[0]), host=HOSTS[0], tls=True).data.startswith(b"HTTP/1.1 200")


def test_the_name_asked_for_in_the_handshake_is_read_in_any_letter_case(faulty: Client) -> None:
    faulty.sites.set_scenario("US5", "fault:tls-expired")
    with pytest.raises(ssl.SSLCertVerificationError, match="expired"):
        faulty.connect("API.us5.DATADOGHQ.com", tls=True)


def test_a_client_that_names_no_host_reaches_the_first_site(faulty: Client) -> None:
    faulty.sites.set_scenario("US1", "fault:tls-expired")
    with (
        socket.create_connection((faulty.sites.host, faulty.sites.tls_port)) as sock,
        pytest.raises(ssl.SSLCertVerificationError, match="expired"),
    ):
        faulty.trust.wrap_socket(sock, server_hostname="127.0.0.1")
    faulty.sites.set_scenario("US1", "healthy")


def test_a_client_of_tls_1_1_gets_through_to_the_old_server(faulty: Client) -> None:
    faulty.sites.set_scenario("US5", "fault:tls-old-protocol")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(faulty.sites.ca_file)
    with pytest.warns(DeprecationWarning, match="TLSv1"):
        context.minimum_version = ssl.TLSVersion.TLSv1
    context.set_ciphers("ALL:@SECLEVEL=0")
    with (
        socket.create_connection((faulty.sites.host, faulty.sites.tls_port)) as sock,
        context.wrap_socket(sock, server_hostname="api.us5.datadoghq.com") as tls,
    ):
        assert tls.version() == "TLSv1.1"


def test_a_fault_of_the_handshake_leaves_plain_http_alone(faulty: Client) -> None:
    faulty.sites.set_scenario("US5", "fault:tls-expired")
    assert faulty.ask().status == 200


@pytest.mark.parametrize("tls", [False, True], ids=["plain", "tls"])
def test_a_site_that_refuses_is_found_where_nobody_listens(faulty: Client, *, tls: bool) -> None:
    faulty.sites.set_scenario("US5", "fault:refused")
    with pytest.raises(ConnectionRefusedError):
        faulty.connect(tls=tls)


def test_on_the_shared_port_a_site_that_refuses_resets(faulty: Client) -> None:
    faulty.sites.set_scenario("US5", "fault:refused")
    with socket.create_connection((faulty.sites.host, faulty.sites.port)) as sock:
        sock.sendall(faulty.request())
        assert faulty.listen_to(sock).end == "reset"
    with (
        socket.create_connection((faulty.sites.host, faulty.sites.tls_port), timeout=2) as sock,
        pytest.raises(ConnectionResetError),
    ):
        faulty.trust.wrap_socket(sock, server_hostname="api.us5.datadoghq.com")


def test_a_fault_of_the_handshake_cannot_be_asked_for_by_a_request(client: Client) -> None:
    answer = client.ask("Prefer: fault=tls-expired", tls=True)
    assert answer.status == 400
    assert b"set the scenario fault:tls-expired on a site" in answer.body


def test_plain_http_on_the_port_of_tls_is_told_so(client: Client) -> None:
    with socket.create_connection((client.sites.host, client.sites.tls_port)) as sock:
        sock.sendall(client.request())
        answer = client.understand(client.listen_to(sock).data)
    assert (answer.status, answer.body) == (400, b"This port speaks TLS: https.\n")


def test_tls_on_the_plain_port_is_a_bad_request(client: Client) -> None:
    with (
        socket.create_connection((client.sites.host, client.sites.port), timeout=2) as sock,
        pytest.raises(ssl.SSLError, match=r"WRONG_VERSION_NUMBER|HTTP_REQUEST"),
    ):
        client.trust.wrap_socket(sock, server_hostname=HOSTS[0])


def test_a_hello_that_comes_in_pieces_is_waited_for(faulty: Client) -> None:
    faulty.sites.set_scenario("US5", "fault:tls-alert")
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = faulty.trust.wrap_bio(incoming, outgoing, server_hostname="api.us5.datadoghq.com")
    with pytest.raises(ssl.SSLWantReadError):
        tls.do_handshake()
    hello = outgoing.read()
    with socket.create_connection((faulty.sites.host, faulty.sites.tls_port)) as sock:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for at in range(0, len(hello), 200):
            sock.sendall(hello[at : at + 200])
            threading.Event().wait(0.02)
        assert faulty.listen_to(sock).data == b"\x15\x03\x03\x00\x02\x02\x28"


def test_clients_that_leave_in_the_handshake_do_no_harm(client: Client) -> None:
    for start in (b"", b"\x16", b"\x16\x03\x01\x02\x00\x01\x00"):
        with socket.create_connection((client.sites.host, client.sites.tls_port)) as sock:
            sock.sendall(start)
    assert client.ask(tls=True).status == 200
