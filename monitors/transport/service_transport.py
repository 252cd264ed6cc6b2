"""The transport of httpx to services of the user's, which are no site: any method, no keys of a site, one deadline."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import httpx

from monitors.transport.dialing import Dialer, Wire
from monitors.transport.overrides import Overrides
from monitors.transport.resolving import RESOLVER, Resolver
from monitors.transport.site_transport import WIRE, answered
from monitors.transport.timeline import Timeline
from monitors.transport.tls import tls_context

if TYPE_CHECKING:
    from collections.abc import Mapping


class ServiceTransport(httpx.BaseTransport):
    """Sends each request on a connection of its own, closed with the response, until the deadline `until` gave it.

    Proxies and certificate authorities are those of the probes. Raises `ProbeError` for the service's failures,
    `HarnessError` where this machine fails.
    """

    def __init__(
        self, *, plain_http: bool = False, environ: Mapping[str, str] = os.environ, resolver: Resolver = RESOLVER
    ) -> None:
        """Read the certificate authorities; nothing is connected yet. `plain_http` is for a network of the user's."""
        self._dialer = Dialer(tls_context(None, environ), Overrides(), resolver, environ, plain_http)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send the request and return its response, the body still to be read under the same deadline."""
        return answered(self._dialer, request, request.extensions[WIRE])


def until(timeout_s: float) -> dict[str, Any]:
    """Return the extensions of a request whose last byte has to be here in so many seconds from now."""
    return {WIRE: Wire(Timeline(timeout_s))}
