"""The store as it is just now: whoever holds this keeps working when a damaged store is exchanged for a mended one."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from monitors.store import StoreBusyError, StoreDamagedError, StoreReplacedError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from monitors.incidents.model import Book
    from monitors.memory.folding import Baseline
    from monitors.store import Queued, Store, Writing

_RECENT = 2_000
_AGE = 1 << 48
"""Ids of notices from one store to the next are that far apart: an id tells which store it is of."""
_MENDED_WITHIN_S = 5.0
_LET_GO_WITHIN_S = 30.0


@dataclass(slots=True)
class Current:
    """Hands every call on to `store`, which may be exchanged at any time.

    `damaged` says that a call met damage, whoever made it, `replaced` what one said that met another file in the
    store's place, or none. `delivered` are the latest notices that were taken, by key and sink, and when: for a store
    that has lost them, or was never told of them. While one thread is `exchanging` the store the calls of others wait,
    and fail with `StoreBusyError` after `patience_s`.
    """

    store: Store
    damaged: bool = False
    replaced: str = ""
    patience_s: float = _MENDED_WITHIN_S
    delivered: dict[tuple[str, str], datetime] = field(default_factory=dict)
    _sent: dict[int, tuple[str, str]] = field(default_factory=dict)
    _gate: threading.Condition = field(default_factory=threading.Condition)
    _age: int = 0
    _users: int = 0
    _mender: int | None = None

    @contextmanager
    def using(self) -> Iterator[Store]:
        """Give the store for one use; it is not exchanged before that ends. Raises `StoreBusyError` while it is."""
        me = threading.get_ident()
        with self._gate:
            if not self._gate.wait_for(lambda: self._mender in {None, me}, self.patience_s):
                message = f"{self.store.url_shown}: the store is being mended"
                raise StoreBusyError(message)
            self._users += 1
        try:
            yield self.store
        except StoreDamagedError:
            self.damaged = True
            raise
        except StoreReplacedError as error:
            self.replaced = str(error)
            raise
        finally:
            with self._gate:
                self._users -= 1
                self._gate.notify_all()

    @contextmanager
    def exchanging(self, patience_s: float = _LET_GO_WITHIN_S) -> Iterator[None]:
        """Keep the store for this thread alone, once whoever uses it has let go or `patience_s` are over."""
        with self._gate:
            self._mender = threading.get_ident()
            # Who uses it for longer finds out that it works on a file that is put aside.
            self._gate.wait_for(lambda: not self._users, patience_s)
        try:
            self._age += 1
            yield
            self.damaged, self.replaced = False, ""
        finally:
            with self._gate:
                self._mender = None
                self._gate.notify_all()

    @contextmanager
    def writing(self) -> Iterator[Writing]:
        """Give a transaction."""
        with self.using() as store, store.writing() as tx:
            yield tx

    def book(self) -> Book:
        """Return the book of incidents."""
        with self.using() as store:
            return store.book()

    def baseline(self, site: str, run_id: str) -> Baseline | None:
        """Return how a canary run was first seen."""
        with self.using() as store:
            return store.baseline(site, run_id)

    def due(self, sink: str, now: datetime, limit: int = 50) -> list[Queued]:
        """Return what a sink is to get now."""
        with self.using() as store:
            rows = [self._handed(row) for row in store.due(sink, now, limit)]
        self._sent.update({row.id: (row.notice.key, row.notice.sink) for row in rows})
        return rows

    def next_due(self, sink: str) -> datetime | None:
        """Return when a sink is to get something next."""
        with self.using() as store:
            return store.next_due(sink)

    def undelivered(self) -> list[Queued]:
        """Return everything that waits."""
        with self.using() as store:
            return [self._handed(row) for row in store.undelivered()]

    def mark_delivered(self, queued_id: int, at: datetime) -> None:
        """Note that a sink has taken a notice, also one that was drawn from the store of before."""
        sent = self._sent.get(queued_id)
        with self.using() as store:
            for number in self._numbers(store, queued_id, sent):
                store.mark_delivered(number, at)
        if sent is not None:
            self._sent.pop(queued_id, None)
            self.note_delivered(*sent, at)

    def note_delivered(self, key: str, sink: str, at: datetime) -> None:
        """Remember that a sink has taken a notice, wherever it was drawn from; safe in any thread."""
        with self._gate:
            self.delivered[key, sink] = at
            if len(self.delivered) > _RECENT:
                del self.delivered[next(iter(self.delivered))]

    def mark_failed(self, queued_id: int, at: datetime, error: str, next_at: datetime) -> None:
        """Note that a sink has not taken a notice."""
        with self.using() as store:
            for number in self._numbers(store, queued_id, self._sent.get(queued_id)):
                store.mark_failed(number, at, error, next_at)

    def mark_abandoned(self, queued_id: int, at: datetime, reason: str) -> None:
        """Note that a notice is given up."""
        with self.using() as store:
            for number in self._numbers(store, queued_id, self._sent.get(queued_id)):
                store.mark_abandoned(number, at, reason)

    def _handed(self, row: Queued) -> Queued:
        return replace(row, id=row.id + self._age * _AGE) if self._age else row

    def _numbers(self, store: Store, queued_id: int, sent: tuple[str, str] | None) -> list[int]:
        """Return the id that a notice has in the store: one drawn before the exchange may have another by now."""
        age, number = divmod(queued_id, _AGE)
        if age == self._age:
            return [number]
        return [row.id for row in store.undelivered() if (row.notice.key, row.notice.sink) == sent]
