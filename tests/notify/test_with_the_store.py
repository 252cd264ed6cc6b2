"""The courier and the store together: what is queued with an incident arrives, across failures and restarts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from monitors.config.alerting import SinkSettings
from monitors.incidents.model import Notice
from monitors.notify.attempts import Running, outcome_of
from monitors.notify.composing import digest, digest_notices
from monitors.notify.errors import SinkError
from monitors.notify.message import message_of
from monitors.notify.worker import Worker
from monitors.store import open_store
from monitors.store.values import UptimeRow

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Clock

    from monitors.incidents.model import Incident
    from monitors.notify.message import Message
    from monitors.store import Store
    from monitors.store.values import Filter, IncidentFilter

Make = Callable[..., Notice]
BUSY = SinkError("answered 500", retry_after_s=30)
ROW = UptimeRow("US5", None, 9, 9, 0, 1.0, 1.0, 1.0, 1.0, 0)


@dataclass
class Fake:
    settings: SinkSettings
    failures: int = 0
    taken: list[str] = field(default_factory=list)

    def send(self, message: Message, notice: Notice) -> None:
        assert message.content["key"] == notice.key
        if self.failures:
            self.failures -= 1
            raise BUSY
        self.taken.append(notice.key)


@pytest.fixture
def opened(tmp_path: Path) -> Callable[[], Store]:
    return lambda: open_store(f"sqlite:///{tmp_path}/monitor.sqlite")


def at_once(send: Callable[[], None], _name: str) -> Running:
    running = Running(outcome_of(send))
    running.ended.set()
    return running


def test_opened_and_resolved_arrive_in_order_across_failures_and_restarts(
    opened: Callable[[], Store], notice: Make, clock: Clock
) -> None:
    sink = Fake(SinkSettings("ops", "stdout"), failures=3)
    sent = [notice("opened", 1), notice("updated", 2), notice("resolved", 3)]
    with opened() as store, store.writing() as writing:
        writing.queue(sent)
    for _ in range(6):
        with opened() as store:
            Worker(store, sink, clock=clock, launch=at_once).step()
        clock.go(60)
    assert sink.taken == [each.key for each in sent]
    with opened() as store:
        assert store.undelivered() == []


def test_what_a_sink_said_is_kept_with_the_next_try(opened: Callable[[], Store], notice: Make, clock: Clock) -> None:
    with opened() as store:
        with store.writing() as writing:
            writing.queue([notice()])
        worker = Worker(
            store, Fake(SinkSettings("ops", "stdout"), failures=1), clock=clock, launch=at_once, jitter=lambda: 0.0
        )
        assert worker.step() == 30
        [row] = store.undelivered()
        assert (row.error, row.attempts, row.first_failed) == ("answered 500", 1, clock.at)
        assert row.next_at == clock.at + timedelta(seconds=30)


def test_a_digest_of_an_empty_store_says_so(opened: Callable[[], Store], clock: Clock) -> None:
    takes, takes_none = SinkSettings("daily", "stdout", digest=True), SinkSettings("ops", "stdout")
    with opened() as store:
        said = digest(store, clock.at - timedelta(days=1), clock.at, skipped=[("UK1", None, "no keys")])
    notices = digest_notices(said, [takes, takes_none], at=clock.at, installation="5f0c")
    assert [each.key for each in notices] == ["5f0c-digest-20261126T104400Z-daily"]
    message = message_of(notices[0])
    assert message.title == "🟡 Model Lab, 1 d: nothing was probed"
    assert message.lines[1:] == ("Not probed: UK1",)


@pytest.mark.parametrize(
    ("share", "said"),
    [(1.0, 100.0), (0.0, 0.0), (0.99999999, 99.9999), (1e-9, 0.0001), (0.97083, 97.083), (None, None)],
)
def test_a_share_is_all_or_nothing_in_a_digest_only_if_it_is(
    share: float | None, said: float | None, clock: Clock
) -> None:
    class Rare:
        def incidents(self, _wanted: IncidentFilter) -> list[Incident]:
            return []

        def uptime(self, _wanted: Filter, *, by: str = "site") -> list[UptimeRow]:
            assert by == "site"
            return [replace(ROW, uptime=share)]

    [row] = digest(Rare(), clock.at - timedelta(days=1), clock.at)["uptime"]
    assert row["uptime"] == said
