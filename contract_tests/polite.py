"""Manners towards real sites: a pause between two requests to one site."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(slots=True)
class Pacer:
    """Keeps requests to one site at least `pause_s` seconds apart; clock and sleep are given so that tests are fast."""

    pause_s: float
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    _last: dict[str, float] = field(default_factory=dict)

    def wait(self, site: str) -> None:
        """Return once the site may be asked again, and count that as the request."""
        last = self._last.get(site)
        if last is not None and (left_s := last + self.pause_s - self.clock()) > 0:
            self.sleep(left_s)
        self._last[site] = self.clock()
