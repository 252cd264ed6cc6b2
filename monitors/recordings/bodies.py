"""Bodies as bytes: text as it stood, base64 and content codings undone, all of it bounded."""

from __future__ import annotations

import base64
import binascii
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from monitors.model import Phase, TransportFailure
from monitors.recordings.entry import UnreadableError

if TYPE_CHECKING:
    from monitors.recordings.entry import Headers

MAX_DECODED_BYTES = 64 * 2**20
"""Most bytes a compressed body may grow to: far above any run, far below what a gzip bomb wants."""

_GZIP_MAGIC = b"\x1f\x8b"
_MAX_CODINGS = 3
_MAX_MEMBERS = 100
# Other encodings are a matter of the recorder's guess; these two are what HTTP clients assume for text of unknown kind.
_TEXT_ENCODINGS = {"iso-8859-1": "latin-1", "latin-1": "latin-1", "windows-1252": "cp1252"}


def bytes_of(value: Any, encoding: Any = None) -> bytes:
    """Return a body kept as text or bytes; raises `UnreadableError` for anything else.

    `encoding` is the one a recorder decoded the text with, so encoding it again gives the bytes of the wire.
    """
    if value is None:
        return b""
    if isinstance(value, bytes):
        return value
    if not isinstance(value, str):
        message = "the body is neither text nor bytes"
        raise UnreadableError(message)
    name = _TEXT_ENCODINGS.get(encoding.lower()) if isinstance(encoding, str) else None
    if name is not None:
        try:
            return value.encode(name)
        except UnicodeEncodeError:
            pass  # The recorder's own word for the encoding is wrong: the text is what counts.
    try:
        return value.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        # Half a surrogate pair has no bytes in UTF-8; these are what a careless sender writes for it.
        return value.encode("utf-8", "surrogatepass")


def from_base64(value: Any) -> bytes:
    """Return the bytes of a base64 text, line breaks allowed; raises `UnreadableError` where it is none."""
    try:
        return base64.b64decode("".join(value.split()), validate=True)
    except (binascii.Error, ValueError, TypeError, AttributeError):
        message = "the body is no base64"
        raise UnreadableError(message) from None


@dataclass(frozen=True, slots=True)
class Body:
    """A body with its content codings undone, or why they cannot be; sizes in bytes."""

    content: bytes
    wire_size: int | None
    failure: TransportFailure | None = None


def undo_codings(raw: bytes, headers: Headers) -> Body:
    """Undo the codings of `Content-Encoding` unless the recorder has done so; raises `UnreadableError`.

    Recorders differ: some keep the compressed bytes, some keep the text and leave the header. So the bytes decide.
    """
    named = [name.strip().lower() for key, value in headers if key == "content-encoding" for name in value.split(",")]
    codings = [name for name in named if name not in ("", "identity")]
    if not headers and raw.startswith(_GZIP_MAGIC):
        codings = ["gzip"]
    content, undone = raw, False
    for coding in reversed(codings[-_MAX_CODINGS:]):
        if not _is_coded(content, coding):
            continue
        try:
            content, undone = _undo(content, coding), True
        except zlib.error as error:
            return Body(b"", len(raw), _failure("response-body-undecodable", f"{coding} cannot be undone: {error}"))
        except _TooLargeError:
            message = f"the body grows beyond {MAX_DECODED_BYTES} bytes when {coding} is undone"
            return Body(b"", len(raw), _failure("response-body-too-large", message))
    return Body(content, len(raw) if undone or not codings else None)


def _failure(rule: str, message: str) -> TransportFailure:
    return TransportFailure(rule, Phase.TRANSFER, message)


def _is_coded(content: bytes, coding: str) -> bool:
    if coding in ("gzip", "x-gzip"):
        return content.startswith(_GZIP_MAGIC)
    if coding == "deflate" and content[:1] == b"\x78" and int.from_bytes(content[:2], "big") % 31 == 0:
        return True  # zlib's header says it (RFC 1950)
    return not _is_utf8(content)


def _is_utf8(content: bytes) -> bool:
    try:
        content.decode()
    except UnicodeDecodeError:
        return False
    return True


class _TooLargeError(Exception):
    pass


def _undo(content: bytes, coding: str) -> bytes:
    if coding in ("gzip", "x-gzip"):
        return _inflate_members(content)
    if coding == "deflate":
        # RFC 9110 means zlib's wrapper; some servers send the bare stream, and every browser takes both.
        try:
            return _inflate(content, zlib.MAX_WBITS)[0]
        except zlib.error:
            return _inflate(content, -zlib.MAX_WBITS)[0]
    message = f"the body is in the content coding {coding[:20]!r}; record it uncompressed or as gzip"
    raise UnreadableError(message)


def _inflate_members(content: bytes) -> bytes:
    whole = b""
    for _ in range(_MAX_MEMBERS):
        if not content.startswith(_GZIP_MAGIC):
            return whole
        member, content = _inflate(content, zlib.MAX_WBITS | 16, MAX_DECODED_BYTES - len(whole))
        whole = whole + member if whole else member
    message = f"more than {_MAX_MEMBERS} gzip members"
    raise zlib.error(message)


def _inflate(content: bytes, window: int, limit: int = MAX_DECODED_BYTES) -> tuple[bytes, bytes]:
    stream = zlib.decompressobj(window)
    decoded = stream.decompress(content, limit + 1)
    if len(decoded) > limit:
        raise _TooLargeError
    if not stream.eof:
        message = "the stream ends early"
        raise zlib.error(message)
    return decoded, stream.unused_data
