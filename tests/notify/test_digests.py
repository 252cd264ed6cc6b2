"""A digest tells each incident as it stood at its end, so it never contradicts itself, nor the one after it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from hypothesis import given, settings
from hypothesis import strategies as st

from monitors.config.alerting import SinkSettings
from monitors.incidents.model import Acknowledgement, Incident, NoticeKind, Spell
from monitors.model import Finding, Kind, Level
from monitors.notify.composing import as_it_stood, digest, digest_notices
from monitors.notify.message import message_of
from monitors.notify.wording import OVER

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from monitors.incidents.model import Notice
    from monitors.store.values import Filter, IncidentFilter, UptimeRow

NOON = datetime(2026, 11, 26, 12, tzinfo=UTC)
DAY = timedelta(days=1)
SINK = SinkSettings("daily", "stdout", digest=True)
FINDING = Finding("server-error", Level.BREAKING, Kind.AVAILABILITY, "503", at=NOON)


@dataclass
class Record:
    """A store with nothing but incidents in it."""

    kept: Sequence[Incident]

    def incidents(self, wanted: IncidentFilter) -> list[Incident]:
        assert wanted.since is not None
        assert wanted.until is not None
        return [
            one
            for one in self.kept
            if one.opened < wanted.until and (one.resolved is None or one.resolved >= wanted.since)
        ]

    def uptime(self, _wanted: Filter, *, by: str = "site") -> list[UptimeRow]:
        assert by == "site"
        return []


def ticks(most: int) -> st.SearchStrategy[timedelta]:
    """Give spans that often meet: halves of a second."""
    return st.integers(0, most).map(lambda half: timedelta(seconds=half / 2))


@st.composite
def incidents(draw: st.DrawFn) -> Incident:
    since = NOON + draw(ticks(8))
    opened = since + draw(ticks(2))
    spells = [
        Spell(site, begin := since + draw(ticks(4)), Level.BREAKING, "server-error", "503", begin + draw(ticks(6)))
        for site in draw(st.lists(st.sampled_from(["US5", "EU1"]), min_size=1, max_size=3))
    ]
    spells = [replace(spells[0], since=since), *spells[1:]]
    over = draw(st.booleans())
    if not over:
        spells[-1] = replace(spells[-1], until=None)
    resolved = max([opened, *(spell.until for spell in spells if spell.until is not None)]) if over else None
    taken = Acknowledgement("ana", since + draw(ticks(8))) if draw(st.booleans()) else None
    return Incident(
        draw(st.integers(1, 10**6)),
        "outage",
        FINDING,
        Level.BREAKING,
        since,
        opened,
        tuple(spells),
        resolved,
        "recovered" if over else "",
        taken,
    )


MANY = st.lists(incidents(), max_size=5, unique_by=lambda one: one.id)


@settings(deadline=None)
@given(kept=MANY, until=ticks(20))
def test_what_a_digest_counts_is_what_it_lists(kept: list[Incident], until: timedelta) -> None:
    said: Any = digest(Record(kept), NOON - DAY, NOON + until)
    [notice] = digest_notices(said, [SINK], at=NOON + until, installation="5f0c")
    message = message_of(notice)
    listed = [line for line in message.lines if "503" in line]
    over = [line for line in listed if line.startswith(OVER)]
    counts = {word: int(number) for number, word in (part.split(" ", 1) for part in told(message.title))}
    assert len(over) == counts.get("over", 0)
    assert len(listed) - len(over) == counts.get("open", 0)
    assert all("over after" in line for line in over)


def told(title: str) -> list[str]:
    """Return the counts of a title: `1 open`, `2 over`."""
    return [part for part in title.partition(": ")[2].split(", ") if part[0].isdigit()]


@settings(deadline=None)
@given(kept=MANY, until=ticks(20))
def test_an_incident_of_a_digest_is_as_it_stood_at_its_end(kept: list[Incident], until: timedelta) -> None:
    said: Any = digest(Record(kept), NOON - DAY, NOON + until)
    for state, name in (("open", "open"), ("resolved", "resolved")):
        for one in said[name]:
            assert one["state"] == state
            assert (one["resolved"] is None) == (one["why_resolved"] == "") == (state == "open")
            assert state == "open" or all(spell["until"] for spell in one["spells"])
    assert {one["id"] for one in said["opened"]} <= {one["id"] for name in ("open", "resolved") for one in said[name]}


@settings(deadline=None)
@given(kept=MANY, cuts=st.lists(ticks(20), min_size=1, max_size=4))
def test_digests_that_follow_each_other_tell_each_beginning_and_each_end_once(
    kept: list[Incident], cuts: list[timedelta]
) -> None:
    ends = [NOON - DAY, *(NOON + cut for cut in sorted(set(cuts))), NOON + DAY]
    all_said: list[Any] = [digest(Record(kept), since, until) for since, until in pairwise(ends)]
    for name, wanted in (("opened", kept), ("resolved", [one for one in kept if one.resolved is not None])):
        assert sorted(one["id"] for said in all_said for one in said[name]) == sorted(one.id for one in wanted)


@settings(deadline=None)
@given(one=incidents())
def test_what_is_looked_at_later_is_as_it_is(one: Incident) -> None:
    assert as_it_stood(one, NOON + DAY) == one


def test_what_was_resolved_a_moment_after_the_end_was_still_open() -> None:
    spell = Spell("US5", NOON, Level.BREAKING, "server-error", "503", NOON + timedelta(seconds=32.9))
    late = replace(spell, site="EU1", since=NOON + timedelta(seconds=33), until=NOON + timedelta(seconds=34))
    over = Incident(
        1, "outage", FINDING, Level.BREAKING, NOON, NOON, (spell, late), NOON + timedelta(seconds=34), "recovered"
    )
    was = as_it_stood(over, NOON + timedelta(seconds=32))
    assert (was.resolved, was.why_resolved, was.sites, was.all_sites) == (None, "", ("US5",), ("US5",))


def test_a_digest_of_an_older_program_that_contradicts_itself_is_told_as_it_counts(
    notice: Callable[..., Notice],
) -> None:
    made = notice("digest")
    digested: Any = made.content["digest"]
    wrong = {**digested["open"][0], "state": "resolved", "resolved": "2026-11-26T10:44:00Z"}
    content = {**made.content, "digest": {**digested, "open": [wrong]}}
    lines = message_of(replace(made, content=content)).lines
    assert lines[0].startswith("🔴")
    assert made.kind is NoticeKind.DIGEST
