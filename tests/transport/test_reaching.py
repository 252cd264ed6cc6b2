"""Resolving and connecting: whose fault it is when nothing is reached."""

from __future__ import annotations

import errno
import os
import resource
import socket
import threading
import time
from typing import Any

import pytest

from monitors.checks import CHECKS
from monitors.errors import HarnessError
from monitors.model import Phase
from monitors.probe import probe
from monitors.sites import SITES
from monitors.transport import Resolver, ResolverError, parse_overrides
from monitors.transport.failures import connect_failure, no_way_out, raise_if_exhausted

US5 = SITES["US5"]
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
RUN = CHECKS["run"]


def _rows(*addresses: str, port: int) -> list[Any]:
    families = [socket.AF_INET6 if ":" in address else socket.AF_INET for address in addresses]
    return [
        (family, socket.SOCK_STREAM, 6, "", (address, port, 0, 0) if family is socket.AF_INET6 else (address, port))
        for family, address in zip(families, addresses, strict=True)
    ]


def _resolver(*addresses: str) -> Resolver:
    return Resolver(lambda _host, port, **_: _rows(*addresses, port=port))


def _failing(error: Exception) -> Resolver:
    def fail(*_: Any, **__: Any) -> Any:
        raise error

    return Resolver(fail)


@pytest.fixture
def closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def test_a_refused_connection_says_by_whom(target: Any, closed_port: int) -> None:
    seen = probe(target(closed_port), RUN)
    assert (seen.failure.rule, seen.failure.phase) == ("connection-refused", Phase.CONNECT)
    assert seen.failure.message == f"127.0.0.1:{closed_port} refused the connection"
    assert seen.address == "127.0.0.1"
    assert seen.phases.connect_s > 0
    assert seen.phases.first_byte_s is None


def test_every_address_is_tried_in_order(serve: Any, target: Any) -> None:
    server = serve(OK)
    seen = probe(
        target(server, base_url=f"http://localhost:{server.port}", resolver=_resolver("::1", "127.0.0.1")), RUN
    )
    assert (seen.status, seen.address) == (200, "127.0.0.1")
    assert seen.phases.resolve_s > 0


def test_the_sixth_version_of_ip_works_where_the_machine_has_it(serve: Any, target: Any) -> None:
    server = serve(OK, family=socket.AF_INET6)
    seen = probe(target(server, base_url=f"http://[::1]:{server.port}"), RUN)
    assert (seen.status, seen.address) == (200, "::1")


def test_an_address_that_never_answers_leaves_time_for_the_next(serve: Any, target: Any) -> None:
    server = serve(OK)
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.2", server.port))
        deaf.listen(0)
        fillers = [socket.socket() for _ in range(4)]
        for filler in fillers:
            filler.setblocking(False)
            filler.connect_ex(deaf.getsockname())
        time.sleep(0.05)
        resolver = _resolver("127.0.0.2", "127.0.0.1")
        seen = probe(target(server, base_url=f"http://localhost:{server.port}", resolver=resolver, timeout_s=0.6), RUN)
        for filler in fillers:
            filler.close()
    assert (seen.status, seen.address) == (200, "127.0.0.1")
    assert 0.25 < seen.phases.connect_s < 0.6


@pytest.mark.parametrize("code", [socket.EAI_NONAME, socket.EAI_NODATA])
def test_a_name_that_does_not_exist_is_the_sites_failure(target: Any, code: int) -> None:
    error = socket.gaierror(code, "Name or service not known")
    seen = probe(target(443, base_url=f"https://{US5.api_host}", resolver=_failing(error)), RUN)
    assert (seen.failure.rule, seen.failure.phase) == ("name-not-resolved", Phase.RESOLVE)
    assert seen.failure.message == "api.us5.datadoghq.com does not resolve: name or service not known"
    assert seen.phases.connect_s is None


def test_a_text_that_is_no_host_name_does_not_resolve(target: Any) -> None:
    error = UnicodeError("label empty or too long")
    seen = probe(target(443, base_url=f"https://{US5.api_host}", resolver=_failing(error)), RUN)
    assert seen.failure.message == "api.us5.datadoghq.com is no host name"


@pytest.mark.parametrize(
    "error",
    [
        socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution"),
        socket.gaierror(socket.EAI_FAIL, "Non-recoverable failure in name resolution"),
        OSError(errno.EMFILE, "Too many open files"),
        ValueError("something else"),
    ],
)
def test_a_resolver_that_fails_is_the_harness_own_failure(target: Any, error: Exception) -> None:
    with pytest.raises(ResolverError, match="the resolver of this machine gives no answer for") as caught:
        probe(target(443, base_url=f"https://{US5.api_host}", resolver=_failing(error)), RUN)
    assert caught.value.observation.failure.rule == "name-not-resolved"
    assert caught.value.observation.site == "US5"


def _lookups() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("resolve-")]


def test_a_resolver_that_hangs_ends_at_the_deadline_and_costs_one_thread_however_often_it_is_asked(target: Any) -> None:
    release = threading.Event()
    asked: list[str] = []

    def hang(host: str, port: int, **_: Any) -> Any:
        asked.append(host)
        release.wait(5)
        return _rows("127.0.0.1", port=port)

    site = target(443, base_url=f"https://{US5.api_host}", resolver=Resolver(hang), timeout_s=0.1)
    for _ in range(5):
        start = time.monotonic()
        with pytest.raises(ResolverError, match=r"nothing within 0\.1 s") as caught:
            probe(site, RUN)
        assert time.monotonic() - start < 2
        assert caught.value.failure.rule == "timeout"
    assert asked == [US5.api_host]
    assert _lookups() == [f"resolve-{US5.api_host}"]
    release.set()
    while _lookups():
        time.sleep(0.01)


def test_threads_of_lookups_end_with_them(serve: Any, target: Any) -> None:
    server = serve(OK)
    site = target(server, base_url=f"http://localhost:{server.port}", resolver=_resolver("127.0.0.1"))
    for _ in range(20):
        assert probe(site, RUN).status == 200
    deadline = time.monotonic() + 2
    while _lookups() and time.monotonic() < deadline:
        time.sleep(0.01)
    assert _lookups() == []


def test_the_real_resolver_knows_localhost(serve: Any, target: Any) -> None:
    server = serve(OK)
    assert probe(target(server, base_url=f"http://localhost:{server.port}"), RUN).status == 200


def test_a_resolver_without_any_address_leaves_no_way(target: Any) -> None:
    with pytest.raises(HarnessError, match=r"no way to api\.us5\.datadoghq\.com: no address"):
        probe(target(443, base_url=f"https://{US5.api_host}", resolver=_resolver()), RUN)


def test_a_machine_without_any_route_is_the_harness_own_failure(target: Any) -> None:
    # The address is of a kind no socket may connect to: the kernel refuses on the spot, nothing is sent.
    overrides = parse_overrides([f"{US5.api_host}:443:255.255.255.255"])
    with pytest.raises(HarnessError, match="this machine has no way to"):
        probe(target(443, base_url=f"https://{US5.api_host}", overrides=overrides), RUN)


@pytest.mark.parametrize("code", [errno.ENETUNREACH, errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT, errno.EACCES])
def test_what_this_machine_lacks_is_told_from_what_the_site_refuses(code: int) -> None:
    assert no_way_out(OSError(code, os.strerror(code)))
    assert not no_way_out(OSError(errno.EHOSTUNREACH, "No route to host"))


def test_running_out_of_sockets_is_the_harness_own_failure(target: Any, closed_port: int) -> None:
    site = target(closed_port)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (3, hard))  # no more than the three standard streams
    try:
        with pytest.raises(HarnessError, match="cannot open a connection: too many open files"):
            probe(site, RUN)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.mark.parametrize(
    ("error", "rule", "message"),
    [
        (ConnectionResetError(104, "reset"), "connection-reset", "here:1 reset the connection"),
        (OSError(113, "No route to host"), "connection-failed", "no connection to here:1: no route to host"),
        (
            TimeoutError(110, "Connection timed out"),
            "connection-failed",
            "no connection to here:1: connection timed out",
        ),
    ],
)
def test_other_failures_to_connect_are_the_sites(error: OSError, rule: str, message: str) -> None:
    raise_if_exhausted(error)
    failure = connect_failure(error, "here:1").failure
    assert (failure.rule, failure.message) == (rule, message)


def test_no_thread_to_spare_is_the_harness_own_failure(target: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_self: threading.Thread) -> None:
        message = "can't start new thread"
        raise RuntimeError(message)

    monkeypatch.setattr(threading.Thread, "start", refuse)
    with pytest.raises(HarnessError, match="cannot start a thread"):
        probe(target(443, base_url=f"https://{US5.api_host}", resolver=_resolver("127.0.0.1")), RUN)
