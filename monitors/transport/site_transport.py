"""The transport of httpx that every request of this project goes through: GET and HEAD, to the site, once."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import httpcore
import httpx

from monitors.errors import RefusedError
from monitors.model import Phase
from monitors.transport.dialing import Dialer, Wire, is_loopback
from monitors.transport.failures import ProbeError
from monitors.transport.timeline import Timeline

if TYPE_CHECKING:
    from collections.abc import Iterator

    from monitors.transport.stream import WireStream

# At DEBUG httpcore logs the headers of answers as they came, which is before any key in them is masked.
logging.getLogger("httpcore").setLevel(logging.INFO)

_METHODS = {"GET", "HEAD"}
_KEY_HEADERS = ("dd-api-key", "dd-application-key")
_HTTP = b"HTTP/1."
_PORTS = {"http": 80, "https": 443}
WIRE = "wire"
"""Name of the extension under which a request and its response carry the `Wire`."""


class SiteTransport(httpx.BaseTransport):
    """Sends each request on a connection of its own, closed with the response.

    Nothing but GET and HEAD leaves; keys go to `hosts` and to loopback only. One deadline of `timeout_s` seconds spans
    everything from resolving to the last byte. Raises `ProbeError` for the site's failures, `RefusedError` before
    anything is sent, `HarnessError` where this machine fails.
    """

    def __init__(self, dialer: Dialer, *, hosts: frozenset[str], timeout_s: float) -> None:
        """Serve the site whose lower-case host names are `hosts`."""
        self._dialer = dialer
        self._hosts = hosts
        self._timeout_s = timeout_s

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send the request and return its response, the body still to be read under the same deadline."""
        self._refuse(request)
        wire: Wire = request.extensions.get(WIRE) or Wire(Timeline(self._timeout_s))
        return answered(self._dialer, request, wire)

    def _refuse(self, request: httpx.Request) -> None:
        """Raise `RefusedError` for what this project never sends."""
        if request.method not in _METHODS:
            message = f"refused to send {request.method}: only GET and HEAD ever leave this project"
            raise RefusedError(message)
        host, scheme = request.url.host, request.url.scheme
        if scheme not in _PORTS:
            message = f"refused to send a request by {scheme or 'no scheme'}: only https, or http to loopback"
            raise RefusedError(message)
        if any(name in request.headers for name in _KEY_HEADERS) and host not in self._hosts and not is_loopback(host):
            message = f"refused to send keys to {host}: they belong to {', '.join(sorted(self._hosts))}"
            raise RefusedError(message)


def answered(dialer: Dialer, request: httpx.Request, wire: Wire) -> httpx.Response:
    """Send a request on a connection of its own, and return its response, the body still to be read.

    All of it is under the deadline of `wire`. Raises `ProbeError`, and `HarnessError` where this machine fails.
    """
    url = request.url
    port = url.port or _PORTS[url.scheme]
    stream = dialer.open(url.scheme, url.host, port, wire)
    try:
        wire.timeline.enter(Phase.FIRST_BYTE)
        answer = _exchange(stream, request, port, wire.timeline)
    except BaseException:
        stream.close()
        raise
    stream.head_complete = True
    extensions = {**answer.extensions, WIRE: wire}
    return httpx.Response(
        answer.status, headers=answer.headers, stream=_Body(answer, stream, wire.timeline), extensions=extensions
    )


class _Body(httpx.SyncByteStream):
    """The body as it arrives, content coding and all; closes the connection when closed."""

    def __init__(self, answer: httpcore.Response, stream: WireStream, timeline: Timeline) -> None:
        self._answer = answer
        self._stream = stream
        self._timeline = timeline

    def __iter__(self) -> Iterator[bytes]:
        try:
            for chunk in self._answer.stream:  # type: ignore[union-attr]  # a synchronous stream, as it was asked for
                yield chunk
                # Thousands of tiny chunks can lie in one read, so the clock is looked at for each.
                self._timeline.left_s()
        except httpcore.RemoteProtocolError as error:
            raise _body_failure(error) from error

    def close(self) -> None:
        self._stream.close()


def _exchange(stream: WireStream, request: httpx.Request, port: int, timeline: Timeline) -> httpcore.Response:
    url = request.url
    target = httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=port, target=url.raw_path)
    connection = httpcore.HTTP11Connection(target.origin, stream)
    try:
        answer = connection.handle_request(
            httpcore.Request(request.method, target, headers=request.headers.raw, content=request.stream)
        )
    except httpcore.RemoteProtocolError as error:
        raise _head_failure(error, stream, timeline) from error
    if not stream.start.startswith(_HTTP):
        # h11 takes any version; one that was not asked for frames its body in ways nobody knows.
        raise ProbeError(timeline.phase, "response-malformed", "what came is not HTTP/1.1", start=stream.start)
    return answer


def _head_failure(error: Exception, stream: WireStream, timeline: Timeline) -> ProbeError:
    """Tell a connection closed early from an answer that is no HTTP."""
    if not stream.bytes_read:
        return ProbeError(timeline.phase, "connection-closed", "the connection was closed before any answer")
    if not (stream.start.startswith(_HTTP) or _HTTP.startswith(stream.start)):
        return ProbeError(timeline.phase, "response-malformed", "what came is not HTTP/1.1", start=stream.start)
    said = _gist(error)
    if said.startswith("Server disconnected"):
        message = f"the connection was closed within the headers, after {stream.bytes_read} bytes"
        return ProbeError(timeline.phase, "connection-closed", message)
    return ProbeError(timeline.phase, "response-malformed", f"the head of the answer is not HTTP/1.1: {said}")


def _body_failure(error: Exception) -> ProbeError:
    said = _gist(error)
    if said.startswith("peer closed connection"):
        return ProbeError(Phase.TRANSFER, "response-body-truncated", "the connection was closed within the body")
    return ProbeError(Phase.TRANSFER, "response-malformed", f"the body is not framed as HTTP/1.1: {said}")


def _gist(error: Exception) -> str:
    """Return h11's words without the bytes it quotes after a colon."""
    return str(error).partition(":")[0]
