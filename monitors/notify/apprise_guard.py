"""What apprise may do: send what any sink may, in time, whatever an address or a service of apprise's makes of it.

Its services wait for each byte anew, so one that drips its answer would keep a thread of apprise's for ever.
"""

from __future__ import annotations

import socket
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import cache, wraps
from threading import Lock
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from monitors.errors import RefusedError
from monitors.notify.http import refuse

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@dataclass(slots=True)
class _Guard:
    """One attempt: what was refused of it, and its connections, which end with it."""

    refused: list[RefusedError] = field(default_factory=list)
    _open: list[socket.socket] = field(default_factory=list)
    _over: bool = False
    _lock: Lock = field(default_factory=Lock)

    def watch(self, connected: socket.socket) -> None:
        """End a connection with the attempt, at once where that is over. Raises `TimeoutError` then."""
        with self._lock:
            if not self._over:
                # TLS takes the socket over, and closes it: ours is another name of the same connection.
                self._open.append(connected.dup())
                return
        connected.close()
        message = "the attempt is over"
        raise TimeoutError(message)

    def end(self) -> None:
        """End what still goes on."""
        with self._lock:
            self._over = True
            for connection in self._open:
                with connection, suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)


# The notice that is being sent, here and in the threads apprise starts for it; None elsewhere.
_guard: ContextVar[_Guard | None] = ContextVar("guard", default=None)


@contextmanager
def guarded() -> Iterator[list[RefusedError]]:
    """Let nothing out that no sink may send, nor anything go on afterwards; what was refused is in the list."""
    _install()
    guard = _Guard()
    token = _guard.set(guard)
    try:
        yield guard.refused
    finally:
        _guard.reset(token)
        guard.end()


@cache
def _install() -> None:
    """Look at each request where `requests` sends it, and at each connection; those of others are let through."""
    import requests  # noqa: PLC0415 - apprise brings it, and is loaded late
    import urllib3.util.connection as connections  # noqa: PLC0415 - likewise

    send = requests.Session.send

    @wraps(send)
    def looked_at(session: requests.Session, request: requests.PreparedRequest, **options: Any) -> requests.Response:
        guard = _guard.get()
        if guard is not None:
            try:
                _look(str(request.method), str(request.url), str(request.headers.get("Host", "")))
            except RefusedError as error:
                guard.refused.append(error)
                # apprise's services take errors of this library for a delivery that failed.
                raise requests.exceptions.InvalidURL(str(error)) from None
        return send(session, request, **options)

    requests.Session.send = looked_at  # type: ignore[method-assign,assignment]  # the one place all its services pass
    # Web services connect by the one, mail by the other.
    for module in (connections, socket):
        module.create_connection = _watched(module.create_connection)  # type: ignore[attr-defined]


def _watched(connect: Callable[..., socket.socket]) -> Callable[..., socket.socket]:
    @wraps(connect)
    def connected(*given: Any, **options: Any) -> socket.socket:
        made = connect(*given, **options)
        if (guard := _guard.get()) is not None:
            guard.watch(made)
        return made

    return connected


def _look(method: str, url: str, host: str) -> None:
    # Some services take the text of a notice in the query, and a notice names the endpoint it is about.
    parts = urlsplit(url)
    refuse(method, parts._replace(query="", fragment="").geturl(), to_sites=True)
    for name in (parts.netloc, host):
        refuse(method, name)
