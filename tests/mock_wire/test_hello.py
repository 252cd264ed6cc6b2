"""The front reads the host name from a ClientHello, whatever else it is sent."""

from __future__ import annotations

import ssl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mock_site.hello import MAX_HELLO_BYTES, Hello, read_hello


def client_hello(host: str | None) -> bytes:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = host is not None
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = context.wrap_bio(incoming, outgoing, server_hostname=host)
    with pytest.raises(ssl.SSLWantReadError):
        client.do_handshake()
    return outgoing.read()


def test_the_host_is_read_as_it_was_sent() -> None:
    assert read_hello(client_hello("api.US5.datadoghq.com")) == Hello(is_tls=True, host="api.US5.datadoghq.com")


def test_a_client_that_names_no_host_is_tls_still() -> None:
    assert read_hello(client_hello(None)) == Hello(is_tls=True)


def test_every_beginning_of_a_hello_asks_for_more() -> None:
    whole = client_hello("localhost")
    assert {read_hello(whole[:size]) for size in range(len(whole))} == {None}


def test_a_hello_spread_over_many_records_is_joined() -> None:
    message = client_hello("localhost")[5:]
    pieces = [message[at : at + 7] for at in range(0, len(message), 7)]
    spread = b"".join(b"\x16\x03\x01" + len(piece).to_bytes(2) + piece for piece in pieces)
    assert read_hello(spread) == Hello(is_tls=True, host="localhost")


def test_what_follows_the_hello_does_not_matter() -> None:
    assert read_hello(client_hello("localhost") + b"\x14\x03\x03\x00\x01\x01") == Hello(is_tls=True, host="localhost")


@pytest.mark.parametrize(
    "message",
    [
        pytest.param(b"\x02\x00\x00\x00", id="another message"),
        pytest.param(b"\x01\x00\x00\x02\x03\x03", id="ends in the version"),
        pytest.param(b"\x01\x00\x00\x23" + bytes(34) + b"\xff", id="session id longer than the rest"),
        pytest.param(b"\x01\x00\x00\x2d" + bytes(43) + b"\x00\x00", id="no extensions"),
        pytest.param(
            b"\x01\x00\x00\x36" + bytes(41) + b"\x00\x0b" + b"\x00\x00\x00\x07\x00\x05\x01\x00\x02ab",
            id="a server name of another kind",
        ),
    ],
)
def test_a_hello_without_a_readable_host_has_none(message: bytes) -> None:
    assert read_hello(b"\x16\x03\x01" + len(message).to_bytes(2) + message) == Hello(is_tls=True)


def test_a_hello_that_never_ends_is_given_up() -> None:
    endless = b"\x16\x03\x01\xff\xff\x01\xff\xff\xff" + bytes(MAX_HELLO_BYTES)
    assert read_hello(endless[: MAX_HELLO_BYTES - 1]) is None
    assert read_hello(endless[:MAX_HELLO_BYTES]) == Hello(is_tls=True)


def test_plain_http_is_no_tls() -> None:
    assert read_hello(b"G") == Hello(is_tls=False)


@given(st.binary(max_size=300))
def test_any_bytes_are_read_without_an_exception(data: bytes) -> None:
    assert isinstance(read_hello(b"\x16" + data), Hello | None)


@given(st.data())
def test_a_damaged_hello_is_read_without_an_exception(data: st.DataObject) -> None:
    damaged = bytearray(client_hello("localhost"))
    for at in data.draw(st.lists(st.integers(1, len(damaged) - 1), max_size=5)):
        damaged[at] = data.draw(st.integers(0, 255))
    assert isinstance(read_hello(bytes(damaged)), Hello | None)
