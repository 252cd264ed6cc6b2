"""The site's rate limit: a bucket that fills up anew at every full period of the calendar, as the real one does."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from mock_site.mistakes import MockUsageError

Header = tuple[bytes, bytes]

_WRITTEN = re.compile(r"([1-9]\d{0,11})/([1-9]\d{0,6})\Z", re.ASCII)


@dataclass(frozen=True, slots=True)
class RateLimit:
    """So many requests per period (seconds, aligned to the calendar: a period of 60 starts with each minute)."""

    limit: int = 10_000_000
    period_s: int = 10
    name: str = "model_lab_runs_read"

    @classmethod
    def parse(cls, text: str) -> RateLimit:
        """Read `LIMIT/PERIOD_S`, e.g. `10/300`; raises `MockUsageError`."""
        match = _WRITTEN.match(text)
        if match is None:
            message = f"the rate limit must be written LIMIT/PERIOD_S, e.g. 10/300, not {text!r}."
            raise MockUsageError(message)
        return cls(int(match[1]), int(match[2]))


class Bucket:
    """What is left of a rate limit; one for each site, since each site counts for itself."""

    __slots__ = ("_end_s", "_fixed", "_left", "_reset", "_reset_s", "rate")

    def __init__(self, rate: RateLimit) -> None:
        """Start full."""
        self.rate = rate
        self._fixed: tuple[Header, ...] = (
            (b"x-ratelimit-limit", b"%d" % rate.limit),
            (b"x-ratelimit-period", b"%d" % rate.period_s),
            (b"x-ratelimit-name", rate.name.encode("ascii")),
        )
        self._end_s = -math.inf
        self._left = rate.limit
        self._reset_s = -1
        self._reset: Header = (b"x-ratelimit-reset", b"0")

    def take(self, now_s: float) -> bool:
        """Count one request; false where the limit is used up. `now_s` is seconds since the epoch."""
        self.roll(now_s)
        if self._left <= 0:
            return False
        self._left -= 1
        return True

    def roll(self, now_s: float) -> None:
        """Begin a new period if the last one is over (or the clock was set back)."""
        if now_s >= self._end_s or now_s < self._end_s - self.rate.period_s:
            self._end_s = (now_s // self.rate.period_s + 1) * self.rate.period_s
            self._left = self.rate.limit

    def headers(self, now_s: float, *, left: int | None = None) -> tuple[Header, ...]:
        """Return the five headers as they stand after `take`; `left` replaces what remains."""
        reset_s = max(1, math.ceil(self._end_s - now_s))
        if reset_s != self._reset_s:
            self._reset_s = reset_s
            self._reset = (b"x-ratelimit-reset", b"%d" % reset_s)
        remaining = (b"x-ratelimit-remaining", b"%d" % (self._left if left is None else left))
        return (*self._fixed, remaining, self._reset)

    def exhausted_message(self) -> str:
        """Return the sentence a 429 carries."""
        rate = self.rate
        return f"Rate limit of {rate.limit} requests in {rate.period_s} seconds reached. Please try again later."
