from __future__ import annotations

import threading
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from monitors.incidents.model import Book, Notice, NoticeKind
from monitors.store import Queued, Store, StoreBusyError, StoreDamagedError, open_store, sqlite_url
from monitors.watching.current import Current

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

AT = datetime(2026, 6, 1, 12, tzinfo=UTC)


def told(number: int = 1, sink: str = "team") -> Notice:
    return Notice(sink, 7, number, NoticeKind.OPENED, f"word-7-{number}-{sink}", AT, {"kind": "opened"})


@pytest.fixture
def other(tmp_path: Path) -> Iterator[Store]:
    with open_store(sqlite_url(tmp_path / "other" / "monitor.sqlite")) as opened:
        yield opened


def queue(store: Current | Store, *notices: Notice) -> None:
    with store.writing() as tx:
        tx.queue(notices)


def exchange(current: Current, store: Store) -> None:
    with current.exchanging():
        current.store = store


def states(store: Store) -> list[str]:
    return [row.state for row in store.notices(7)]


def test_every_call_goes_to_the_store_as_it_is_now(store: Store, other: Store) -> None:
    current = Current(store)
    queue(current, told())
    assert current.book() == store.book()
    assert current.baseline("US5", "42") is None
    assert current.next_due("team") == AT
    assert [row.notice.key for row in current.undelivered()] == ["word-7-1-team"]
    exchange(current, other)
    assert current.book() == other.book()
    assert (current.due("team", AT), current.next_due("team"), current.undelivered()) == ([], None, [])


def test_what_became_of_a_notice_is_noted_in_the_store(store: Store) -> None:
    current = Current(store)
    queue(current, told(1), told(1, "one"), told(1, "two"))
    (sent,), (failed,), (given_up,) = (current.due(sink, AT) for sink in ("team", "one", "two"))
    current.mark_delivered(sent.id, AT)
    current.mark_failed(failed.id, AT, "503", AT)
    current.mark_abandoned(given_up.id, AT, "gone")
    assert sorted(states(store)) == ["abandoned", "delivered", "queued"]
    assert list(current.delivered) == [("word-7-1-team", "team")]


def test_a_notice_nobody_drew_here_is_noted_and_its_key_not_known(store: Store) -> None:
    queue(store, told())
    current = Current(store)
    current.mark_delivered(store.undelivered()[0].id, AT)
    assert states(store) == ["delivered"]
    assert list(current.delivered) == []


def test_a_notice_drawn_before_the_exchange_is_found_by_its_key_after_it(store: Store, other: Store) -> None:
    current = Current(store)
    queue(store, told(1))
    (drawn,) = current.due("team", AT)
    queue(other, told(1, "else"), told(1))
    assert [row.id for row in other.undelivered() if row.notice.sink == "team"] != [drawn.id]
    exchange(current, other)
    current.mark_failed(drawn.id, AT, "503", AT)
    current.mark_delivered(drawn.id, AT)
    assert {row.notice.sink: (row.state, row.attempts) for row in other.notices(7)} == {
        "else": ("queued", 0),
        "team": ("delivered", 2),
    }


def test_a_notice_the_mended_store_has_lost_marks_no_other(store: Store, other: Store) -> None:
    current = Current(store)
    queue(store, told(1))
    (drawn,) = current.due("team", AT)
    queue(other, told(2))
    exchange(current, other)
    (fresh,) = current.due("team", AT)
    assert fresh.id != drawn.id
    for mark in (
        lambda: current.mark_failed(drawn.id, AT, "503", AT),
        lambda: current.mark_abandoned(drawn.id, AT, "gone"),
        lambda: current.mark_delivered(drawn.id, AT),
    ):
        mark()
        assert [(row.state, row.attempts) for row in other.notices(7)] == [("queued", 0)]
    current.mark_delivered(fresh.id, AT)
    assert states(other) == ["delivered"]
    assert list(current.delivered) == [("word-7-1-team", "team"), ("word-7-2-team", "team")]


@dataclass
class Damaged:
    """A store of which one thing is malformed."""

    url_shown: str = "x.sqlite"
    rows: list[Queued] = field(default_factory=list)

    def book(self) -> Book:
        return Book("word")

    def due(self, _sink: str, _now: datetime, _limit: int) -> list[Queued]:
        message = "x.sqlite: the file is damaged"
        raise StoreDamagedError(message)


def test_damage_is_remembered_whoever_meets_it_until_the_store_is_exchanged(store: Store) -> None:
    damaged: Any = Damaged()
    current = Current(damaged)
    current.book()
    assert not current.damaged
    with pytest.raises(StoreDamagedError):
        current.due("team", AT)
    assert current.damaged
    exchange(current, store)
    assert not current.damaged


def test_an_exchange_that_fails_leaves_it_damaged_and_lets_others_in(store: Store) -> None:
    current = replace(Current(store), damaged=True)

    def fail() -> None:
        with current.exchanging():
            message = "no room"
            raise OSError(message)

    with pytest.raises(OSError, match="no room"):
        fail()
    assert current.damaged
    assert current.undelivered() == []


def test_while_one_thread_exchanges_the_store_others_wait_and_it_itself_works(store: Store) -> None:
    current = Current(store, patience_s=0.0)
    errors: list[Exception] = []

    def ask() -> None:
        try:
            current.book()
        except StoreBusyError as error:
            errors.append(error)

    with current.exchanging():
        current.book()
        thread = threading.Thread(target=ask)
        thread.start()
        thread.join(30)
    assert [str(error) for error in errors] == [f"{store.url_shown}: the store is being mended"]
    ask()
    assert len(errors) == 1


def test_whoever_waits_goes_on_with_the_other_store(store: Store, other: Store) -> None:
    current, books = Current(store, patience_s=30.0), list[Book]()
    with current.exchanging():
        thread = threading.Thread(target=lambda: books.append(current.book()))
        thread.start()
        current.store = other
    thread.join(30)
    assert books == [other.book()]


def test_the_store_is_not_exchanged_while_somebody_uses_it(store: Store, other: Store) -> None:
    current, using, exchanged = Current(store), threading.Event(), threading.Event()

    def use() -> None:
        with current.using():
            using.set()
            assert not exchanged.wait(0.2)

    thread = threading.Thread(target=use)
    thread.start()
    assert using.wait(30)
    with current.exchanging():
        exchanged.set()
        current.store = other
        assert not thread.is_alive() or current._users == 0
    thread.join(30)


def test_whoever_uses_it_for_too_long_is_waited_for_no_longer(store: Store, other: Store) -> None:
    current, using, done = Current(store), threading.Event(), threading.Event()

    def use() -> None:
        with current.using():
            using.set()
            done.wait(30)

    thread = threading.Thread(target=use)
    thread.start()
    assert using.wait(30)
    with current.exchanging(patience_s=0.0):
        current.store = other
    assert current.book() == other.book()
    done.set()
    thread.join(30)
