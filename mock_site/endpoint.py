"""The endpoint itself, as a pure function of the request and the state: no sockets, no ASGI."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING
from urllib.parse import unquote_to_bytes

from mock_site import catalogue
from mock_site.answers import (
    BEFORE_KEYS,
    CODES,
    JSON_TYPE,
    METHOD_NOT_ALLOWED,
    MISDIRECTED,
    Answer,
    canned,
    preference_error,
    strings,
)
from mock_site.drifts import dump
from mock_site.mistakes import MockUsageError
from mock_site.prefer import Preferences, parse_prefer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mock_site.drifts import DriftAt
    from mock_site.ratelimit import Header
    from mock_site.state import MockState, SiteState

RUN_PREFIX = b"/api/v2/model-lab-api/runs/"
_ROUTE = RUN_PREFIX.split(b"/")[:-1]
_INT64 = re.compile(rb"[+-]?0*[0-9]{1,19}\Z")
_CACHED_RUNS = 512
_CACHED_PATHS = 4_096
_LONGEST_CACHED = 200
_OK = 200


@dataclass(frozen=True, slots=True)
class Target:
    """What a path means: a run by its id, or `run_id` None where the id is no int64."""

    run_id: int | None


def target_of(raw_path: bytes) -> Target | None:
    """Return what a path (as sent, without query) asks for; None where it is not the route of the endpoint.

    An id is read as Go's `strconv.ParseInt` reads it: an optional sign and decimal digits, leading zeros allowed.
    """
    return _cached_target(raw_path) if len(raw_path) <= _LONGEST_CACHED else _target(raw_path)


def _target(raw_path: bytes) -> Target | None:
    *route, written = map(unquote_to_bytes, raw_path.split(b"/"))
    if route != _ROUTE or not written:
        return None
    if not _INT64.match(written):
        return Target(None)
    number = int(written.lstrip(b"+-").lstrip(b"0") or b"0") * (-1 if written.startswith(b"-") else 1)
    return Target(number if catalogue.INT64_MIN <= number <= catalogue.INT64_MAX else None)


_cached_target = lru_cache(maxsize=_CACHED_PATHS)(_target)


@lru_cache(maxsize=_CACHED_RUNS)
def run_answer(site_key: str, run_id: int) -> tuple[tuple[Header, ...], bytes] | None:
    """Return the headers (but for the rate limit's) and the body of a run, or None where it does not exist."""
    body = catalogue.run_body(site_key, run_id)
    return None if body is None else (tuple(Answer(_OK, JSON_TYPE, body).headers), body)


@dataclass(frozen=True, slots=True)
class Request:
    """A request as the endpoint sees it; header names are in lower case."""

    method: str
    raw_path: bytes
    headers: Sequence[Header]

    def first(self, name: bytes) -> bytes:
        """Return the first value of a header, or nothing."""
        return next((value for key, value in self.headers if key == name), b"")

    def all(self, name: bytes) -> list[str]:
        """Return all values of a header."""
        return [value.decode("latin-1") for key, value in self.headers if key == name]


def answer(state: MockState, request: Request) -> tuple[Answer, float]:
    """Answer any request outside the mock's control route; returns the answer and the seconds it must wait."""
    site = state.site_for_host(request.first(b"host").decode("latin-1"))
    if site is None:
        return MISDIRECTED, 0.0
    target = target_of(request.raw_path)
    if target is not None and request.method not in {"GET", "HEAD"}:
        return METHOD_NOT_ALLOWED, 0.0
    try:
        chosen = parse_prefer(request.all(b"prefer"), state.faults) if target else Preferences()
        return _Exchange(state, site, request, chosen).answered(target)
    except MockUsageError as error:
        return preference_error(str(error)), 0.0


class _Exchange:
    """One request to one site at one moment."""

    __slots__ = ("_chosen", "_condition", "_now_s", "_request", "_site")

    def __init__(self, state: MockState, site: SiteState, request: Request, chosen: Preferences) -> None:
        self._now_s = state.clock()
        self._site, self._request, self._chosen = site, request, chosen
        self._condition = site.condition(self._now_s)

    def answered(self, target: Target | None) -> tuple[Answer, float]:
        chosen, condition = self._chosen, self._condition
        plain = self._forced(chosen.code, target) if chosen.code else self._plain(target)
        drifted = _drifted(plain, chosen.drift, asked=True)
        if drifted is None:
            drifted = _drifted(plain, condition.drift, asked=False) or plain
        if chosen.written:
            applied = (b"preference-applied", ", ".join(chosen.written).encode("latin-1"))
            drifted = replace(drifted, extra=(*drifted.extra, applied))
        return drifted, chosen.delay_s + condition.delay_s

    def _forced(self, code: int, target: Target | None) -> Answer:
        if code == _OK:
            asked = None if target is None or target.run_id is None else self._run(target.run_id)
            run = asked or self._run(catalogue.NAMED_RUNS["typical"])
            assert run is not None  # every site has the named runs
            return run
        if code == 429:  # noqa: PLR2004  # the status stands for itself
            return self._throttled()
        return self._canned(CODES[code])

    def _canned(self, name: str) -> Answer:
        return canned(self._site.row.status_host)[name]

    def _plain(self, target: Target | None) -> Answer:
        """Answer as the site does at this moment: the edge first, then the route, then keys, limit, id, run."""
        name = self._condition.answer or ""
        if name in BEFORE_KEYS:
            return self._canned(name)
        if target is None:
            return self._canned("route")
        refused = self._refused(name)
        if refused is not None:
            return refused
        found = self._limited(name, target)
        return replace(found, extra=(*found.extra, *self._site.bucket.headers(self._now_s)))

    def _refused(self, name: str) -> Answer | None:
        # The parser leaves the blanks after a value, which are not part of it (RFC 9112, section 5.1).
        api_key, app_key = (self._request.first(name).strip() for name in (b"dd-api-key", b"dd-application-key"))
        if not api_key or not app_key:
            return self._canned("401")
        if (api_key, app_key) != (self._site.api_key, self._site.app_key):
            return self._canned("403")
        if name in {"403", "permission"}:
            return self._canned(name)
        allowed = self._site.bucket.take(self._now_s)
        return self._throttled() if name == "429" or not allowed else None

    def _limited(self, name: str, target: Target) -> Answer:
        if name == "500":
            return self._canned("500")
        if target.run_id is None:
            return self._canned("400")
        run = None if name == "404" else self._run(target.run_id)
        return self._canned("404") if run is None else run

    def _run(self, run_id: int) -> Answer | None:
        key = self._site.row.key
        if self._chosen.run is None:
            ready = run_answer(key, run_id)
            return None if ready is None else Answer(_OK, JSON_TYPE, ready[1])
        body = catalogue.run_body(key, run_id, like=catalogue.NAMED_RUNS[self._chosen.run])
        return None if body is None else Answer(_OK, JSON_TYPE, body)

    def _throttled(self) -> Answer:
        bucket = self._site.bucket
        bucket.roll(self._now_s)
        said = strings(429, bucket.exhausted_message())
        return replace(said, extra=bucket.headers(self._now_s, left=0))


def _drifted(plain: Answer, drift: DriftAt | None, *, asked: bool) -> Answer | None:
    """Return the answer with the drift, or None where it does not fit; a run that was asked to drift must."""
    if drift is None:
        return None
    try:
        document = json.loads(plain.body)
    except ValueError:
        return None
    changed = drift.apply_if_it_fits(document, plain.status)
    if changed is not None:
        return replace(plain, body=dump(changed[0]))
    if asked and plain.status == _OK and drift.drift.on == "run":
        message = f"the drift {drift.drift.name} does not apply at {drift.location or 'any place'} of this run."
        raise MockUsageError(message)
    return None
