"""One attempt to send, in a thread of its own, so that a sink that hangs holds up nothing but itself."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from monitors.errors import MonitorError
from monitors.notify.errors import SinkError

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of an attempt: `error` None where the sink took the notice."""

    error: SinkError | None = None


TAKEN = Outcome()


def outcome_of(send: Callable[[], None]) -> Outcome:
    """Send, and return what came of it; whatever is raised is the sink's failure, never the courier's end."""
    try:
        send()
    except SinkError as error:
        return Outcome(error)
    except MonitorError as error:
        return Outcome(SinkError(str(error), permanent=True))
    except Exception as error:  # noqa: BLE001 - a sink is other people's code; the error's text may quote secrets
        return Outcome(SinkError(f"failed with {type(error).__name__}", permanent=False))
    return TAKEN


@dataclass(slots=True)
class Running:
    """An attempt that runs in its thread, or has ended: then `outcome` says how."""

    outcome: Outcome | None = None
    ended: threading.Event = field(default_factory=threading.Event)

    def wait(self, timeout_s: float, stop: threading.Event | None = None, step_s: float = 0.05) -> Outcome | None:
        """Return the outcome once there is one; None where there is none after `timeout_s`, or once `stop` is set."""
        deadline = time.monotonic() + timeout_s
        while not self.ended.wait(min(step_s, max(deadline - time.monotonic(), 0.0))):
            if time.monotonic() >= deadline or (stop is not None and stop.is_set()):
                break
        return self.outcome if self.ended.is_set() else None


def start(send: Callable[[], None], name: str) -> Running:
    """Start an attempt in a thread that does not keep the program alive."""
    running = Running()

    def run() -> None:
        running.outcome = outcome_of(send)
        running.ended.set()

    threading.Thread(target=run, name=f"send to {name}", daemon=True).start()
    return running
