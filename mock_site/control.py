"""The control route: reads and sets scenarios while the mock runs. It answers clients on loopback only."""

from __future__ import annotations

import ipaddress
import json
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import JSONResponse
from starlette.routing import Route

from mock_site.catalogue import NAMED_RUNS
from mock_site.drifts import DRIFTS
from mock_site.mistakes import MockUsageError
from mock_site.prefer import PREFERENCES
from mock_site.scenarios import SCENARIOS

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.types import ASGIApp, Receive, Scope, Send

    from mock_site.state import MockState

CONTROL_PREFIX = "/__mock__"
_MAX_BODY_BYTES = 4_096


def control_app(state: MockState) -> ASGIApp:
    """Make the application of everything below `/__mock__`."""

    async def everything(_request: Request) -> Response:
        return JSONResponse({
            "scenarios": {kind.syntax: kind.meaning for kind in SCENARIOS.values()},
            "preferences": dict(PREFERENCES.values()),
            "drifts": {drift.name: drift.meaning for drift in DRIFTS.values()},
            "faults": list(state.faults),
            "runs": dict(NAMED_RUNS),
        })  # fmt: skip

    async def scenarios(request: Request) -> Response:
        site = request.path_params.get("site")
        try:
            if request.method == "PUT":
                state.set_scenario(site, _scenario(await _body(request)))
            elif request.method == "DELETE":
                state.set_scenario(site, "healthy")
            texts = state.scenario_texts()
            return JSONResponse(texts if site is None else {site.upper(): texts[state.site(site).row.key]})
        except MockUsageError as error:
            return JSONResponse({"errors": [str(error)]}, status_code=400)

    async def not_found(_request: Request, _error: Exception) -> Response:
        return JSONResponse({"errors": ["Not found"]}, status_code=404)

    methods = ["GET", "PUT", "DELETE"]
    return Starlette(
        routes=[
            Route(CONTROL_PREFIX, everything),
            Route(f"{CONTROL_PREFIX}/scenarios", scenarios, methods=methods),
            Route(f"{CONTROL_PREFIX}/scenarios/{{site}}", scenarios, methods=methods),
        ],
        middleware=[Middleware(_LoopbackOnly)],
        exception_handlers={404: not_found},
    )


async def _body(request: Request) -> bytes:
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > _MAX_BODY_BYTES:
            message = f"the body is longer than {_MAX_BODY_BYTES} bytes."
            raise MockUsageError(message)
    return body


def _scenario(body: bytes) -> str:
    """Read a scenario sent as plain text or as `{"scenario": "…"}`."""
    text = body.decode("utf-8", "replace").strip()
    if not text.startswith("{"):
        return text
    try:
        return str(json.loads(text)["scenario"])
    except (ValueError, KeyError, RecursionError) as error:
        message = 'send the scenario as plain text or as {"scenario": "outage"}.'
        raise MockUsageError(message) from error


class _LoopbackOnly:
    """Refuses clients from elsewhere: whoever may reach the port from outside shall not change the mock."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or _is_loopback(scope.get("client")):
            await self._app(scope, receive, send)
            return
        refusal = JSONResponse({"errors": ["The control route answers on loopback only."]}, status_code=403)
        await refusal(scope, receive, send)


def _is_loopback(client: tuple[str, int] | None) -> bool:
    try:
        address = ipaddress.ip_address(client[0]) if client else None
    except ValueError:
        return False
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped:
        return address.ipv4_mapped.is_loopback
    return address is not None and address.is_loopback
