"""How things stand for a sink: what it was told of and is still so, the worst first, and never without bound."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitors.config.alerting import SinkSettings
from monitors.incidents.model import Book, Incident, NoticeKind, Spell, Told
from monitors.model import Finding, Kind, Level
from monitors.notify.standing import MAX_STANDING, counts, standing

AT = datetime(2026, 11, 26, 10, 44, tzinfo=UTC)
SINK = SinkSettings("ops", "datadog")
SITES = ("US5", "EU1", "AP1")


def incident(number: int, *spells: Spell, level: Level = Level.BREAKING) -> Incident:
    finding = Finding("server-error", level, Kind.AVAILABILITY, "503", at=AT)
    return Incident(number, f"problem-{number}", finding, level, AT, AT, spells)


def spell(site: str, until: datetime | None = None) -> Spell:
    return Spell(site, AT, Level.BREAKING, "server-error", f"503 on {site}", until)


def book(*incidents: Incident, kind: NoticeKind = NoticeKind.OPENED, told_to: str = "ops") -> Book:
    told = {(one.id, told_to): Told(one.id, told_to, 1, kind, AT, one.sites, one.level) for one in incidents}
    return Book("5f0c", incidents={one.id: one for one in incidents}, told=told)


def test_each_site_of_an_open_incident_has_its_own_standing() -> None:
    one = incident(1, spell("US5"), spell("EU1", AT), spell("AP1", AT), spell("AP1"))
    found = standing(book(one), SINK)
    assert [(each.site, each.failing, each.message) for each in found] == [
        ("US5", True, "503 on US5"),
        ("EU1", False, "503 on EU1"),
        ("AP1", True, "503 on AP1"),
    ]
    assert [measure.value for measure in counts(found, SITES)] == [1.0, 0.0, 1.0]


@pytest.mark.parametrize(
    "kept",
    [
        book(incident(1, spell("US5")), told_to="other"),
        book(incident(1, spell("US5")), kind=NoticeKind.RESOLVED),
        book(replace(incident(1, spell("US5", AT)), resolved=AT, why_resolved="recovered")),
    ],
    ids=["told to others", "told over", "over"],
)
def test_what_a_sink_was_not_told_of_or_is_over_does_not_stand(kept: Book) -> None:
    assert standing(kept, SINK) == []


def test_a_sink_of_some_sites_sees_these_alone() -> None:
    kept = book(incident(1, spell("US5"), spell("EU1")))
    assert [each.site for each in standing(kept, replace(SINK, sites=("EU1",)))] == ["EU1"]
    over_there = book(incident(1, spell("US5"), spell("EU1", AT)))
    assert standing(over_there, replace(SINK, sites=("EU1",))) == []


def test_the_monitor_s_own_trouble_has_no_site() -> None:
    assert [each.site for each in standing(book(incident(1, spell(""))), SINK)] == [""]


@settings(deadline=None)
@given(levels=st.lists(st.sampled_from(Level), max_size=60))
def test_the_worst_come_first_and_there_is_an_end(levels: list[Level]) -> None:
    many = [
        replace(incident(number, *map(spell, SITES), level=level), since=AT - timedelta(hours=number))
        for number, level in enumerate(levels, start=1)
    ]
    found = standing(book(*many), SINK)
    assert len(found) == min(len(levels) * len(SITES), MAX_STANDING)
    assert [each.level for each in found] == sorted((each.level for each in found), reverse=True)
