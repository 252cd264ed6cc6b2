"""An application without sockets: a client per state, a clock that stands still, the contract's validator."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import httpx
import jsonschema_rs
import pytest

import schemas
from mock_site.app import create_app
from mock_site.state import MockState

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

KEYS = {"DD-API-KEY": "mock-api-key", "DD-APPLICATION-KEY": "mock-app-key"}


@dataclass
class Clock:
    """A clock that moves only when told to, in seconds since the epoch."""

    now_s: float = 1_000_000_003.0

    def __call__(self) -> float:
        return self.now_s


@dataclass
class Client:
    """Sends requests to an application without any socket."""

    state: MockState
    clock: Clock
    address: str = "127.0.0.1"
    keys: Mapping[str, str] = field(default_factory=lambda: dict(KEYS))

    def send(self, method: str, url: str, headers: Any = None, **more: Any) -> httpx.Response:
        """Send one request; the URL may be a path, then it goes to US1."""

        async def exchange() -> httpx.Response:
            transport = httpx.ASGITransport(create_app(self.state), client=(self.address, 1234))
            async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8080") as client:
                return await client.request(method, url, headers=headers, **more)

        return asyncio.run(exchange())

    def run(
        self, run_id: object = 42, *, site: str = "US1", prefer: str | None = None, **headers: str
    ) -> httpx.Response:
        """Ask a site for a run, with keys."""
        host = self.state.sites[site].row.api_host
        chosen = {} if prefer is None else {"Prefer": prefer}
        url = f"http://{host}/api/v2/model-lab-api/runs/{run_id}"
        return self.send("GET", url, {**self.keys, **chosen, **headers})


@pytest.fixture
def make_client() -> Callable[..., Client]:
    """Make a client of a new mock; the arguments are those of `MockState`."""

    def make(*, address: str = "127.0.0.1", **arguments: Any) -> Client:
        clock = Clock()
        return Client(MockState(clock=clock, **arguments), clock, address)

    return make


@pytest.fixture
def client(make_client: Callable[..., Client]) -> Client:
    return make_client()


@pytest.fixture(scope="session")
def run_contract() -> jsonschema_rs.Draft202012Validator:
    return jsonschema_rs.Draft202012Validator(schemas.document("run"), validate_formats=True)
