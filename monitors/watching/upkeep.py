"""The store is kept in order now and then, in a thread of its own, as that takes seconds."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

from monitors.errors import MonitorError

if TYPE_CHECKING:
    from collections.abc import Callable

    from monitors.watching.logs import Say

_EVERY_S = 3_600.0
_AGAIN_S = 60.0
_FAILED = "the store could not be kept in order"


@dataclass(slots=True)
class Upkeep:
    """Does `work` every hour from `next_s` on (monotonic seconds), never twice at once; what it raises is logged."""

    work: Callable[[], None]
    next_s: float
    say: Say
    _thread: threading.Thread | None = None

    def start_if_due(self, now_s: float) -> None:
        """Start it where it is time."""
        if now_s < self.next_s or (self._thread is not None and self._thread.is_alive()):
            return
        self.next_s = now_s + _EVERY_S
        thread = threading.Thread(target=self._run, name="upkeep", daemon=True)
        try:
            thread.start()
        except RuntimeError as error:
            self.next_s = now_s + _AGAIN_S
            self.say("error", _FAILED, reason=f"this machine cannot start a thread: {error}")
        else:
            self._thread = thread

    def join(self, timeout_s: float) -> None:
        """Wait for what is under way."""
        if self._thread is not None:
            self._thread.join(max(timeout_s, 0.0))

    def _run(self) -> None:
        try:
            self.work()
        except MonitorError as error:
            self.say("error", _FAILED, reason=str(error))
