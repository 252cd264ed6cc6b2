from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from monitors.config.alerting import SinkSettings, WatchSettings
from monitors.watching.digesting import Digests, put_digest

if TYPE_CHECKING:
    from monitors.store import Store

DAILY = WatchSettings(digest_cron="0 8 * * *", digest_timezone="Europe/Berlin")
SINKS = (SinkSettings("mail", "stdout", digest=True, incidents=False), SinkSettings("chat", "stdout"))
NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)
EIGHT = datetime(2026, 6, 2, 6, tzinfo=UTC)


def put(digests: Digests, store: Store, at: datetime, watch: WatchSettings = DAILY) -> int:
    return digests.put_if_due(store, watch, SINKS, at, "here")


def waiting(store: Store) -> list[Any]:
    return [row.notice for row in store.undelivered()]


def test_the_first_time_nothing_is_told_and_then_once_for_each_time_of_the_plan(store: Store) -> None:
    digests = Digests()
    assert put(digests, store, NOON) == 0
    assert put(digests, store, EIGHT - timedelta(seconds=1)) == 0
    assert put(digests, store, EIGHT) == 1
    assert [put(digests, store, EIGHT + timedelta(hours=hour)) for hour in range(1, 24)] == [0] * 23
    [notice] = waiting(store)
    assert (notice.sink, str(notice.kind), notice.at) == ("mail", "digest", EIGHT)
    said = notice.content["digest"]
    assert (said["from"], said["to"]) == ("2026-06-01T06:00:00Z", "2026-06-02T06:00:00Z")


def test_a_start_again_tells_nothing_twice_and_makes_up_for_what_was_missed(store: Store) -> None:
    put(Digests(), store, NOON)
    assert put(Digests(), store, EIGHT) == 1
    assert put(Digests(), store, EIGHT + timedelta(hours=1)) == 0
    assert put(Digests(), store, EIGHT + 3 * DAY) == 1
    said = waiting(store)[-1].content["digest"]
    assert (said["from"], said["to"]) == ("2026-06-02T06:00:00Z", "2026-06-05T06:00:00Z")


def test_after_a_long_time_away_a_digest_goes_back_a_month_at_most(store: Store) -> None:
    put(Digests(), store, NOON)
    put(Digests(), store, EIGHT + 300 * DAY)
    said = waiting(store)[0].content["digest"]
    begin, end = (datetime.fromisoformat(said[name]) for name in ("from", "to"))
    assert end - begin == 31 * DAY


def test_a_clock_that_is_set_back_tells_nothing_twice(store: Store) -> None:
    digests = Digests()
    put(digests, store, NOON)
    put(digests, store, EIGHT)
    assert put(digests, store, NOON) == 0
    assert put(digests, store, EIGHT) == 0
    assert put(Digests(), store, NOON) == 0
    assert put(Digests(), store, EIGHT) == 0


def test_without_a_plan_there_is_no_digest(store: Store) -> None:
    assert put(Digests(), store, NOON, WatchSettings()) == 0


def test_a_plan_that_is_taken_up_later_begins_with_its_next_time(store: Store) -> None:
    digests = Digests()
    put(digests, store, NOON)
    put(digests, store, EIGHT)
    hourly = replace(DAILY, digest_cron="0 * * * *")
    assert put(digests, store, EIGHT + timedelta(minutes=5), hourly) == 0
    assert put(digests, store, EIGHT + timedelta(hours=1), hourly) == 1


def test_a_digest_asked_for_goes_to_those_who_take_any(store: Store) -> None:
    skipped = [("US1-FED", "run", "no keys")]
    assert put_digest(store, SINKS, NOON, "here", since=NOON - DAY, skipped=skipped) == 1
    [notice] = waiting(store)
    assert notice.content["digest"]["skipped"] == [{"site": "US1-FED", "check": "run", "reason": "no keys"}]
    assert put_digest(store, SINKS, NOON, "here", since=NOON - DAY) == 1
    assert len(waiting(store)) == 1, "the same digest is under the same key"
    assert put_digest(store, SINKS[1:], NOON, "here", since=NOON - DAY) == 0


def test_nothing_is_marked_as_told_that_could_not_be_put_into_the_outbox(store: Store) -> None:
    digests = Digests()
    put(digests, store, NOON)

    class Refusing:
        def __getattr__(self, name: str) -> Any:
            return getattr(store, name)

        def writing(self) -> Any:
            raise OSError

    with pytest.raises(OSError, match=r"^$"):
        put(digests, Refusing(), EIGHT)  # type: ignore[arg-type]
    assert put(digests, store, EIGHT) == 1
