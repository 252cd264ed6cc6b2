from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from monitors.incidents.model import NoticeKind

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from monitors.incidents.model import Notice
    from monitors.store import Store

MINUTE = timedelta(minutes=1)


def queued(store: Store, *notices: Notice) -> None:
    with store.writing() as writing:
        writing.queue(notices)


def due(store: Store, now: datetime, sink: str = "chat") -> list[tuple[int, int]]:
    return [(row.notice.incident, row.notice.number) for row in store.due(sink, now)]


def test_notices_of_one_incident_wait_for_each_other(
    store: Store, start: datetime, notice: Callable[..., Notice]
) -> None:
    later = start + MINUTE
    queued(store, *(notice(incident=i, number=n, at=start + n * MINUTE) for n in (1, 2) for i in (1, 2)))
    queued(store, notice("mail"))
    assert due(store, later) == [(1, 1), (2, 1)]
    assert store.next_due("chat") == later
    first, other = store.due("chat", later)
    store.mark_delivered(first.id, later)
    assert due(store, later) == [(2, 1)]
    assert due(store, start + 2 * MINUTE) == [(2, 1), (1, 2)]
    store.mark_failed(other.id, later, "refused \ud800", start + 9 * MINUTE)
    # Its second one is due by the clock, and must not overtake the first.
    assert due(store, start + 5 * MINUTE) == [(1, 2)]
    assert [row.id for row in store.due("chat", start + 99 * MINUTE, limit=1)] == [other.id]
    assert store.next_due("chat") == start + 2 * MINUTE


def test_digests_and_tests_wait_for_nobody(store: Store, start: datetime, notice: Callable[..., Notice]) -> None:
    queued(store, *(notice(incident=0, number=0, key=f"test-{n}", kind=NoticeKind.TEST) for n in range(2)))
    first, _ = store.due("chat", start)
    store.mark_failed(first.id, start, "no", start + MINUTE)
    assert [row.notice.key for row in store.due("chat", start)] == ["test-1"]


def test_a_notice_is_queued_once_however_often(store: Store, start: datetime, notice: Callable[..., Notice]) -> None:
    queued(store, notice(), notice())
    queued(store, notice())
    (row,) = store.undelivered()
    assert row.notice == notice()
    store.mark_delivered(row.id, start)
    queued(store, notice())
    assert store.undelivered() == []
    assert [each.state for each in store.notices(1)] == ["delivered"]


def test_failures_are_counted_and_remembered(store: Store, start: datetime, notice: Callable[..., Notice]) -> None:
    queued(store, notice())
    (row,) = store.due("chat", start)
    assert (row.attempts, row.first_failed, row.error, row.next_at) == (0, None, "", start)
    for n in (1, 2):
        store.mark_failed(row.id, start + n * MINUTE, f"error {n} \0", start + 10 * n * MINUTE)
    (row,) = store.undelivered()
    assert (row.attempts, row.first_failed, row.error) == (2, start + MINUTE, "error 2 \0")
    assert row.next_at == store.next_due("chat") == start + 20 * MINUTE
    store.mark_delivered(row.id, start + 30 * MINUTE)
    (row,) = store.notices(1)
    assert (row.state, row.attempts, row.delivered_at) == ("delivered", 3, start + 30 * MINUTE)
    assert store.next_due("chat") is None


def test_what_was_delivered_stays_so(store: Store, start: datetime, notice: Callable[..., Notice]) -> None:
    queued(store, notice())
    (row,) = store.due("chat", start)
    store.mark_delivered(row.id, start)
    store.mark_failed(row.id, start, "too late", start)
    store.mark_abandoned(row.id, start, "too late")
    (after,) = store.notices(1)
    assert (after.state, after.error, after.attempts) == ("delivered", "", 1)


def test_what_waits_for_a_sink_that_is_gone_is_given_up_after_a_week(
    store: Store, start: datetime, notice: Callable[..., Notice]
) -> None:
    day = timedelta(days=1)
    queued(store, notice("chat"), notice("gone"), notice("gone", number=2, at=start + day), notice("gone", 2))
    (row,) = [row for row in store.due("gone", start) if row.notice.incident == 2]
    store.mark_delivered(row.id, start)
    assert store.abandon_of_nobody({"chat", "gone"}, start + 30 * day) == 0
    assert store.abandon_of_nobody({"chat"}, start + 7 * day) == 0
    assert store.abandon_of_nobody({"chat"}, start + 7 * day + MINUTE) == 1
    assert [(each.state, each.error) for each in store.notices(1) if each.notice.sink == "gone"] == [
        ("abandoned", "no sink of this name is configured"),
        ("queued", ""),
    ]
    assert [row.notice.sink for row in store.undelivered()] == ["chat", "gone"]
    assert store.abandon_of_nobody((), start + 30 * day) == 2
    assert store.undelivered() == []


def test_an_abandoned_notice_lets_the_next_one_go(store: Store, start: datetime, notice: Callable[..., Notice]) -> None:
    queued(store, notice(), notice(number=2))
    (row,) = store.due("chat", start)
    store.mark_abandoned(row.id, start + MINUTE, "after a week")
    assert due(store, start) == [(1, 2)]
    assert [(each.state, each.error, each.first_failed) for each in store.notices(1)] == [
        ("abandoned", "after a week", start + MINUTE),
        ("queued", "", None),
    ]
