"""Reading the host name a TLS client asks for, from the first bytes it sends (RFC 8446, section 4; RFC 6066)."""

from __future__ import annotations

from dataclasses import dataclass

MAX_HELLO_BYTES = 16_384
_RECORD_HEADER, _HANDSHAKE, _CLIENT_HELLO, _SERVER_NAME, _HOST_NAME = 5, 22, 1, 0, 0
_VERSION_AND_RANDOM = 34


@dataclass(frozen=True, slots=True)
class Hello:
    """What the first bytes are: a ClientHello or not, and the host name it carries, if any."""

    is_tls: bool
    host: str | None = None


class _MissingError(Exception):
    """The bytes end before what they announce."""


class _Reader:
    """Takes fields from the front of some bytes."""

    def __init__(self, data: bytes) -> None:
        self.data, self.at = data, 0

    def take(self, size: int) -> bytes:
        self.at += size
        if self.at > len(self.data):
            raise _MissingError
        return self.data[self.at - size : self.at]

    def number(self, size: int) -> int:
        return int.from_bytes(self.take(size))

    def vector(self, size: int) -> _Reader:
        """Take a field that begins with its own length, a number of `size` bytes."""
        return _Reader(self.take(self.number(size)))

    @property
    def more(self) -> bool:
        return self.at < len(self.data)


def read_hello(data: bytes) -> Hello | None:
    """Return what a connection begins with, or None while more bytes are needed to tell. Never raises."""
    if not data:
        return None
    if data[0] != _HANDSHAKE:
        return Hello(is_tls=False)
    try:
        message = _Reader(_handshake_bytes(data))
        if message.number(1) != _CLIENT_HELLO:
            return Hello(is_tls=True)
        hello = message.vector(3)
    except _MissingError:
        return None if len(data) < MAX_HELLO_BYTES else Hello(is_tls=True)
    try:
        return Hello(is_tls=True, host=_host(hello))
    except _MissingError:
        return Hello(is_tls=True)


def _handshake_bytes(data: bytes) -> bytes:
    """Join what the records hold; a message may be spread over several, and the last may not be whole yet."""
    joined, at = b"", 0
    while len(data) - at >= _RECORD_HEADER and data[at] == _HANDSHAKE:
        size = int.from_bytes(data[at + 3 : at + _RECORD_HEADER])
        joined += data[at + _RECORD_HEADER : at + _RECORD_HEADER + size]
        at += _RECORD_HEADER + size
    return joined


def _host(hello: _Reader) -> str | None:
    hello.take(_VERSION_AND_RANDOM)
    for length_size in (1, 2, 1):  # session id, cipher suites, compression methods
        hello.vector(length_size)
    extensions = hello.vector(2)
    while extensions.more:
        kind, extension = extensions.number(2), extensions.vector(2)
        if kind == _SERVER_NAME:
            name = extension.vector(2)
            return name.vector(2).data.decode("latin-1") if name.number(1) == _HOST_NAME else None
    return None
