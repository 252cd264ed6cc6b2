"""Faults of TLS: certificates a client must not accept, and handshakes that go wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mock_site.faults.model import HandshakeFault, PortFault

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator
    from ssl import SSLContext

    from mock_site.faults.model import Fault
    from mock_site.tls import Authority
    from mock_site.wire import Peer

# A record of type alert (21): level fatal (2), handshake_failure (40); RFC 8446, section 6.
_ALERT = b"\x15\x03\x03\x00\x02\x02\x28"
_PLAIN = b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
_FAILED = "tls-handshake-failed"


def _shown(choose: Callable[[Authority], SSLContext]) -> Callable[[Peer], Awaitable[SSLContext | None]]:
    """Make a handshake that goes on with another context."""

    async def act(peer: Peer) -> SSLContext | None:
        return choose(peer.authority)

    return act


async def _old_protocol(peer: Peer) -> SSLContext | None:
    return await peer.agreed(peer.authority.old_protocol)


def _said(data: bytes) -> Callable[[Peer], Awaitable[SSLContext | None]]:
    """Make a handshake that is answered with these bytes and then closed."""

    async def act(peer: Peer) -> SSLContext | None:
        await peer.read_hello()
        if data:
            await peer.write(data)
        return None

    return act


async def _reset(peer: Peer) -> SSLContext | None:
    peer.reset()
    return None


async def _silent(peer: Peer) -> SSLContext | None:
    await peer.hold()
    return None


_ROWS = (
    PortFault("refused", "Nothing listens on the site's port.", "connection-refused"),
    HandshakeFault(
        "tls-expired",
        "The certificate ended yesterday.",
        "tls-certificate-expired",
        _shown(lambda authority: authority.expired),
    ),
    HandshakeFault(
        "tls-not-yet-valid",
        "The certificate begins tomorrow.",
        "tls-certificate-not-yet-valid",
        _shown(lambda authority: authority.not_yet_valid),
    ),
    HandshakeFault(
        "tls-expires-soon",
        "The certificate is valid for three more days.",
        "tls-certificate-expires-soon",
        _shown(lambda authority: authority.expires_soon),
        level="warning",
    ),
    HandshakeFault(
        "tls-self-signed",
        "The certificate is signed with its own key.",
        "tls-certificate-untrusted",
        _shown(lambda authority: authority.self_signed),
    ),
    HandshakeFault(
        "tls-untrusted",
        "The certificate is of an authority nobody trusts.",
        "tls-certificate-untrusted",
        _shown(lambda authority: authority.untrusted),
    ),
    HandshakeFault(
        "tls-incomplete-chain",
        "The certificate of the intermediate authority is not sent along.",
        "tls-certificate-untrusted",
        _shown(lambda authority: authority.incomplete_chain),
    ),
    HandshakeFault(
        "tls-wrong-host",
        "The certificate is for another host.",
        "tls-certificate-wrong-host",
        _shown(lambda authority: authority.wrong_host),
    ),
    HandshakeFault(
        "tls-old-protocol",
        "The server knows TLS 1.0 and 1.1 only.",
        "tls-protocol-unsupported",
        _old_protocol,
    ),
    HandshakeFault("tls-cut", "The connection is closed after the ClientHello.", _FAILED, _said(b"")),
    HandshakeFault("tls-alert", "The server refuses with the alert handshake_failure.", _FAILED, _said(_ALERT)),
    HandshakeFault(
        "tls-garbage", "Garbage comes in place of the ServerHello.", _FAILED, _said(bytes(range(0x80, 0x100)))
    ),
    HandshakeFault("tls-plain-http", "Plain HTTP is spoken on the port of TLS.", _FAILED, _said(_PLAIN)),
    HandshakeFault("tls-reset", "The connection is reset after the ClientHello.", "connection-reset", _reset),
    HandshakeFault("tls-silent", "Nothing comes after the ClientHello.", "timeout", _silent),
)


def rows() -> Iterator[Fault]:
    """Return the rows of the table, in the order of the docs."""
    yield from _ROWS
