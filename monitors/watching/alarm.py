"""Notices past the outbox, for when the store itself is the trouble; under the keys they will have in it."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import stamina

from monitors.errors import MonitorError
from monitors.notify.message import message_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from monitors.incidents.model import Notice
    from monitors.notify.sinks import Sink
    from monitors.watching.logs import Say

_UNTOLD = "a sink could not be told of the store's trouble"
_TRIES = 8
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 1.0, 60.0


class Alarm:
    """Sends notices straight to their sinks, each sink in a thread of its own; nothing of it outlives the process."""

    def __init__(self, sinks: Callable[[], Sequence[Sink]], say: Say, *, first_pause_s: float = _FIRST_PAUSE_S) -> None:
        """Take the sinks as they are when an alarm is sounded."""
        self._sinks, self._say, self._first_pause_s = sinks, say, first_pause_s
        self.threads: list[threading.Thread] = []

    def __call__(self, notices: Sequence[Notice]) -> None:
        """Send each notice to its sink."""
        sinks = {sink.settings.name: sink for sink in self._sinks()}
        self.threads = [
            threading.Thread(target=self._send, args=(sinks[notice.sink], notice), name="alarm", daemon=True)
            for notice in notices
            if notice.sink in sinks
        ]
        for thread in self.threads:
            thread.start()

    def _send(self, sink: Sink, notice: Notice) -> None:
        try:
            for attempt in stamina.retry_context(
                on=MonitorError,
                attempts=_TRIES,
                timeout=None,
                wait_initial=self._first_pause_s,
                wait_max=_LONGEST_PAUSE_S,
            ):
                with attempt:
                    sink.send(message_of(notice, sink.settings), notice)
        except MonitorError as error:
            self._say("error", "a sink could not be told of the store's trouble", sink=notice.sink, reason=str(error))
        except Exception as error:  # noqa: BLE001 - a sink is other people's code; the monitor goes on
            self._say(
                "error",
                "a sink could not be told of the store's trouble",
                sink=notice.sink,
                reason=type(error).__name__,
            )
