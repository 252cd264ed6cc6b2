"""How often one site may be asked: our own bound, and what the site says of its rate limit."""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from monitors.report.text import counted

if TYPE_CHECKING:
    from monitors.checks import Check
    from monitors.model import Observation

_MINUTE_S = 60.0
_TOO_MANY_REQUESTS = 429
_UNTOLD_PAUSE_S = 60.0
_LONGEST_PAUSE_S = 3_600.0
_THROTTLED = "the site throttles: it answered 429"
_RESERVED = "the rest of the site's rate limit is left to others"


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a request cannot be sent now, and until when that holds at least (monotonic seconds)."""

    reason: str
    until_s: float


@dataclass(slots=True)
class Budget:
    """The requests to one site; times are seconds of a monotonic clock.

    At most `per_minute` requests in any minute. Of the limit a site names in `X-RateLimit-Limit`, the share `reserve`
    is left to whoever works there: once `X-RateLimit-Remaining` falls to it, requests with keys wait for the time in
    `X-RateLimit-Reset` (seconds). After a 429 they wait for it in any case, a minute where it is not told.
    """

    per_minute: int
    reserve: float
    _sent: deque[float] = field(default_factory=deque)
    _held: Refusal = field(default_factory=lambda: Refusal("", -math.inf))

    def refusal(self, check: Check, now_s: float) -> Refusal | None:
        """Return why a request cannot be sent now, None where it can."""
        while self._sent and self._sent[0] + _MINUTE_S <= now_s:
            self._sent.popleft()
        if check.with_keys and now_s < self._held.until_s:
            return self._held
        if len(self._sent) >= self.per_minute:
            reason = f"no more than {counted(self.per_minute, 'request')} a minute"
            return Refusal(reason, self._sent[-self.per_minute] + _MINUTE_S)
        return None

    @property
    def held_until_s(self) -> float:
        """Until when the site's rate limit is left alone."""
        return self._held.until_s

    def spend(self, now_s: float) -> None:
        """Count a request."""
        self._sent.append(now_s)

    def hear(self, seen: Observation, now_s: float) -> None:
        """Take note of what an answer says of the rate limit."""
        reset_s = _number(seen, "x-ratelimit-reset")
        if seen.status == _TOO_MANY_REQUESTS:
            self._hold(now_s, _UNTOLD_PAUSE_S if reset_s is None else reset_s, _THROTTLED)
            return
        limit, remaining = _number(seen, "x-ratelimit-limit"), _number(seen, "x-ratelimit-remaining")
        if limit is None or remaining is None or reset_s is None:
            return
        if remaining <= limit * self.reserve:
            self._hold(now_s, reset_s, _RESERVED)

    def _hold(self, now_s: float, pause_s: float, reason: str) -> None:
        # A header is the site's word, and a site out of its mind must not switch the monitor off for good.
        until_s = now_s + min(pause_s, _LONGEST_PAUSE_S)
        if until_s > self._held.until_s:
            self._held = Refusal(reason, until_s)


def _number(seen: Observation, name: str) -> float | None:
    text = seen.header(name) or ""
    return float(text) if text.isascii() and text.isdigit() and len(text) <= 9 else None  # noqa: PLR2004 - no overflow
