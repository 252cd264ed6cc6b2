"""Batches on their way into the store: what cannot be kept now waits, in order, and no site is blamed for it."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import TYPE_CHECKING

from monitors.incidents.deciding import Round, decide
from monitors.incidents.model import Book
from monitors.incidents.planning import plan
from monitors.store import StoreDamagedError, StoreError
from monitors.watching import health
from monitors.watching.keeper import Batch

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from monitors.incidents.model import Notice
    from monitors.model import Finding
    from monitors.watching.clock import Clock
    from monitors.watching.keeper import Keeper, Kept
    from monitors.watching.logs import Say

_MAX_WAITING = 5_000
_WITH_BODIES = 50
_AT_ONCE = 100
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 1.0, 30.0
_ALARM_AFTER_S = 10.0
_RECENT_NOTICES = 500


@dataclass(slots=True)
class Vault:
    """Keeps batches through a keeper, and holds them while the store takes none.

    `mend` puts a damaged store in order and says in a line what came of it. `alarm` sends notices past the outbox,
    which is out of reach with the store; whatever it sends is queued under the same keys once the store is back.
    Batches beyond some thousands are dropped, those without findings first; `dropped` counts them.
    """

    keeper: Keeper
    clock: Clock
    mend: Callable[[], str]
    alarm: Callable[[Sequence[Notice]], None]
    say: Say
    trouble: Finding | None = None
    dropped: int = 0
    book: Book | None = None
    _waiting: deque[Batch] = field(default_factory=deque)
    _recent: deque[Notice] = field(default_factory=lambda: deque(maxlen=_RECENT_NOTICES))
    _pause_s: float = _FIRST_PAUSE_S
    _next_try_s: float = 0.0
    _since_s: float = 0.0
    _alarmed: bool = False

    @property
    def next_try_s(self) -> float:
        """When to try again, in monotonic seconds; infinity where nothing waits."""
        return self._next_try_s if self._waiting else float("inf")

    def offer(self, batch: Batch) -> list[Kept]:
        """Take a batch and keep what can be kept, in order; returns what was kept, which may be earlier batches too."""
        self._waiting.append(batch)
        self._bound()
        if self.trouble is not None and self.clock.monotonic() < self._next_try_s:
            return []
        return self.retry()

    def retry(self) -> list[Kept]:
        """Try to keep what waits."""
        kept: list[Kept] = []
        try:
            self._keep_waiting(kept)
            if self.trouble is not None:
                self._recovered(kept)
        except StoreError as error:
            self._failed(error)
        return kept

    def _keep_waiting(self, kept: list[Kept]) -> None:
        while self._waiting:
            # Many at once after a long trouble, yet not so many that others wait long for the store.
            batches = list(islice(self._waiting, _AT_ONCE))
            try:
                done = self.keeper.keep_all(batches)
            except StoreDamagedError as error:
                self.say("warning", "the store is damaged", reason=str(error))
                self.say("warning", "the store was mended", outcome=self.mend())
                self._restore()
                done = self.keeper.keep_all(batches)
            for each in done:
                self._waiting.popleft()
                self._recent.extend(each.notices)
            self.book = done[-1].book
            kept.extend(done)

    def _restore(self) -> None:
        """Give a mended store back what this process knows of its latest state: nothing that was decided is lost."""
        self.keeper.forget()
        if self.book is None:
            return
        with self.keeper.store.writing() as tx:
            found = tx.book()
            tx.put_book(found, newest(found, self.book), ())
            tx.queue(list(self._recent))

    def _failed(self, error: StoreError) -> None:
        now_s = self.clock.monotonic()
        if self.trouble is None:
            self.trouble = health.own(health.STORE, str(error), self.clock.now())
            self._since_s, self._pause_s, self._alarmed = now_s, _FIRST_PAUSE_S, False
            # Told first of all once the store is back, with the time it began.
            self._waiting.appendleft(Batch(self.clock.now(), own={health.STORE: self.trouble}))
            self.say("error", "the store takes nothing", reason=str(error))
        self._next_try_s = now_s + self._pause_s
        self._pause_s = min(self._pause_s * 2, _LONGEST_PAUSE_S)
        if not self._alarmed and now_s - self._since_s >= _ALARM_AFTER_S:
            self._alarmed = True
            self._sound()

    def _sound(self) -> None:
        """Send what the outbox would hold now; the decision is the one that will be kept when the store is back."""
        if self.book is None or self.trouble is None:
            return
        at, trouble = self.trouble.at or self.clock.now(), self.trouble
        decision = decide(self.book, Round(at, own={health.STORE: trouble}), self.keeper.rules.thresholds)
        new = {number: entry for number, entry in decision.book.incidents.items() if number not in self.book.incidents}
        planned = plan(replace(decision.book, incidents=new), self.keeper.surroundings(at))
        self.alarm(planned.notices)

    def _recovered(self, kept: list[Kept]) -> None:
        self.trouble = None
        self.say("info", "the store is back", kept=len(kept), dropped=self.dropped)
        self._waiting.append(Batch(self.clock.now(), own={health.STORE: None}))
        self._keep_waiting(kept)

    def _bound(self) -> None:
        if len(self._waiting) > _WITH_BODIES:
            late = self._waiting[-_WITH_BODIES - 1]
            slim = tuple(replace(each, observation=each.observation.without_body()) for each in late.results)
            self._waiting[-_WITH_BODIES - 1] = replace(late, results=slim)
        while len(self._waiting) > _MAX_WAITING:
            plain = next((batch for batch in self._waiting if not _tells(batch)), self._waiting[1])
            self._waiting.remove(plain)
            self.dropped += 1


def _tells(batch: Batch) -> bool:
    return bool(batch.own.get(health.STORE)) or any(result.findings for result in batch.results)


def newest(found: Book, known: Book) -> Book:
    """Return the book of a mended store with what this process knows better: it decided it, so it is the later one.

    What people did from elsewhere since the last batch stands in `found` only, and is kept.
    """
    silences = {entry.id: entry for entry in (*known.silences, *found.silences)}
    return Book(
        installation=known.installation,
        tracks={**found.tracks, **known.tracks},
        incidents={**found.incidents, **known.incidents},
        told={**found.told, **known.told},
        silences=tuple(silences[number] for number in sorted(silences)),
        next_id=max(found.next_id, known.next_id),
    )
