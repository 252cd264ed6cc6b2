from __future__ import annotations

import math
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitors.config.alerting import SinkSettings, Thresholds
from monitors.cycle import Result
from monitors.errors import HarnessError
from monitors.incidents.deciding import Result as Weighed
from monitors.incidents.deciding import Round, decide
from monitors.incidents.model import Book, Event
from monitors.incidents.planning import Surroundings, plan
from monitors.memory import Memory, Recollection
from monitors.model import Observation
from monitors.store import (
    HeldError,
    StoreBusyError,
    StoreDamagedError,
    StoreError,
    StoreFullError,
    StoreReplacedError,
)
from monitors.watching import health
from monitors.watching.clock import SimulatedClock
from monitors.watching.keeper import Batch, Kept, Step
from monitors.watching.vault import Vault

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from conftest import Log

    from monitors.incidents.model import Notice

START = datetime(2026, 6, 1, 12, tzinfo=UTC)
BUSY, FULL, DAMAGED = StoreBusyError("busy"), StoreFullError("full"), StoreDamagedError("damaged; do something")
GONE = StoreReplacedError("gone")
SINK = SinkSettings("team", "stdout")


@dataclass
class Mended:
    """A transaction of a mended store, which has nothing in it but what it is given."""

    book_: Book = field(default_factory=lambda: Book("test"))
    queued: list[Notice] = field(default_factory=list)

    def book(self) -> Book:
        return self.book_

    def put_book(self, _before: Book, after: Book, _events: Sequence[Event] = ()) -> None:
        self.book_ = after

    def queue(self, notices: Sequence[Notice], _taken: object = None) -> None:
        self.queued += notices

    @staticmethod
    def events(_incident: int) -> list[Event]:
        return []


@dataclass
class Place:
    """As much of the current store as the vault asks for; `refuse_mended` gives the error of what is restored."""

    damaged: bool = False
    replaced: str = ""
    mended: Mended = field(default_factory=Mended)
    refuse_mended: Callable[[], StoreError | None] = lambda: None
    delivered: dict[tuple[str, str], datetime] = field(default_factory=dict)
    exchanged: int = 0
    read: Callable[[], Book] = lambda: Book("test")
    store: Any = field(default_factory=lambda: SimpleNamespace(url_shown="x.sqlite"))

    def book(self) -> Book:
        return self.read()

    @contextmanager
    def exchanging(self) -> Iterator[None]:
        yield
        self.exchanged += 1
        self.damaged, self.replaced = False, ""

    @contextmanager
    def using(self) -> Iterator[Mended]:
        yield self.mended

    @contextmanager
    def writing(self) -> Iterator[Mended]:
        if (error := self.refuse_mended()) is not None:
            raise error
        yield self.mended

    @staticmethod
    def undelivered() -> list[Any]:
        return []


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
    notices: list[Notice] = field(default_factory=list)
    memory: Memory | None = field(default_factory=Memory)
    restored: int = 0

    def keep_all(self, batches: Sequence[Batch]) -> list[Kept]:
        error = self.refuse()
        if error is not None:
            raise error
        kept = []
        for batch in batches:
            step = self.step(batch, self.book, Memory())
            self.book = step.book
            self.events += step.events
            self.notices += step.notices
            kept.append(Kept(batch, step.recalled, step.events, step.notices, step.book))
        self.batches += batches
        self.transactions.append(len(batches))
        return kept

    def restore(self, _tx: Mended) -> None:
        self.restored += 1

    def forget(self) -> None:
        """Nothing is held."""

    def step(self, batch: Batch, book: Book, memory: Memory) -> Step:
        rules = batch.rules or self.rules
        results = tuple(Weighed("US5", "run", batch.at, tuple(result.findings)) for result in batch.results)
        seen = Round(batch.at, results, own=batch.own, watched=frozenset({("US5", "run")}))
        decision = decide(book, seen, rules.thresholds)
        planned = plan(decision.book, Surroundings(batch.at, (SINK,), rules.thresholds, late=batch.rules is not None))
        events = (*decision.events, *planned.events)
        return Step(Recollection(), memory, decision.book, planned.book, events, planned.notices, {}, {})

    def told(self, kind: str) -> list[Event]:
        return [event for event in self.events if event.kind == kind]

    def probes(self) -> list[datetime]:
        """Return when the batches were complete that are not about the store."""
        return [batch.at for batch in self.batches if health.STORE not in batch.own]


@dataclass
class Stage:
    """A vault and everything it works with."""

    clock: SimulatedClock
    log: Log | Said
    keeper: Keeping = field(default_factory=Keeping)
    alarms: list[list[str]] = field(default_factory=list)
    mend: Callable[[], str] = lambda: "all of it kept"
    reopen: Callable[[], str] = lambda: "is made anew"

    def __post_init__(self) -> None:
        keeper: Any = self.keeper
        self.vault = Vault(keeper, self.clock, self._mended, self._reopened, self._sound, self.log)

    def _mended(self) -> str:
        return self.mend()

    def _reopened(self) -> str:
        return self.reopen()

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


def test_at_the_end_it_is_tried_once_more_whatever_the_pause(stage: Stage) -> None:
    assert stage.vault.last_try() == []
    stage.broken()
    stage.offer(1, batch_of(START))
    assert stage.vault.last_try() == []
    assert stage.log.of("what the store did not take is lost with this process") == [{"probes": 1}]
    stage.well()
    assert [done.batch.at for done in stage.vault.last_try()][1] == START
    assert stage.vault.trouble is None
    assert len(stage.log.of("what the store did not take is lost with this process")) == 1


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


@pytest.fixture
def rounds(make_observed: Any, make_result: Any, make_down: Any) -> Callable[..., None]:
    def played(stage: Stage, count: int, *, down: bool) -> None:
        for _ in range(count):
            found = (make_down(),) if down else ()
            at = stage.clock.at + timedelta(seconds=5)
            stage.offer(5.0, Batch(at, (make_result(make_observed("US5", "run", at), *found),)))

    return played


def test_what_sites_do_while_the_store_takes_nothing_is_told_past_the_outbox_under_the_keys_it_has_later(
    stage: Stage, rounds: Callable[..., None]
) -> None:
    rounds(stage, 1, down=False)
    stage.broken()
    rounds(stage, 6, down=True)
    told = [key for alarm in stage.alarms for key in alarm]
    assert told == ["test-1-1-team", "test-2-1-team"], "the store's trouble, then the outage"
    # Whatever is configured meanwhile holds for what comes, not for what is told already.
    stage.keeper.rules = SimpleNamespace(thresholds=Thresholds(failure_threshold=50, failure_window=50))
    rounds(stage, 4, down=False)
    assert [key for alarm in stage.alarms for key in alarm] == [*told, "test-2-2-team"]
    stage.well()
    stage.offer(40.0)
    assert [notice.key for notice in stage.keeper.notices] == [*told, "test-2-2-team", "test-1-2-team"]
    assert stage.alarms[-1] == []
    rounds(stage, 3, down=True)
    assert stage.alarms[-1] == [], "from here on the outbox tells"


def test_while_nothing_is_known_of_earlier_answers_only_the_stores_own_trouble_is_told(
    stage: Stage, rounds: Callable[..., None]
) -> None:
    rounds(stage, 1, down=False)
    stage.keeper.memory = None
    stage.broken()
    rounds(stage, 9, down=True)
    assert [key for alarm in stage.alarms for key in alarm] == ["test-1-1-team"]


def test_nobody_is_reminded_late(stage: Stage, rounds: Callable[..., None]) -> None:
    stage.keeper.rules = SimpleNamespace(thresholds=Thresholds(reminder_s=10))
    rounds(stage, 4, down=True)
    stage.broken()
    rounds(stage, 20, down=True)
    stage.well()
    stage.clock.advance(40)
    rounds(stage, 1, down=True)
    kinds = [str(notice.kind) for notice in stage.keeper.notices if notice.incident == 1]
    assert kinds == ["opened", "reminder"]


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
    stage.keeper.store.delivered["test-1-1-team", "team"] = START
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


def test_a_damaged_store_is_mended_at_once_given_back_what_is_known_and_told(stage: Stage) -> None:
    stage.failing(DAMAGED)
    kept = stage.offer()
    assert stage.vault.trouble is None
    assert (stage.keeper.store.exchanged, stage.keeper.restored) == (1, 1)
    own = kept[0].batch.own[health.STORE]
    assert own is not None
    assert own.message == "damaged, and is mended: all of it kept"
    assert [event.kind for event in stage.keeper.events if event.kind != "notified"] == ["opened", "resolved"]
    assert stage.log.of("the store was mended") == [{"outcome": "all of it kept"}]


def test_damage_that_somebody_else_met_is_mended_with_the_next_batch(stage: Stage) -> None:
    stage.offer()
    stage.keeper.store.damaged = True
    kept = stage.offer()
    assert stage.keeper.store.exchanged == 1
    assert len(kept) == 3
    assert stage.offer() != []
    assert stage.keeper.store.exchanged == 1


def test_damage_met_in_a_trouble_is_part_of_it(stage: Stage) -> None:
    stage.failing(BUSY, DAMAGED)
    stage.offer()
    stage.offer(5)
    assert stage.vault.trouble is None
    assert len(stage.keeper.told("opened")) == 1
    assert stage.keeper.batches[0].own[health.STORE].message.endswith("mended: all of it kept")  # type: ignore[union-attr]


def test_damage_met_when_the_trouble_is_told_already_is_not_told_anew(stage: Stage) -> None:
    stage.failing(BUSY, None, DAMAGED)
    stage.offer()
    stage.offer(5)
    assert stage.vault.trouble is None
    assert [event.message for event in stage.keeper.told("opened")] == ["busy"]


@pytest.mark.parametrize(
    ("raised", "said"),
    [
        (StoreFullError("no room for a fresh one"), "no room for a fresh one"),
        (HarnessError("a server mends its own files"), "cannot be mended: a server mends its own files"),
        (PermissionError(13, "Permission denied"), "cannot be mended: permission denied"),
        (OSError(), "cannot be mended: oserror"),
    ],
)
def test_what_cannot_be_mended_is_trouble_and_is_tried_again_ever_later(
    stage: Stage, raised: Exception, said: str
) -> None:
    tries: list[float] = []

    def mend() -> str:
        tries.append(stage.clock.monotonic())
        raise raised

    stage.mend = mend
    stage.broken(DAMAGED)
    stage.offer()
    begun = tries[0]
    for _ in range(600):
        stage.offer(10)
    assert [at - begun for at in tries] == sorted(at - begun for at in tries)
    assert len(tries) <= 7
    assert stage.vault.trouble is not None
    assert stage.vault.trouble.message == f"damaged; do something; {said}"
    assert {"reason": said} in stage.log.of("the store could not be mended")


def test_a_store_that_took_something_since_is_mended_as_soon_as_the_first_time(stage: Stage) -> None:
    tries: list[float] = []

    def mend() -> str:
        tries.append(stage.clock.monotonic())
        raise FULL

    stage.mend = mend
    for _ in range(2):
        stage.broken(DAMAGED)
        for _ in range(30):
            stage.offer(10)
        stage.well()
        stage.offer(100)
    gaps = [later - earlier for earlier, later in pairwise(tries)]
    assert len(tries) == 6
    assert gaps[:2] == [60, 120]
    assert gaps[3] < gaps[4] == 120


def test_what_a_mended_store_could_not_be_given_back_it_is_given_before_anything_else(stage: Stage) -> None:
    left: list[StoreError | None] = [FULL]
    stage.keeper.store.refuse_mended = lambda: left.pop() if left else None
    stage.failing(DAMAGED)
    stage.offer()
    assert stage.vault.trouble is not None
    assert (stage.keeper.restored, stage.keeper.batches) == (0, [])
    stage.offer(5)
    assert stage.keeper.restored == 1
    assert stage.vault.trouble is None


def test_a_store_found_damaged_on_opening_is_told_of(stage: Stage) -> None:
    stage.vault.was_damaged("x.sqlite: was damaged, and is mended")
    stage.offer()
    assert [event.message for event in stage.keeper.told("opened")] == ["x.sqlite: was damaged, and is mended"]
    assert stage.vault.trouble is None


# --- a file that is gone ---------------------------------------------------------------------------------------------


def test_a_store_that_is_gone_is_opened_anew_at_once_given_back_what_is_known_and_told(stage: Stage) -> None:
    stage.offer()
    stage.failing(GONE)
    kept = stage.offer()
    assert stage.vault.trouble is None
    assert (stage.keeper.store.exchanged, stage.keeper.restored) == (1, 1)
    own = kept[0].batch.own[health.STORE]
    assert own is not None
    assert own.message == "gone, and is made anew"
    assert [event.kind for event in stage.keeper.events if event.kind != "notified"] == ["opened", "resolved"]


def test_a_store_that_goes_again_and_again_is_opened_once_a_second(stage: Stage) -> None:
    opened: list[float] = []

    def reopen() -> str:
        opened.append(stage.clock.monotonic())
        return "is made anew"

    stage.reopen = reopen
    stage.broken(GONE)
    for _ in range(100):
        stage.offer(0.1)
    assert stage.vault.trouble is not None
    assert all(later - earlier >= 1 for earlier, later in pairwise(opened))
    assert len(opened) > 2
    stage.well()
    stage.offer(60)
    assert stage.vault.trouble is None
    assert len(stage.keeper.told("opened")) == 1


def test_what_keeps_a_store_from_being_opened_anew_is_tried_at_the_usual_pace_and_told_of_once(stage: Stage) -> None:
    tries: list[float] = []

    def reopen() -> str:
        tries.append(stage.clock.monotonic())
        raise PermissionError(13, "Permission denied")

    stage.reopen = reopen
    stage.broken(GONE)
    for _ in range(60):
        stage.offer(10)
    assert stage.vault.trouble is not None
    assert stage.vault.trouble.message == "gone; cannot be opened anew: permission denied"
    assert max(later - earlier for earlier, later in pairwise(tries)) <= 40
    assert len(stage.log.of("the store is gone")) == 1
    assert [len(sent) for sent in stage.alarms] == [1]


def test_a_store_that_another_instance_took_over_is_touched_no_more(stage: Stage) -> None:
    tries: list[float] = []

    def reopen() -> str:
        tries.append(stage.clock.monotonic())
        message = "another runs on it"
        raise HeldError(message)

    stage.reopen = reopen
    stage.broken(GONE)
    with pytest.raises(HeldError, match="another runs on it"):
        stage.offer()
    stage.well()
    assert stage.offer(60) == stage.vault.last_try() == []
    assert len(tries) == 1
    assert stage.keeper.batches == []


# --- bounds ----------------------------------------------------------------------------------------------------------


def batch_of(at: datetime) -> Batch:
    seen = Observation("US5", "run", at, "GET", "/", "42", True, status=200, headers=(("date", "now"),), body=b"{}")
    return Batch(at, (Result(seen, ()),))


def test_only_the_latest_batches_that_wait_have_their_bodies_and_headers(stage: Stage) -> None:
    stage.broken()
    for _ in range(80):
        stage.offer(0.001, batch_of(stage.clock.at))
    stage.well()
    stage.clock.advance(60)
    seen = [each.observation for done in stage.vault.retry() for each in done.batch.results]
    whole = [bool(each.body) for each in seen]
    assert whole == [bool(each.headers) for each in seen]
    assert len(whole) == 80
    assert sum(whole) in range(50, 53)
    assert all(whole[-50:])


def test_beyond_three_days_the_oldest_are_dropped_all_of_them_but_not_the_word_about_the_store(stage: Stage) -> None:
    stage.broken()
    many = batch_of(START).results * 10_000
    for number in range(7):
        stage.offer(0, Batch(START + timedelta(days=number), many))
    assert stage.vault.dropped == 2
    stage.well()
    stage.clock.advance(60)
    kept = stage.vault.retry()
    assert kept[0].batch.own[health.STORE] is not None
    assert [done.batch.at for done in kept[1:-1]] == [START + timedelta(days=number) for number in range(2, 7)]
    stage.broken()
    for number in range(5):
        stage.offer(0, Batch(START + timedelta(days=number), many))
    assert stage.vault.dropped == 2


def test_batches_without_results_are_bounded_too(stage: Stage) -> None:
    stage.broken()
    stage.offer()
    for _ in range(50_010):
        stage.vault.offer(Batch(START))
    assert stage.vault.dropped == 12


# --- the law ---------------------------------------------------------------------------------------------------------

OUTCOMES = st.sampled_from([None, None, None, BUSY, FULL, DAMAGED, GONE, StoreError("odd")])
STEPS = st.lists(
    st.tuples(st.sampled_from(["offer", "retry", "met", "gone"]), st.sampled_from([0.5, 3.0, 20.0, 90.0])), max_size=40
)


@given(outcomes=st.lists(OUTCOMES, max_size=60), mends=st.lists(OUTCOMES, max_size=10), steps=STEPS)
def test_whatever_fails_batches_are_kept_in_order_each_once_and_each_trouble_is_opened_and_resolved_once(
    outcomes: list[StoreError | None],
    mends: list[StoreError | None],
    steps: list[tuple[str, float]],
    make_stage: Callable[[], Stage],
) -> None:
    stage = make_stage()
    left, left_mends = list(outcomes), list(mends)
    stage.keeper.refuse = lambda: left.pop() if left else None
    stage.keeper.store.refuse_mended = lambda: left_mends.pop() if left_mends else None
    offered: list[datetime] = []
    spells, before = 0, None
    for what, after_s in [*steps, *[("offer", 4_000.0)] * 80]:
        stage.clock.advance(after_s)
        if what == "offer":
            offered.append(stage.clock.at)
            stage.vault.offer(Batch(stage.clock.at))
        elif what == "met":
            stage.keeper.store.damaged = True
        elif what == "gone":
            stage.keeper.store.replaced = "gone"
        elif stage.clock.monotonic() >= stage.vault.next_try_s:
            stage.vault.retry()
        opened, resolved = (len(stage.keeper.told(kind)) for kind in ("opened", "resolved"))
        assert 0 <= opened - resolved <= 1
        if stage.vault.trouble is None:
            assert opened == resolved
        spells += stage.vault.trouble is not None and before is None
        before = stage.vault.trouble
    assert not left
    assert stage.vault.trouble is None
    assert stage.keeper.probes() == offered
    assert len(stage.keeper.told("opened")) == len(stage.keeper.told("resolved")) >= spells
    # Whoever was told of a trouble was told of its end, in turn.
    kinds = [event.kind for event in stage.keeper.events if event.kind != "notified"]
    assert kinds == ["opened", "resolved"] * (len(kinds) // 2)
    numbers = [event.incident for event in stage.keeper.told("opened")]
    assert numbers == sorted(set(numbers))


@pytest.fixture(scope="session")
def make_stage() -> Callable[[], Stage]:
    return lambda: Stage(SimulatedClock(START), Said())


class Said:
    """Hears nothing."""

    def __call__(self, level: str, event: str, **values: object) -> None:
        """Take it."""

    def of(self, event: str) -> list[dict[str, object]]:
        raise NotImplementedError(event)
