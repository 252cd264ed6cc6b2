"""The store as it is just now: whoever holds this keeps working when a damaged store is exchanged for a mended one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from contextlib import AbstractContextManager
    from datetime import datetime

    from monitors.memory.folding import Baseline
    from monitors.store import Queued, Store, Writing


@dataclass(slots=True)
class Current:
    """Hands every call on to `store`, which may be exchanged at any time."""

    store: Store

    def writing(self) -> AbstractContextManager[Writing]:
        """Return a transaction."""
        return self.store.writing()

    def baseline(self, site: str, run_id: str) -> Baseline | None:
        """Return how a canary run was first seen."""
        return self.store.baseline(site, run_id)

    def due(self, sink: str, now: datetime, limit: int = 50) -> list[Queued]:
        """Return what a sink is to get now."""
        return self.store.due(sink, now, limit)

    def next_due(self, sink: str) -> datetime | None:
        """Return when a sink is to get something next."""
        return self.store.next_due(sink)

    def undelivered(self) -> list[Queued]:
        """Return everything that waits."""
        return self.store.undelivered()

    def mark_delivered(self, queued_id: int, at: datetime) -> None:
        """Note that a sink has taken a notice."""
        self.store.mark_delivered(queued_id, at)

    def mark_failed(self, queued_id: int, at: datetime, error: str, next_at: datetime) -> None:
        """Note that a sink has not taken a notice."""
        self.store.mark_failed(queued_id, at, error, next_at)

    def mark_abandoned(self, queued_id: int, at: datetime, reason: str) -> None:
        """Note that a notice is given up."""
        self.store.mark_abandoned(queued_id, at, reason)
