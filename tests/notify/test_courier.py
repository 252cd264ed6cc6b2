"""The courier, whatever its sinks do: each notice arrives, those of an incident in order, no sink waits for another."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitors.config.alerting import SinkSettings
from monitors.incidents.model import Notice, NoticeKind
from monitors.notify.attempts import Running, outcome_of
from monitors.notify.backoff import GIVEN_UP_AFTER, SLOWEST_S, is_hopeless, next_try_s, pause_s
from monitors.notify.delivery import Courier
from monitors.notify.errors import SinkError
from monitors.notify.worker import STRIKES, Worker
from monitors.store.values import OutboxRow

if TYPE_CHECKING:
    from conftest import Clock

    from monitors.notify.message import Message

Make = Callable[..., Notice]
NO, REFUSED = SinkError("no"), SinkError("no such channel", permanent=True)
WAIT_S = 20
"""Long enough for the slowest machine; nothing waits for it where all is well."""


@dataclass
class Memory:
    """An outbox in memory, as the store's; `broken` calls fail first."""

    rows: dict[int, OutboxRow] = field(default_factory=dict)
    broken: int = 0
    lock: Any = field(default_factory=threading.Lock)

    def put(self, notice: Notice) -> None:
        with self.lock:
            number = len(self.rows) + 1
            self.rows[number] = OutboxRow(number, notice, next_at=notice.at)

    def _fail(self) -> None:
        if self.broken:
            self.broken -= 1
            message = "the store is locked"
            raise OSError(message)

    def _first(self, sink: str) -> list[OutboxRow]:
        found: dict[Any, OutboxRow] = {}
        for row in sorted(self.rows.values(), key=lambda row: (row.notice.number, row.id)):
            if row.notice.sink == sink and row.state == "queued":
                found.setdefault(row.notice.incident or f"none{row.id}", row)
        return sorted(found.values(), key=lambda row: (row.notice.at, row.id))

    def due(self, sink: str, now: datetime, limit: int = 50) -> list[OutboxRow]:
        with self.lock:
            self._fail()
            return [row for row in self._first(sink) if row.next_at is not None and row.next_at <= now][:limit]

    def next_due(self, sink: str) -> datetime | None:
        with self.lock:
            self._fail()
            return min((row.next_at for row in self._first(sink) if row.next_at is not None), default=None)

    def undelivered(self) -> list[OutboxRow]:
        return [row for row in self.rows.values() if row.state == "queued"]

    def _settle(self, queued_id: int, **members: Any) -> None:
        with self.lock:
            self._fail()
            if self.rows[queued_id].state == "queued":
                self.rows[queued_id] = replace(self.rows[queued_id], **members)

    def mark_delivered(self, queued_id: int, at: datetime) -> None:
        self._settle(queued_id, state="delivered", delivered_at=at)

    def mark_failed(self, queued_id: int, at: datetime, error: str, next_at: datetime) -> None:
        row = self.rows[queued_id]
        self._settle(
            queued_id, attempts=row.attempts + 1, first_failed=row.first_failed or at, next_at=next_at, error=error
        )

    def mark_abandoned(self, queued_id: int, at: datetime, reason: str) -> None:  # noqa: ARG002 - the outbox's signature
        self._settle(queued_id, state="abandoned", error=reason)


@dataclass
class Fake:
    """A sink that does what it is told with each notice, and keeps the keys of those it took, in order."""

    settings: SinkSettings
    act: Callable[[Notice], None] = lambda _notice: None
    taken: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)

    def send(self, message: Message, notice: Notice) -> None:
        assert message.title
        self.asked.append(notice.key)
        self.act(notice)
        self.taken.append(notice.key)


def fake(name: str = "ops", act: Callable[[Notice], None] = lambda _notice: None, timeout_s: float = 5.0) -> Fake:
    return Fake(SinkSettings(name, "stdout", timeout_s=timeout_s), act)


def refuses(error: SinkError) -> Callable[[Notice], None]:
    def act(_notice: Notice) -> None:
        raise error

    return act


def at_once(send: Callable[[], None], _name: str) -> Running:
    """Make an attempt in the caller's thread."""
    running = Running(outcome_of(send))
    running.ended.set()
    return running


def worker(outbox: Memory, sink: Fake, clock: Clock, **options: Any) -> Worker:
    return Worker(outbox, sink, clock=clock, jitter=lambda: 0.5, **{"launch": at_once, **options})


# -- one step at a time


def test_what_waits_is_taken_in_order_and_noted(notice: Make, clock: Clock) -> None:
    outbox, sink = Memory(), fake()
    for number in (1, 2, 3):
        outbox.put(notice("updated", number))
    assert worker(outbox, sink, clock).step() is None
    assert sink.taken == [notice("updated", number).key for number in (1, 2, 3)]
    assert {row.state for row in outbox.rows.values()} == {"delivered"}


def test_a_failure_holds_up_its_incident_and_no_other(notice: Make, clock: Clock) -> None:
    outbox = Memory()
    bad, good = notice(incident=1), notice(incident=2)

    def act(given: Notice) -> None:
        if given.incident == 1:
            raise NO

    for sent in (bad, notice("resolved", 2, incident=1), good):
        outbox.put(sent)
    sink = fake(act=act)
    assert worker(outbox, sink, clock).step() == pytest.approx(1.5)
    assert sink.taken == [good.key]
    assert sink.asked == [bad.key, good.key]


def test_a_failure_is_kept_with_its_reason_and_its_next_try(notice: Make, clock: Clock) -> None:
    outbox, sink = Memory(), fake(act=refuses(SinkError("it said 500")))
    outbox.put(notice())
    courier = worker(outbox, sink, clock)
    courier.step()
    row = outbox.rows[1]
    assert (row.attempts, row.error, row.first_failed) == (1, "it said 500", clock.at)
    assert row.next_at == clock.at + timedelta(seconds=1.5)
    assert courier.trouble() == (clock.at, "it said 500")
    sink.act = lambda _notice: None
    clock.go(2)
    courier.step()
    assert courier.trouble() is None


def test_a_sink_that_asks_for_time_is_left_alone_with_all_its_notices(notice: Make, clock: Clock) -> None:
    outbox, sink = Memory(), fake(act=refuses(SinkError("429", retry_after_s=100)))
    for incident in (1, 2):
        outbox.put(notice(incident=incident))
    courier = worker(outbox, sink, clock)
    assert courier.step() == 100
    clock.go(99)
    courier.step()
    assert len(sink.asked) == 1
    sink.act = lambda _notice: None
    clock.go(10)
    courier.step()
    assert len(sink.taken) == 2


def test_a_sink_that_is_down_is_asked_a_few_times_not_for_each_notice(notice: Make, clock: Clock) -> None:
    outbox, sink = Memory(), fake(act=refuses(SinkError("down")))
    for incident in range(1, 30):
        outbox.put(notice(incident=incident))
    courier = worker(outbox, sink, clock)
    courier.step()
    courier.step()
    assert len(sink.asked) == STRIKES


def test_a_sink_that_is_back_gets_all_that_waited_at_once(notice: Make, clock: Clock) -> None:
    outbox, sink = Memory(), fake(act=refuses(SinkError("down")))
    for incident in range(1, 30):
        outbox.put(notice(incident=incident))
    courier = worker(outbox, sink, clock)
    for _ in range(40):
        courier.step()
        clock.go(60)
    sink.act = lambda _notice: None
    courier.step()
    assert len(sink.taken) == 29


def test_what_only_a_person_can_mend_is_tried_slowly_and_holds_up_nobody(notice: Make, clock: Clock) -> None:
    def act(given: Notice) -> None:
        if given.incident < 6:
            raise REFUSED

    outbox, sink = Memory(), fake(act=act)
    for incident in range(1, 8):
        outbox.put(notice(incident=incident))
    assert worker(outbox, sink, clock).step() == SLOWEST_S
    assert len(sink.taken) == 2


def test_nothing_but_a_week_of_failures_makes_a_notice_be_given_up(notice: Make, clock: Clock) -> None:
    told: list[str] = []
    outbox, sink = Memory(), fake(act=refuses(SinkError("gone", permanent=True)))
    outbox.put(notice())
    courier = worker(outbox, sink, clock, log=lambda event, **_fields: told.append(event))
    begun = clock.at
    while outbox.rows[1].state == "queued":
        courier.step()
        clock.go(SLOWEST_S)
    assert clock.at - begun >= GIVEN_UP_AFTER
    assert outbox.rows[1].error.startswith("given up after ")
    assert told[-1] == "notice given up"
    assert courier.trouble() is None


def test_a_clock_that_jumps_a_week_gives_nothing_up() -> None:
    at = datetime(2026, 1, 1, tzinfo=UTC)
    assert not is_hopeless(at, 3, at + timedelta(days=30))
    assert not is_hopeless(None, 99, at)


def test_a_clock_that_goes_back_delays_nothing(notice: Make, clock: Clock) -> None:
    outbox, sink = Memory(), fake(act=refuses(SinkError("down")))
    outbox.put(notice())
    courier = worker(outbox, sink, clock)
    courier.step()
    sink.act = lambda _notice: None
    clock.go(-3600)
    courier.step()
    assert sink.taken


def test_what_was_taken_and_could_not_be_noted_is_noted_later_and_not_sent_again(notice: Make, clock: Clock) -> None:
    outbox = Memory()
    sink = fake(act=lambda _notice: setattr(outbox, "broken", 3))
    outbox.put(notice())
    courier = worker(outbox, sink, clock)
    told = [courier.step() for _ in range(5)]
    assert told[0] is not None
    assert len(sink.taken) == 1
    assert outbox.rows[1].state == "delivered"


def test_a_store_that_fails_is_asked_again_after_a_pause(notice: Make, clock: Clock) -> None:
    told: list[dict[str, Any]] = []
    outbox, sink = Memory(broken=2), fake()
    outbox.put(notice())
    courier = worker(outbox, sink, clock, log=lambda _event, **fields: told.append(fields))
    assert [courier.step() for _ in range(3)] == [pytest.approx(1.5), pytest.approx(3.0), None]
    assert sink.taken
    assert told[0]["error"] == "OSError"


def test_a_sink_with_a_bug_is_a_sink_that_fails(notice: Make, clock: Clock) -> None:
    def act(given: Notice) -> None:
        raise KeyError(given.key)

    outbox = Memory()
    outbox.put(notice())
    worker(outbox, fake(act=act), clock).step()
    assert outbox.rows[1].error == "failed with KeyError"


def test_any_content_is_delivered(clock: Clock) -> None:
    outbox, sink = Memory(), fake()
    outbox.put(Notice("ops", 1, 1, NoticeKind.OPENED, "key", clock.at, {"incident": {"level": 7}}))
    worker(outbox, sink, clock).step()
    assert sink.taken == ["key"]


@pytest.mark.parametrize(
    ("problem", "state", "asked"), [("outage", "open", 1), ("access", "open", 0), ("outage", "resolved", 0)]
)
def test_the_status_page_is_asked_about_outages_only(
    problem: str, state: str, asked: int, notice: Make, clock: Clock
) -> None:
    sites: list[str] = []

    def known(site: str) -> str:
        sites.append(site)
        return "known incident: x"

    outbox = Memory()
    outbox.put(notice(problem=problem, state=state))
    worker(outbox, fake(), clock, known=known).step()
    assert sites == ["US5"] * asked


def test_what_is_logged_of_a_notice_says_which_one_it_is(notice: Make, clock: Clock) -> None:
    told: list[tuple[str, dict[str, Any]]] = []
    outbox = Memory()
    sink = fake(act=refuses(NO))
    for sent in (notice("resolved", 3, incident=7), notice("digest")):
        outbox.put(sent)
    courier = worker(outbox, sink, clock, log=lambda event, **fields: told.append((event, fields)))
    courier.step()
    sink.act = lambda _notice: None
    clock.go(60)
    courier.step()
    names = ("incident", "kind", "key")
    of = [(event, [fields.get(name) for name in names]) for event, fields in told]
    incident, daily = [7, "resolved", notice("resolved", 3, incident=7).key], [None, "digest", notice("digest").key]
    assert sorted(of, key=str) == sorted(
        [(f"notice {word}", which) for word in ("failed", "delivered") for which in (incident, daily)], key=str
    )


# -- sinks that hang


def test_a_send_that_outlives_its_time_has_failed_and_counts_when_it_ends_well(notice: Make, clock: Clock) -> None:
    going: list[Running] = []

    def launch(send: Callable[[], None], _name: str) -> Running:
        running = Running()
        going.append(running)
        send()
        return running

    outbox, sink = Memory(), fake(timeout_s=0.01)
    outbox.put(notice())
    courier = worker(outbox, sink, clock, launch=launch)
    courier.step()
    assert outbox.rows[1].attempts == 1
    assert outbox.rows[1].error == "did not take it within 0.01 s"
    going[0].outcome = outcome_of(lambda: None)
    going[0].ended.set()
    clock.go(10)
    courier.step()
    assert outbox.rows[1].state == "delivered"
    assert len(going) == 1


def test_no_more_than_two_sends_hang_at_a_time(notice: Make, clock: Clock) -> None:
    going: list[Running] = []

    def launch(_send: Callable[[], None], _name: str) -> Running:
        going.append(Running())
        return going[-1]

    outbox, sink = Memory(), fake(timeout_s=0.01)
    for incident in range(1, 9):
        outbox.put(notice(incident=incident))
    courier = worker(outbox, sink, clock, launch=launch)
    for _ in range(5):
        courier.step()
        clock.go(1)
    assert len(going) == 2
    going[0].outcome = outcome_of(lambda: None)
    going[0].ended.set()
    clock.go(60)
    courier.step()
    assert outbox.rows[1].state == "delivered"
    assert len(going) == 3


# -- the law


class Crash(BaseException):
    """The process is killed."""


SENDS = st.sampled_from(
    ["takes", "takes", "fails", "takes, then fails", "permanent", "busy", "dies", "takes, then dies"]
)
MOVES = st.lists(
    st.one_of(
        st.tuples(st.just("new"), st.integers(1, 3)),
        st.tuples(st.just("wait"), st.sampled_from([0.5, 2.0, 60.0, 1_000.0, -3_600.0])),
        st.tuples(st.just("store fails"), st.integers(1, 4)),
        st.tuples(st.just("look"), st.just(0)),
    ),
    max_size=40,
)


@dataclass
class Ticking:
    at: datetime = datetime(2026, 11, 26, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.at

    def wait(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)


@dataclass
class World:
    """A shaky sink, a steady one, and an outbox that may fail; a worker that is killed is made anew."""

    sends: list[str]
    clock: Ticking = field(default_factory=Ticking)
    outbox: Memory = field(default_factory=Memory)
    numbers: dict[int, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.shaky, self.steady = fake("shaky"), fake("steady")
        self.shaky.act = acting(self.shaky, iter(self.sends))
        self.workers = {sink.settings.name: worker(self.outbox, sink, self.clock) for sink in (self.shaky, self.steady)}

    def look(self, sink: Fake) -> None:
        try:
            self.workers[sink.settings.name].step()
        except Crash:
            self.workers[sink.settings.name] = worker(self.outbox, sink, self.clock)

    def tell(self, incident: int) -> None:
        self.numbers[incident] = self.numbers.get(incident, 0) + 1
        for name in self.workers:
            self.outbox.put(plain_notice(name, incident, self.numbers[incident], self.clock()))
        self.look(self.steady)
        assert not [row for row in self.outbox.undelivered() if row.notice.sink == "steady"]

    def break_store(self, calls: int) -> None:
        self.outbox.broken = calls
        self.look(self.shaky)
        self.outbox.broken = 0

    def settle(self) -> None:
        for _ in range(200):
            self.clock.wait(SLOWEST_S)
            self.look(self.shaky)


@settings(max_examples=300, deadline=None)
@given(moves=MOVES, sends=st.lists(SENDS, max_size=60))
def test_each_notice_arrives_at_least_once_and_those_of_an_incident_in_order(
    moves: list[tuple[str, float]], sends: list[str]
) -> None:
    world = World(sends)
    acts: dict[str, Callable[[Any], None]] = {
        "new": world.tell,
        "wait": world.clock.wait,
        "store fails": world.break_store,
        "look": lambda _amount: None,
    }
    for move, amount in moves:
        acts[move](amount)
        world.look(world.shaky)
    world.settle()
    assert not world.outbox.undelivered()
    for sink in (world.shaky, world.steady):
        firsts = list(dict.fromkeys(sink.taken))
        for incident, number in world.numbers.items():
            wanted = [plain_notice(sink.settings.name, incident, n, world.clock()).key for n in range(1, number + 1)]
            assert [key for key in firsts if key in wanted] == wanted
    assert len(world.steady.taken) == len(set(world.steady.taken))


def acting(sink: Fake, acts: Iterator[str]) -> Callable[[Notice], None]:
    errors = {"fails": NO, "permanent": REFUSED, "busy": SinkError("429", retry_after_s=30), "dies": Crash()}

    def act(notice: Notice) -> None:
        taken, _, end = next(acts, "takes").rpartition(", then ")
        if taken:
            sink.taken.append(notice.key)
        if end in errors:
            raise errors[end]

    return act


def plain_notice(sink: str, incident: int, number: int, at: datetime) -> Notice:
    return Notice(sink, incident, number, NoticeKind.UPDATED, f"i-{incident}-{number}-{sink}", at, {"incident": {}})


@settings(deadline=None)
@given(failures=st.integers(0, 10_000), jitter=st.floats(0, 1), asked=st.none() | st.floats(0, 3_600))
def test_pauses_stay_between_a_second_and_a_quarter_of_an_hour(
    failures: int, jitter: float, asked: float | None
) -> None:
    assert 1 <= pause_s(failures, lambda: jitter) <= SLOWEST_S
    pace_s = min(2.0 ** min(failures, 10), SLOWEST_S)
    assert pace_s / 2 <= pause_s(failures, lambda: jitter) <= max(pace_s, 1)
    wait_s = next_try_s(failures, retry_after_s=asked, permanent=False, jitter=lambda: jitter)
    assert wait_s <= SLOWEST_S if asked is None else asked <= wait_s <= max(asked, 1) * 1.1
    assert next_try_s(failures, retry_after_s=None, permanent=True, jitter=lambda: jitter) == SLOWEST_S


# -- threads


def wait_for(true: Callable[[], Any]) -> None:
    passed = threading.Event()
    for _ in range(WAIT_S * 50):
        if true():
            return
        passed.wait(0.02)
    pytest.fail("it did not happen")


@pytest.fixture
def courier_of() -> Iterator[Callable[..., Courier]]:
    couriers: list[Courier] = []
    begun, at = time.monotonic(), datetime(2026, 11, 26, 10, 44, tzinfo=UTC)

    def make(outbox: Memory, *sinks: Fake, **options: Any) -> Courier:
        clock = lambda: at + timedelta(seconds=time.monotonic() - begun)  # noqa: E731 - it is the courier's clock
        couriers.append(Courier(outbox, sinks, **{"clock": clock, **options}))
        return couriers[-1]

    yield make
    for courier in couriers:
        courier.stop(WAIT_S)


def test_one_broken_and_one_hanging_sink_delay_no_other(notice: Make, courier_of: Callable[..., Courier]) -> None:
    release = threading.Event()
    hangs = fake("hangs", lambda _notice: (release.wait(WAIT_S), None)[1], timeout_s=0.05)
    fails = fake("fails", refuses(SinkError("no")))
    works, outbox = fake("works"), Memory()
    courier = courier_of(outbox, hangs, fails, works)
    courier.start()
    for incident in range(1, 6):
        for name in ("hangs", "fails", "works"):
            outbox.put(notice(sink=name, incident=incident))
    courier.wake()
    wait_for(lambda: len(works.taken) == 5)
    wait_for(lambda: len(courier.failing()) == 2)
    assert {name: error for name, _, error in courier.failing()} == {
        "fails": "no",
        "hangs": "did not take it within 0.05 s",
    }
    release.set()


def test_a_courier_that_is_stopped_waits_for_what_is_being_sent(
    notice: Make, courier_of: Callable[..., Courier]
) -> None:
    begun, release = threading.Event(), threading.Event()

    def act(_notice: Notice) -> None:
        begun.set()
        release.wait(WAIT_S)

    outbox, sink = Memory(), fake(act=act, timeout_s=WAIT_S)
    outbox.put(notice(incident=1))
    outbox.put(notice(incident=2))
    courier = courier_of(outbox, sink)
    courier.start()
    assert begun.wait(WAIT_S)
    assert not courier.stop(0.01)
    release.set()
    assert courier.stop(WAIT_S)
    assert [row.state for row in outbox.rows.values()] == ["delivered", "queued"]


def test_other_sinks_take_over_what_waits_under_their_names(notice: Make, courier_of: Callable[..., Courier]) -> None:
    outbox, broken, mended, new = Memory(), fake("a", refuses(SinkError("no", permanent=True))), fake("a"), fake("b")
    outbox.put(notice(sink="a"))
    outbox.put(notice(sink="b"))
    courier = courier_of(outbox, broken)
    courier.start()
    wait_for(courier.failing)
    courier.replace([mended, new])
    wait_for(lambda: mended.taken and new.taken)
    wait_for(lambda: not courier.failing())
    courier.replace([new])
    outbox.put(notice("updated", 2, sink="a"))
    courier.wake()
    assert courier.stop(WAIT_S)
    assert len(mended.taken) == 1


def test_a_run_that_ends_delivers_what_is_due_and_says_what_is_left(
    notice: Make, courier_of: Callable[..., Courier]
) -> None:
    failures = iter([SinkError("502")])

    def once(_notice: Notice) -> None:
        for error in failures:
            raise error

    outbox, shaky, refusing = Memory(), fake("shaky", once), fake("refusing", refuses(SinkError("no", permanent=True)))
    for name in ("shaky", "refusing", "nobody"):
        outbox.put(notice(sink=name))
    left = courier_of(outbox, shaky, refusing, jitter=lambda: 0.0).drain(WAIT_S)
    assert [row.notice.sink for row in left] == ["refusing", "nobody"]
    assert len(shaky.asked) == 2


def test_a_run_that_ends_waits_for_no_sink_that_hangs(notice: Make, courier_of: Callable[..., Courier]) -> None:
    release = threading.Event()
    outbox, sink = Memory(), fake(act=lambda _notice: (release.wait(WAIT_S), None)[1], timeout_s=WAIT_S)
    outbox.put(notice())
    assert len(courier_of(outbox, sink).drain(0.05)) == 1
    release.set()
