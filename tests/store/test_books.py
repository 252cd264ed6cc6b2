from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from monitors.incidents.model import Event, EventKind, State
from monitors.model import Level
from monitors.store import IncidentFilter, open_store

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from monitors.incidents.model import Incident, Track
    from monitors.store import Store


def test_a_new_store_has_an_empty_book_of_an_installation_of_its_own(url: str, store: Store) -> None:
    book = store.book()
    assert (book.tracks, book.incidents, book.told, book.silences, book.next_id) == ({}, {}, {}, (), 1)
    assert len(book.installation) == 12
    with open_store(url) as again:
        assert again.book() == book


def test_a_book_reads_back_as_it_was_put(store: Store, fill: Callable[[Store], None]) -> None:
    fill(store)
    book = store.book()
    assert len(book.tracks) == len(book.incidents) == 2
    with store.writing() as writing:
        assert writing.book() == book
        emptied = replace(book, tracks={}, told={}, silences=())
        writing.put_book(book, emptied)
        assert writing.book() == emptied
        writing.put_book(emptied, book)
        assert writing.book() == book
    assert store.book() == book


def test_nothing_of_a_transaction_that_fails_is_kept(store: Store, fill: Callable[[Store], None]) -> None:
    def fail() -> None:
        with store.writing() as writing:
            writing.put_book(writing.book(), replace(writing.book(), next_id=9))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert store.book().next_id == 1
    fill(store)
    assert store.book().next_id == 3


def test_an_incident_that_leaves_the_book_stays_in_history(store: Store, fill: Callable[[Store], None]) -> None:
    fill(store)
    with store.writing() as writing:
        before = writing.book()
        over = replace(before.incidents[1], resolved=before.incidents[1].opened, why_resolved="recovered")
        told = replace(before, incidents={**before.incidents, 1: over})
        writing.put_book(before, told)
        writing.put_book(told, replace(told, incidents={2: told.incidents[2]}))
    assert list(store.book().incidents) == [2]
    assert store.incident(1) == over
    assert store.incident(7) is None
    assert [each.id for each in store.incidents(IncidentFilter())] == [2, 1]


def test_the_book_of_another_store_is_refused(store: Store) -> None:
    with pytest.raises(ValueError, match="does not belong into that of"), store.writing() as writing:
        writing.put_book(writing.book(), replace(writing.book(), installation="other"))


def test_only_what_changed_is_written(store: Store, track: Callable[..., Track]) -> None:
    with store.writing() as writing:
        before = writing.book()
        known = {each.key: each for each in (track("US5"), track("EU1"))}
        writing.put_book(before, replace(before, tracks=known))
    with store.writing() as writing:
        # A book that another has changed meanwhile keeps the other's change.
        stale = replace(before, tracks=known)
        changed = replace(track("EU1"), window="xx")
        writing.put_book(before, replace(before, tracks={track("AP1").key: track("AP1")}))
        writing.put_book(stale, replace(stale, tracks={**known, changed.key: changed}))
    assert {key.site: each.window for key, each in store.book().tracks.items()} == {
        "US5": "x.x", "EU1": "xx", "AP1": "x.x",
    }  # fmt: skip


def test_the_timeline_is_in_order_of_time(store: Store, start: datetime, fill: Callable[[Store], None]) -> None:
    fill(store)
    with store.writing() as writing:
        for minutes in (5, 2):
            writing.add_event(Event(1, start + timedelta(minutes=minutes), EventKind.SPREAD, f"{minutes}"))
        writing.add_event(Event(2, start, EventKind.SPREAD, "another's"))
    assert [(each.kind, each.message, each.sites, each.by) for each in store.events(1)] == [
        (EventKind.OPENED, "opened \ud800", ("US5",), "Ann"),
        (EventKind.SPREAD, "2", (), ""),
        (EventKind.SPREAD, "5", (), ""),
    ]


def test_incidents_are_found_by_what_they_are(
    store: Store, start: datetime, incident: Callable[..., Incident], fill: Callable[[Store], None]
) -> None:
    fill(store)
    day = timedelta(days=1)
    with store.writing() as writing:
        book = writing.book()
        quiet = incident(3, level=Level.WARNING, opened=start - 3 * day, resolved=start - 2 * day)
        writing.put_book(book, replace(book, incidents={**book.incidents, 3: quiet}))

    def found(**wanted: object) -> list[int]:
        return [each.id for each in store.incidents(IncidentFilter(**wanted))]  # type: ignore[arg-type]

    assert found() == [2, 1, 3]
    assert found(state=State.RESOLVED) == [3]
    assert found(state=State.OPEN) == [2, 1]
    assert found(level=Level.BREAKING) == [2, 1]
    assert found(sites=("EU1",)) == [2]
    assert found(checks=("not-found",)) == []
    assert found(rules=("unreachable",), limit=1) == [2]
    assert found(since=start) == [2, 1]
    assert found(until=start) == [3]
