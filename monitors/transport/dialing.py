"""From a URL to an open connection: route, resolve, connect, proxy tunnel, TLS."""

from __future__ import annotations

import socket
import ssl
from dataclasses import dataclass
from http.client import responses
from typing import TYPE_CHECKING

import httpcore

from monitors.errors import HarnessError, RefusedError
from monitors.model import Phase, TlsInfo
from monitors.transport.failures import ProbeError, connect_failure, no_way_out, raise_if_exhausted, reason_of
from monitors.transport.proxies import proxy_for
from monitors.transport.resolving import literal
from monitors.transport.stream import WireStream
from monitors.transport.tls import certificate_failure, handshake_failure, tls_info, unverified_context

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from monitors.transport.overrides import Overrides
    from monitors.transport.proxies import Proxy
    from monitors.transport.resolving import Address, Resolver
    from monitors.transport.timeline import Timeline

_SUCCESSES = range(200, 300)


def is_loopback(host: str) -> bool:
    """Say whether a host is this machine by its very name: `localhost`, `*.localhost`, `127.0.0.0/8` or `::1`."""
    name = host.lower().rstrip(".").strip("[]")
    if name == "localhost" or name.endswith(".localhost"):
        return True
    address = literal(name, 0)
    return address is not None and is_loopback_address(address)


def is_loopback_address(address: Address) -> bool:
    """Say whether an address never leaves this machine."""
    return address.ip.startswith("127.") if address.family is socket.AF_INET else address.ip == "::1"


@dataclass(slots=True)
class Wire:
    """What is known of the connection of one request, complete or not: its clock, the peer's address, TLS."""

    timeline: Timeline
    address: str | None = None
    tls: TlsInfo | None = None


@dataclass(frozen=True, slots=True)
class Dialer:
    """Opens connections to one site, each one new; plain HTTP to this machine only, unless `plain_http`."""

    context: ssl.SSLContext
    overrides: Overrides
    resolver: Resolver
    environ: Mapping[str, str]
    plain_http: bool = False

    def open(self, scheme: str, host: str, port: int, wire: Wire) -> WireStream:
        """Return a connection ready for the request; raises `ProbeError`, or `HarnessError` if this machine fails."""
        stream = self._reach(scheme, host, port, wire)
        if scheme != "https":
            return stream
        wire.timeline.enter(Phase.TLS)
        try:
            stream.start_tls(self.context, host)
            wire.tls = tls_info(stream.sock, verified=True)  # type: ignore[arg-type]  # start_tls made it so
        except ssl.SSLCertVerificationError as error:
            stream.close()
            self._look_closer(host, port, wire)
            raise certificate_failure(error, host, wire.tls) from error
        except OSError as error:
            stream.close()
            raise_if_exhausted(error)
            self._look_closer(host, port, wire)
            raise handshake_failure(error, host, wire.tls) from error
        except BaseException:
            stream.close()
            raise
        return stream

    def _reach(self, scheme: str, host: str, port: int, wire: Wire) -> WireStream:
        """Connect to the site, or to the proxy and through it."""
        to_host, to_port = self.overrides.destination(host, port)
        given = self.overrides.addresses_of(to_host, to_port)
        # Proxies tunnel: what is plain HTTP is within the user's own network, or on this machine.
        direct = scheme != "https" or given or (to_host, to_port) != (host, port) or is_loopback(to_host)
        proxy = None if direct else proxy_for(host, port, self.environ)
        if proxy is not None:
            return self._tunnel(proxy, host, port, wire)
        addresses = given or self._addresses(to_host, to_port, wire.timeline)
        if scheme != "https" and not self.plain_http and not all(map(is_loopback_address, addresses)):
            message = f"plain HTTP to {host} would leave this machine; write https://"
            raise RefusedError(message)
        return _connect(addresses, to_host, wire)

    def _addresses(self, host: str, port: int, timeline: Timeline) -> Sequence[Address]:
        address = literal(host, port)
        if address is not None:
            return (address,)
        timeline.enter(Phase.RESOLVE)
        return self.resolver.resolve(host, port, timeline)

    def _tunnel(self, proxy: Proxy, host: str, port: int, wire: Wire) -> WireStream:
        place = f"the proxy {proxy.host}:{proxy.port}"
        try:
            stream = _connect(self._addresses(proxy.host, proxy.port, wire.timeline), proxy.host, wire)
        except ProbeError as error:
            if error.failure.rule == "timeout":
                raise
            raise ProbeError(error.failure.phase, "proxy-failed", f"{place} is out of reach: {error}") from error
        try:
            status = _ask_for_tunnel(stream, proxy, host, port)
        except BaseException as error:
            stream.close()
            if isinstance(error, httpcore.ProtocolError) or (
                isinstance(error, ProbeError) and error.failure.rule != "timeout"
            ):
                raise ProbeError(Phase.CONNECT, "proxy-failed", f"{place} does not answer as a proxy") from error
            raise
        if status not in _SUCCESSES:
            stream.close()
            said = f"{status} {responses.get(status, '')}".rstrip()
            raise ProbeError(Phase.CONNECT, "proxy-failed", f"{place} refused the tunnel: {said}")
        return stream

    def _look_closer(self, host: str, port: int, wire: Wire) -> None:
        """Shake hands once more, verifying nothing, to see certificate and version; not one byte of HTTP is sent."""
        try:
            stream = self._reach("https", host, port, Wire(wire.timeline))
        except (ProbeError, HarnessError):
            return
        finally:
            wire.timeline.enter(Phase.TLS)
        try:
            stream.start_tls(unverified_context(), host)
            wire.tls = tls_info(stream.sock, verified=False)  # type: ignore[arg-type]  # start_tls made it so
        except (ProbeError, OSError):
            return
        finally:
            stream.close()


def _ask_for_tunnel(stream: WireStream, proxy: Proxy, host: str, port: int) -> int:
    target = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    url = httpcore.URL(scheme=b"http", host=proxy.host, port=proxy.port, target=target)
    headers = [(b"Host", target.encode()), (b"Accept", b"*/*")]
    if proxy.authorization is not None:
        headers.append((b"Proxy-Authorization", proxy.authorization))
    connection = httpcore.HTTP11Connection(url.origin, stream)
    return connection.handle_request(httpcore.Request(b"CONNECT", url, headers=headers)).status


def _connect(addresses: Sequence[Address], host: str, wire: Wire) -> WireStream:
    """Try the addresses in order until one accepts; each but the last may use half of the time left."""
    timeline = wire.timeline
    timeline.enter(Phase.CONNECT)
    failures: list[OSError] = []
    seen: ProbeError | None = None
    for index, address in enumerate(addresses, start=1):
        left_s = timeline.left_s()
        try:
            sock = _open(address, left_s if index == len(addresses) else left_s / 2)
        except OSError as error:
            raise_if_exhausted(error)
            failures.append(error)
            if not no_way_out(error):
                wire.address = address.ip
                timed_out = isinstance(error, TimeoutError) and error.errno is None
                seen = timeline.timeout() if timed_out else connect_failure(error, address.place)
            continue
        wire.address = address.ip
        return WireStream(sock, timeline)
    if seen is None:
        reason = reason_of(failures[-1]) if failures else "no address"
        message = f"this machine has no way to {host}: {reason}"
        raise HarnessError(message)
    raise seen


def _open(address: Address, timeout_s: float) -> socket.socket:
    sock = socket.socket(address.family, socket.SOCK_STREAM)
    try:
        sock.settimeout(timeout_s)
        sock.connect(address.sockaddr)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    except BaseException:
        sock.close()
        raise
    return sock
