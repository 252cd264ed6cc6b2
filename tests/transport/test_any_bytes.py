"""Any bytes whatsoever give an observation, within the deadline, and never an exception."""

from __future__ import annotations

import gzip
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from monitors.checks import CHECKS
from monitors.model import Observation
from monitors.probe import probe
from monitors.rules import RULES
from monitors.sites import SITES
from monitors.transport import parse_overrides

STARTS = st.sampled_from(
    [b"", b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 ", b"HTTP/1.0 404 No\r\n\r\n", b"HTTP/1.1 100 C\r\n\r\n"]
)
LINES = st.sampled_from(
    [
        b"Content-Length: 5\r\n",
        b"Content-Length: 99999999999999999999\r\n",
        b"Content-Length: 999999999999999999999999999999\r\n",
        b"Content-Length: -1\r\n",
        b"Content-Length: 5, 5\r\n",
        b"Transfer-Encoding: chunked\r\n",
        b"Transfer-Encoding: gzip, chunked\r\n",
        b"Content-Encoding: gzip\r\n",
        b"Content-Encoding: deflate\r\n",
        b"Content-Encoding: \xff\r\n",
        b"Location: http://[\r\n",
        b"Content-Type: \xe9; charset=\x80\r\n",
        b" folded\r\n",
        b":\r\n",
        b"\x00: \x00\r\n",
        b"\r\n",
        b"\n",
    ]
)
TAILS = st.sampled_from(
    [b"5\r\nhello\r\n0\r\n\r\n", b"ffffffffffffffff\r\n", b"0\r\nTrailer: x\r\n", gzip.compress(b"{}")]
)
ANYTHING = st.lists(st.one_of(STARTS, LINES, TAILS, st.binary(max_size=60)), max_size=8).map(b"".join)


@pytest.fixture(scope="module")
def mouth() -> dict[str, bytes]:
    """What the server says next."""
    return {"says": b""}


@pytest.fixture
def site(serve: Any, target: Any, mouth: dict[str, bytes]) -> Any:
    def script(opened: Any) -> None:
        opened.sendall(mouth["says"])

    return target(serve(script), timeout_s=1, max_body_bytes=1000)


@example(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n" + gzip.compress(b"x" * 100_000))
@example(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n" + b"T: x\r\n" * 30_000)
@example(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;" + b"x" * 200_000)
@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(ANYTHING)
def test_any_bytes_give_an_observation(site: Any, mouth: dict[str, bytes], says: bytes) -> None:
    mouth["says"] = says
    seen = probe(site, CHECKS["run"])
    assert isinstance(seen, Observation)
    assert len(seen.body) <= 4096
    if seen.failure is None:
        assert seen.status is not None
        assert seen.wire_size is not None
    else:
        assert seen.failure.rule in RULES
        assert seen.failure.rule != "timeout"
        assert seen.failure.message.isprintable()


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=100))
def test_any_bytes_in_place_of_a_handshake_give_an_observation(serve: Any, target: Any, says: bytes) -> None:
    def script(opened: Any) -> None:
        opened.sendall(says)

    server = serve(script, heads_first=False)
    overrides = parse_overrides(connect_to=[f"::127.0.0.1:{server.port}"])
    seen = probe(target(server, base_url=f"https://{SITES['US5'].api_host}", overrides=overrides), CHECKS["run"])
    server.close()
    assert seen.failure is not None
    # The kernel resets the connection of a server that closes before it has read the whole ClientHello.
    assert seen.failure.rule in {"tls-handshake-failed", "tls-protocol-unsupported", "connection-reset"}
    assert seen.failure.message.isprintable()
