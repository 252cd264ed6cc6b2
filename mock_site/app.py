"""The ASGI application of the mock sites: a short way for the common request, the endpoint, and a control route."""

from __future__ import annotations

import asyncio
from functools import lru_cache
from typing import TYPE_CHECKING

from mock_site.control import CONTROL_PREFIX, control_app
from mock_site.endpoint import Request, answer, run_answer, target_of

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

    from mock_site.ratelimit import Header
    from mock_site.state import MockState, SiteState

_CACHED_HOSTS = 256


def create_app(state: MockState) -> ASGIApp:
    """Make the application of all sites; it tells them apart by the Host header.

    It knows nothing of sockets: a wire fault that is asked for is performed by whoever serves the application.
    """
    return MockApp(state)


class MockApp:
    """The application. Most requests ask a healthy site for a run, with keys: those take `quick`."""

    __slots__ = ("_control", "_site", "_state")

    def __init__(self, state: MockState) -> None:
        """Share `state` with whoever else changes it."""
        self._state = state
        self._control = control_app(state)
        self._site = lru_cache(maxsize=_CACHED_HOSTS)(self._find_site)

    def _find_site(self, host: bytes) -> SiteState | None:
        return self._state.site_for_host(host.decode("latin-1"))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection's scope."""
        if scope["type"] != "http" or scope["path"].startswith(CONTROL_PREFIX):
            await self._control(scope, receive, send)
            return
        ready = self.quick(scope["method"], scope["raw_path"], scope["headers"])
        if ready is not None:
            await send({"type": "http.response.start", "status": 200, "headers": ready[0]})
            await send({"type": "http.response.body", "body": ready[1]})
            return
        said, delay_s = answer(self._state, Request(scope["method"], scope["raw_path"], scope["headers"]))
        if delay_s > 0:
            await asyncio.sleep(delay_s)
        await send({"type": "http.response.start", "status": said.status, "headers": said.headers})
        await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else said.body})

    def quick(self, method: str, raw_path: bytes, headers: list[Header]) -> tuple[list[Header], bytes] | None:
        """Return headers and body of a 200 where nothing out of the ordinary is asked for, else None."""
        named = dict(headers)
        site = self._site(named.get(b"host", b""))
        target = target_of(raw_path)
        if site is None or target is None or target.run_id is None or not site.calm or method != "GET":
            return None
        keys_fit = named.get(b"dd-api-key") == site.api_key and named.get(b"dd-application-key") == site.app_key
        if not keys_fit or b"prefer" in named:
            return None
        ready = run_answer(site.row.key, target.run_id)
        now_s = self._state.clock()
        if ready is None or not site.bucket.take(now_s):
            return None
        return [*ready[0], *site.bucket.headers(now_s)], ready[1]
