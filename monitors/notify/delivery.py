"""The courier: takes notices from the outbox to their sinks, each at least once, those of one incident in order.

One worker for each sink, so that no sink delays another. What was sent and could not be noted is noted later; what may
not have been sent is sent again, under the same key. Nothing but a week of failures makes a notice be given up.
"""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Protocol

from monitors.notify.worker import Worker, silent

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from monitors.notify.backoff import Jitter
    from monitors.notify.sinks import Sink
    from monitors.notify.worker import Known, Log
    from monitors.store.values import OutboxRow


class Outbox(Protocol):
    """What the courier needs of the store; each call is a transaction of its own, from any thread."""

    def due(self, sink: str, now: datetime, limit: int = 50) -> list[OutboxRow]:
        """Return what a sink is to get now, oldest first: of each incident only the first that is not delivered."""

    def next_due(self, sink: str) -> datetime | None:
        """Return when a sink is to get something next, None where nothing waits for it."""

    def undelivered(self) -> list[OutboxRow]:
        """Return everything that waits, for any sink."""

    def mark_delivered(self, queued_id: int, at: datetime) -> None:
        """Note that a sink has taken a notice."""

    def mark_failed(self, queued_id: int, at: datetime, error: str, next_at: datetime) -> None:
        """Note that a sink has not taken a notice, why, and when it is tried again."""

    def mark_abandoned(self, queued_id: int, at: datetime, reason: str) -> None:
        """Note that a notice is given up, and why."""


def _now() -> datetime:
    return datetime.now(UTC)


class Courier:
    """Delivers what the outbox holds, until it is stopped. Its methods may be called from any thread.

    `clock` gives the time (UTC), `jitter` a number from 0 to 1. `known` says what the vendor's status page tells of a
    site; it is asked for outages only. `log` takes an event and its fields.
    """

    def __init__(
        self,
        outbox: Outbox,
        sinks: Iterable[Sink],
        *,
        clock: Callable[[], datetime] = _now,
        jitter: Jitter | None = None,
        known: Known | None = None,
        log: Log = silent,
    ) -> None:
        """Make a worker for each sink; nothing is sent before `start` or `drain`."""
        self._outbox, self._clock, self._jitter, self._known, self._log = outbox, clock, jitter, known, log
        self._lock = threading.Lock()
        self._started = False
        self._workers = {sink.settings.name: self._worker(sink) for sink in sinks}

    def start(self) -> None:
        """Begin to deliver in the background."""
        with self._lock:
            self._started = True
            for worker in self._workers.values():
                worker.start()

    def wake(self) -> None:
        """Say that there may be something new in the outbox."""
        for worker in self._all():
            worker.wake()

    def stop(self, deadline_s: float) -> bool:
        """Begin nothing new and wait for what is being sent; return whether all of it ended in time.

        What did not is sent again, under the same key, by whoever opens the store next.
        """
        return self._stopped(self._all(), deadline_s)

    def failing(self) -> list[tuple[str, datetime, str]]:
        """Return each sink that has failed to take a notice, since when, and what it said last."""
        return [(worker.name, *trouble) for worker in self._all() if (trouble := worker.trouble()) is not None]

    def replace(self, sinks: Iterable[Sink], deadline_s: float = 5.0) -> None:
        """Deliver to other sinks from now on: those of a name that is known take over what waits under it."""
        wanted = {sink.settings.name: sink for sink in sinks}
        with self._lock:
            gone = [worker for name, worker in self._workers.items() if name not in wanted]
            kept = {name: worker for name, worker in self._workers.items() if name in wanted}
            for name, sink in wanted.items():
                if name in kept:
                    kept[name].take(sink)
                    continue
                kept[name] = self._worker(sink)
                if self._started:
                    kept[name].start()
            self._workers = kept
        self._stopped(gone, deadline_s)

    def drain(self, deadline_s: float) -> list[OutboxRow]:
        """Deliver what is due, and what is to be tried again within the deadline; return what is left for any sink.

        For a run that ends: nothing goes on in the background afterwards but a send that hangs.
        """
        workers = self._all()
        deadline = time.monotonic() + deadline_s
        threads = [threading.Thread(target=worker.drain, args=(deadline,), daemon=True) for worker in workers]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(max(deadline - time.monotonic(), 0.0))
        self._stopped(workers, 0.5)
        return self._outbox.undelivered()

    def _worker(self, sink: Sink) -> Worker:
        return Worker(self._outbox, sink, clock=self._clock, jitter=self._jitter, known=self._known, log=self._log)

    def _all(self) -> Sequence[Worker]:
        with self._lock:
            return list(self._workers.values())

    @staticmethod
    def _stopped(workers: Sequence[Worker], deadline_s: float) -> bool:
        deadline = time.monotonic() + deadline_s
        for worker in workers:
            worker.ask_to_stop()
        ended = [worker.join(max(deadline - time.monotonic(), 0.0)) for worker in workers]
        return all(ended)
