"""schemathesis on a short leash: generated run ids for the mock, GET only, the same ones every time."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

import requests
import schemathesis
from requests.adapters import HTTPAdapter
from schemathesis.config import SchemathesisConfig

import schemas
from monitors.errors import RefusedError
from monitors.model import Observation
from monitors.transport.dialing import is_loopback

if TYPE_CHECKING:
    from collections.abc import Iterator

    from schemathesis import Case, HookContext, Response
    from schemathesis.specs.openapi.schemas import OpenApiSchema

    from monitors.config import Credentials

_SAFE_METHODS = frozenset({"GET", "HEAD"})
_TIMEOUT_S = 30.0

CONFIG: dict[str, Any] = {
    # Made-up ids of every kind, the fitting and the unfitting; the same in every run, nothing kept on disk.
    "generation": {
        "mode": "all",
        "max-examples": 100,
        "deterministic": True,
        "unique-inputs": True,
        "database": "none",
        # The suite sends the keys itself and tests their absence elsewhere.
        "with-security-parameters": False,
    },
    "phases": {
        # Its default sends DELETE, which on this very path deletes the run.
        "coverage": {"unexpected-methods": []},
        # Ids taken from answers would make nine in ten requests ask for one run.
        "fuzzing": {"extra-data-sources": {"responses": False}},
        "stateful": {"enabled": False},
    },
    # Sends further requests for every answer; the tests of the keys ask once.
    "checks": {"ignored_auth": {"enabled": False}},
    "warnings": {"fail-on": ["unresolvable_reference", "missing_auth"]},
    "max-redirects": 0,
}


def load_schema() -> OpenApiSchema:
    """Return the contract for schemathesis.

    From its path: given as a dictionary or by an application, its references to the files beside it would silently
    stay unresolved, and every body would pass.
    """
    return schemathesis.openapi.from_path(schemas.OPENAPI_PATH, config=SchemathesisConfig.from_dict(CONFIG))


@schemathesis.hook
def before_call(ctx: HookContext, case: Case[Any], kwargs: dict[str, Any]) -> None:
    """Refuse everything but reading before the request is even prepared."""
    del ctx, kwargs
    if case.method.upper() not in _SAFE_METHODS:
        message = f"{case.method} is never sent: only GET and HEAD are"
        raise RefusedError(message)


class LoopbackAdapter(HTTPAdapter):
    """The last gate on the way to a socket: reading only, and only from this machine."""

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        """Send the request, or raise `RefusedError`."""
        host = urlsplit(request.url or "").hostname or ""
        if request.method not in _SAFE_METHODS or not is_loopback(host):
            message = f"{request.method} to {host} is never sent: property tests read from the mock and nothing else"
            raise RefusedError(message)
        return super().send(request, *args, **kwargs)


@dataclass(frozen=True, slots=True)
class Caller:
    """Sends schemathesis cases to the mock site US1 over one kept connection, and tells what came back."""

    base_url: str
    session: requests.Session

    @classmethod
    @contextmanager
    def open(cls, base_url: str, credentials: Credentials) -> Iterator[Caller]:
        """Yield a caller whose session ignores proxies and `.netrc` of the environment."""
        with requests.Session() as session:
            session.trust_env = False
            adapter = LoopbackAdapter()
            session.mount("http://", adapter)
            session.mount("https://", adapter)
            # In the session and not in the case, so that no printed example ever shows them.
            session.headers.update({"DD-API-KEY": credentials.api_key, "DD-APPLICATION-KEY": credentials.app_key})
            yield cls(base_url, session)

    def call(self, case: Case[Any], prefer: str | None = None) -> Response:
        """Send a case; `prefer` asks the mock for one answer in particular."""
        headers = {"Prefer": prefer} if prefer else None
        return case.call(self.base_url, self.session, headers, timeout=_TIMEOUT_S, allow_redirects=False)


def observation_of(response: Response, site: str) -> Observation:
    """Return a response as an observation of no check in particular."""
    url = response.request.url or ""
    return Observation(
        site=site,
        check=None,
        at=datetime.now(UTC),
        method=response.request.method or "GET",
        url=url,
        run_id=unquote(urlsplit(url).path.rpartition("/")[2]),
        with_keys=True,
        status=response.status_code,
        headers=tuple((name, value) for name, values in response.headers.items() for value in values),
        body=response.content,
        body_size=len(response.content),
        http_version=f"HTTP/{response.http_version}",
    )
