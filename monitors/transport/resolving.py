"""From a host name to addresses, within the deadline."""

from __future__ import annotations

import socket
import threading
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any

from monitors.errors import HarnessError
from monitors.model import Phase
from monitors.transport.failures import ProbeError, ResolverError, reason_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from monitors.transport.timeline import Timeline

_UNKNOWN_NAME = {
    getattr(socket, name) for name in ("EAI_NONAME", "EAI_NODATA", "EAI_ADDRFAMILY") if hasattr(socket, name)
}


@dataclass(frozen=True, slots=True)
class Address:
    """One address to connect to: the family and what `socket.connect` takes."""

    family: socket.AddressFamily
    sockaddr: tuple[Any, ...]

    @property
    def ip(self) -> str:
        """The address without the port."""
        return str(self.sockaddr[0])

    @property
    def place(self) -> str:
        """Address and port as a person writes them."""
        host = f"[{self.ip}]" if self.family is socket.AF_INET6 else self.ip
        return f"{host}:{self.sockaddr[1]}"


def literal(host: str, port: int) -> Address | None:
    """Return the address a host is written as, or None for a name."""
    try:
        version = ip_address(host).version
    except ValueError:
        return None
    family = socket.AF_INET if version == 4 else socket.AF_INET6  # noqa: PLR2004 - the versions of IP
    return Address(family, (host, port) if family is socket.AF_INET else (host, port, 0, 0))


@dataclass(slots=True)
class _Lookup:
    done: threading.Event = field(default_factory=threading.Event)
    addresses: list[Address] = field(default_factory=list)
    error: Exception | None = None


class Resolver:
    """The system's resolver, asked in a thread of its own because nothing can interrupt it.

    A name that is being looked up already is not asked for again: a resolver that hangs costs one thread per name,
    however often the name is probed.
    """

    def __init__(self, getaddrinfo: Callable[..., Any] = socket.getaddrinfo) -> None:
        """Ask `getaddrinfo`, which is called as the one of the standard library."""
        self._getaddrinfo = getaddrinfo
        self._running: dict[tuple[str, int], _Lookup] = {}
        self._lock = threading.Lock()

    def resolve(self, host: str, port: int, timeline: Timeline) -> list[Address]:
        """Return every address of a name in the order of the system.

        Raises `ProbeError` for a name that does not exist, `ResolverError` where the resolver gives no answer in time.
        """
        lookup = self._start(host, port)
        if not lookup.done.wait(timeline.left_s()):
            raise ResolverError(host, f"nothing within {timeline.timeout_s:g} s", rule="timeout")
        error = lookup.error
        if error is None:
            return lookup.addresses
        if isinstance(error, socket.gaierror) and error.errno in _UNKNOWN_NAME:
            raise ProbeError(Phase.RESOLVE, "name-not-resolved", f"{host} does not resolve: {reason_of(error)}")
        if isinstance(error, UnicodeError):
            raise ProbeError(Phase.RESOLVE, "name-not-resolved", f"{host} is no host name")
        raise ResolverError(host, reason_of(error) if isinstance(error, OSError) else str(error)) from error

    def _start(self, host: str, port: int) -> _Lookup:
        with self._lock:
            lookup = self._running.get((host, port))
            if lookup is not None:
                return lookup
            lookup = self._running[host, port] = _Lookup()
        try:
            name = f"resolve-{host}"
            threading.Thread(target=self._look_up, args=(host, port, lookup), name=name, daemon=True).start()
        except RuntimeError as error:
            self._running.pop((host, port), None)
            message = f"this machine cannot start a thread: {error}"
            raise HarnessError(message) from error
        return lookup

    def _look_up(self, host: str, port: int, lookup: _Lookup) -> None:
        try:
            rows = self._getaddrinfo(host, port, type=socket.SOCK_STREAM)
            lookup.addresses = [Address(row[0], row[4]) for row in rows]
        except Exception as error:  # noqa: BLE001 - handed to whoever waits, who tells the kinds apart
            lookup.error = error
        finally:
            self._running.pop((host, port), None)
            lookup.done.set()


RESOLVER = Resolver()
"""The resolver every site shares unless it is given another."""
