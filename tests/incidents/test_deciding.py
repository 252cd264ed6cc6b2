from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from monitors.model import Acceptance, Level

if TYPE_CHECKING:
    from conftest import Life


def test_an_outage_opens_at_the_third_failure_and_is_over_after_two_successes(life: Life) -> None:
    down = {"US5": [life.outage()]}
    assert [life.round(down) for _ in range(3)] == [[], [], ["opened"]]
    assert [life.round(), life.round()] == [[], ["resolved"]]
    assert life.timeline() == ["opened", "resolved"]
    ended = life.ever[1]
    assert ended.since == life.start + timedelta(minutes=1)
    assert ended.opened == life.start + timedelta(minutes=3)
    assert (ended.why_resolved, ended.all_sites, ended.sites) == ("recovered", ("US5",), ())


def test_one_success_does_not_wipe_the_failures_before_it(life: Life) -> None:
    down = {"US5": [life.outage()]}
    played = [life.round(down), life.round(), life.round(down), life.round(), life.round(down)]
    assert played == [[], [], [], [], ["opened"]]


def test_failures_too_far_apart_open_nothing(life: Life) -> None:
    down = {"US5": [life.outage()]}
    for _ in range(20):
        assert life.round(down) == []
        assert life.rounds(2) == []
    assert not life.ever


def test_a_site_that_flaps_is_one_incident(life: Life) -> None:
    down = {"US5": [life.outage()]}
    life.rounds(3, down)
    for _ in range(10):
        life.rounds(1)
        life.rounds(2, down)
    assert life.rounds(20) == ["resolved"]
    assert life.timeline() == ["opened", "resolved"]


def test_each_relapse_takes_one_more_success_to_believe_the_end(life: Life) -> None:
    down = {"US5": [life.outage()]}
    life.rounds(3, down)
    life.rounds(1)
    life.rounds(1, down)
    assert [life.round() for _ in range(3)] == [[], [], ["resolved"]]


def test_an_outage_is_one_problem_whatever_its_cause_is_called(life: Life) -> None:
    causes = ("server-error", "timeout", "connection-refused", "tls-certificate-expired")
    for rule in causes:
        life.round({"US5": [life.outage(rule, rule)]})
    assert len(life.open) == 1
    assert life.open[0].spells[0].rule == "tls-certificate-expired"
    assert life.open[0].finding.rule == "connection-refused"


def test_one_incident_spans_the_sites_it_spreads_to(life: Life) -> None:
    life.rounds(3, {"US5": [life.outage()]})
    told = life.rounds(3, {"US5": [life.outage()], "EU1": [life.outage()]})
    assert told == ["updated"]
    assert life.open[0].sites == ("US5", "EU1")
    assert life.notices[-1].content["change"] == {"spread_to": ["EU1"], "gone_from": [], "worsened_from": None}
    assert [event.message for event in life.events if event.kind == "spread"] == ["now on EU1 too: 2 of 4 sites"]
    assert life.rounds(2, {"EU1": [life.outage()]}) == ["updated"]
    assert life.notices[-1].content["change"] == {"spread_to": [], "gone_from": ["US5"], "worsened_from": None}
    assert life.rounds(2) == ["resolved"]
    assert life.timeline() == ["opened", "spread", "shrunk", "resolved"]
    assert life.ever[1].all_sites == ("US5", "EU1")


def test_a_site_may_get_the_same_problem_twice_within_one_incident(life: Life) -> None:
    both = {"US5": [life.outage()], "EU1": [life.outage()]}
    life.rounds(3, both)
    life.rounds(2, {"US5": [life.outage()]})
    life.rounds(3, both)
    spells = [(spell.site, spell.until is None) for spell in life.open[0].spells]
    assert spells == [("EU1", False), ("US5", True), ("EU1", True)]
    assert (life.open[0].sites, life.open[0].all_sites) == (("US5", "EU1"), ("EU1", "US5"))


def test_a_broken_contract_opens_when_it_is_seen_again(life: Life) -> None:
    assert [life.round({"US1": [life.broken()]}) for _ in range(2)] == [[], ["opened"]]
    assert life.open[0].finding.location == "$.data.attributes.name"


def test_drift_the_memory_has_confirmed_opens_at_once(life: Life) -> None:
    assert life.round(drift={"US5": [life.moved()]}) == ["opened"]
    assert life.round() == []
    assert life.round() == ["resolved"]


def test_an_answer_the_memory_could_not_use_says_nothing_of_drift(life: Life) -> None:
    from monitors.incidents.deciding import Result, Round, decide  # noqa: PLC0415 - only here

    life.round(drift={"US5": [life.moved()]})
    watched = frozenset({("US5", "run")})
    for _ in range(5):
        seen = Round(life.at, (Result("US5", "run", life.at, (), drift=None),), watched=watched)
        life.book = decide(life.book, seen, life.thresholds).book
    assert len(life.open) == 1


def test_what_is_below_the_level_opens_nothing(life: Life) -> None:
    for _ in range(5):
        assert life.round({"US5": [life.broken(level=Level.INFO)]}) == []
    life.thresholds = replace(life.thresholds, level=Level.INFO)
    life.sinks = (life.sink(level=Level.INFO),)
    assert life.rounds(2, {"US5": [life.broken(level=Level.INFO)]}) == ["opened"]


def test_an_accepted_finding_opens_nothing(life: Life) -> None:
    accepted = replace(life.broken(), accepted=Acceptance("known", "us"))
    assert life.rounds(5, {"US5": [accepted]}) == []
    assert not life.ever


def test_accepting_a_finding_ends_its_incident(life: Life) -> None:
    life.rounds(2, {"US5": [life.broken()]})
    accepted = replace(life.broken(), accepted=Acceptance("known", "us"))
    assert life.rounds(2, {"US5": [accepted]}) == ["resolved"]


def test_a_site_that_is_down_raises_no_incident_of_drift(life: Life) -> None:
    life.checks = ("run", "not-found")
    life.rounds(3, {"US5": [life.outage()]})
    for _ in range(5):
        life.round({"US5": [life.outage()]})
        life.round({"US5": [life.broken()]}, asked=["US5"], check="not-found")
    assert [entry.problem for entry in life.ever.values()] == ["outage"]


def test_a_site_that_is_down_ends_no_incident_of_drift(life: Life) -> None:
    life.rounds(2, {"US5": [life.broken()]})
    life.rounds(30, {"US5": [life.outage()]})
    assert {entry.problem for entry in life.open} == {"outage", life.broken().fingerprint}


def test_a_throttled_site_is_no_outage_and_says_nothing_of_the_contract(life: Life) -> None:
    life.rounds(2, {"US5": [life.broken()]})
    life.rounds(2, {"EU1": [life.outage()], "US5": [life.broken()]})
    life.rounds(10, {"US5": [life.throttled()], "EU1": [life.throttled()]})
    assert {entry.problem for entry in life.open} == {"throttled", life.broken().fingerprint}


def test_the_sites_of_a_difference_between_sites_are_those_that_have_it(life: Life) -> None:
    assert life.round(across=[life.across("US5")]) == ["opened"]
    assert life.round(across=[life.across("US5", "EU1")]) == ["updated"]
    assert life.open[0].sites == ("US5", "EU1")
    assert life.round() == []
    assert life.round(across=[]) == []
    assert life.round(across=[]) == ["resolved"]


def test_the_level_of_an_incident_rises_and_is_told(life: Life) -> None:
    life.thresholds = replace(life.thresholds, update_interval_s=3600)
    life.rounds(2, {"US5": [life.broken(level=Level.WARNING)]})
    assert life.round({"US5": [life.broken()]}) == ["updated"]
    assert life.notices[-1].content["change"]["worsened_from"] == "warning"  # type: ignore[index,call-overload]
    assert "worsened" in life.timeline()


def test_nothing_opens_during_maintenance_and_its_failures_do_not_count_afterwards(life: Life) -> None:
    life.maintenance = frozenset({"US5"})
    assert life.rounds(10, {"US5": [life.outage()]}) == []
    life.maintenance = frozenset()
    assert life.rounds(2, {"US5": [life.outage()]}) == []
    assert life.round({"US5": [life.outage()]}) == ["opened"]


def test_an_incident_from_before_a_maintenance_goes_on_and_ends_in_it(life: Life) -> None:
    life.rounds(3, {"US5": [life.outage()]})
    life.maintenance = frozenset({"US5"})
    assert life.rounds(3, {"US5": [life.outage()]}) == []
    assert len(life.open) == 1
    assert life.rounds(2) == ["resolved"]


def test_nobody_knows_of_a_site_nobody_looks_at(life: Life) -> None:
    life.rounds(3, {"US5": [life.outage()], "EU1": [life.outage()]})
    life.watched = ("US1", "EU1")
    assert life.round({"EU1": [life.outage()]}, minutes=60 * 24 * 6) == ["reminder"]
    assert life.open[0].sites == ("EU1", "US5")


def test_a_site_that_is_no_longer_watched_ends_its_part_after_a_week(life: Life) -> None:
    life.thresholds = replace(life.thresholds, reminder_s=0)
    life.rounds(3, {"US5": [life.outage()], "EU1": [life.outage()]})
    life.watched = ("US1", "EU1")
    assert life.round({"EU1": [life.outage()]}, minutes=60 * 24 * 7) == ["updated"]
    life.watched = ("US1",)
    assert life.round(minutes=60 * 24 * 7) == ["resolved"]
    assert life.ever[1].why_resolved == "no longer watched"


def test_editing_the_thresholds_keeps_what_is_open(life: Life) -> None:
    life.rounds(3, {"US5": [life.outage()]})
    life.thresholds = replace(life.thresholds, failure_threshold=10, failure_window=20, success_threshold=3)
    life.rounds(5, {"US5": [life.outage()]})
    assert len(life.open) == 1
    assert [life.round() for _ in range(3)] == [[], [], ["resolved"]]


def test_raising_the_level_ends_what_is_below_it(life: Life) -> None:
    life.rounds(2, {"US5": [life.broken(level=Level.WARNING)]})
    life.thresholds = replace(life.thresholds, level=Level.BREAKING)
    life.rounds(2, {"US5": [life.broken(level=Level.WARNING)]})
    assert life.open == []


def test_the_monitors_own_trouble_is_told_once_and_over_at_once(life: Life) -> None:
    trouble = life.own()
    assert life.round(own={"monitor-offline": trouble}, asked=[]) == ["opened"]
    assert life.round(own={"monitor-offline": trouble}, asked=[]) == []
    assert life.round(asked=[]) == []
    assert life.open[0].sites == ()
    assert life.round(own={"monitor-offline": None}) == ["resolved"]


def test_a_healthy_round_leaves_the_very_same_book(life: Life) -> None:
    before = life.book
    life.round()
    assert life.book is before


def test_results_that_failed_once_are_forgotten_in_the_end(life: Life) -> None:
    life.round({"US5": [life.outage()]})
    assert life.book.tracks
    life.rounds(5)
    assert not life.book.tracks


def test_each_sink_that_fails_is_a_problem_of_its_own(life: Life) -> None:
    from monitors.incidents.problems import problem_of  # noqa: PLC0415 - only here

    names = {problem_of(life.own("monitor-sink-failing", about)) for about in ("mail", "team")}
    assert names == {"monitor-sink-failing:mail", "monitor-sink-failing:team"}
    assert problem_of(life.own()) == "monitor-offline"


def test_the_monitors_own_trouble_below_the_level_opens_nothing(life: Life) -> None:
    life.thresholds = replace(life.thresholds, level=Level.BREAKING)
    low = replace(life.own("monitor-disk-low"), level=Level.WARNING)
    assert life.round(own={"monitor-disk-low": low}, asked=[]) == []
    assert life.book.tracks == {}


def test_of_several_findings_of_one_problem_the_worst_counts(life: Life) -> None:
    slow = replace(life.outage("timeout", "slow"), level=Level.WARNING)
    for found in ([slow, life.outage()], [life.outage(), slow], [slow, life.outage()]):
        life.round({"US5": found})
    assert [(entry.level, entry.finding.rule) for entry in life.open] == [(Level.BREAKING, "server-error")]


def test_a_difference_between_sites_counts_only_where_it_is_watched_bad_enough_and_not_accepted(life: Life) -> None:
    accepted = replace(life.across("US5"), accepted=Acceptance("known", "us"))
    for each in (accepted, replace(life.across("US5"), level=Level.INFO), life.across("US2-FED")):
        assert life.round(across=[each]) == []
    assert life.book.tracks == {}


HOURLY = ("not-found", "bad-request")


def test_an_outage_is_over_although_checks_made_once_an_hour_have_not_been_asked_since(life: Life) -> None:
    life.checks = ("run", *HOURLY)
    for minute in range(240):
        for check in life.checks if minute % 60 == 0 else ("run",):
            life.round({"US5": [life.outage()]}, check=check, asked=["US5"], minutes=1 if check == "run" else 0)
    assert life.open
    assert life.round(asked=["US5"]) == []
    assert life.round(asked=["US5"]) == ["resolved"]
    assert not life.book.tracks


def test_a_check_that_still_fails_keeps_the_outage_open(life: Life) -> None:
    life.checks = ("run", "not-found")
    for _ in range(4):
        life.round({"US5": [life.outage()]}, asked=["US5"])
        life.round({"US5": [life.outage()]}, asked=["US5"], check="not-found", minutes=0)
    for _ in range(10):
        assert life.round(asked=["US5"]) == []
        assert life.round({"US5": [life.outage()]}, asked=["US5"], check="not-found", minutes=0) == []
    assert life.round(asked=["US5"], check="not-found") == []
    assert life.round(asked=["US5"], check="not-found") == ["resolved"]


def test_what_breaks_right_after_an_outage_is_told_as_soon_as_it_is_seen_twice(life: Life) -> None:
    life.checks = ("run", *HOURLY)
    for check in life.checks * 4:
        life.round({"US5": [life.outage()]}, check=check, asked=["US5"], minutes=check == "run")
    played = [life.round({"US5": [life.broken()]}, asked=["US5"]) for _ in range(4)]
    assert played == [[], ["resolved"], ["opened"], []]


def test_an_answer_nobody_can_read_ends_no_problem_of_its_members(life: Life) -> None:
    unreadable = life.broken("$")
    unreadable = replace(unreadable, rule="response-body-not-utf8")
    life.rounds(2, {"US5": [life.broken()]})
    for _ in range(5):
        life.round({"US5": [unreadable]})
    assert len(life.open) == 2
    assert life.rounds(2) == ["resolved", "resolved"]
