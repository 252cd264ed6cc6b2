"""Which exchanges are ours, and what becomes of those: an observation, free of every key."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, unquote, urlsplit

from monitors.checks import RUN_PATH
from monitors.model import Observation
from monitors.recordings.bodies import undo_codings
from monitors.recordings.entry import Aside, LeftAside, UnreadableError, headers_of, moment
from monitors.sites import SITES

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from monitors.recordings.entry import Exchange, Headers

_OURS = tuple(RUN_PATH.split("/"))
_SITE_OF_HOST = {site.api_host: site.key for site in SITES.values()}
_KEY_HEADERS = ("dd-api-key", "dd-application-key")
_SECRET_HEADERS = (*_KEY_HEADERS, "authorization", "proxy-authorization", "x-api-key", "x-app-key")
_SECRET_PARAMETERS = re.compile(r"key|token|secret|passw|signature|credential|session|auth", re.IGNORECASE)
_SECRET_ANSWER_HEADERS = ("set-cookie", "set-cookie2")
_MASK = "***"
# Shorter values and plain digits are placeholders: masking those would take pieces out of innocent bodies.
_KEY_VALUE = re.compile(r"(?=.*[A-Za-z].*[A-Za-z])[A-Za-z0-9._+/=~-]{12,}\Z")
_FEWEST_DISTINCT = 5
# A request has two keys; a hostile recording has thousands, and each costs a pass over the body.
_MOST_KEYS = 32
_UNAUTHORIZED = 401
_FIRST_ERROR = 400
_INTEGER = re.compile(r"[+-]?\d+\Z")

_LONGEST_WORD = 40
_LONGEST_TEMPLATE = 160
_WORD = re.compile(r"(?:v\d{1,2}|[A-Za-z][A-Za-z_.-]*)\Z")
_THREE_TRIPLES = re.compile(r"[a-z0-9]{3}-[a-z0-9]{3}-[a-z0-9]{3}\Z")
_METHOD = re.compile(r"[A-Z]{1,16}\Z")


def observe(
    exchange: Exchange, source: str, *, run_id: str = "", recorded_at: Callable[[], datetime | None] = lambda: None
) -> Observation | LeftAside:
    """Return the observation of an exchange, or why it is left aside.

    `run_id` stands in where the recording does not hold the URL; `recorded_at` is asked where it does not say when.
    """
    asked = ""
    if exchange.url is not None:
        place = left_aside(exchange.method, exchange.url, exchange.status)
        if isinstance(place, tuple):
            return LeftAside(source, place[1], kind=place[0])
        asked = place
    if exchange.status is None:
        return LeftAside(source, "no answer recorded", kind=Aside.NO_ANSWER)
    try:
        return _observation(exchange, source, run_id if exchange.url is None else asked, recorded_at)
    except UnreadableError as error:
        return LeftAside(source, f"unreadable entry: {error}", kind=Aside.UNREADABLE)


def left_aside(method: str, url: str, status: int | None = None) -> tuple[Aside, str] | str:
    """Return the run id an exchange of ours asks for, else the kind and reason it is left aside for."""
    split = _split(url)
    if split is None:
        return Aside.NOT_HTTP, "not HTTP: an address that cannot be read"
    if split.scheme not in ("http", "https", ""):
        return Aside.NOT_HTTP, f"not HTTP: {split.scheme[:_LONGEST_WORD]}"
    segments = [unquote(segment) for segment in split.path.split("/")]
    verb = method if _METHOD.match(method) else "?"
    if not _is_ours(segments, status):
        return Aside.OTHER_OPERATION, f"other operation: {verb} {_template(segments)}"
    if method != "GET":
        return Aside.OTHER_METHOD, f"other method on the run's path: {verb} {RUN_PATH}"
    return segments[-1]


def _is_ours(segments: list[str], status: int | None) -> bool:
    if len(segments) != len(_OURS) or tuple(segments[:-1]) != _OURS[:-1] or not segments[-1]:
        return False
    # The path takes an integer only. A word there that was answered well is another operation, such as a search;
    # one that was refused is what `bad-request` asks for.
    return _INTEGER.match(segments[-1]) is not None or status is None or status >= _FIRST_ERROR


def _split(url: str) -> SplitResult | None:
    try:
        split = urlsplit(url)
        split.port  # noqa: B018 - reading it is what checks it
    except ValueError:
        return None
    return split


def _template(segments: list[str]) -> str:
    template = "/".join(_word(segment) for segment in segments) or "/"
    return template if len(template) <= _LONGEST_TEMPLATE else template[:_LONGEST_TEMPLATE] + "…"


def _word(segment: str) -> str:
    if not segment:
        return ""
    plain = len(segment) <= _LONGEST_WORD and _WORD.match(segment) and not _THREE_TRIPLES.match(segment)
    return segment if plain else "{id}"


def _observation(
    exchange: Exchange, source: str, run_id: str, recorded_at: Callable[[], datetime | None]
) -> Observation:
    request_headers, headers = headers_of(exchange.request_headers), headers_of(exchange.headers)
    body = undo_codings(exchange.read_body(), headers)
    keys = _keys(request_headers, exchange.url or "")
    status = exchange.status
    host = _host(exchange.url or "")
    return Observation(
        site=_SITE_OF_HOST.get(host),
        check=None,
        at=exchange.at or recorded_at() or moment(dict(headers).get("date")),
        method=exchange.method,
        url=_without(keys, _masked(exchange.url or "")),
        run_id=_without(keys, run_id),
        # Recorders are told to drop the keys, so their absence says nothing: only a 401 does.
        with_keys=status != _UNAUTHORIZED or set(_KEY_HEADERS) <= {name for name, _ in request_headers},
        status=status,
        headers=tuple(
            (name, _MASK if name in _SECRET_ANSWER_HEADERS else _without(keys, value)) for name, value in headers
        ),
        body=_without_bytes(keys, body.content),
        wire_size=body.wire_size,
        body_size=len(body.content),
        http_version=exchange.http_version,
        failure=body.failure,
        source=source,
    )


def _host(url: str) -> str:
    split = _split(url)
    return ((split.hostname if split else None) or "").rstrip(".")


def _keys(request_headers: Headers, url: str) -> list[str]:
    """Return the values that must not reach the observation, longest first."""
    values = {value.strip() for name, value in request_headers if name in _SECRET_HEADERS}
    values |= {value.partition(" ")[2].strip() for value in values}
    split = _split(url)
    for part in (split.query if split else "").split("&"):
        name, _, value = part.partition("=")
        if _SECRET_PARAMETERS.search(name):
            values |= {value, unquote(value)}
    keys = {value for value in values if _KEY_VALUE.match(value) and len(set(value)) >= _FEWEST_DISTINCT}
    return sorted(keys, key=len, reverse=True)[:_MOST_KEYS]


def _masked(url: str) -> str:
    """Return the URL without user, fragment and the values of parameters that are named like a secret."""
    split = _split(url)
    if split is None or not url:
        return ""
    query = "&".join(
        f"{part.partition('=')[0]}={_MASK}" if _SECRET_PARAMETERS.search(part.partition("=")[0]) else part
        for part in split.query.split("&")
    )
    return split._replace(netloc=split.netloc.rpartition("@")[2], query=query, fragment="").geturl()


def _without(keys: list[str], text: str) -> str:
    for key in keys:
        text = text.replace(key, _MASK)
    return text


def _without_bytes(keys: list[str], content: bytes) -> bytes:
    for key in keys:
        content = content.replace(key.encode(), _MASK.encode())
    return content
