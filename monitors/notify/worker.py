"""Delivers what waits for one sink: in order for each incident, again and again until it is taken."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from monitors.errors import MonitorError
from monitors.incidents.model import State
from monitors.incidents.problems import OUTAGE
from monitors.notify import attempts
from monitors.notify.backoff import Jitter, is_hopeless, next_try_s, pause_s
from monitors.notify.content import about
from monitors.notify.errors import SinkError
from monitors.notify.message import message_of

if TYPE_CHECKING:
    from monitors.incidents.model import Notice
    from monitors.notify.attempts import Outcome, Running
    from monitors.notify.delivery import Outbox
    from monitors.notify.message import Message
    from monitors.notify.sinks import Sink
    from monitors.store.values import OutboxRow

Known = Callable[[str], str | None]
"""Says what the vendor's status page tells of a site, by its key; None where nobody knows."""

Log = Callable[..., None]
"""Takes an event in words and its fields by name."""

STRIKES = 3
"""So many failures in a row are the sink's, not the notices': the rest of them waits."""

_IDLE_S, _MAX_PAUSE_S = 60.0, 60.0
_ALL = timedelta(days=3650)
_MAX_ROWS = 1_000
_MAX_HANGING = 2
_STEP_S = 0.1


def silent(event: str, **fields: Any) -> None:
    """Log nothing."""


class Worker:
    """Keeps one sink supplied. `step` is one look at the outbox; `start` looks again and again in a thread.

    What waits is tried at once after a start, after a new configuration, when a sink that was down is back, and when
    the clock went backwards, whenever it was to be tried again.
    """

    def __init__(
        self,
        outbox: Outbox,
        sink: Sink,
        *,
        clock: Callable[[], datetime],
        jitter: Jitter | None = None,
        known: Known | None = None,
        log: Log = silent,
        launch: Callable[[Callable[[], None], str], Running] = attempts.start,
    ) -> None:
        """Prepare; `launch` starts one attempt."""
        self.name = sink.settings.name
        self._outbox, self._sink, self._clock = outbox, sink, clock
        self._jitter: Jitter = jitter or random.random
        self._known, self._log, self._launch = known, log, launch
        self._turn, self._lock = threading.Lock(), threading.Lock()
        self._awake, self._stop = threading.Event(), threading.Event()
        self._thread: threading.Thread | None = None
        self._everything = True
        self._looked: datetime | None = None
        self._paused_until: datetime | None = None
        self._failures = self._store_failures = 0
        self._taken: dict[int, datetime] = {}
        self._late: set[int] = set()
        self._hanging: list[tuple[OutboxRow, Running]] = []
        self._troubles: dict[int, tuple[datetime, str]] = {}

    def start(self) -> None:
        """Begin in the background."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name=f"sink {self.name}", daemon=True)
            self._thread.start()

    def wake(self) -> None:
        """Look at the outbox soon."""
        self._awake.set()

    def take(self, sink: Sink) -> None:
        """Deliver to a sink configured anew, all that waits at once."""
        with self._lock:
            self._sink, self._everything, self._paused_until = sink, True, None
        self.wake()

    def ask_to_stop(self) -> None:
        """Begin no further attempt."""
        self._stop.set()
        self.wake()

    def join(self, deadline_s: float) -> bool:
        """Wait until the attempt at hand is over; return whether it is."""
        if self._thread is not None:
            self._thread.join(deadline_s)
            return not self._thread.is_alive()
        if self._turn.acquire(timeout=deadline_s):
            self._turn.release()
            return True
        return False

    def trouble(self) -> tuple[datetime, str] | None:
        """Return since when a notice is not taken, and why; None where all is well."""
        with self._lock:
            return min(self._troubles.values(), default=None)

    def drain(self, deadline: float) -> None:
        """Deliver until nothing is due before a deadline of the monotonic clock."""
        while not self._stop.is_set():
            wait_s = self.step()
            left_s = deadline - time.monotonic()
            if wait_s is None or wait_s >= left_s:
                return
            self._stop.wait(wait_s)

    def step(self) -> float | None:
        """Deliver what is due; return in how many seconds to look again, None for when there is something new.

        Never raises: what the store cannot do now it is asked for again.
        """
        with self._turn:
            try:
                wait_s = self._look()
            except Exception as error:  # noqa: BLE001 - whatever it is, the other notices must still go out
                self._store_failures += 1
                self._log("outbox failed", sink=self.name, error=_said(error))
                return min(pause_s(self._store_failures, self._jitter), _MAX_PAUSE_S)
            self._store_failures = 0
            return wait_s

    def _run(self) -> None:
        while not self._stop.is_set():
            wait_s = self.step()
            self._awake.wait(_IDLE_S if wait_s is None else min(wait_s, _IDLE_S))
            self._awake.clear()

    def _look(self) -> float | None:
        self._note_taken()
        now = self._clock()
        if self._looked is not None and now < self._looked:
            self._everything, self._paused_until = True, None
        self._looked = now
        if self._paused_until is not None and now < self._paused_until:
            return (self._paused_until - now).total_seconds()
        self._paused_until = None
        everything, self._everything = self._everything, False
        try:
            self._deliver_all(now + _ALL if everything else now)
        except BaseException:
            self._everything = self._everything or everything
            raise
        if self._paused_until is not None:
            return (self._paused_until - now).total_seconds()
        soonest = self._outbox.next_due(self.name)
        return None if soonest is None else max((soonest - self._clock()).total_seconds(), _STEP_S)

    def _deliver_all(self, until: datetime) -> None:
        """Deliver what is due by a time, and what becomes due by that, until the sink fails too often in a row."""
        tried: set[int] = set()
        strikes = 0
        while rows := [row for row in self._outbox.due(self.name, until, _MAX_ROWS) if row.id not in tried]:
            self._late.clear()
            for row in rows:
                if self._stop.is_set() or not self._has_room():
                    return
                tried.add(row.id)
                if row.id in self._late:
                    continue
                error = self._deliver(row)
                if error is None:
                    if self._failures >= STRIKES:
                        # It is back: what waits for its next try need not wait any longer.
                        until = self._clock() + _ALL
                        tried.clear()
                    strikes = self._failures = 0
                    continue
                if error.permanent:
                    continue
                strikes += 1
                self._failures += 1
                if strikes >= STRIKES or error.retry_after_s is not None:
                    # By how often it was given a rest, not by notices: one that fails now and then is not down.
                    pause = min(pause_s(-(-self._failures // STRIKES), self._jitter), _MAX_PAUSE_S)
                    wait_s = pause if error.retry_after_s is None else max(error.retry_after_s, pause)
                    self._paused_until = self._clock() + timedelta(seconds=wait_s)
                    return

    def _deliver(self, row: OutboxRow) -> SinkError | None:
        sink = self._sink
        running = self._launch(lambda: sink.send(self._message(row.notice, sink), row.notice), self.name)
        outcome = running.wait(sink.settings.timeout_s)
        if outcome is None:
            self._hanging.append((row, running))
            error = SinkError(f"did not take it within {sink.settings.timeout_s:g} s")
            self._failed(row, error)
            return error
        return self._settled(row, outcome)

    def _message(self, notice: Notice, sink: Sink) -> Message:
        incident = about(notice.content)
        known = None
        if self._known is not None and incident is not None and incident.state == State.OPEN:
            known = self._known(incident.sites[0]) if incident.problem == OUTAGE and incident.sites else None
        return message_of(notice, sink.settings, known=known)

    def _settled(self, row: OutboxRow, outcome: Outcome) -> SinkError | None:
        if outcome.error is not None:
            self._failed(row, outcome.error)
            return outcome.error
        with self._lock:
            self._troubles.pop(row.id, None)
        self._taken[row.id] = self._clock()
        self._say("notice delivered", row, attempts=row.attempts + 1)
        self._note_taken()
        return None

    def _note_taken(self) -> None:
        """Note what was sent; what cannot be noted now is noted before anything else is sent."""
        self._look_after_hanging()
        for queued_id, at in list(self._taken.items()):
            self._outbox.mark_delivered(queued_id, at)
            del self._taken[queued_id]

    def _failed(self, row: OutboxRow, error: SinkError) -> None:
        now = self._clock()
        failures = row.attempts + 1
        first = row.first_failed or now
        with self._lock:
            since = min(first, self._troubles.get(row.id, (first, ""))[0])
            self._troubles[row.id] = (since, str(error))
        if is_hopeless(row.first_failed, failures, now):
            self._say("notice given up", row, error=str(error), attempts=failures)
            self._outbox.mark_abandoned(row.id, now, f"given up after {failures} attempts: {error}")
            with self._lock:
                self._troubles.pop(row.id, None)
            return
        wait_s = next_try_s(failures, retry_after_s=error.retry_after_s, permanent=error.permanent, jitter=self._jitter)
        self._say("notice failed", row, error=str(error), next_try_s=round(wait_s, 1))
        self._outbox.mark_failed(row.id, now, str(error), now + timedelta(seconds=wait_s))

    def _say(self, event: str, row: OutboxRow, **fields: Any) -> None:
        """Log what became of a notice, and which one it is; a digest and a test are of no incident."""
        notice = row.notice
        of = {"incident": notice.incident} if notice.incident else {}
        self._log(event, sink=self.name, **of, kind=str(notice.kind), key=notice.key, **fields)

    def _look_after_hanging(self) -> None:
        """Take note of attempts that ended after their time: a notice taken late is not sent again."""
        for row, running in [entry for entry in self._hanging if entry[1].ended.is_set()]:
            self._hanging.remove((row, running))
            if running.outcome is not None and running.outcome.error is None:
                self._taken[row.id] = self._clock()
                self._late.add(row.id)
                with self._lock:
                    self._troubles.pop(row.id, None)
                self._say("notice delivered late", row)

    def _has_room(self) -> bool:
        """Tell whether another attempt may be started: one that hangs gets as much time again to end, two block."""
        if not self._hanging:
            return True
        if len(self._hanging) < _MAX_HANGING:
            self._hanging[-1][1].wait(self._sink.settings.timeout_s, self._stop, _STEP_S)
        self._note_taken()
        if len(self._hanging) >= _MAX_HANGING:
            self._paused_until = self._clock() + timedelta(seconds=min(self._sink.settings.timeout_s, _MAX_PAUSE_S))
            return False
        return not self._stop.is_set()


def _said(error: Exception) -> str:
    """Return what a store's error says; of others only the type, for nobody can promise what they quote."""
    return str(error) if isinstance(error, MonitorError) else type(error).__name__
