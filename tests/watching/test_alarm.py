from __future__ import annotations

import threading
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

import schemas
from monitors.config.alerting import SinkSettings
from monitors.incidents.model import Notice, NoticeKind
from monitors.notify.errors import SinkError
from monitors.watching.alarm import Alarm

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from conftest import Log

    from monitors.notify.message import Message

SAID: dict[str, Any] = next(
    example for example in schemas.document("notification")["examples"] if "incident" in example
)


@dataclass
class Fake:
    """A sink that takes notices, once `act` raises nothing."""

    name: str = "team"
    act: Callable[[int], None] = lambda _attempt: None
    taken: list[str] = field(default_factory=list)
    attempts: int = 0

    @property
    def settings(self) -> SinkSettings:
        return SinkSettings(self.name, "stdout")

    def send(self, _message: Message, notice: Notice) -> None:
        self.attempts += 1
        self.act(self.attempts)
        self.taken.append(notice.key)


@dataclass
class Pauses:
    """Writes down how long it was to wait, and waits not at all; calls `at` with how often that was."""

    waited_s: list[float] = field(default_factory=list)
    at: Callable[[int], None] = lambda _number: None

    def __call__(self, _off: threading.Event, seconds: float) -> None:
        self.waited_s.append(seconds)
        self.at(len(self.waited_s))


def told(sink: str = "team", number: int = 1) -> Notice:
    key = f"word-{number}-1-{sink}"
    at = datetime(2026, 6, 1, 12, tzinfo=UTC)
    return Notice(sink, number, 1, NoticeKind.OPENED, key, at, {**SAID, "key": key})


def until_failed(times: int, error: Exception) -> Callable[[int], None]:
    def act(attempt: int) -> None:
        if attempt <= times:
            raise error

    return act


def ignore(_notice: Notice) -> None:
    """Hear of what was taken, and do nothing about it."""


def sounded(alarm: Alarm, notices: Sequence[Notice]) -> None:
    alarm(notices)
    for thread in alarm.threads:
        thread.join(30)
        assert not thread.is_alive()


def test_each_notice_goes_to_its_sink(log: Log) -> None:
    one, two = Fake("one"), Fake("two")
    sounded(Alarm(lambda: [one, two], log, ignore), [told("one"), told("two"), told("two", 2)])
    assert one.taken == ["word-1-1-one"]
    assert sorted(two.taken) == ["word-1-1-two", "word-2-1-two"]
    assert len(log.of("a sink was told past the store")) == 3


def test_sinks_are_those_of_now_and_one_that_is_gone_is_left_out(log: Log) -> None:
    sinks = [Fake("one")]
    alarm = Alarm(lambda: sinks, log, ignore)
    sinks[:] = [Fake("two")]
    sounded(alarm, [told("one"), told("two")])
    assert sinks[0].taken == ["word-1-1-two"]
    assert len(alarm.threads) == 1


@pytest.mark.parametrize("error", [SinkError("down"), ValueError("a mistake of the sink's"), KeyError("x")])
def test_a_sink_that_fails_is_told_again_ever_later_until_it_takes_it(log: Log, error: Exception) -> None:
    sink, pauses = Fake(act=until_failed(30, error)), Pauses()
    sounded(Alarm(lambda: [sink], log, ignore, pause=pauses), [told()])
    assert sink.taken == ["word-1-1-team"]
    assert len(pauses.waited_s) == 30
    assert all(1 <= wait_s <= 900 for wait_s in pauses.waited_s)
    assert len(log.of("a sink could not be told past the store")) == 30


def test_a_sink_gets_the_time_it_asks_for(log: Log) -> None:
    pauses = Pauses()
    sink = Fake(act=until_failed(1, SinkError("429", retry_after_s=300)))
    sounded(Alarm(lambda: [sink], log, ignore, pause=pauses), [told()])
    assert 300 <= pauses.waited_s[0] <= 330


def test_what_only_a_person_can_mend_is_tried_at_the_slowest_pace(log: Log) -> None:
    pauses = Pauses()
    sink = Fake(act=until_failed(2, SinkError("no such hook", permanent=True)))
    sounded(Alarm(lambda: [sink], log, ignore, pause=pauses), [told()])
    assert pauses.waited_s == [900, 900]


def test_the_error_of_a_sink_that_is_not_ours_is_not_quoted(log: Log) -> None:
    sink = Fake(act=until_failed(1, RuntimeError("https://hook/secret")))
    sounded(Alarm(lambda: [sink], log, ignore, pause=Pauses()), [told()])
    (line,) = log.of("a sink could not be told past the store")
    assert line["reason"] == "failed with RuntimeError"


def test_one_sink_that_hangs_delays_no_other(log: Log) -> None:
    release = threading.Event()

    def hang(_attempt: int) -> None:
        release.wait(30)

    slow, quick = Fake("slow", act=hang), Fake("quick")
    alarm = Alarm(lambda: [slow, quick], log, ignore)
    alarm([told("slow"), told("quick")])
    alarm.threads[1].join(30)
    assert quick.taken == ["word-1-1-quick"]
    assert slow.taken == []
    release.set()
    alarm.threads[0].join(30)


def test_an_alarm_without_notices_calls_off_what_is_not_told_yet(log: Log) -> None:
    off, waits = threading.Event(), threading.Event()

    def pause(number: int) -> None:
        if number == 3:
            waits.set()
            off.wait(30)

    sink = Fake(act=until_failed(1_000, SinkError("down")))
    alarm = Alarm(lambda: [sink], log, ignore, pause=Pauses(at=pause))
    alarm([told()])
    (thread,) = alarm.threads
    assert waits.wait(30)
    alarm(())
    off.set()
    thread.join(30)
    assert not thread.is_alive()
    assert (sink.attempts, sink.taken) == (3, [])


def test_notices_of_one_incident_go_out_in_order_and_it_is_said_that_they_were_taken(log: Log) -> None:
    taken: list[str] = []
    release = threading.Event()

    def act(attempt: int) -> None:
        release.wait(30)
        if attempt <= 2:
            message = "down"
            raise SinkError(message)

    sink = Fake(act=act)
    alarm = Alarm(lambda: [sink], log, lambda notice: taken.append(notice.key), pause=Pauses())
    alarm([told()])
    alarm([replace(told(), number=2, key="word-1-2-team"), replace(told(), number=3, key="word-1-3-team")])
    assert len(alarm.threads) == 1
    release.set()
    alarm.threads[0].join(30)
    assert sink.taken == taken == ["word-1-1-team", "word-1-2-team", "word-1-3-team"]
    sounded(alarm, [told(number=2)])
    assert taken[-1] == "word-2-1-team", "what comes when all was taken goes out too"


def test_a_machine_without_a_thread_to_spare_is_told(log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_self: threading.Thread) -> None:
        message = "can't start new thread"
        raise RuntimeError(message)

    sink = Fake()
    alarm = Alarm(lambda: [sink], log, ignore)
    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", refuse)
        alarm([told()])
    assert len(log.of("this machine cannot start a thread to tell past the store")) == 1
    alarm([told()])
    alarm.threads[-1].join(30)
    assert sink.taken == ["word-1-1-team"]


def test_the_pause_ends_when_the_alarm_is_called_off(log: Log) -> None:
    failed = threading.Event()

    def act(_attempt: int) -> None:
        failed.set()
        message = "no such hook"
        raise SinkError(message, permanent=True)

    alarm = Alarm(lambda: [Fake(act=act)], log, ignore)
    alarm([told()])
    (thread,) = alarm.threads
    assert failed.wait(30)
    alarm(())
    thread.join(60)
    assert not thread.is_alive()
