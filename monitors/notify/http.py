"""The only way by which sinks speak HTTP: to services of the user's, never to the endpoint this project watches."""

from __future__ import annotations

import json
import time
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

import httpx

from monitors import PROGRAM, __version__
from monitors.config.forbidden import METHODS, is_watched, site_named
from monitors.errors import HarnessError, RefusedError, UsageError
from monitors.model import Phase
from monitors.notify.errors import SinkError
from monitors.notify.quiet import quieten
from monitors.notify.refusals import LATER, retry_after_s, said
from monitors.report.text import plain
from monitors.transport import ProbeError, ServiceTransport, is_loopback, until

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from collections.abc import Set as AbstractSet

MAX_ANSWER_BYTES = 8 * 2**20
_SHOWN_CHARS = 160
_MIN_SECRET_CHARS = 4
_UNFINISHED = {Phase.FIRST_BYTE: "no answer", Phase.TRANSFER: "no end of its answer"}
# A request ends a little before the time is up, so that it is the sink that says what was slow.
_SHARE, _MOST_S = 0.1, 1.0
_ends: ContextVar[float | None] = ContextVar("ends", default=None)
_OK, _REDIRECT, _CLIENT_ERROR, _SERVER_ERROR = 200, 300, 400, 500


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
    """One service at `base_url`; any number of requests, from any thread.

    Each ends within `timeout_s`, whatever the service does, and those of an `attempt` all together. Each has a
    connection of its own, closed with it.

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
        self._span_s = timeout_s - min(timeout_s * _SHARE, _MOST_S)
        self._headers = {"User-Agent": f"{PROGRAM}/{__version__}", "Accept": "application/json", **(headers or {})}
        self._secrets = tuple(sorted(set(_spellings(secrets)), key=len, reverse=True))
        self._plain_http = plain_http
        self._client: httpx.Client | None = None
        self._lock = Lock()

    @contextmanager
    def attempt(self) -> Iterator[None]:
        """Let all requests within share the time that one may take."""
        token = _ends.set(time.monotonic() + self._span_s)
        try:
            yield
        finally:
            _ends.reset(token)

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
        except SinkError:
            raise
        except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, HarnessError, OSError, ValueError) as error:
            raise SinkError(self.masked(f"{self.shown}: {_reason(error, self._timeout_s)}")) from None

    def masked(self, text: str) -> str:
        """Return printable text with every secret in it replaced by `***`."""
        for secret in self._secrets:
            text = text.replace(secret, "***")
        return plain(text, 2 * _SHOWN_CHARS)

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
        ends = _ends.get()
        left_s = self._span_s if ends is None else max(ends - time.monotonic(), 0.0)
        request = self._opened().stream(
            method, url, content=content, headers=headers, params=params, extensions=until(left_s)
        )
        with request as response:
            status = response.status_code
            taken = _OK <= status < _REDIRECT
            raw = b"".join(self._read(response, whole=taken)) if read or not taken else b""
            answered = {name.lower(): value for name, value in response.headers.items()}
        if taken:
            return Answer(status, answered, raw)
        raise self._error(status, answered, raw)

    def _opened(self) -> httpx.Client:
        # Made once, since reading the certificate authorities costs more than a request; and only when needed.
        with self._lock:
            if self._client is None:
                quieten("httpx", "httpcore")
                transport = ServiceTransport(plain_http=self._plain_http)
                self._client = httpx.Client(transport=transport, follow_redirects=False, trust_env=False)
            return self._client

    def _read(self, response: httpx.Response, *, whole: bool) -> Iterator[bytes]:
        """Yield the body as it comes; of one that need not be `whole`, as much as comes in time."""
        size = 0
        try:
            for chunk in response.iter_bytes():
                size += len(chunk)
                if size > MAX_ANSWER_BYTES:
                    if not whole:
                        return
                    message = f"{self.shown}: answered with more than {MAX_ANSWER_BYTES:,} bytes"
                    raise SinkError(message)
                yield chunk
        except httpx.HTTPError:
            # What the status says counts, also where the reason never comes to its end.
            if whole:
                raise

    def _error(self, status: int, headers: Mapping[str, str], raw: bytes) -> SinkError:
        told = f"{self.shown}: answered {status}"
        if status < _OK or _REDIRECT <= status < _CLIENT_ERROR:
            target = _shown(headers.get("location", ""))
            return SinkError(self.masked(f"{told}, redirects to {target or 'nowhere'}: name that"), permanent=True)
        reason = said(raw)
        wanted_s = retry_after_s(status, headers)
        permanent = _CLIENT_ERROR <= status < _SERVER_ERROR and status not in LATER and wanted_s is None
        return SinkError(
            self.masked(f"{told}: {reason}" if reason else told), retry_after_s=wanted_s, permanent=permanent
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
    """Return what went wrong on the way, in the words of the probes but for the deadline, which is the sink's."""
    if isinstance(error, ProbeError) and error.failure.rule == "timeout":
        return f"{_UNFINISHED.get(error.failure.phase, 'no connection')} within {timeout_s:g} s"
    return str(error) or type(error).__name__
