"""Notices past the outbox, for when the store itself is the trouble; under the keys they will have in it."""

from __future__ import annotations

import threading
from collections import deque
from typing import TYPE_CHECKING

from monitors.notify.attempts import outcome_of
from monitors.notify.backoff import next_try_s
from monitors.notify.message import message_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from monitors.incidents.model import Notice
    from monitors.notify.errors import SinkError
    from monitors.notify.sinks import Sink
    from monitors.watching.logs import Say

    Pause = Callable[[threading.Event, float], object]

_MOST = 1_000
"""So many notices of one incident wait for a sink at the most; more than that the store will tell."""


class Alarm:
    """Sends notices straight to their sinks, again and again until they are taken; those of one incident in order.

    `taken` hears of each notice that a sink took. An alarm without notices calls off what is not taken yet: the outbox
    tells from then on. Nothing of it outlives the process.
    """

    def __init__(
        self,
        sinks: Callable[[], Sequence[Sink]],
        say: Say,
        taken: Callable[[Notice], None],
        *,
        pause: Pause = threading.Event.wait,
    ) -> None:
        """Take the sinks as they are when an alarm is sounded; `pause` waits for seconds or the alarm's end."""
        self._sinks, self._say, self._taken, self._pause = sinks, say, taken, pause
        self._off = threading.Event()
        self._lock = threading.Lock()
        self._waiting: dict[tuple[str, int], deque[Notice]] = {}
        self.threads: list[threading.Thread] = []

    def __call__(self, notices: Sequence[Notice]) -> None:
        """Send each notice to its sink, behind those of its incident that wait for it; without any, call all off."""
        if not notices:
            self._off.set()
            with self._lock:
                self._off, self._waiting = threading.Event(), {}
        sinks = {sink.settings.name: sink for sink in self._sinks()}
        for notice in notices:
            if (sink := sinks.get(notice.sink)) is not None:
                self._put(sink, notice)

    def _put(self, sink: Sink, notice: Notice) -> None:
        place = (notice.sink, notice.incident)
        with self._lock:
            waiting = self._waiting.get(place)
            if waiting is not None:
                if len(waiting) < _MOST:
                    waiting.append(notice)
                return
            waiting = self._waiting[place] = deque([notice])
            thread = threading.Thread(target=self._send, args=(sink, waiting, self._off), name="alarm", daemon=True)
            self.threads = [*(each for each in self.threads if each.is_alive()), thread]
        try:
            thread.start()
        except RuntimeError as error:
            with self._lock:
                self._waiting.pop(place, None)
            self._say("error", "this machine cannot start a thread to tell past the store", reason=str(error))

    @staticmethod
    def _outcome(sink: Sink, notice: Notice) -> SinkError | None:
        return outcome_of(lambda: sink.send(message_of(notice, sink.settings), notice)).error

    def _send(self, sink: Sink, waiting: deque[Notice], off: threading.Event) -> None:
        """Send what waits, and end when nothing does."""
        failures = 0
        while not off.is_set():
            notice = waiting[0]
            error = self._outcome(sink, notice)
            if error is not None:
                failures += 1
                wait_s = next_try_s(failures, retry_after_s=error.retry_after_s, permanent=error.permanent)
                self._say(
                    "error",
                    "a sink could not be told past the store",
                    sink=notice.sink,
                    incident=notice.incident,
                    kind=str(notice.kind),
                    reason=str(error),
                    next_try_s=round(wait_s, 1),
                )
                self._pause(off, wait_s)
                continue
            failures = 0
            self._taken(notice)
            said = {"sink": notice.sink, "incident": notice.incident, "kind": str(notice.kind), "key": notice.key}
            self._say("info", "a sink was told past the store", **said)
            with self._lock:
                waiting.popleft()
                if not waiting:
                    if self._waiting.get((notice.sink, notice.incident)) is waiting:
                        del self._waiting[notice.sink, notice.incident]
                    return
