"""Content codings undone as the bytes arrive, so that a small answer cannot become a large one."""

from __future__ import annotations

import zlib

from monitors.model import Phase
from monitors.transport.failures import ProbeError

_PIECE_BYTES = 256 * 1024
_GZIP_WINDOW = 31
_ZLIB_WINDOW = 15
_RAW_WINDOW = -15
_GZIP = {"gzip", "x-gzip"}
_UNDECODABLE = "response-body-undecodable"
_CODINGS = {"", "identity", "deflate", *_GZIP}


class Decoder:
    """Collects a body, decoded, up to `max_bytes`; `text` is what there is so far."""

    __slots__ = ("_coding", "_inflater", "_max_bytes", "body")

    def __init__(self, coding: str, max_bytes: int) -> None:
        """Prepare for a `Content-Encoding`; raises `ProbeError` for one that was not asked for."""
        self._coding = coding.strip().lower()
        if self._coding not in _CODINGS:
            raise ProbeError(Phase.TRANSFER, _UNDECODABLE, f"the content coding {coding[:40]!r} was not asked for")
        self._max_bytes = max_bytes
        self._inflater: zlib._Decompress | None = None
        self.body = bytearray()

    def feed(self, chunk: bytes) -> None:
        """Take in bytes as they came; raises `ProbeError` for broken ones, or once there are more than the cap."""
        if self._coding in {"", "identity"}:
            self.body += chunk
        else:
            self._inflate(chunk)
        if len(self.body) > self._max_bytes:
            raise too_large(self._max_bytes)

    def finish(self) -> None:
        """Raise `ProbeError` if the compressed body ended too early."""
        if self._inflater is not None and not self._inflater.eof:
            raise ProbeError(Phase.TRANSFER, _UNDECODABLE, f"the {self._coding} data ends too early")

    def _inflate(self, chunk: bytes) -> None:
        while chunk and len(self.body) <= self._max_bytes:
            inflater = self._inflater
            if inflater is None or (inflater.eof and self._coding in _GZIP):
                # A gzip file may consist of several members (RFC 1952, section 2.2).
                inflater = self._inflater = zlib.decompressobj(self._window(chunk))
            elif inflater.eof:
                return
            try:
                # In pieces, so that no second copy of a large body stands beside the first.
                self.body += inflater.decompress(chunk, min(_PIECE_BYTES, self._max_bytes + 1 - len(self.body)))
            except zlib.error as error:
                raise ProbeError(Phase.TRANSFER, _UNDECODABLE, f"the body is no valid {self._coding} data") from error
            chunk = inflater.unused_data if inflater.eof else inflater.unconsumed_tail

    def _window(self, chunk: bytes) -> int:
        if self._coding in _GZIP:
            return _GZIP_WINDOW
        # "deflate" is zlib's format by the standard and bare deflate by some servers' habit.
        return _ZLIB_WINDOW if chunk[0] & 0x0F == zlib.DEFLATED else _RAW_WINDOW


def too_large(max_bytes: int) -> ProbeError:
    """Return the failure of a body above the cap."""
    return ProbeError(Phase.TRANSFER, "response-body-too-large", f"the body exceeds {max_bytes / 2**20:g} MiB")
