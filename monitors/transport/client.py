"""What the probe holds of one site: where it is, how it is reached, and one exchange at a time."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import httpx

from monitors.errors import UsageError
from monitors.model import Phases, TlsInfo, TransportFailure
from monitors.transport.decoding import Decoder, too_large
from monitors.transport.dialing import Dialer, Wire, is_loopback
from monitors.transport.failures import ProbeError
from monitors.transport.overrides import Overrides
from monitors.transport.proxies import proxy_for
from monitors.transport.resolving import RESOLVER, Resolver
from monitors.transport.site_transport import WIRE, SiteTransport
from monitors.transport.timeline import Timeline
from monitors.transport.tls import tls_context

if TYPE_CHECKING:
    import ssl
    from collections.abc import Iterable, Mapping

    from monitors.transport.masking import Sealed

MAX_BODY_BYTES = 10 * 2**20
_KEPT_BYTES = 4096
_DEFAULT_TIMEOUT_S = 10.0


@dataclass(slots=True)
class Exchange:
    """One request and what came of it, keys masked; the fields are those of an `Observation`."""

    status: int | None = None
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    wire_size: int | None = None
    body_size: int | None = None
    http_version: str | None = None
    address: str | None = None
    tls: TlsInfo | None = None
    phases: Phases = field(default_factory=Phases)
    failure: TransportFailure | None = None


class SiteClient:
    """The way to one site, at `base_url`, for any number of exchanges, one at a time or from several threads.

    `base_url` is `https://host[:port]`, or `http://` on loopback. Keys go to the `site_host` of the table, to loopback,
    and to `named_hosts`, which the user must have named on purpose. Proxies come from `environ`. Raises `UsageError`
    for an address or a proxy that cannot be used.
    """

    def __init__(
        self,
        base_url: str,
        *,
        site_host: str,
        named_hosts: Iterable[str] = (),
        timeout_s: float = _DEFAULT_TIMEOUT_S,
        context: ssl.SSLContext | None = None,
        overrides: Overrides | None = None,
        environ: Mapping[str, str] = os.environ,
        resolver: Resolver = RESOLVER,
        max_body_bytes: int = MAX_BODY_BYTES,
    ) -> None:
        """Check the address; nothing is connected yet. The default `context` is `tls_context()`."""
        url = _checked(base_url)
        self.base_url = f"{url.scheme}://{url.netloc.decode('ascii')}"
        self.timeout_s = timeout_s
        self._max_body_bytes = max_body_bytes
        dialer = Dialer(context or tls_context(None, environ), overrides or Overrides(), resolver, environ)
        if not is_loopback(url.host):
            proxy_for(url.host, url.port or 443, environ)
        hosts = frozenset(host.lower() for host in (site_host, *named_hosts))
        self.transport = SiteTransport(dialer, hosts=hosts, timeout_s=timeout_s)

    def exchange(self, method: str, path: str, headers: Mapping[str, str], sealed: Sealed) -> Exchange:
        """Send one request and return what came, whatever it was, with the keys of `sealed` masked in it.

        Raises `RefusedError` and `HarnessError`; a failure of the site is a value.
        """
        wire = Wire(Timeline(self.timeout_s))
        request = httpx.Request(method, self.base_url + path, headers=headers, extensions={WIRE: wire})
        seen = Exchange()
        try:
            response = self.transport.handle_request(request)
        except ProbeError as error:
            seen.failure = error.masked(sealed)
        else:
            try:
                self._receive(response, seen, sealed)
            finally:
                response.close()
        wire.timeline.stop()
        seen.phases, seen.address, seen.tls = wire.timeline.phases(), wire.address, wire.tls
        return seen

    def _receive(self, response: httpx.Response, seen: Exchange, sealed: Sealed) -> None:
        """Read the body into `seen`; what there is of it stays there when it fails."""
        seen.status = response.status_code
        seen.headers = sealed.mask_headers(response.headers.raw)
        seen.http_version = response.extensions["http_version"].decode("ascii").removeprefix("HTTP/")
        try:
            decoder = Decoder(response.headers.get("content-encoding", ""), self._max_body_bytes)
        except ProbeError as error:
            # What cannot be decoded cannot be searched for keys either, so nothing of it is kept.
            seen.failure = error.masked(sealed)
            return
        try:
            seen.wire_size = 0
            max_wire_bytes = self._max_wire_bytes(response.headers)
            for chunk in response.stream:  # type: ignore[union-attr]  # synchronous, as SiteTransport made it
                seen.wire_size += len(chunk)
                decoder.feed(chunk)
                if seen.wire_size > max_wire_bytes:
                    raise too_large(self._max_body_bytes)
            decoder.finish()
            seen.body = sealed.mask(bytes(decoder.body))
        except ProbeError as error:
            seen.failure = error.masked(sealed)
            large = error.failure.rule == "response-body-too-large"
            kept = sealed.mask_cut(bytes(decoder.body[: 2 * _KEPT_BYTES] if large else decoder.body))
            seen.body = kept[:_KEPT_BYTES] if large else kept
        seen.body_size = len(decoder.body)

    def _max_wire_bytes(self, headers: httpx.Headers) -> int:
        """Return how much of a body to read: a length announced beyond the cap is not downloaded up to it."""
        announced = 0 if "transfer-encoding" in headers else int(headers.get("content-length", 0))
        return _KEPT_BYTES if announced > self._max_body_bytes else self._max_body_bytes


def _checked(base_url: str) -> httpx.URL:
    try:
        url = httpx.URL(base_url)
    except (httpx.InvalidURL, ValueError):
        url = httpx.URL("")
    # An address may carry a password, so it is not repeated.
    if url.scheme not in {"http", "https"} or not url.host:
        message = "the address of a site must be like https://api.datadoghq.com"
        raise UsageError(message)
    if url.userinfo or url.path not in {"", "/"} or url.query or url.fragment:
        message = f"the address of a site is scheme, host and port only; write {url.scheme}://{url.host}"
        raise UsageError(message)
    if url.scheme == "http" and not is_loopback(url.host):
        message = f"http://{url.host}: plain HTTP is for loopback only; write https://{url.host}"
        raise UsageError(message)
    return url
