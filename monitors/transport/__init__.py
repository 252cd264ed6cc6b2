"""The only part of the monitor that speaks to a site: one request, one connection, one deadline, keys masked.

Services of the user's are reached in the same way, by `ServiceTransport`.
"""

from monitors.transport.client import MAX_BODY_BYTES, Exchange, SiteClient
from monitors.transport.dialing import is_loopback
from monitors.transport.failures import ProbeError, ResolverError
from monitors.transport.masking import Sealed
from monitors.transport.overrides import Overrides, parse_overrides
from monitors.transport.proxies import proxy_for
from monitors.transport.resolving import Resolver
from monitors.transport.service_transport import ServiceTransport, until
from monitors.transport.site_transport import SiteTransport
from monitors.transport.tls import tls_context

__all__ = [
    "MAX_BODY_BYTES",
    "Exchange",
    "Overrides",
    "ProbeError",
    "Resolver",
    "ResolverError",
    "Sealed",
    "ServiceTransport",
    "SiteClient",
    "SiteTransport",
    "is_loopback",
    "parse_overrides",
    "proxy_for",
    "tls_context",
    "until",
]
