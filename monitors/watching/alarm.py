"""Notices past the outbox, for when the store itself is the trouble; under the keys they will have in it."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from monitors.notify.attempts import outcome_of
from monitors.notify.backoff import next_try_s
from monitors.notify.message import message_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from monitors.incidents.model import Notice
    from monitors.notify.sinks import Sink
    from monitors.watching.logs import Say

    Pause = Callable[[threading.Event, float], object]


class Alarm:
    """Sends notices straight to their sinks, each in a thread of its own, again and again until they are taken.

    Whatever is not taken when the next alarm is sounded is called off, so an alarm without notices ends them all:
    the outbox tells from then on. Nothing of it outlives the process.
    """

    def __init__(self, sinks: Callable[[], Sequence[Sink]], say: Say, *, pause: Pause = threading.Event.wait) -> None:
        """Take the sinks as they are when an alarm is sounded; `pause` waits for seconds or the alarm's end."""
        self._sinks, self._say, self._pause = sinks, say, pause
        self._off = threading.Event()
        self.threads: list[threading.Thread] = []

    def __call__(self, notices: Sequence[Notice]) -> None:
        """Send each notice to its sink, and nothing else any more."""
        self._off.set()
        self._off = off = threading.Event()
        sinks = {sink.settings.name: sink for sink in self._sinks()}
        self.threads = [
            threading.Thread(target=self._send, args=(sinks[notice.sink], notice, off), name="alarm", daemon=True)
            for notice in notices
            if notice.sink in sinks
        ]
        for thread in self.threads:
            thread.start()

    def _send(self, sink: Sink, notice: Notice, off: threading.Event) -> None:
        failures = 0
        while not off.is_set():
            error = outcome_of(lambda: sink.send(message_of(notice, sink.settings), notice)).error
            if error is None:
                self._say("info", "a sink was told of the store's trouble", sink=notice.sink, key=notice.key)
                return
            failures += 1
            wait_s = next_try_s(failures, retry_after_s=error.retry_after_s, permanent=error.permanent)
            self._say(
                "error",
                "a sink could not be told of the store's trouble",
                sink=notice.sink,
                reason=str(error),
                next_try_s=round(wait_s, 1),
            )
            self._pause(off, wait_s)
