"""Batches on their way into the store: what cannot be kept now waits, in order, and no site is blamed for it."""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import TYPE_CHECKING

from monitors.errors import MonitorError
from monitors.incidents.model import NoticeKind
from monitors.memory import Memory
from monitors.store import HeldError, StoreDamagedError, StoreError, StoreReplacedError
from monitors.watching import health
from monitors.watching.keeper import Batch
from monitors.watching.restoring import Recent, restore
from monitors.watching.slimming import Slimming

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from monitors.incidents.model import Book, Notice
    from monitors.model import Finding
    from monitors.watching.clock import Clock
    from monitors.watching.keeper import Keeper, Kept
    from monitors.watching.logs import Say

_MAX_WAITING, _MAX_RESULTS = 50_000, 50_000
"""Three days of nine sites; each result takes a kilobyte."""
_AS_THEY_CAME = 50
_AT_ONCE = 100
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 1.0, 30.0
_FIRST_MEND_PAUSE_S, _LONGEST_MEND_PAUSE_S = 60.0, 3_600.0
_ALARM_AFTER_S = 10.0


@dataclass(slots=True)
class Vault:
    """Keeps batches through a keeper, and holds them while the store takes none.

    `mend` puts a damaged store in order and says in a line what came of it, `reopen` does so with one whose file was
    removed or replaced. `alarm` sends notices past the outbox, which is out of reach with the store: of the trouble,
    and of what sites do meanwhile. They are queued under the same keys once the store is back, and it is called without
    any to end what is not sent by then.
    After three days the oldest batches are dropped; `dropped` counts them. `trouble` is what is wrong with the store,
    for as long as it is.
    """

    keeper: Keeper
    clock: Clock
    mend: Callable[[], str]
    reopen: Callable[[], str]
    alarm: Callable[[Sequence[Notice]], None]
    say: Say
    trouble: Finding | None = None
    dropped: int = 0
    _recent: Recent = field(default_factory=Recent)
    _waiting: deque[Batch] = field(default_factory=deque)
    _results: int = 0
    _slimming: Slimming = field(default_factory=Slimming)
    _pause_s: float = _FIRST_PAUSE_S
    _next_try_s: float = 0.0
    _since_s: float = 0.0
    _alarmed: bool = False
    _restored: bool = True
    _mend_pause_s: float = _FIRST_MEND_PAUSE_S
    _next_mend_s: float = -math.inf
    _next_reopen_s: float = -math.inf
    _ousted: bool = False
    _ahead: tuple[Book, Memory] | None = None

    @property
    def book(self) -> Book | None:
        """The book as it was kept last, None before anything was."""
        return self._recent.book

    @property
    def next_try_s(self) -> float:
        """When to try again, in monotonic seconds; infinity where nothing waits."""
        return self._next_try_s if self._waiting else math.inf

    def offer(self, batch: Batch) -> list[Kept]:
        """Take a batch and keep what can be kept, in order; returns what was kept, which may be earlier batches too.

        Raises `HeldError` where another instance took the store over; nothing is kept from then on.
        """
        self._waiting.append(batch)
        self._bound()
        if self.trouble is not None and self.clock.monotonic() < self._next_try_s:
            self._wait()
            return []
        return self.retry()

    def retry(self) -> list[Kept]:
        """Try to keep what waits; raises `HeldError` as `offer` does."""
        kept: list[Kept] = []
        if self._ousted:
            return kept
        try:
            self._keep_waiting(kept)
            if self.trouble is not None:
                self._recover(kept)
        except HeldError as error:
            self._ousted = True
            self.alarm(())
            self.say("error", "another instance took the store over", reason=str(error))
            raise
        except StoreError as error:
            self._failed(error)
        return kept

    def last_try(self) -> list[Kept]:
        """Try once more, whatever the pause: what is not kept now ends with this process."""
        kept = self.retry() if self._waiting else []
        if self._waiting:
            self.say("error", "what the store did not take is lost with this process", probes=self._results)
        return kept

    def was_damaged(self, message: str) -> None:
        """Have it told that the store was found damaged when it was opened, and what came of mending it."""
        self._begin(message)

    # --- keeping ---

    def _keep_waiting(self, kept: list[Kept]) -> None:
        if self.keeper.store.damaged:
            # Somebody else met it: what we write might lie beside the damage for ever.
            self._mend(f"{self.keeper.store.store.url_shown}: the file is damaged")
        if self.keeper.store.replaced:
            self._reopen(self.keeper.store.replaced)
        if self.book is None:
            # Known before the first trouble, or nobody could be told of it.
            try:
                self._recent.book = self.keeper.store.book()
            except StoreDamagedError as error:
                self._mend(str(error))
                self._recent.book = self.keeper.store.book()
        while self._waiting:
            self._restore()
            # Many at once after a long trouble, yet not so many that others wait long for the store.
            batches = list(islice(self._waiting, _AT_ONCE))
            try:
                done = self.keeper.keep_all(batches)
            except StoreDamagedError as error:
                self._mend(str(error))
                continue
            except StoreReplacedError as error:
                self._reopen(str(error))
                continue
            for each in done:
                self._results -= len(self._waiting.popleft().results)
                self._recent.note(each)
            kept.extend(done)
            self._mend_pause_s = _FIRST_MEND_PAUSE_S
            self._next_mend_s = min(self._next_mend_s, self.clock.monotonic() + _FIRST_MEND_PAUSE_S)

    def _recover(self, kept: list[Kept]) -> None:
        """Keep that it is over; the trouble goes on where not even that can be kept."""
        over = Batch(self.clock.now(), own={health.STORE: None})
        self._waiting.append(over)
        try:
            self._keep_waiting(kept)
        except StoreError:
            if self._waiting and self._waiting[-1] is over:
                self._waiting.pop()
            raise
        self.trouble = self._ahead = None
        self.alarm(())
        self.say("info", "the store is back", kept=len(kept), dropped=self.dropped)

    # --- trouble ---

    def _failed(self, error: StoreError) -> None:
        now_s = self.clock.monotonic()
        self._wait()
        if self.trouble is None:
            self._begin(str(error))
            self.say("error", "the store takes nothing", reason=str(error))
        self._next_try_s = now_s + self._pause_s
        self._pause_s = min(self._pause_s * 2, _LONGEST_PAUSE_S)
        if self._alarmed:
            return
        alarm_s = self._since_s + _ALARM_AFTER_S
        if now_s >= alarm_s:
            self._alarmed = True
            self._sound()
        else:
            self._next_try_s = min(self._next_try_s, alarm_s)

    def _begin(self, reason: str) -> None:
        """Let it be told first of all once the store is back, with the time it began."""
        now = self.clock.now()
        self.trouble = health.own(health.STORE, reason, now)
        self._since_s, self._pause_s, self._alarmed = self.clock.monotonic(), _FIRST_PAUSE_S, False
        self._waiting.appendleft(Batch(now, own={health.STORE: self.trouble}, rules=self.keeper.rules))

    def _sound(self) -> None:
        """Send what the outbox would hold now; what is decided is what will be kept when the store is back."""
        if self.book is None:
            return
        memory = self.keeper.memory
        # Without a memory nobody knows which drift is new, and drift has numbers of incidents as outages do.
        known = [self._waiting[0]] if memory is None else [*self._waiting]
        self._ahead = (self.book, Memory() if memory is None else memory)
        told = [notice for batch in known for notice in self._look_ahead(batch)]
        self.alarm((*self._untold(), *told))
        if memory is None:
            self._ahead = None

    def _wait(self) -> None:
        """Note that what came last has to wait, and tell of it where the trouble is told."""
        late: deque[Batch] = deque()
        for place in range(len(self._waiting) - 1, -1, -1):
            if self._waiting[place].rules is not None:
                break
            self._waiting[place] = replace(self._waiting[place], rules=self.keeper.rules)
            late.appendleft(self._waiting[place])
        if self._ahead is not None and (told := [notice for batch in late for notice in self._look_ahead(batch)]):
            self.alarm(told)

    def _look_ahead(self, batch: Batch) -> Sequence[Notice]:
        """Return what a batch that waits will lead to when it is kept."""
        assert self._ahead is not None
        step = self.keeper.step(batch, *self._ahead)
        self._ahead = (step.book, step.memory)
        return step.notices

    def _untold(self) -> list[Notice]:
        """Return what says that the store fails and could not leave the outbox before it failed again."""
        assert self.book is not None
        told = set(self.keeper.store.delivered)
        return [
            notice
            for notice in self._recent.notices
            if notice.kind is NoticeKind.OPENED
            and (incident := self.book.incidents.get(notice.incident)) is not None
            and incident.problem == health.STORE
            and incident.resolved is None
            and (notice.key, notice.sink) not in told
        ]

    # --- damage ---

    def _mend(self, reason: str) -> None:
        """Put the store in order; raises `StoreError` where that fails, or where it has just been of no use."""
        if self.trouble is None:
            self._begin(reason)
            self.say("error", "the store is damaged", reason=reason)
        now_s = self.clock.monotonic()
        if now_s < self._next_mend_s:
            raise StoreDamagedError(reason)
        self._next_mend_s = now_s + self._mend_pause_s
        self._mend_pause_s = min(self._mend_pause_s * 2, _LONGEST_MEND_PAUSE_S)
        self._restored = False
        try:
            with self.keeper.store.exchanging():
                outcome = _line_of(self.mend, "cannot be mended")
                self._restore()
        except StoreError as error:
            self.say("error", "the store could not be mended", reason=str(error))
            self._tell(f"{reason}; {error}")
            raise
        self.say("warning", "the store was mended", outcome=outcome)
        # What people could do about it is done.
        self._tell(f"{reason.partition('; ')[0]}, and is mended: {outcome}")

    def _reopen(self, reason: str) -> None:
        """Open the store anew where its file is another one or none; raises `StoreError` where that cannot be."""
        if self.trouble is None:
            self._begin(reason)
            self.say("error", "the store is gone", reason=reason)
        now_s = self.clock.monotonic()
        if now_s < self._next_reopen_s:
            raise StoreReplacedError(reason)
        self._restored = False
        try:
            with self.keeper.store.exchanging():
                outcome = _line_of(self.reopen, "cannot be opened anew")
                self._next_reopen_s = now_s + _FIRST_PAUSE_S
                if self._is_of_others():
                    self.keeper.forget()
                    self._recent, self._restored = Recent(self.keeper.store.book()), True
                self._restore()
        except HeldError:
            raise
        except StoreError as error:
            self._tell(f"{reason}; {error}")
            raise
        self.say("warning", "the store was opened anew", outcome=outcome)
        self._tell(f"{reason}, and {outcome}")

    def _is_of_others(self) -> bool:
        """Tell whether a store has incidents of another installation: ours under their numbers would make a muddle."""
        found = self.keeper.store.book()
        return self.book is not None and found.installation != self.book.installation and found.next_id > 1

    def _restore(self) -> None:
        """Give a mended store back what this process knows of its latest state: nothing that was decided is lost."""
        if not self._restored:
            restore(self.keeper, self._recent, self.clock.now())
            self._restored = True

    def _tell(self, message: str) -> None:
        """Say more of the trouble, as long as nothing of it is kept."""
        first = self._waiting[0]
        if self.trouble is not None and first.own.get(health.STORE) is self.trouble:
            self.trouble = replace(self.trouble, message=message)
            self._waiting[0] = replace(first, own={health.STORE: self.trouble})

    # --- bounds ---

    def _bound(self) -> None:
        self._results += len(self._waiting[-1].results)
        if len(self._waiting) > _AS_THEY_CAME:
            place = -_AS_THEY_CAME - 1
            self._waiting[place] = self._slimming.slim(self._waiting[place])
        while self._results > _MAX_RESULTS or len(self._waiting) > _MAX_WAITING:
            # The oldest, whatever they tell: without what passed in between, single failures would make an outage.
            self._results -= len(self._waiting[1].results)
            del self._waiting[1]
            self.dropped += 1


def _line_of(work: Callable[[], str], otherwise: str) -> str:
    """Return what a work says in a line; whatever keeps it from being done is a `StoreError`, `otherwise` and why."""
    try:
        return work()
    except StoreError:
        raise
    except (MonitorError, OSError) as error:
        said = str(error) if isinstance(error, MonitorError) else (error.strerror or type(error).__name__).lower()
        message = f"{otherwise}: {said}"
        raise StoreError(message) from error
