"""The only way by which sinks speak HTTP: to services of the user's, never to the endpoint this project watches."""

from __future__ import annotations

import json
import re
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from threading import Lock
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

import httpx

from monitors import PROGRAM, __version__
from monitors.config.forbidden import METHODS, is_watched, site_named
from monitors.errors import RefusedError, UsageError
from monitors.notify.errors import SinkError
from monitors.notify.quiet import quieten
from monitors.report.text import plain
from monitors.transport import is_loopback, tls_context

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from collections.abc import Set as AbstractSet

MAX_ANSWER_BYTES = 8 * 2**20
MAX_RETRY_AFTER_S = 3_600.0
_SHOWN_CHARS = 160
_MIN_SECRET_CHARS = 4
_OK, _REDIRECT, _CLIENT_ERROR, _SERVER_ERROR = 200, 300, 400, 500
_LATER = {408, 409, 423, 425, 429}
"""Client errors that may pass by themselves."""

_FORBIDDEN = 403
_SECONDS = re.compile(r"[0-9]{1,12}(\.[0-9]{1,9})?")
# What services give as their reason, in the order it is looked for.
_REASONS = ("message", "error", "errors", "detail", "title")


@dataclass(frozen=True, slots=True)
class Answer:
    """What a service answered with a status from 200 to 299."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        """Return the body as JSON. Raises `SinkError` for anything else."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            message = "answered with a body that is no JSON"
            raise SinkError(message) from None


class Service:
    """One service at `base_url`; any number of requests, from any thread, each within `timeout_s`.

    `secrets` are masked in every error. Redirects are not followed. Plain HTTP is for loopback, unless `plain_http`.
    `only` names the requests that may be sent, as method and path; None for any but those no sink may send, and but for
    those to the API host of a site.
    Raises `UsageError` for an address that cannot be used.
    """

    def __init__(
        self,
        base_url: str,
        *,
        timeout_s: float,
        headers: Mapping[str, str] | None = None,
        secrets: Iterable[str] = (),
        plain_http: bool = False,
        only: AbstractSet[tuple[str, str]] | None = None,
    ) -> None:
        """Check the address; nothing is connected yet."""
        self._base = _checked(base_url, plain_http=plain_http).rstrip("/")
        self.shown = _shown(self._base)
        self._only = only
        self._timeout_s = timeout_s
        self._headers = {"User-Agent": f"{PROGRAM}/{__version__}", "Accept": "application/json", **(headers or {})}
        self._secrets = tuple(sorted(set(_spellings(secrets)), key=len, reverse=True))
        self._client: httpx.Client | None = None
        self._lock = Lock()

    def request(
        self,
        method: str,
        path: str = "",
        content: bytes | None = None,
        *,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
        parameters: Mapping[str, str] | None = None,
        read: bool = True,
    ) -> Answer:
        """Send one request, with `content` or with `body` as JSON, and return the answer.

        Without `read` a status from 200 to 299 is the whole answer: its body is left unread, whatever it is.

        Raises `SinkError` for a service that cannot be reached, redirects or answers with an error, and `RefusedError`
        for a request no sink may send.
        """
        url = self._base + path
        # What follows the address is a path of our own, which may hold any name of a repository.
        refuse(method, self._base, to_sites=self._only is not None)
        refuse(method, url, to_sites=True)
        if self._only is not None and (method, path) not in self._only:
            message = f"{method} {path} is none of the requests this sink may send"
            raise RefusedError(message)
        sent = {**self._headers, **(headers or {})}
        if body is not None:
            content = json.dumps(body).encode()
        if content is not None:
            sent.setdefault("Content-Type", "application/json")
        try:
            return self._exchange(method, url, content, sent, parameters, read=read)
        except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, OSError, ValueError) as error:
            raise SinkError(self.masked(f"{self.shown}: {_reason(error, self._timeout_s)}")) from None

    def masked(self, text: str) -> str:
        """Return printable text with every secret in it replaced by `***`."""
        for secret in self._secrets:
            text = text.replace(secret, "***")
        return plain(text, 2 * _SHOWN_CHARS)

    def close(self) -> None:
        """Close the connections; a later request opens new ones."""
        with self._lock:
            client, self._client = self._client, None
        if client is not None:
            client.close()

    def _exchange(
        self,
        method: str,
        url: str,
        content: bytes | None,
        headers: dict[str, str],
        params: Mapping[str, str] | None,
        *,
        read: bool,
    ) -> Answer:
        deadline = time.monotonic() + self._timeout_s
        request = self._opened().stream(method, url, content=content, headers=headers, params=params)
        with request as response:
            status = response.status_code
            taken = _OK <= status < _REDIRECT
            raw = b"".join(self._read(response, deadline)) if read or not taken else b""
            answered = {name.lower(): value for name, value in response.headers.items()}
        if taken:
            return Answer(status, answered, raw)
        raise self._error(status, answered, raw)

    def _opened(self) -> httpx.Client:
        # Made once, since reading the certificate authorities costs more than a request; and only when needed.
        with self._lock:
            if self._client is None:
                quieten("httpx", "httpcore")
                self._client = httpx.Client(
                    verify=tls_context(),
                    follow_redirects=False,
                    timeout=self._timeout_s,
                    # Proxies are for the world outside; what is on this machine is reached directly.
                    trust_env=not is_loopback(urlsplit(self._base).hostname or ""),
                )
            return self._client

    def _read(self, response: httpx.Response, deadline: float) -> Iterator[bytes]:
        size = 0
        for chunk in response.iter_bytes(65_536):
            size += len(chunk)
            if size > MAX_ANSWER_BYTES:
                message = f"{self.shown}: answered with more than {MAX_ANSWER_BYTES:,} bytes"
                raise SinkError(message)
            if time.monotonic() > deadline:
                message = f"{self.shown}: did not finish its answer within {self._timeout_s:g} s"
                raise SinkError(message)
            yield chunk

    def _error(self, status: int, headers: Mapping[str, str], raw: bytes) -> SinkError:
        told = f"{self.shown}: answered {status}"
        if status < _OK or _REDIRECT <= status < _CLIENT_ERROR:
            target = _shown(headers.get("location", ""))
            return SinkError(self.masked(f"{told}, redirects to {target or 'nowhere'}: name that"), permanent=True)
        said = _said(raw)
        retry_after_s = _retry_after_s(status, headers)
        permanent = _CLIENT_ERROR <= status < _SERVER_ERROR and status not in _LATER and retry_after_s is None
        return SinkError(
            self.masked(f"{told}: {said}" if said else told), retry_after_s=retry_after_s, permanent=permanent
        )


def _checked(url: str, *, plain_http: bool) -> str:
    # An address may hold a secret, so it is not repeated.
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        parts, host = urlsplit(""), None
    if not host or parts.scheme not in {"https", "http"}:
        message = "the address of a sink must be like https://hooks.example.com/path"
        raise UsageError(message)
    if parts.scheme == "http" and not plain_http and not is_loopback(host):
        message = f"http://{host}: keys never travel in the clear; write https://{host}"
        raise UsageError(message)
    return url


def _shown(url: str) -> str:
    """Return scheme, host and port of an address: paths of hooks are secrets."""
    try:
        parts = urlsplit(url)
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        return ""
    return plain(f"{parts.scheme}://{parts.hostname}{port}", _SHOWN_CHARS) if parts.hostname else ""


def _spellings(secrets: Iterable[str]) -> Iterator[str]:
    for secret in secrets:
        if len(secret) >= _MIN_SECRET_CHARS:
            yield from (secret, quote(secret), quote(secret, safe=""), json.dumps(secret)[1:-1])


def refuse(method: str, url: str, *, to_sites: bool = False) -> None:
    """Raise `RefusedError` for a request no sink may send; `to_sites` allows the API hosts of the sites."""
    if method not in METHODS:
        message = f"a sink never sends {method}"
    elif is_watched(url):
        message = "a sink never sends a request to the endpoint it watches"
    elif not to_sites and (site := site_named(url)):
        message = f"a sink never sends a request to {site.api_host}, the API of {site.key}"
    else:
        return
    raise RefusedError(message)


def _reason(error: Exception, timeout_s: float) -> str:
    if isinstance(error, httpx.ConnectTimeout | httpx.PoolTimeout):
        return f"no connection within {timeout_s:g} s"
    if isinstance(error, httpx.TimeoutException):
        return f"no answer within {timeout_s:g} s"
    if isinstance(error, httpx.RemoteProtocolError):
        return "closed the connection without an answer"
    if isinstance(error, httpx.ConnectError):
        return f"cannot be reached: {_lower(error)}"
    return f"{_lower(error) or type(error).__name__}"


def _lower(error: Exception) -> str:
    words = re.sub(r"^\[Errno -?\d+\] ", "", str(error))
    return words[:1].lower() + words[1:]


def _said(raw: bytes) -> str:
    """Return the reason in the body of an error, as far as it is JSON that says one."""
    try:
        found = json.loads(raw)
    except (ValueError, RecursionError):
        return ""
    while isinstance(found, dict):
        found = next((found[name] for name in _REASONS if found.get(name)), None)
    while isinstance(found, list):
        found = found[0] if found else None
        if isinstance(found, dict):
            found = next((found[name] for name in _REASONS if isinstance(found.get(name), str)), None)
    return plain(found, _SHOWN_CHARS) if isinstance(found, str) else ""


def _retry_after_s(status: int, headers: Mapping[str, str]) -> float | None:
    """Return how long a service asks to be left alone, from `Retry-After` or a used up rate limit; None for no word.

    `X-RateLimit-Reset` is a point in time to GitHub and a number of seconds to Datadog; no limit lasts a year.
    """
    if status not in {*_LATER, _FORBIDDEN, 503}:
        return None
    given = headers.get("retry-after", "").strip()
    if _SECONDS.fullmatch(given):
        return min(float(given), MAX_RETRY_AFTER_S)
    if given:
        try:
            wait_s = (parsedate_to_datetime(given) - datetime.now(UTC)).total_seconds()
        except (ValueError, TypeError):
            return None
        return min(max(wait_s, 0.0), MAX_RETRY_AFTER_S)
    reset = headers.get("x-ratelimit-reset", "").strip()
    if headers.get("x-ratelimit-remaining", "0" if status != _FORBIDDEN else "").strip() == "0" and _SECONDS.fullmatch(
        reset
    ):
        year_s = 366 * 86_400
        wait_s = float(reset) if float(reset) < year_s else float(reset) - time.time()
        return min(max(wait_s, 1.0), MAX_RETRY_AFTER_S)
    return None
