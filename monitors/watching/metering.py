"""Metrics of each cycle for the sinks that take any; the latest count, so what cannot be sent in time is dropped."""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from monitors.notify.attempts import outcome_of
from monitors.notify.measures import Measure, measures

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from datetime import datetime

    from monitors.cycle import Result
    from monitors.notify.sinks import Sink
    from monitors.watching.logs import Say

_MAX_WAITING = 10


@runtime_checkable
class Meter(Protocol):
    """A sink that takes metrics beside notices."""

    def measure(self, measures: Iterable[Measure], host: str, at: datetime) -> None:
        """Take the metrics of one cycle; raises `SinkError` where they are not taken."""


@dataclass(slots=True)
class Metering:
    """Hands metrics on in a thread of its own."""

    sinks: Callable[[], Sequence[Sink]]
    say: Say
    _waiting: deque[tuple[list[Measure], str, datetime]] = field(default_factory=lambda: deque(maxlen=_MAX_WAITING))
    _there: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def offer(self, results: Sequence[tuple[Result, bool | None]], host: str, at: datetime) -> None:
        """Take what a cycle measured: each result, and whether it found the site available."""
        if not results or not any(isinstance(sink, Meter) for sink in self.sinks()):
            return
        found = [each for result, available in results for each in measures(result.observation, available=available)]
        self._waiting.append((found, host, at))
        self._there.set()
        if self._thread is not None:
            return
        thread = threading.Thread(target=self._work, name="metrics", daemon=True)
        try:
            thread.start()
        except RuntimeError as error:
            self.say("warning", "metrics wait", reason=f"this machine cannot start a thread: {error}")
        else:
            self._thread = thread

    def send_waiting(self) -> None:
        """Send what waits, once; what a sink does not take is gone."""
        while self._waiting:
            found, host, at = self._waiting.popleft()
            for sink in self.sinks():
                if not isinstance(sink, Meter):
                    continue
                error = outcome_of(partial(sink.measure, found, host, at)).error
                if error is not None:
                    self.say("warning", "metrics were not taken", sink=sink.settings.name, reason=str(error))

    def _work(self) -> None:
        while True:
            self._there.wait()
            self._there.clear()
            self.send_waiting()
