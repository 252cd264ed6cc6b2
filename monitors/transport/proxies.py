"""HTTP proxies from the environment: honoured, or refused with a reason, never half of each."""

from __future__ import annotations

import re
from base64 import b64encode
from dataclasses import dataclass, field
from ipaddress import ip_address, ip_network
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from monitors.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

_VARIABLES = ("https_proxy", "all_proxy")
_WITH_PORT = re.compile(r"(?P<host>\[[^]]+\]|[^:]+):(?P<port>[0-9]{1,5})")
_DEFAULT_PORT = 80


@dataclass(frozen=True, slots=True)
class Proxy:
    """An HTTP proxy that tunnels by CONNECT; its credentials are never part of the `repr`."""

    host: str
    port: int
    authorization: bytes | None = field(default=None, repr=False)


def proxy_for(host: str, port: int, environ: Mapping[str, str]) -> Proxy | None:
    """Return the proxy for `https://host:port`, or None to go direct.

    `HTTPS_PROXY` counts before `ALL_PROXY`, the lower-case spelling before the upper-case one, an empty value is no
    proxy; `NO_PROXY` lists hosts, domains, `host:port`, networks, or `*`. `HTTP_PROXY` is for plain HTTP, which is
    spoken to loopback only and always direct. Raises `UsageError` for a proxy that is not `http://host[:port]`.
    """
    for name in _VARIABLES:
        variable = name if name in environ else name.upper()
        value = environ.get(variable, "").strip()
        if value:
            return None if _excepted(host, port, environ) else _parsed(variable, value)
    return None


def _parsed(variable: str, value: str) -> Proxy:
    try:
        parts = urlsplit(value if "://" in value else f"http://{value}")
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port, parts = None, None, urlsplit("")
    # The value may hold a password, so it is never repeated.
    if host is None or parts.path not in {"", "/"} or parts.query or parts.fragment:
        message = f"{variable} is no proxy address; write http://host:port"
        raise UsageError(message)
    if parts.scheme != "http":
        message = f"{variable}: {parts.scheme} proxies are not supported; name an http:// proxy or unset it"
        raise UsageError(message)
    authorization = None
    if parts.username is not None:
        pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
        authorization = b"Basic " + b64encode(pair.encode())
    return Proxy(host, port or _DEFAULT_PORT, authorization)


def _excepted(host: str, port: int, environ: Mapping[str, str]) -> bool:
    listed = environ.get("no_proxy", environ.get("NO_PROXY", ""))
    return any(_covers(entry.strip().lower(), host.lower(), port) for entry in listed.split(",") if entry.strip())


def _covers(entry: str, host: str, port: int) -> bool:
    if entry == "*":
        return True
    match = _WITH_PORT.fullmatch(entry)
    if match is not None:
        if int(match["port"]) != port:
            return False
        entry = match["host"]
    entry = entry.strip("[]").lstrip(".")
    if host == entry or host.endswith(f".{entry}"):
        return True
    try:
        return ip_address(host) in ip_network(entry, strict=False)
    except ValueError:
        return False
