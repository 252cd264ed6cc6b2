"""What apprise may send: what every other sink may, whatever an address or a service of apprise's makes of it."""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache, wraps
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from monitors.errors import RefusedError
from monitors.notify.http import refuse

if TYPE_CHECKING:
    from collections.abc import Iterator

# What was refused of the notice that is being sent, here and in the threads apprise starts for it; None elsewhere.
_refused: ContextVar[list[RefusedError] | None] = ContextVar("refused", default=None)


@contextmanager
def guarded() -> Iterator[list[RefusedError]]:
    """Let nothing out that no sink may send; what was refused is in the list."""
    _install()
    found: list[RefusedError] = []
    token = _refused.set(found)
    try:
        yield found
    finally:
        _refused.reset(token)


@cache
def _install() -> None:
    """Look at each request where `requests` sends it; those of others than apprise are let through untouched."""
    import requests  # noqa: PLC0415 - apprise brings it, and is loaded late

    send = requests.Session.send

    @wraps(send)
    def looked_at(session: requests.Session, request: requests.PreparedRequest, **options: Any) -> requests.Response:
        found = _refused.get()
        if found is not None:
            try:
                _look(str(request.method), str(request.url), str(request.headers.get("Host", "")))
            except RefusedError as error:
                found.append(error)
                # apprise's services take errors of this library for a delivery that failed.
                raise requests.exceptions.InvalidURL(str(error)) from None
        return send(session, request, **options)

    requests.Session.send = looked_at  # type: ignore[method-assign,assignment]  # the one place all its services pass


def _look(method: str, url: str, host: str) -> None:
    # Some services take the text of a notice in the query, and a notice names the endpoint it is about.
    parts = urlsplit(url)
    refuse(method, parts._replace(query="", fragment="").geturl(), to_sites=True)
    for name in (parts.netloc, host):
        refuse(method, name)
