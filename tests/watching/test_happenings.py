"""What the log has of people and of plans, from a store that another process writes to as well."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from monitors.config.alerting import Maintenance, SinkSettings, Thresholds
from monitors.incidents import people
from monitors.sites import SITES
from monitors.watching.current import Current
from monitors.watching.happenings import Happenings
from monitors.watching.keeper import Batch, Keeper, Rules

if TYPE_CHECKING:
    from collections.abc import Callable

    from monitors.incidents.model import Event
    from monitors.model import Finding
    from monitors.store import Store

START = datetime(2026, 6, 1, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


class Diary:
    """A monitor with an outage on US5, and the lines its log has of others."""

    def __init__(self, store: Store, make_observed: Any, make_result: Any, make_down: Any) -> None:
        self.store, self.make_observed, self.make_result, self.make_down = store, make_observed, make_result, make_down
        thresholds = Thresholds(failure_threshold=1, failure_window=1, success_threshold=1, confirm_count=1)
        watched = frozenset({("US5", "run")})
        rules = Rules(thresholds, sinks=(SinkSettings("team", "stdout"),), watched=watched)
        self.keeper, self.happenings, self.at = Keeper(Current(store), rules, lambda found: found), Happenings(), START
        self.asked: list[int] = []
        self.round()

    def life(self, incident: int) -> list[Event]:
        self.asked.append(incident)
        return self.store.events(incident)

    def round(self, *, down: bool = True) -> list[tuple[str, dict[str, object]]]:
        self.at += MINUTE
        findings: list[Finding] = [self.make_down()] if down else []
        seen = self.make_observed("US5", "run", self.at)
        kept = self.keeper.keep(Batch(self.at, (self.make_result(seen, *findings),)))
        return list(self.happenings.of(kept, self.life))

    def person(self, change: Callable[..., Any], *arguments: Any, **options: Any) -> None:
        with self.store.writing() as tx:
            book = tx.book()
            done = change(book, *arguments, **options)
            decision = done[0] if isinstance(done, tuple) else done
            tx.put_book(book, decision.book, decision.events)


@pytest.fixture
def diary(store: Store, make_observed: Any, make_result: Any, make_down: Any) -> Diary:
    return Diary(store, make_observed, make_result, make_down)


def test_what_the_monitor_does_itself_is_not_told_again(diary: Diary) -> None:
    assert [diary.round(), diary.round(down=False), diary.round(), diary.round()] == [[], [], [], []]
    assert diary.asked == []


def test_an_acknowledgement_is_told_once_and_one_by_another_again(diary: Diary) -> None:
    diary.person(people.acknowledge, 1, by="ada", reason="on it", at=diary.at)
    told = {"incident": 1, "sites": ("US5",), "by": "ada", "reason": "on it"}
    assert diary.round() == [("incident acknowledged", told)]
    assert diary.round() == []
    diary.person(people.acknowledge, 1, by="bob", reason="", at=diary.at)
    assert diary.round() == [("incident acknowledged", {**told, "by": "bob", "reason": ""})]


def test_an_end_by_hand_is_told_with_who_and_why(diary: Diary) -> None:
    diary.person(people.resolve, 1, by="ada", reason="planned", at=diary.at)
    [(event, values)] = diary.round(down=False)
    assert (event, values["incident"], values["sites"], values["by"]) == ("incident resolved", 1, ("US5",), "ada")
    assert str(values["message"]).startswith("by hand after ")
    assert diary.round(down=False) == []


def test_an_end_by_hand_is_told_beside_what_opens_anew(diary: Diary) -> None:
    diary.person(people.resolve, 1, by="ada", reason="", at=diary.at)
    assert [(event, values["incident"]) for event, values in diary.round()] == [("incident resolved", 1)]


def test_an_incident_that_is_lost_was_not_ended_by_anyone(diary: Diary) -> None:
    with diary.store.writing() as tx:
        book = tx.book()
        tx.put_book(book, type(book)(book.installation, next_id=book.next_id), ())
    assert diary.round(down=False) == []
    assert diary.asked == [1]


def test_silences_are_told_from_beginning_to_end(diary: Diary) -> None:
    until = diary.at + 30 * MINUTE + timedelta(microseconds=374_323)
    diary.person(people.silence, until=until, reason="moves", by="ada", at=diary.at, sites=("US5",))
    about = {"silence": 1, "incident": None, "sites": ("US5",), "rule": ""}
    assert diary.round() == [("silenced", {**about, "until": "2026-06-01T12:31:00Z", "by": "ada", "reason": "moves"})]
    assert diary.round() == []
    diary.person(people.unsilence, 1, by="ada", at=diary.at)
    assert diary.round() == [("silence ended by hand", about)]
    diary.person(people.silence, until=diary.at + 2 * MINUTE, reason="r", by="ada", at=diary.at, incident=1)
    assert [event for event, _ in diary.round() + diary.round()] == ["silenced", "silence is over"]


def test_what_was_before_the_first_look_is_not_told(
    store: Store, make_observed: Any, make_result: Any, make_down: Any
) -> None:
    before = Diary(store, make_observed, make_result, make_down)
    before.person(people.acknowledge, 1, by="ada", reason="", at=before.at)
    assert Diary(store, make_observed, make_result, make_down).round() == []


def test_a_window_of_maintenance_is_told_when_it_begins_and_when_it_is_over() -> None:
    nightly = Maintenance("nightly", ("AP2",), cron="0 13 * * *", duration_s=3600)
    once = Maintenance("once", start=START + 90 * MINUTE, end=START + 150 * MINUTE)
    happenings = Happenings()
    seen = {
        minute: told
        for minute in range(0, 200, 10)
        if (told := list(happenings.planned((nightly, once), START + minute * MINUTE)))
    }
    assert seen == {
        60: [("in maintenance", {"window": "nightly", "sites": ("AP2",), "until": "2026-06-01T14:00:00Z"})],
        90: [("in maintenance", {"window": "once", "sites": tuple(SITES), "until": "2026-06-01T14:30:00Z"})],
        120: [("maintenance is over", {"window": "nightly", "sites": ("AP2",)})],
        150: [("maintenance is over", {"window": "once", "sites": tuple(SITES)})],
    }


def test_a_window_that_is_taken_out_of_the_configuration_is_over_and_one_that_comes_again_begins_again() -> None:
    nightly = Maintenance("nightly", ("AP2",), cron="0 13 * * *", duration_s=3600)
    happenings = Happenings()
    at = START + 61 * MINUTE
    assert [event for event, _ in happenings.planned((nightly,), at)] == ["in maintenance"]
    assert [event for event, _ in happenings.planned((nightly,), at + timedelta(days=1))] == [
        "maintenance is over", "in maintenance",
    ]  # fmt: skip
    assert [event for event, _ in happenings.planned((), at + timedelta(days=1))] == ["maintenance is over"]
