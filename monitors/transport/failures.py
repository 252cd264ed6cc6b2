"""What went wrong on the way, told apart: the site's failures are values, the harness's own are exceptions."""

from __future__ import annotations

import errno
import ssl
from dataclasses import replace
from typing import TYPE_CHECKING

import httpx

from monitors.errors import HarnessError
from monitors.model import Observation, Phase, TransportFailure

if TYPE_CHECKING:
    from monitors.transport.masking import Sealed

_SHOWN_BYTES = 40
_EXHAUSTED = {errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM}
_NO_WAY_OUT = {
    errno.ENETUNREACH,
    errno.ENETDOWN,
    errno.EADDRNOTAVAIL,
    errno.EAFNOSUPPORT,
    errno.EACCES,
    errno.EPERM,
}


class ProbeError(httpx.TransportError):
    """A failure of the site, on its way from the place it happened to the observation it becomes."""

    def __init__(self, phase: Phase, rule: str, message: str, *, start: bytes = b"") -> None:
        """Carry the failure; `message` is one line for a person, `start` what the site sent, keys unmasked."""
        super().__init__(message)
        self.failure = TransportFailure(rule, phase, message)
        self._start = start

    def masked(self, sealed: Sealed) -> TransportFailure:
        """Return the failure with every key masked, and with a short excerpt of what the site sent, if any."""
        message = sealed.mask_text(self.failure.message)
        if self._start:
            # Masked as a whole first: an excerpt could cut a key in two and hide it from the mask.
            shown = sealed.mask_cut(self._start)[:_SHOWN_BYTES].decode("ascii", "backslashreplace")
            message = f"{message}; it begins {shown!r}"
        return replace(self.failure, message=message)


class ResolverError(HarnessError):
    """The resolver gave no answer at all, so nothing is known of the site.

    `failure` is what to say instead once it is known that the resolver answers for other names, and `observation` the
    probe as it would then be.
    """

    observation: Observation | None = None

    def __init__(self, host: str, reason: str, *, rule: str = "name-not-resolved") -> None:
        """Say which name was asked for, what the resolver said, and the rule of the failure it would be."""
        super().__init__(f"the resolver of this machine gives no answer for {host}: {reason}")
        self.failure = TransportFailure(
            rule, Phase.RESOLVE, f"{host} does not resolve, though other names do: {reason}"
        )


def reason_of(error: OSError) -> str:
    """Return the system's words for an error, in lower case."""
    return (error.strerror or str(error) or type(error).__name__).lower()


def tls_reason(error: OSError) -> str:
    """Return OpenSSL's words for an error, in lower case, else the system's."""
    reason = getattr(error, "reason", None)
    return reason.replace("_", " ").lower() if reason else reason_of(error)


def no_way_out(error: OSError) -> bool:
    """Say whether a connection failed for want of a route, an address or a permission on this machine."""
    return error.errno in _NO_WAY_OUT


def raise_if_exhausted(error: OSError) -> None:
    """Raise `HarnessError` if this process or machine has run out of sockets or memory."""
    if error.errno in _EXHAUSTED:
        message = f"this machine cannot open a connection: {reason_of(error)}"
        raise HarnessError(message) from error


def connect_failure(error: OSError, place: str) -> ProbeError:
    """Return the failure a refused or failed connection to `place` (address and port) is."""
    if isinstance(error, ConnectionRefusedError):
        return ProbeError(Phase.CONNECT, "connection-refused", f"{place} refused the connection")
    if isinstance(error, ConnectionResetError):
        return ProbeError(Phase.CONNECT, "connection-reset", f"{place} reset the connection")
    return ProbeError(Phase.CONNECT, "connection-failed", f"no connection to {place}: {reason_of(error)}")


def broken_connection(error: OSError, phase: Phase, bytes_read: int) -> ProbeError:
    """Return the failure of a connection that broke while it was in use."""
    raise_if_exhausted(error)
    when = f"after {bytes_read} bytes of an answer" if bytes_read else "before any answer"
    if isinstance(error, ConnectionResetError | BrokenPipeError):
        return ProbeError(phase, "connection-reset", f"the connection was reset {when}")
    if isinstance(error, ssl.SSLError) and not bytes_read:
        # In TLS 1.3 the site's refusal of a handshake reaches the client only with the first read.
        return ProbeError(phase, "tls-handshake-failed", f"the site ended TLS {when}: {tls_reason(error)}")
    return ProbeError(phase, "connection-reset", f"the connection broke {when}: {tls_reason(error)}")
