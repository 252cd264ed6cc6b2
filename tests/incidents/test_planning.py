from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any, cast

import pytest

from monitors.errors import UsageError
from monitors.incidents import people
from monitors.model import Level

if TYPE_CHECKING:
    from conftest import Life


def opened(life: Life, *sites: str) -> None:
    life.rounds(3, {site: [life.outage()] for site in sites or ("US5",)})


def acknowledged(life: Life) -> None:
    life.book = people.acknowledge(life.book, 1, by="ada", reason="on it", at=life.at).book


def down(life: Life, *sites: str) -> dict[str, list[object]]:
    return {site: [life.outage()] for site in sites or ("US5",)}


def test_each_sink_hears_of_what_it_asked_for(life: Life) -> None:
    life.sinks = (
        life.sink("all"),
        life.sink("eu", sites=("EU1",)),
        life.sink("errors", rules=("server-*",)),
        life.sink("drift", rules=("response-*",)),
        life.sink("digests", incidents=False),
    )
    opened(life)
    assert [notice.sink for notice in life.notices] == ["all", "errors"]


def test_a_sink_joins_when_an_incident_reaches_what_it_asked_for(life: Life) -> None:
    life.sinks = (life.sink("eu", sites=("EU1",)),)
    opened(life)
    assert life.rounds(3, {"US5": [life.outage()], "EU1": [life.outage()]}) == ["opened"]
    assert life.notices[0].content["incident"]["sites"] == ["EU1"]  # type: ignore[index,call-overload]


def test_a_sink_of_some_sites_hears_of_their_end_while_others_go_on(life: Life) -> None:
    life.sinks = (life.sink("us5", sites=("US5",)), life.sink("all"))
    opened(life, "US5", "EU1")
    assert [(notice.sink, str(notice.kind)) for notice in life.notices] == [("us5", "opened"), ("all", "opened")]
    life.rounds(2, down(life, "EU1"))
    ended = [notice for notice in life.notices if notice.sink == "us5"][-1]
    said = cast("dict[str, Any]", ended.content["incident"])
    assert (str(ended.kind), said["state"], said["sites"], said["all_sites"]) == ("resolved", "resolved", [], ["US5"])
    assert life.book.incidents[1].sites == ("EU1",)
    life.rounds(60, down(life, "EU1"))
    life.rounds(3, down(life, "US5", "EU1"))
    life.rounds(2)
    of_us5 = [notice for notice in life.notices if notice.sink == "us5"]
    assert [str(notice.kind) for notice in of_us5] == ["opened", "resolved", "opened", "resolved"]
    assert [notice.number for notice in of_us5] == [1, 2, 3, 4]
    assert [str(notice.kind) for notice in life.notices if notice.sink == "all"][-1] == "resolved"
    assert life.book.incidents == {}


def test_a_sink_of_some_sites_hears_what_these_have(life: Life) -> None:
    life.sinks = (life.sink("eu", sites=("EU1",)),)
    life.rounds(3, {"US5": [life.outage()]})
    life.rounds(3, {"US5": [life.outage()], "EU1": [life.outage("timeout", "10 s passed")]})
    said = cast("dict[str, Any]", life.notices[0].content["incident"])
    assert (said["rule"], said["message"]) == ("timeout", "10 s passed")
    assert said["since"] > "2026-06-01T12:01"


def test_a_sink_whose_sites_changed_hears_of_the_end_of_all(life: Life) -> None:
    life.sinks = (life.sink("one", sites=("US5",)),)
    opened(life)
    life.sinks = (life.sink("one", sites=("EU1",)),)
    assert life.rounds(2) == ["resolved"]


def test_whoever_was_told_of_an_incident_is_told_of_its_end(life: Life) -> None:
    opened(life)
    life.sinks = (life.sink(level=Level.BREAKING, rules=("nothing-of-it",)),)
    life.maintenance = frozenset(life.watched)
    people.silence(life.book, until=life.at + timedelta(days=1), reason="x", by="x", at=life.at, incident=1)
    assert life.rounds(2) == ["resolved"]


def test_a_sink_that_is_new_is_told_of_what_is_open(life: Life) -> None:
    opened(life)
    life.sinks = (life.sink("team"), life.sink("new"))
    assert life.round({"US5": [life.outage()]}) == ["opened"]
    assert life.notices[-1].sink == "new"
    assert life.rounds(2) == ["resolved", "resolved"]


def test_the_end_waits_for_a_sink_that_is_gone(life: Life) -> None:
    opened(life)
    life.sinks = ()
    assert life.rounds(2) == ["resolved"]
    assert life.notices[-1].sink == "team"
    assert life.book.incidents == {}
    assert life.book.told == {}


def test_nobody_hears_of_an_end_they_heard_no_beginning_of(life: Life) -> None:
    life.sinks = ()
    opened(life)
    life.sinks = (life.sink(incidents=False),)
    assert life.rounds(2) == []


def test_updates_wait_for_their_interval_and_tell_the_difference(life: Life) -> None:
    life.thresholds = replace(life.thresholds, update_interval_s=600)
    opened(life)
    both = {"US5": [life.outage()], "EU1": [life.outage()]}
    every = {**both, "US1": [life.outage()]}
    assert life.rounds(4, both) == []
    assert life.rounds(6, every) == ["updated"]
    assert life.notices[-1].content["change"]["spread_to"] == ["EU1", "US1"]  # type: ignore[index,call-overload]


def test_what_spread_and_shrank_again_in_between_is_not_told(life: Life) -> None:
    life.thresholds = replace(life.thresholds, update_interval_s=3600)
    opened(life)
    life.rounds(3, {"US5": [life.outage()], "EU1": [life.outage()]})
    life.rounds(3, {"US5": [life.outage()]})
    assert life.rounds(60, {"US5": [life.outage()]}) == []


def test_reminders_come_until_somebody_takes_it_on(life: Life) -> None:
    life.thresholds = replace(life.thresholds, reminder_s=3600)
    opened(life)
    assert life.round({"US5": [life.outage()]}, minutes=60) == ["reminder"]
    assert life.round({"US5": [life.outage()]}, minutes=59) == []
    acknowledged(life)
    assert life.round({"US5": [life.outage()]}) == ["acknowledged"]
    assert life.round({"US5": [life.outage()]}, minutes=600) == []
    assert life.rounds(2) == ["resolved"]


def test_spreading_is_told_although_somebody_took_it_on(life: Life) -> None:
    opened(life)
    acknowledged(life)
    both = {"US5": [life.outage()], "EU1": [life.outage()]}
    assert life.rounds(3, both) == ["acknowledged", "updated"]


def test_no_reminders_where_they_are_turned_off(life: Life) -> None:
    life.thresholds = replace(life.thresholds, reminder_s=0)
    opened(life)
    assert life.round({"US5": [life.outage()]}, minutes=100_000) == []


@pytest.mark.parametrize(
    "match",
    [{"incident": 1}, {"rule": "server-error"}, {"rule": "server-*"}, {"sites": ("US5", "EU1")}],
    ids=["incident", "rule", "pattern", "sites"],
)
def test_a_silence_holds_back_what_is_still_told_afterwards(life: Life, match: dict[str, object]) -> None:
    life.sinks = ()
    opened(life)
    life.sinks = (life.sink(),)
    until = life.at + timedelta(minutes=30)
    decision, made = people.silence(
        life.book,
        until=until,
        reason="known",
        by="ada",
        at=life.at,
        **match,  # type: ignore[arg-type]
    )
    life.book = decision.book
    assert life.rounds(29, {"US5": [life.outage()]}) == []
    assert life.rounds(1, {"US5": [life.outage()]}) == ["opened"]
    assert life.book.silences == (made,), "one can see for a week who was told nothing, and why"
    life.at += timedelta(days=7)
    life.round({"US5": [life.outage()]})
    assert life.book.silences == ()


def test_a_silence_of_other_sites_holds_nothing_back(life: Life) -> None:
    until = life.at + timedelta(hours=1)
    life.book = people.silence(life.book, until=until, reason="r", by="b", at=life.at, sites=("EU1",))[0].book
    opened(life, "EU1", "US5")
    assert [str(notice.kind) for notice in life.notices] == ["opened"]


def test_a_silence_of_sites_does_not_cover_the_monitor_itself(life: Life) -> None:
    until = life.at + timedelta(hours=1)
    life.book = people.silence(life.book, until=until, reason="r", by="b", at=life.at, sites=("EU1",))[0].book
    assert life.round(own={"monitor-offline": life.own()}) == ["opened"]


def test_what_ended_within_a_silence_is_never_told(life: Life) -> None:
    until = life.at + timedelta(hours=1)
    life.book = people.silence(life.book, until=until, reason="r", by="b", at=life.at, rule="server-error")[0].book
    opened(life)
    assert life.rounds(2) == []
    assert life.ever[1].resolved is not None


def test_a_silence_can_be_ended(life: Life) -> None:
    until = life.at + timedelta(hours=1)
    decision, made = people.silence(life.book, until=until, reason="r", by="b", at=life.at, rule="server-error")
    life.book = decision.book
    opened(life)
    ended = people.unsilence(life.book, made.id, by="ada", at=life.at)
    assert [event.message for event in ended.events] == ["silence 1 ended 57 min before its time"]
    life.book = ended.book
    assert life.planned() == ["opened"]
    for number in (made.id, 7):
        with pytest.raises(UsageError, match=f"there is no silence {number} in force; in force: none"):
            people.unsilence(life.book, number, by="ada", at=life.at)
    again = people.silence(life.book, until=until, reason="r", by="b", at=life.at, rule="server-error")[1]
    assert again.id == 2, "nobody ends the silence of another by its number"


def test_an_incident_that_opens_within_a_silence_says_so(life: Life) -> None:
    until = life.at + timedelta(hours=1)
    life.book = people.silence(life.book, until=until, reason="moves", by="ada", at=life.at, sites=("US5",))[0].book
    opened(life, "US5")
    lines = [(str(event.kind), event.message, event.by) for event in life.events]
    assert lines == [
        ("opened", "503 Service Unavailable", ""),
        ("silenced", "silence 1 until 2026-06-01 13:00 UTC: moves", "ada"),
    ]


def test_every_incident_a_new_silence_covers_says_so(life: Life) -> None:
    opened(life)
    until = life.at + timedelta(hours=1)
    decision, _ = people.silence(life.book, until=until, reason="r", by="b", at=life.at, rule="server-*")
    assert [(event.incident, str(event.kind)) for event in decision.events] == [(1, "silenced")]
    assert people.silence(life.book, until=until, reason="r", by="b", at=life.at, sites=("EU1",))[0].events == ()


def test_what_is_told_late_reminds_nobody(life: Life) -> None:
    life.thresholds = replace(life.thresholds, reminder_s=60)
    opened(life)
    life.late = True
    assert life.rounds(5, down(life)) == []
    life.late = False
    assert life.rounds(1, down(life)) == ["reminder"]


def test_the_end_of_a_silence_of_one_incident_is_told_on_its_timeline_if_it_is_early(life: Life) -> None:
    opened(life)
    until = life.at + timedelta(hours=1)
    decision, made = people.silence(life.book, until=until, reason="r", by="b", at=life.at, incident=1)
    early = people.unsilence(decision.book, made.id, by="ada", at=life.at + timedelta(minutes=10))
    assert [(str(event.kind), event.message, event.by) for event in early.events] == [
        ("unsilenced", "silence 1 ended 50 min before its time", "ada"),
    ]  # fmt: skip
    with pytest.raises(UsageError, match="there is no silence 1 in force"):
        people.unsilence(decision.book, made.id, by="ada", at=until)


def test_who_takes_an_incident_on_after_somebody_else_says_so(life: Life) -> None:
    opened(life)
    first = people.acknowledge(life.book, 1, by="ada", reason="on it", at=life.at)
    second = people.acknowledge(first.book, 1, by="bob", reason="mine", at=life.at)
    third = people.acknowledge(second.book, 1, by="eve", reason="", at=life.at)
    assert [event.message for each in (first, second, third) for event in each.events] == [
        "on it",
        "mine (before, by ada: on it)",
        "taken on (before, by bob: mine)",
    ]


def test_a_sink_is_not_told_that_it_fails_itself(life: Life) -> None:
    life.sinks = (life.sink("a"), life.sink("b"))
    life.round(own={"monitor-sink-failing:a": life.own("monitor-sink-failing", "a")})
    assert [notice.sink for notice in life.notices] == ["b"]


def test_the_monitors_own_trouble_can_be_routed_by_rule(life: Life) -> None:
    life.sinks = (life.sink("ops", rules=("monitor-*",)), life.sink("api", rules=("response-*",)))
    life.round(own={"monitor-offline": life.own()})
    assert [notice.sink for notice in life.notices] == ["ops"]


def test_an_incident_resolved_by_hand_opens_anew_if_it_goes_on(life: Life) -> None:
    opened(life)
    decision = people.resolve(life.book, 1, by="ada", reason="gone", at=life.at)
    assert decision.events[0].message == "by hand after 2 min: gone"
    life.book = decision.book
    assert life.planned() == ["resolved"]
    assert life.rounds(3, {"US5": [life.outage()]}) == ["opened"]
    assert [entry.id for entry in life.open] == [2]


def test_people_cannot_touch_what_is_not_open(life: Life) -> None:
    opened(life)
    with pytest.raises(UsageError, match="incident 2 is not open; open: 1"):
        people.acknowledge(life.book, 2, by="ada", reason="", at=life.at)
    with pytest.raises(UsageError, match="is past"):
        people.silence(life.book, until=life.at, reason="r", by="b", at=life.at, incident=1)
    with pytest.raises(UsageError, match="names an incident, a rule or sites"):
        people.silence(life.book, until=life.at + timedelta(1), reason="r", by="b", at=life.at)


def test_a_notice_says_how_to_see_it_and_has_a_key_that_stays(life: Life) -> None:
    opened(life)
    notice = life.notices[0]
    assert notice.key == "test-1-1-team"
    assert notice.content["request"] == {"site": "US5", "check": "run", "url": "https://US5/42", "with_keys": True}
    life.rounds(2)
    assert life.notices[-1].key == "test-1-2-team"
    assert life.notices[-1].content["request"]["site"] == "US5"  # type: ignore[index,call-overload]


def test_the_timeline_says_who_was_told(life: Life) -> None:
    life.sinks = (life.sink("a"), life.sink("b"))
    opened(life)
    assert [event.message for event in life.events if event.kind == "notified"] == ["for a, b: opened"]
