"""Metrics of each cycle, and how things stand, for the sinks that take any; the latest count, so old ones go."""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, NamedTuple, Protocol, runtime_checkable

from monitors.notify.attempts import outcome_of
from monitors.notify.measures import measures
from monitors.notify.standing import counts, standing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from datetime import datetime

    from monitors.cycle import Result
    from monitors.incidents.model import Book
    from monitors.notify.measures import Measure
    from monitors.notify.sinks import Sink
    from monitors.notify.standing import Standing
    from monitors.watching.logs import Say

_MAX_WAITING = 10
_STANDING_S = 60.0


@runtime_checkable
class Meter(Protocol):
    """A sink that takes metrics beside notices."""

    def measure(self, measures: Iterable[Measure], host: str, at: datetime, standing: Iterable[Standing] = ()) -> None:
        """Take the metrics of one cycle, and how its incidents stand; raises `SinkError` where they are not taken."""


class _Offered(NamedTuple):
    """What a cycle measured, and how things stood then for each sink by its name."""

    measures: Sequence[Measure]
    standing: Mapping[str, Sequence[Standing]]
    sites: Sequence[str]
    host: str
    at: datetime


@dataclass(slots=True)
class Metering:
    """Hands metrics on in a thread of its own.

    How things stand goes along at most once a minute, so that whoever alerts on it has it as long as it lasts.
    """

    sinks: Callable[[], Sequence[Sink]]
    say: Say
    _waiting: deque[_Offered] = field(default_factory=lambda: deque(maxlen=_MAX_WAITING))
    _there: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None
    _stood: datetime | None = None

    def offer(
        self, results: Sequence[tuple[Result, bool | None]], host: str, at: datetime, book: Book | None = None
    ) -> None:
        """Take what a cycle measured: each result, and whether it found the site available; and the book after it."""
        meters = [sink.settings for sink in self.sinks() if isinstance(sink, Meter)]
        if not results or not meters:
            return
        found = [each for result, available in results for each in measures(result.observation, available=available)]
        stands = {} if book is None else {sink.name: standing(book, sink) for sink in meters}
        sites = dict.fromkeys(result.observation.site or "" for result, _ in results)
        self._waiting.append(_Offered(found, stands, [*sites], host, at))
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
            offered = self._waiting.popleft()
            late = self._stood is None or abs((offered.at - self._stood).total_seconds()) >= _STANDING_S
            self._stood = offered.at if late else self._stood
            for sink in self.sinks():
                if not isinstance(sink, Meter):
                    continue
                stands = offered.standing.get(sink.settings.name)
                found = [*offered.measures, *(() if stands is None else counts(stands, offered.sites))]
                sent = stands if stands is not None and late else ()
                error = outcome_of(partial(sink.measure, found, offered.host, offered.at, sent)).error
                if error is not None:
                    self.say("warning", "metrics were not taken", sink=sink.settings.name, reason=str(error))

    def _work(self) -> None:
        while True:
            self._there.wait()
            self._there.clear()
            self.send_waiting()
