"""What comes back from a site that keeps HTTP, and from one that does not: always an observation."""

from __future__ import annotations

import gzip
import socket
import struct
import time
import tracemalloc
import zlib
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from monitors import __version__
from monitors.checks import CHECKS
from monitors.model import Phase
from monitors.probe import probe
from monitors.sites import SITES
from monitors.transport import SiteTransport
from monitors.transport.stream import WireStream

if TYPE_CHECKING:
    from collections.abc import Callable

US5 = SITES["US5"]
RUN = b'{"data":{"id":"7"}}'


def answer(body: bytes = b"{}", *lines: bytes, status: bytes = b"200 OK") -> bytes:
    """Write a whole answer with a right length."""
    head = [b"HTTP/1.1 " + status, b"Content-Type: application/json", b"Content-Length: %d" % len(body), *lines]
    return b"\r\n".join(head) + b"\r\n\r\n" + body


def _reset(opened: socket.socket) -> None:
    """Close so that the peer gets RST, not FIN."""
    opened.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    opened.close()


def _sending(*parts: bytes, end: Callable[[Any], None] | None = None) -> Callable[[Any], None]:
    def script(opened: Any) -> None:
        for part in parts:
            opened.sendall(part)
            time.sleep(0.01)
        if end is not None:
            end(opened)

    return script


def test_an_observation_says_everything_of_a_whole_answer(look: Any) -> None:
    before = datetime.now(UTC)
    seen = look(answer(RUN, b"X-RateLimit-Limit: 10", b"x-ratelimit-limit: 11"))
    assert (seen.site, seen.check, seen.method, seen.run_id, seen.with_keys) == ("US5", "run", "GET", "7", True)
    assert (seen.status, seen.body, seen.http_version, seen.failure) == (200, RUN, "1.1", None)
    assert (seen.wire_size, seen.body_size) == (len(RUN), len(RUN))
    assert seen.headers == (
        ("content-type", "application/json"),
        ("content-length", "19"),
        ("x-ratelimit-limit", "10"),
        ("x-ratelimit-limit", "11"),
    )
    assert seen.url.endswith("/api/v2/model-lab-api/runs/7")
    assert seen.address == "127.0.0.1"
    assert seen.tls is None
    assert before <= seen.at <= datetime.now(UTC)


def test_phases_that_do_not_apply_are_none_and_the_others_have_seconds(look: Any) -> None:
    phases = look(answer()).phases
    assert phases.resolve_s is None
    assert phases.tls_s is None
    assert min(phases.connect_s, phases.first_byte_s, phases.transfer_s) > 0


def test_each_phase_has_its_own_time(look: Any, authority: Any) -> None:
    def script(opened: Any) -> None:
        time.sleep(0.1)
        opened.sendall(answer(RUN)[:-5])
        time.sleep(0.2)
        opened.sendall(RUN[-5:])

    phases = look(script, tls=authority.server()).phases
    assert 0.05 < phases.first_byte_s < 2
    assert 0.1 < phases.transfer_s < 2
    assert 0 < phases.tls_s < 2
    assert phases.total_s >= phases.first_byte_s + phases.transfer_s > 0.25


def test_the_request_is_what_the_vendors_page_asks_for(serve: Any, target: Any) -> None:
    server = serve(answer())
    site = target(server)
    probe(site, CHECKS["not-found"])
    line, *headers = server.received[0].decode().strip().split("\r\n")
    assert line == "GET /api/v2/model-lab-api/runs/9223372036854775807 HTTP/1.1"
    assert dict(header.split(": ", 1) for header in headers) == {
        "Host": f"127.0.0.1:{server.port}",
        "Accept": "application/json",
        "Accept-Encoding": "gzip",
        "Connection": "close",
        "User-Agent": f"model-lab-monitor/{__version__}",
        "DD-API-KEY": site.credentials.api_key,
        "DD-APPLICATION-KEY": site.credentials.app_key,
    }


def test_a_check_without_keys_sends_none(serve: Any, target: Any) -> None:
    server = serve(answer(status=b"401 Unauthorized"))
    seen = probe(target(server), CHECKS["unauthenticated"])
    assert b"dd-a" not in server.received[0].lower()
    assert seen.credential is None
    assert seen.with_keys is False


def test_the_host_header_is_the_sites_name_however_it_is_reached(serve: Any, target: Any, authority: Any) -> None:
    server = serve(answer(), tls=authority.server())
    seen = probe(target(server), CHECKS["run"])
    assert f"Host: {US5.api_host}\r\n".encode() in server.received[0]
    assert seen.url == f"https://{US5.api_host}/api/v2/model-lab-api/runs/7"


def test_head_has_headers_and_no_body(look: Any) -> None:
    seen = look(b"HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n", method="HEAD")
    assert (seen.status, seen.body, seen.failure) == (200, b"", None)


def test_redirects_are_seen_and_never_followed(serve: Any, target: Any) -> None:
    elsewhere = serve(answer())
    line = b"Location: http://127.0.0.1:%d/" % elsewhere.port
    seen = probe(target(serve(answer(b"", line, status=b"302 Found"))), CHECKS["run"])
    assert seen.status == 302
    assert elsewhere.connections == 0


@pytest.mark.parametrize("location", [b"http://[::1", b"\xff\xfe", b"//", b"http://x:99999999/"])
def test_a_redirect_to_nonsense_is_an_answer_like_any_other(look: Any, location: bytes) -> None:
    seen = look(answer(b"", b"Location: " + location, status=b"301 Moved"))
    assert (seen.status, seen.failure) == (301, None)


def test_http_1_0_ends_with_the_connection(look: Any) -> None:
    seen = look(b"HTTP/1.0 200 OK\r\n\r\n" + RUN)
    assert (seen.http_version, seen.body, seen.failure) == ("1.0", RUN, None)


def test_what_follows_a_whole_answer_is_not_read(look: Any) -> None:
    seen = look(answer(RUN) + b"HTTP/1.1 500 Oops\r\n\r\n")
    assert (seen.status, seen.body, seen.failure) == (200, RUN, None)


def test_a_cookie_is_never_sent_back(serve: Any, target: Any) -> None:
    server = serve(answer(b"", b"Set-Cookie: a=b; Path=/"))
    site = target(server)
    probe(site, CHECKS["run"])
    probe(site, CHECKS["run"])
    assert b"ookie" not in server.received[1]
    assert server.connections == 2


CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
FAULTS: dict[str, tuple[Any, str, Phase, int | None, bytes]] = {
    "closed at once": (b"", "connection-closed", Phase.FIRST_BYTE, None, b""),
    "reset at once": (_reset, "connection-reset", Phase.FIRST_BYTE, None, b""),
    "closed within the headers": (b"HTTP/1.1 200 OK\r\nX-A", "connection-closed", Phase.TRANSFER, None, b""),
    "closed within the first word": (_sending(b"H", b"TT"), "connection-closed", Phase.TRANSFER, None, b""),
    "a version nobody asked for": (
        b"HTTP/2.0 200 OK\r\nContent-Length: 2\r\n\r\n{}",
        "response-malformed",
        Phase.TRANSFER,
        None,
        b"",
    ),
    "garbage after a slow start": (_sending(b"H", b"TTX/1.1\r\n"), "response-malformed", Phase.TRANSFER, None, b""),
    "reset within the headers": (_sending(b"HTTP/1.1 200", end=_reset), "connection-reset", Phase.TRANSFER, None, b""),
    "reset within the body": (
        _sending(answer(RUN)[:-5], end=_reset),
        "connection-reset",
        Phase.TRANSFER,
        200,
        RUN[:-5],
    ),
    "truncated body": (answer(RUN)[:-5], "response-body-truncated", Phase.TRANSFER, 200, RUN[:-5]),
    "truncated chunk": (CHUNKED + b"5\r\nabc", "response-body-truncated", Phase.TRANSFER, 200, b"abc"),
    "no last chunk": (CHUNKED + b"3\r\nabc\r\n", "response-body-truncated", Phase.TRANSFER, 200, b"abc"),
    "bad chunk size": (CHUNKED + b"xyz\r\nabc\r\n", "response-malformed", Phase.TRANSFER, 200, b""),
    "another protocol": (b"SSH-2.0-OpenSSH_9.9\r\n", "response-malformed", Phase.TRANSFER, None, b""),
    "another protocol, unfinished": (b"\x15\x03\x03", "response-malformed", Phase.TRANSFER, None, b""),
    "no status": (b"HTTP/1.1 OK\r\n\r\n", "response-malformed", Phase.TRANSFER, None, b""),
    "bad header": (b"HTTP/1.1 200 OK\r\nbad name(): x\r\n\r\n", "response-malformed", Phase.TRANSFER, None, b""),
    "two lengths": (answer(RUN, b"Content-Length: 3"), "response-malformed", Phase.TRANSFER, None, b""),
    "unasked upgrade": (b"HTTP/1.1 101 Switch\r\n\r\n", "response-malformed", Phase.TRANSFER, None, b""),
    "status 000": (b"HTTP/1.1 000 Zero\r\n\r\n", "response-malformed", Phase.TRANSFER, None, b""),
    "header flood": (
        b"HTTP/1.1 200 OK\r\n" + b"X-A: b\r\n" * 20_000,
        "response-headers-too-large",
        Phase.TRANSFER,
        None,
        b"",
    ),
    "one endless header": (
        b"HTTP/1.1 200 OK\r\nX-A: " + b"b" * 200_000,
        "response-headers-too-large",
        Phase.TRANSFER,
        None,
        b"",
    ),
    "flood of informational answers": (
        b"HTTP/1.1 100 Continue\r\n\r\n" * 9_000,
        "response-headers-too-large",
        Phase.TRANSFER,
        None,
        b"",
    ),
}


@pytest.mark.parametrize("name", FAULTS)
@pytest.mark.parametrize("secure", [False, True], ids=["plain", "tls"])
def test_every_fault_becomes_its_rule_and_keeps_what_was_read(
    look: Any, authority: Any, name: str, *, secure: bool
) -> None:
    script, rule, phase, status, body = FAULTS[name]
    seen = look(script, tls=authority.server() if secure else None)
    assert (seen.failure.rule, seen.failure.phase) == (rule, phase)
    assert (seen.status, seen.body) == (status, body)
    assert "\n" not in seen.failure.message


def test_headers_just_under_the_cap_are_fine(look: Any) -> None:
    seen = look(answer(RUN, b"X-Long: " + b"a" * 65_000))
    assert (seen.status, seen.failure) == (200, None)


def test_a_message_shows_what_came_in_place_of_http(look: Any) -> None:
    assert "SSH-2.0" in look(b"SSH-2.0-OpenSSH_9.9\r\n").failure.message


class _Pair:
    """A dialer whose peer has answered and gone before it is asked anything."""

    def open(self, _scheme: str, _host: str, _port: int, wire: Any) -> WireStream:
        ours, theirs = socket.socketpair()
        theirs.sendall(answer(RUN, status=b"400 Bad Request"))
        theirs.close()
        return WireStream(ours, wire.timeline)


def test_an_answer_given_before_the_request_was_read_counts() -> None:
    transport = SiteTransport(_Pair(), hosts=frozenset(), timeout_s=1)  # type: ignore[arg-type]  # only opens
    with httpx.Client(transport=transport) as client:
        response = client.get("http://127.0.0.1/")
    assert (response.status_code, response.content) == (400, RUN)


# --- bodies and their codings --------------------------------------------------------------------------------------


def _coded(body: bytes, coding: bytes) -> bytes:
    return answer(body, b"Content-Encoding: " + coding)


RAW_DEFLATE = zlib.compressobj(9, zlib.DEFLATED, -15)
DECODABLE = {
    "gzip": _coded(gzip.compress(RUN), b"gzip"),
    "x-gzip": _coded(gzip.compress(RUN), b"X-GZip"),
    "gzip in two members": _coded(gzip.compress(RUN[:5]) + gzip.compress(RUN[5:]), b"gzip"),
    "deflate": _coded(zlib.compress(RUN), b"deflate"),
    "raw deflate": _coded(RAW_DEFLATE.compress(RUN) + RAW_DEFLATE.flush(), b"deflate"),
    "deflate with a tail": _coded(zlib.compress(RUN) + b"tail", b"deflate"),
    "identity": _coded(RUN, b"identity"),
}


@pytest.mark.parametrize("name", DECODABLE)
def test_known_codings_are_undone(look: Any, name: str) -> None:
    seen = look(DECODABLE[name])
    assert (seen.body, seen.body_size, seen.failure) == (RUN, len(RUN), None)
    assert seen.wire_size == int(seen.header("content-length"))


def test_an_empty_body_needs_no_coding(look: Any) -> None:
    seen = look(_coded(b"", b"gzip"))
    assert (seen.body, seen.failure) == (b"", None)


UNDECODABLE = {
    "broken": _coded(gzip.compress(RUN)[:10] + b"\xff" * 20, b"gzip"),
    "cut": _coded(gzip.compress(RUN)[:-9], b"gzip"),
    "plain text": _coded(RUN, b"gzip"),
    "garbage after it": _coded(gzip.compress(RUN) + b"garbage", b"gzip"),
    "not asked for": _coded(RUN, b"br"),
    "coded twice": _coded(gzip.compress(gzip.compress(RUN)), b"gzip, gzip"),
}


@pytest.mark.parametrize("name", UNDECODABLE)
def test_codings_that_cannot_be_undone_are_a_failure(look: Any, name: str) -> None:
    seen = look(UNDECODABLE[name])
    assert seen.status == 200
    assert (seen.failure.rule, seen.failure.phase) == ("response-body-undecodable", Phase.TRANSFER)


def test_nothing_is_kept_of_a_coding_nobody_can_search_for_keys(look: Any) -> None:
    seen = look(UNDECODABLE["not asked for"])
    assert (seen.body, seen.wire_size, seen.body_size) == (b"", None, None)


def test_a_gzip_bomb_is_stopped_at_the_cap_with_flat_memory(look: Any) -> None:
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    bomb = b"".join(packer.compress(b" " * 2**20) for _ in range(100)) + packer.flush()
    tracemalloc.start()
    try:
        seen = look(_coded(bomb, b"gzip"), max_body_bytes=2**20)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert seen.failure.rule == "response-body-too-large"
    assert seen.failure.message == "the body exceeds 1 MiB"
    assert seen.body == b" " * 4096
    assert peak < 5 * 2**20


def _endless(opened: Any) -> None:
    opened.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
    while True:
        opened.sendall(b"x" * 65536)


def _endless_chunks(opened: Any) -> None:
    opened.sendall(CHUNKED)
    while True:
        opened.sendall(b"10000\r\n" + b"x" * 65536 + b"\r\n")


@pytest.mark.parametrize("script", [_endless, _endless_chunks, answer(b"x" * (2**20 + 1))])
def test_a_body_over_the_cap_is_cut_to_its_beginning(look: Any, script: Any) -> None:
    seen = look(script, max_body_bytes=2**20)
    assert seen.failure.rule == "response-body-too-large"
    assert seen.body == b"x" * 4096
    assert seen.wire_size < 2**20 + 2**17


def test_a_length_announced_beyond_the_cap_is_not_downloaded(look: Any) -> None:
    def script(opened: Any) -> None:
        opened.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\n")
        for _ in range(100):
            opened.sendall(b"x" * 1000)
            time.sleep(0.002)

    seen = look(script, max_body_bytes=2**20)
    assert seen.failure.rule == "response-body-too-large"
    assert seen.body == b"x" * 4096
    assert seen.wire_size < 50_000


def test_chunks_count_whatever_length_is_announced_beside_them(look: Any) -> None:
    body = b"x" * 9000
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\nTransfer-Encoding: chunked\r\n\r\n"
    seen = look(head + b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body), max_body_bytes=2**20)
    assert (seen.body, seen.failure) == (body, None)


def test_a_body_of_exactly_the_cap_is_fine(look: Any) -> None:
    seen = look(answer(b"x" * 2**20), max_body_bytes=2**20)
    assert (len(seen.body), seen.failure) == (2**20, None)
