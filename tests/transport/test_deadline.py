"""One deadline spans the whole probe, whatever the site does with its time."""

from __future__ import annotations

import socket
import time
from typing import TYPE_CHECKING, Any

import pytest

from monitors.checks import CHECKS
from monitors.model import Phase
from monitors.probe import probe
from monitors.sites import SITES
from monitors.transport import parse_overrides

if TYPE_CHECKING:
    from collections.abc import Callable

US5 = SITES["US5"]
TIMEOUT_S = 0.5
# What goes wrong lasts two seconds and more; a busy machine may need a good part of one to be scheduled.
OVERSHOOT_S = 1.2
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


def answer(body: bytes = b"{}", *lines: bytes, status: bytes = b"200 OK") -> bytes:
    """Write a whole answer with a right length."""
    head = [b"HTTP/1.1 " + status, b"Content-Type: application/json", b"Content-Length: %d" % len(body), *lines]
    return b"\r\n".join(head) + b"\r\n\r\n" + body


def _drip(start: bytes, drop: bytes, pause_s: float = 0.02) -> Callable[[Any], None]:
    def script(opened: Any) -> None:
        opened.sendall(start)
        for _ in range(200):
            opened.sendall(drop)
            time.sleep(pause_s)

    return script


def _silent(_opened: Any) -> None:
    time.sleep(2)


SLOW = {
    "silence": (_silent, Phase.FIRST_BYTE, "no byte of an answer came within 0.5 s"),
    "a dripping status line": (_drip(b"", b"H"), Phase.TRANSFER, "the answer did not end within 0.5 s"),
    "dripping headers": (_drip(b"HTTP/1.1 200 OK\r\n", b"X-A: b\r\n"), Phase.TRANSFER, "the answer did not end"),
    "a dripping body": (_drip(answer(b"x" * 500)[:-500], b"x"), Phase.TRANSFER, "the answer did not end"),
    "dripping chunks": (_drip(CHUNKED, b"1\r\nx\r\n"), Phase.TRANSFER, "the answer did not end"),
    "a flood of tiny chunks": (_drip(CHUNKED, b"1\r\nx\r\n" * 20_000, 0), Phase.TRANSFER, "the answer did not end"),
    "a body that stalls": (_drip(answer(b"x" * 500)[:-100], b"", 1), Phase.TRANSFER, "the answer did not end"),
}


@pytest.mark.parametrize("name", SLOW)
@pytest.mark.parametrize("secure", [False, True], ids=["plain", "tls"])
def test_the_deadline_holds_and_names_the_phase(look: Any, authority: Any, name: str, *, secure: bool) -> None:
    script, phase, message = SLOW[name]
    tls = authority.server() if secure else None
    start = time.monotonic()
    seen = look(script, tls=tls, timeout_s=TIMEOUT_S)
    spent_s = time.monotonic() - start
    assert (seen.failure.rule, seen.failure.phase) == ("timeout", phase)
    assert message in seen.failure.message
    assert TIMEOUT_S <= spent_s < TIMEOUT_S + OVERSHOOT_S
    assert TIMEOUT_S - 0.2 < seen.phases.total_s < TIMEOUT_S + OVERSHOOT_S


def test_a_handshake_that_never_answers_ends_at_the_deadline(serve: Any, target: Any) -> None:
    server = serve(_silent, heads_first=False)
    site = target(server, **_over_tls(server))
    start = time.monotonic()
    seen = probe(site, CHECKS["run"])
    assert (seen.failure.rule, seen.failure.phase) == ("timeout", Phase.TLS)
    assert seen.failure.message == "the TLS handshake did not finish within 0.5 s"
    assert time.monotonic() - start < TIMEOUT_S + OVERSHOOT_S


def test_a_dripping_handshake_ends_at_the_deadline(serve: Any, target: Any) -> None:
    # A handshake record that announces 16,000 bytes and brings them one at a time.
    server = serve(_drip(b"\x16\x03\x03\x3e\x80\x02\x00\x3e\x7c", b"\x03"), heads_first=False)
    start = time.monotonic()
    seen = probe(target(server, **_over_tls(server)), CHECKS["run"])
    assert (seen.failure.rule, seen.failure.phase) == ("timeout", Phase.TLS)
    assert time.monotonic() - start < TIMEOUT_S + OVERSHOOT_S


def _over_tls(server: Any) -> dict[str, Any]:
    return {
        "base_url": f"https://{US5.api_host}",
        "overrides": parse_overrides(connect_to=[f"::127.0.0.1:{server.port}"]),
        "timeout_s": TIMEOUT_S,
    }


@pytest.fixture
def deaf_port() -> Any:
    """A port whose backlog is full: a connection to it never comes about."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen(0)
    fillers = [socket.socket() for _ in range(4)]
    for filler in fillers:
        filler.setblocking(False)
        filler.connect_ex(listener.getsockname())
    time.sleep(0.05)
    yield listener.getsockname()[1]
    for filler in [*fillers, listener]:
        filler.close()


def test_a_connection_that_never_comes_about_ends_at_the_deadline(target: Any, deaf_port: int) -> None:
    start = time.monotonic()
    seen = probe(target(deaf_port, timeout_s=TIMEOUT_S), CHECKS["run"])
    assert (seen.failure.rule, seen.failure.phase) == ("timeout", Phase.CONNECT)
    assert time.monotonic() - start < TIMEOUT_S + OVERSHOOT_S
    assert seen.phases.connect_s == pytest.approx(TIMEOUT_S, abs=OVERSHOOT_S)


def test_reading_the_bad_certificate_again_stays_within_the_deadline(serve: Any, target: Any, authority: Any) -> None:
    """The first handshake fails at once, the second one, made to read the certificate, is left hanging."""
    other = authority.server("elsewhere.invalid")
    handshakes = []

    def script(opened: Any) -> None:
        handshakes.append(1)
        if len(handshakes) > 1:
            time.sleep(2)
        other.wrap_socket(opened, server_side=True).close()

    server = serve(script, heads_first=False)
    start = time.monotonic()
    seen = probe(target(server, **_over_tls(server)), CHECKS["run"])
    assert seen.failure.rule == "tls-certificate-wrong-host"
    assert seen.tls is None
    assert time.monotonic() - start < TIMEOUT_S + OVERSHOOT_S
