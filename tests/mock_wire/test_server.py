"""The mock starts, stops and leaves nothing behind; it listens on loopback and nowhere else."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import ssl
import subprocess
import sys
import threading
from typing import TYPE_CHECKING, Any

import pytest

from mock_site.mistakes import MockUsageError
from mock_site.server import Address, MockSites, loopback_address, serve_forever

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Client

LOOPS = [pytest.param({}, id="uvloop"), pytest.param({"loop_factory": asyncio.new_event_loop}, id="asyncio")]


def open_files() -> set[str]:
    """Return what this process has open, as the system names it."""
    links = (os.path.join("/proc/self/fd", name) for name in os.listdir("/proc/self/fd"))  # noqa: PTH118, PTH208
    return {os.readlink(link) for link in links if os.path.islink(link)}  # noqa: PTH114, PTH115  # plain system names


@pytest.mark.parametrize("options", LOOPS)
def test_nothing_is_left_behind(running: Callable[[MockSites], Client], options: dict[str, Any]) -> None:
    with MockSites(**options):
        pass  # the first loop of a process opens a pipe for signals that stays
    files, threads = open_files(), set(threading.enumerate())
    with MockSites(**options) as sites:
        client = running(sites)
        held = [
            client.connect(tls=tls) for tls in (False, True)
            for _ in range(3)
        ]  # fmt: skip
        for sock, prefer in zip(held, ("delay=60", "fault=silent", "fault=endless-body") * 2, strict=True):
            sock.sendall(client.request(f"Prefer: {prefer}"))
        half = socket.create_connection((sites.host, sites.tls_port))
        half.sendall(b"\x16")
        outgoing = ssl.MemoryBIO()
        with pytest.raises(ssl.SSLWantReadError):
            client.trust.wrap_bio(ssl.MemoryBIO(), outgoing, server_hostname="localhost").do_handshake()
        midway = socket.create_connection((sites.host, sites.tls_port), timeout=5)
        midway.sendall(outgoing.read())
        assert midway.recv(1) == b"\x16"
        assert client.ask().status == 200
        ca_file = sites.ca_file
        assert ca_file.read_bytes().startswith(b"-----BEGIN CERTIFICATE-----")
    for sock in (*held, half, midway):
        sock.close()
    # Threads of tests before may end meanwhile; none may have come.
    assert set(threading.enumerate()) <= threads
    assert open_files() <= files
    assert not ca_file.exists()


@pytest.mark.parametrize("options", LOOPS)
@pytest.mark.parametrize("tls", [False, True], ids=["plain", "tls"])
def test_each_loop_serves_and_fails_alike(
    running: Callable[[MockSites], Client], options: dict[str, Any], *, tls: bool
) -> None:
    with MockSites(scenarios={"US3": "fault:tls-cut"}, **options) as sites:
        client = running(sites)
        assert client.ask(tls=tls).status == 200
        assert client.fault("truncated-body", tls=tls).end == "closed"
        # Python 3.11 takes a reset within TLS for an end without a goodbye.
        assert client.fault("reset-after-headers", tls=tls).end in ({"cut", "reset"} if tls else {"reset"})
        assert client.fault("silent", tls=tls, wait_s=0.1).end == "open"
        with pytest.raises(OSError, match="EOF"):
            client.connect("api.us3.datadoghq.com", tls=True)


def test_the_same_sites_can_run_again(running: Callable[[MockSites], Client]) -> None:
    sites = MockSites(scenario="outage")
    for _ in range(2):
        with sites:
            assert running(sites).ask().status == 502
        assert (sites.port, sites.tls_port) == (0, 0)


def test_several_run_side_by_side(running: Callable[[MockSites], Client]) -> None:
    with MockSites() as one, MockSites(scenario="outage") as two:
        assert one.port != two.port
        assert (running(one).ask(tls=True).status, running(two).ask(tls=True).status) == (200, 502)


def test_a_scenario_changes_while_it_runs(running: Callable[[MockSites], Client]) -> None:
    with MockSites() as sites:
        client = running(sites)
        sites.set_scenario(None, "fault:html-502")
        assert client.ask().status == 502
        sites.set_scenario("US5", "healthy")
        assert client.ask().status == 200
        assert client.ask(host="api.datadoghq.eu").status == 502


def test_the_address_is_that_of_the_port_asked_for() -> None:
    with MockSites() as sites:
        assert sites.address("EU1", tls=False) == Address("127.0.0.1", sites.port)
        assert sites.address("eu1", tls=True) == Address("127.0.0.1", sites.tls_port)
        with pytest.raises(MockUsageError, match="unknown site 'EU9'"):
            sites.address("EU9", tls=True)


def test_there_is_no_ca_file_before_the_start() -> None:
    with pytest.raises(RuntimeError, match="not running"):
        _ = MockSites().ca_file


def test_ipv6_loopback_is_served_as_well(running: Callable[[MockSites], Client]) -> None:
    if not socket.has_ipv6:
        pytest.skip("no IPv6 on this machine")
    try:
        with MockSites(host="::1") as sites:
            assert running(sites).ask(tls=True).status == 200
            assert running(sites).ask(host=f"[::1]:{sites.port}").status == 200
    except MockUsageError as error:
        pytest.skip(f"no IPv6 on this machine: {error}")


@pytest.mark.parametrize(
    ("written", "address"),
    [("127.0.0.1", "127.0.0.1"), ("LocalHost", "127.0.0.1"), ("127.8.9.1", "127.8.9.1"), ("[::1]", "::1")],
)
def test_loopback_is_taken_however_it_is_written(written: str, address: str) -> None:
    assert loopback_address(written) == address


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "api.datadoghq.com", ""])  # noqa: S104  # must be refused
def test_any_other_host_is_refused(host: str) -> None:
    with pytest.raises(ValueError, match="loopback only"):
        MockSites(host=host)


@pytest.mark.parametrize("port", [-1, 65_536])
def test_a_port_out_of_range_is_refused(port: int) -> None:
    with pytest.raises(MockUsageError, match=f"not {port}"):
        MockSites(tls_port=port)


def test_a_port_in_use_is_a_mistake_with_one_clear_line() -> None:
    with MockSites() as sites:
        taken = MockSites(port=sites.port)
        with pytest.raises(MockUsageError, match=rf"cannot listen on 127\.0\.0\.1 port {sites.port}: address already"):
            taken.__enter__()
        assert taken.port == sites.port


def test_a_loop_that_cannot_be_made_is_told_to_the_caller() -> None:
    def broken() -> asyncio.AbstractEventLoop:
        message = "no loop today"
        raise RuntimeError(message)

    threads = set(threading.enumerate())
    sites = MockSites(loop_factory=broken)
    with pytest.raises(RuntimeError, match="no loop today"):
        sites.__enter__()
    # Threads of tests before may end meanwhile; none may have come.
    assert set(threading.enumerate()) <= threads


def test_an_unknown_fault_is_refused_with_the_nearest() -> None:
    with pytest.raises(MockUsageError, match="did you mean tls-expired"):
        MockSites(scenario="fault:tls-expird")


def test_answers_under_way_may_finish_in_the_time_of_grace(running: Callable[[MockSites], Client]) -> None:
    with MockSites(grace_s=5) as sites:
        client = running(sites)
        sock = client.connect()
        sock.sendall(client.request("Prefer: delay=0.3"))
        threading.Event().wait(0.1)
    with sock:
        assert client.understand(client.listen_to(sock).data).status == 200


def test_what_a_broken_application_raises_is_logged_and_answered_with_500(
    running: Callable[[MockSites], Client], caplog: pytest.LogCaptureFixture
) -> None:
    async def broken(_scope: object, _receive: object, _send: object) -> None:
        message = "a bug"
        raise RuntimeError(message)

    with MockSites(app=lambda _state: broken) as sites:
        client = running(sites)
        assert client.ask().status == 500
        assert client.fault("nan").data.startswith(b"HTTP/1.1 500 ")
        assert client.fault("truncated-body").data == b"HTTP/1.1 500 " + client.fault("truncated-body").data[13:]
    assert [record.exc_info[1].args for record in caplog.records if record.exc_info] == [("a bug",)] * 4  # type: ignore[union-attr]


def test_requests_are_logged_nowhere(
    running: Callable[[MockSites], Client], caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    with MockSites() as sites:
        client = running(sites)
        client.ask()
        client.talk(b"garbage\r\n\r\n")
    assert caplog.records == []
    assert capfd.readouterr() == ("", "")


SERVE = """
from mock_site.server import MockSites, serve_forever
serve_forever(MockSites(), lambda sites: print(sites.port, sites.ca_file, flush=True))
print("stopped")
"""


CROWDED = """
import asyncio, resource, socket, sys
from mock_site.server import MockSites
sites = MockSites(loop_factory=asyncio.new_event_loop) if sys.argv[1] == "asyncio" else MockSites()
resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
with sites:
    held = []
    try:
        while True:
            for port in (sites.port, sites.tls_port):
                held.append(socket.create_connection((sites.host, port)))
                held[-1].sendall(b"?")
    except OSError:
        pass
    for sock in held:
        sock.close()
    for port in (sites.port, sites.tls_port):
        with socket.create_connection((sites.host, port), timeout=5) as sock:
            sock.sendall(b"GET / HTTP/1.1\\r\\nHost: localhost\\r\\n\\r\\n")
            print(len(held) > 20, sock.recv(12))
"""


@pytest.mark.parametrize("loop", ["uvloop", "asyncio"])
def test_it_survives_running_out_of_file_descriptors(loop: str) -> None:
    ran = subprocess.run(  # noqa: S603  # this interpreter and our own text
        [sys.executable, "-c", CROWDED, loop], capture_output=True, text=True, timeout=20, check=False
    )
    assert ran.stdout == "True b'HTTP/1.1 404'\nTrue b'HTTP/1.1 400'\n"
    assert ran.returncode == 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_it_in_good_order(number: signal.Signals) -> None:
    with subprocess.Popen(  # noqa: S603  # this interpreter and our own text
        [sys.executable, "-c", SERVE], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        port, ca_file = process.stdout.readline().split()
        with socket.create_connection(("127.0.0.1", int(port))) as sock:
            sock.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert sock.recv(12) == b"HTTP/1.1 404"
            process.send_signal(number)
            out, err = process.communicate(timeout=10)
    assert (process.returncode, out, err) == (0, "stopped\n", "")
    assert not os.path.exists(ca_file)  # noqa: PTH110  # a name from another process


def test_handlers_of_signals_are_put_back() -> None:
    before = signal.getsignal(signal.SIGTERM)
    serve_forever(MockSites(), lambda _sites: signal.raise_signal(signal.SIGTERM))
    assert signal.getsignal(signal.SIGTERM) is before
