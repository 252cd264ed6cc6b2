from __future__ import annotations

import math
from collections import deque
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitors.config.alerting import SinkSettings, Thresholds
from monitors.cycle import Result
from monitors.errors import HarnessError
from monitors.incidents.deciding import Round, decide
from monitors.incidents.model import Book, Event
from monitors.incidents.planning import Surroundings, plan
from monitors.memory import Recollection
from monitors.model import Finding, Kind, Level, Observation
from monitors.store import StoreBusyError, StoreDamagedError, StoreError, StoreFullError
from monitors.watching import health
from monitors.watching.keeper import Batch, Kept
from monitors.watching.vault import Vault

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from conftest import Log, SimulatedClock

    from monitors.incidents.model import Notice

START = datetime(2026, 6, 1, 12, tzinfo=UTC)
BUSY, FULL, DAMAGED = StoreBusyError("busy"), StoreFullError("full"), StoreDamagedError("damaged; do something")
SINK = SinkSettings("team", "stdout")


@dataclass
class Place:
    """As much of the current store as the vault asks for."""

    damaged: bool = False
    delivered: deque[tuple[str, str]] = field(default_factory=deque)
    exchanged: int = 0
    read: Callable[[], Book] = lambda: Book("test")
    store: Any = field(default_factory=lambda: SimpleNamespace(url_shown="x.sqlite"))

    def book(self) -> Book:
        return self.read()

    @contextmanager
    def exchanging(self) -> Iterator[None]:
        yield
        self.exchanged += 1
        self.damaged = False


@dataclass
class Keeping:
    """Keeps in memory what a real keeper puts into a store; `refuse` gives the error of a transaction, or None."""

    refuse: Callable[[], StoreError | None] = lambda: None
    store: Place = field(default_factory=Place)
    rules: Any = field(default_factory=lambda: SimpleNamespace(thresholds=Thresholds()))
    book: Book = field(default_factory=lambda: Book("test"))
    batches: list[Batch] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    transactions: list[int] = field(default_factory=list)
    restored: list[Book | None] = field(default_factory=list)

    def keep_all(self, batches: Sequence[Batch]) -> list[Kept]:
        error = self.refuse()
        if error is not None:
            raise error
        kept = []
        for batch in batches:
            decision = decide(self.book, Round(batch.at, own=batch.own), self.rules.thresholds)
            planned = plan(decision.book, self.surroundings(batch.at))
            self.book = planned.book
            events = (*decision.events, *planned.events)
            self.events += events
            kept.append(Kept(batch, Recollection(), events, planned.notices, planned.book))
        self.batches += batches
        self.transactions.append(len(batches))
        return kept

    def surroundings(self, at: datetime) -> Surroundings:
        return Surroundings(at, (SINK,), self.rules.thresholds)

    def told(self, kind: str) -> list[Event]:
        return [event for event in self.events if event.kind == kind]

    def probes(self) -> list[datetime]:
        """Return when the batches were complete that are not about the store."""
        return [batch.at for batch in self.batches if health.STORE not in batch.own]


@dataclass
class Stage:
    """A vault and everything it works with."""

    clock: SimulatedClock
    log: Log
    keeper: Keeping = field(default_factory=Keeping)
    alarms: list[list[str]] = field(default_factory=list)
    mend: Callable[[], str] = lambda: "all of it kept"

    def __post_init__(self) -> None:
        keeper: Any = self.keeper
        self.vault = Vault(keeper, self.clock, lambda: self.mend(), self._sound, self.log)

    def _sound(self, notices: Sequence[Notice]) -> None:
        self.alarms.append([notice.key for notice in notices])

    def offer(self, after_s: float = 1.0, batch: Batch | None = None) -> list[Kept]:
        self.clock.advance(after_s)
        return self.vault.offer(batch or Batch(self.clock.at))

    def failing(self, *errors: StoreError | None) -> None:
        """Let the next transactions go as told, and all after them well."""
        left = list(errors)
        self.keeper.refuse = lambda: left.pop(0) if left else None

    def broken(self, error: StoreError = BUSY) -> None:
        self.keeper.refuse = lambda: error

    def well(self) -> None:
        self.keeper.refuse = lambda: None


@pytest.fixture
def stage(clock: SimulatedClock, log: Log) -> Stage:
    return Stage(clock, log)


def restores(monkeypatched: Any) -> Book | None:
    return monkeypatched.book if isinstance(monkeypatched.book, Book) else None


# --- keeping ---------------------------------------------------------------------------------------------------------


def test_a_batch_is_kept_at_once_while_all_is_well(stage: Stage) -> None:
    kept = stage.offer()
    assert [done.batch.at for done in kept] == [stage.clock.at]
    assert stage.vault.trouble is None
    assert stage.vault.next_try_s == math.inf
    assert stage.vault.book is stage.keeper.book


def test_what_cannot_be_kept_waits_and_is_kept_in_order_between_the_words_about_the_trouble(stage: Stage) -> None:
    stage.broken()
    begun = stage.clock.at + timedelta(seconds=1)
    assert [stage.offer(), stage.offer(0.5), stage.offer(0.25)] == [[], [], []]
    assert stage.vault.trouble is not None
    assert stage.vault.trouble.at == begun
    stage.well()
    kept = stage.offer(5)
    own = [done.batch.own.get(health.STORE, "-") for done in kept]
    assert own[1:-1] == ["-"] * 4
    assert own[0] is not None
    assert own[-1] is None
    assert [done.batch.at for done in kept[1:-1]] == sorted(done.batch.at for done in kept[1:-1])
    assert stage.vault.trouble is None
    assert stage.log.of("the store is back") == [{"kept": 6, "dropped": 0}]


def test_the_store_is_left_alone_between_tries_and_each_pause_is_twice_as_long_up_to_half_a_minute(
    stage: Stage,
) -> None:
    stage.broken()
    stage.offer()
    pauses = []
    for _ in range(12):
        pauses.append(stage.vault.next_try_s - stage.clock.monotonic())
        stage.clock.advance(pauses[-1])
        stage.vault.retry()
    # The fourth is cut short: by then people have to be told.
    assert pauses == [1, 2, 4, 3, 16, 30, 30, 30, 30, 30, 30, 30]


def test_before_the_time_of_the_next_try_nothing_is_asked_of_the_store(stage: Stage) -> None:
    asked: list[int] = []

    def refuse() -> StoreError:
        asked.append(1)
        return BUSY

    stage.keeper.refuse = refuse
    for _ in range(10):
        stage.offer(0.05)
    assert len(asked) == 1


def test_many_batches_are_kept_a_hundred_in_a_transaction(stage: Stage) -> None:
    stage.broken()
    for _ in range(250):
        stage.offer(0.001)
    stage.well()
    stage.clock.advance(60)
    stage.vault.retry()
    assert stage.keeper.transactions == [100, 100, 51, 1]


def test_what_was_kept_before_it_failed_again_is_told_and_not_kept_twice(stage: Stage) -> None:
    stage.broken()
    for _ in range(150):
        stage.offer(0.001)
    stage.failing(None, BUSY)
    stage.clock.advance(60)
    assert len(stage.vault.retry()) == 100
    stage.clock.advance(60)
    assert len(stage.vault.retry()) == 52
    assert len(stage.keeper.probes()) == len(set(stage.keeper.probes())) == 150


def test_a_trouble_whose_end_cannot_be_kept_goes_on(stage: Stage) -> None:
    stage.broken()
    stage.offer()
    stage.failing(None, FULL, FULL)
    stage.offer(5)
    assert stage.vault.trouble is not None
    stage.offer(60)
    assert stage.vault.trouble is not None
    stage.offer(60)
    assert stage.vault.trouble is None
    assert len(stage.keeper.told("opened")) == len(stage.keeper.told("resolved")) == 1
    assert stage.keeper.told("resolved")[0].at == stage.clock.at


def test_an_error_that_is_not_the_stores_is_nobodys_to_hide(stage: Stage) -> None:
    def refuse() -> StoreError:
        message = "a mistake of ours"
        raise ValueError(message)

    stage.keeper.refuse = refuse
    with pytest.raises(ValueError, match="a mistake of ours"):
        stage.offer()


# --- the alarm -------------------------------------------------------------------------------------------------------


def test_people_are_told_past_the_outbox_once_it_lasts_ten_seconds_under_the_key_it_has_later(stage: Stage) -> None:
    stage.broken()
    for _ in range(5):
        stage.offer(2)
    assert stage.alarms == []
    stage.offer(2)
    stage.offer(100)
    assert stage.alarms == [["test-1-1-team"]]
    stage.well()
    kept = stage.offer(100)
    assert [notice.key for done in kept for notice in done.notices] == ["test-1-1-team", "test-1-2-team"]
    assert stage.alarms[1:] == [[]]


def test_a_short_trouble_sounds_no_alarm(stage: Stage) -> None:
    stage.broken()
    stage.offer()
    stage.well()
    stage.offer(9)
    assert stage.alarms == [[]]


def test_each_trouble_is_an_incident_of_its_own_with_an_alarm_of_its_own(stage: Stage) -> None:
    for _ in range(2):
        stage.broken()
        stage.offer()
        stage.offer(20)
        stage.well()
        stage.offer(100)
    assert stage.alarms == [["test-1-1-team"], [], ["test-2-1-team"], []]
    assert [event.incident for event in stage.keeper.told("resolved")] == [1, 2]


def test_an_opening_that_never_left_the_outbox_is_told_by_the_alarm(stage: Stage) -> None:
    stage.broken()
    stage.offer()
    stage.failing(None, *[BUSY] * 10)
    for _ in range(5):
        stage.offer(6)
    assert stage.alarms == [["test-1-1-team"]]


def test_an_opening_that_was_delivered_is_not_told_again(stage: Stage) -> None:
    stage.broken()
    stage.offer()
    stage.failing(None, *[BUSY] * 10)
    stage.offer(6)
    stage.keeper.store.delivered.append(("test-1-1-team", "team"))
    stage.offer(6)
    stage.offer(6)
    assert stage.alarms == [[]]


def test_nobody_can_be_told_of_what_no_book_is_known_of(stage: Stage) -> None:
    def unread() -> Book:
        raise BUSY

    stage.keeper.store.read = unread
    stage.offer()
    stage.offer(20)
    assert stage.alarms == []
    assert stage.vault.book is None
    stage.keeper.store.read = lambda: Book("test")
    stage.offer(60)
    assert stage.vault.trouble is None
    assert len(stage.keeper.told("opened")) == 1


# --- damage ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def mending(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> list[Book | None]:
    """Return the books a mended store was given back."""
    given: list[Book | None] = []
    del monkeypatch
    stage.keeper.restored = given
    return given


def test_a_damaged_store_is_mended_at_once_given_back_what_is_known_and_told(stage: Stage) -> None:
    stage.keeper.store = Place(read=lambda: Book("test"))
    stage.failing(DAMAGED)
    kept = stage.offer()
    assert stage.vault.trouble is None
    assert stage.keeper.store.exchanged == 1
    own = kept[0].batch.own[health.STORE]
    assert own is not None
    assert own.message == "damaged, and is mended: all of it kept"
    assert [event.kind for event in stage.keeper.events if event.kind != "notified"] == ["opened", "resolved"]
    assert stage.log.of("the store was mended") == [{"outcome": "all of it kept"}]
