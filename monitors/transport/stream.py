"""One connection: every read, write and handshake under the probe's deadline, every byte counted."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING

import httpcore

from monitors.model import Phase
from monitors.transport.failures import ProbeError, broken_connection

if TYPE_CHECKING:
    import socket

    from monitors.transport.timeline import Timeline

MAX_HEAD_BYTES = 64 * 1024
_START_BYTES = 8192


class WireStream(httpcore.NetworkStream):
    """A connected socket as httpcore wants it; the timeouts httpcore passes are ignored for the deadline."""

    def __init__(self, sock: socket.socket, timeline: Timeline) -> None:
        """Take over a connected socket."""
        self.sock = sock
        self.bytes_read = 0
        self.start = b""
        self.head_complete = False
        self._timeline = timeline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ARG002 - httpcore's signature
        """Return what has arrived, `b""` at the end; raises `ProbeError`."""
        timeline = self._timeline
        if not self.head_complete:
            max_bytes = min(max_bytes, MAX_HEAD_BYTES - self.bytes_read)
            if max_bytes <= 0:
                message = f"more than {MAX_HEAD_BYTES // 1024} KiB of headers"
                raise ProbeError(Phase.TRANSFER, "response-headers-too-large", message)
        self.sock.settimeout(timeline.left_s())
        try:
            data = self.sock.recv(max_bytes)
        except TimeoutError as error:
            raise timeline.timeout() from error
        except ssl.SSLEOFError as error:
            if _is_reset(error):
                raise broken_connection(ConnectionResetError(), timeline.phase, self.bytes_read) from error
            data = b""  # many servers end TLS without a farewell; what is missing then shows in the framing
        except OSError as error:
            raise broken_connection(error, timeline.phase, self.bytes_read) from error
        if data and timeline.phase is Phase.FIRST_BYTE:
            timeline.enter(Phase.TRANSFER)
        if len(self.start) < _START_BYTES:
            self.start += data[: _START_BYTES - len(self.start)]
        self.bytes_read += len(data)
        return data

    def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ARG002 - httpcore's signature
        """Send everything; a peer that has stopped reading may have answered, so its going away is no failure yet."""
        view = memoryview(buffer)
        while view:
            self.sock.settimeout(self._timeline.left_s())
            try:
                view = view[self.sock.send(view) :]
            except TimeoutError as error:
                raise self._timeline.timeout() from error
            except OSError as error:
                raise httpcore.WriteError(str(error)) from error

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ARG002 - httpcore's signature
    ) -> WireStream:
        """Return the stream inside TLS; raises what `ssl` raises, and `ProbeError` at the deadline."""
        self.sock.settimeout(self._timeline.left_s())
        try:
            self.sock = ssl_context.wrap_socket(self.sock, server_hostname=server_hostname, suppress_ragged_eofs=False)
        except TimeoutError as error:
            raise self._timeline.timeout() from error
        self.bytes_read, self.start, self.head_complete = 0, b"", False
        return self

    def close(self) -> None:
        """Close the connection without a farewell."""
        self.sock.close()


def _is_reset(error: ssl.SSLEOFError) -> bool:
    """Tell a TCP reset within TLS from an end without farewell.

    Python reports both as the same exception; OpenSSL 3 gives a reason for the latter only, older ones for neither.
    """
    return not error.reason and ssl.OPENSSL_VERSION_INFO >= (3,)
