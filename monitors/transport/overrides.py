"""Where to connect instead, written as for curl: `--resolve` and `--connect-to`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from monitors.errors import UsageError
from monitors.transport.resolving import literal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from monitors.transport.resolving import Address

_HOST = r"(?:\[[0-9A-Fa-f:.]+\]|[^:\[\]]*)"
_RESOLVE = re.compile(rf"\+?(?P<host>{_HOST}):(?P<port>[0-9]+):(?P<addresses>.+)")
_CONNECT_TO = re.compile(rf"(?P<host>{_HOST}):(?P<port>[0-9]*):(?P<to_host>{_HOST}):(?P<to_port>[0-9]*)")
_RESOLVE_FORM = "HOST:PORT:ADDRESS[,ADDRESS], e.g. api.us5.datadoghq.com:443:127.0.0.1"
_CONNECT_TO_FORM = "HOST:PORT:TO_HOST:TO_PORT, e.g. api.us5.datadoghq.com:443:127.0.0.1:8443"
_MAX_PORT = 65535


@dataclass(frozen=True, slots=True)
class _Redirection:
    host: str
    port: int | None
    to_host: str
    to_port: int | None

    def fits(self, host: str, port: int) -> bool:
        return self.host in {"", host} and self.port in {None, port}


@dataclass(frozen=True, slots=True)
class Overrides:
    """Both kinds of override; of several that fit the first counts, and `*` in `--resolve` fits any host."""

    addresses: tuple[tuple[str, int, tuple[str, ...]], ...] = ()
    redirections: tuple[_Redirection, ...] = ()

    def destination(self, host: str, port: int) -> tuple[str, int]:
        """Return the host and port to connect to in place of those asked for."""
        for row in self.redirections:
            if row.fits(host, port):
                return row.to_host or host, row.to_port or port
        return host, port

    def addresses_of(self, host: str, port: int) -> list[Address]:
        """Return the addresses given for a host and port; none where it is to be resolved."""
        for named, at_port, texts in self.addresses:
            if named in {host, "*"} and at_port == port:
                return [address for text in texts if (address := literal(text, port))]
        return []


def parse_overrides(resolve: Sequence[str] = (), connect_to: Sequence[str] = ()) -> Overrides:
    """Return the overrides of any number of `--resolve` and `--connect-to` texts; raises `UsageError`."""
    return Overrides(
        tuple(_resolve(text) for text in resolve),
        tuple(_connect_to(text) for text in connect_to),
    )


def _resolve(text: str) -> tuple[str, int, tuple[str, ...]]:
    match = _RESOLVE.fullmatch(text)
    if match is None or not match["host"]:
        raise _wrong(text, "--resolve", _RESOLVE_FORM)
    port = _port("--resolve", text, match["port"], _RESOLVE_FORM)
    addresses = tuple(_bare(address) for address in match["addresses"].split(","))
    for address in addresses:
        if literal(address, port) is None:
            message = f"--resolve {text}: {address!r} is no IP address; write {_RESOLVE_FORM}"
            raise UsageError(message)
    return _bare(match["host"]), port, addresses


def _connect_to(text: str) -> _Redirection:
    match = _CONNECT_TO.fullmatch(text)
    if match is None:
        raise _wrong(text, "--connect-to", _CONNECT_TO_FORM)
    ports = [
        _port("--connect-to", text, match[name], _CONNECT_TO_FORM) if match[name] else None
        for name in ("port", "to_port")
    ]
    return _Redirection(_bare(match["host"]), ports[0], _bare(match["to_host"]), ports[1])


def _port(option: str, text: str, digits: str, form: str) -> int:
    if not 1 <= int(digits[:6]) <= _MAX_PORT:
        raise _wrong(text, option, form)
    return int(digits)


def _bare(host: str) -> str:
    return host.strip().strip("[]").lower()


def _wrong(text: str, option: str, form: str) -> UsageError:
    return UsageError(f"{option} {text!r}: write {form}")
