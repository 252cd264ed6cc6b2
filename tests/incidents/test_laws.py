"""Laws of incidents, whatever happens to the sites."""

from __future__ import annotations

from collections import Counter, defaultdict
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from hypothesis import given, settings
from hypothesis import strategies as st

from monitors.config.alerting import SinkSettings, Thresholds
from monitors.incidents.deciding import Result, Round, decide
from monitors.incidents.model import Book, EventKind, NoticeKind, State
from monitors.incidents.planning import Surroundings, plan, seen_by
from monitors.incidents.tracking import bar_for, failed, passed
from monitors.model import Finding, Kind, Level

if TYPE_CHECKING:
    from conftest import Life

from datetime import UTC, datetime, timedelta

SITES = ("US1", "US5", "EU1")
START = datetime(2026, 6, 1, tzinfo=UTC)
SIGNS = {
    "fine": (),
    "down": (Finding("server-error", Level.BREAKING, Kind.AVAILABILITY, "503"),),
    "slow": (Finding("timeout", Level.BREAKING, Kind.AVAILABILITY, "timeout"),),
    "throttled": (Finding("throttled", Level.WARNING, Kind.AVAILABILITY, "429"),),
    "denied": (Finding("key-rejected", Level.BREAKING, Kind.AVAILABILITY, "403"),),
    "broken": (Finding("response-body-empty", Level.BREAKING, Kind.CONTRACT, "empty", check="run"),),
    "changed": (Finding("response-property-unit-changed", Level.WARNING, Kind.DRIFT, "ms", "$.a", check="run"),),
}
STEPS = st.lists(
    st.tuples(
        st.fixed_dictionaries({}, optional={site: st.sampled_from(sorted(SIGNS)) for site in SITES}),
        st.frozensets(st.sampled_from(SITES), max_size=1),
        st.booleans(),
    ),
    max_size=40,
)
WATCHED = frozenset((site, "run") for site in SITES)
SINKS = (SinkSettings("all", "stdout"), SinkSettings("eu", "stdout", sites=("EU1",)))


def seen(step: Any, number: int, order: list[str] | None = None) -> Round:
    shown, maintenance, offline = step
    at = START + timedelta(minutes=number)
    own = {"monitor-offline": Finding("monitor-offline", Level.BREAKING, Kind.MONITOR, "off") if offline else None}
    names = order or list(shown)
    results = tuple(Result(site, "run", at, SIGNS[shown[site]]) for site in names if site in shown)
    return Round(at, results, own=own, watched=WATCHED, maintenance=maintenance)


def played(steps: Any, thresholds: Thresholds) -> tuple[Book, list[Any], list[Any]]:
    book, events, notices = Book("i"), [], []
    for number, step in enumerate(steps):
        decision = decide(book, seen(step, number), thresholds)
        around = Surroundings(START + timedelta(minutes=number), SINKS, thresholds, maintenance=step[1])
        planned = plan(decision.book, around)
        book = planned.book
        events += decision.events
        notices += planned.notices
    return book, events, notices


@given(STEPS, st.permutations(SITES))
def test_the_order_in_which_sites_answer_does_not_matter(steps: Any, order: list[str]) -> None:
    one = other = Book("i")
    for number, step in enumerate(steps):
        one = decide(one, seen(step, number), Thresholds()).book
        other = decide(other, seen(step, number, order), Thresholds()).book
        assert one.tracks == other.tracks
        assert one.incidents == other.incidents


@given(STEPS)
def test_every_incident_opens_once_and_ends_at_most_once(steps: Any) -> None:
    book, events, _ = played(steps, Thresholds(update_interval_s=0))
    kinds: dict[int, list[EventKind]] = defaultdict(list)
    for event in events:
        kinds[event.incident].append(event.kind)
    for number, happened in kinds.items():
        assert happened[0] is EventKind.OPENED
        assert Counter(happened)[EventKind.OPENED] == 1
        still_open = number in book.incidents and book.incidents[number].state is State.OPEN
        assert (EventKind.RESOLVED in happened) != still_open
        assert EventKind.RESOLVED not in happened[:-1]
    problems = [entry.problem for entry in book.incidents.values() if entry.state is State.OPEN]
    assert len(problems) == len(set(problems))


@given(STEPS)
def test_a_sink_hears_of_an_incident_from_its_opening_to_its_end_in_order(steps: Any) -> None:
    book, _, notices = played(steps, Thresholds(update_interval_s=0, reminder_s=300))
    heard: dict[tuple[int, str], list[Any]] = defaultdict(list)
    for notice in notices:
        heard[notice.incident, notice.sink].append(notice)
    for (number, name), each in heard.items():
        assert [notice.number for notice in each] == list(range(1, len(each) + 1))
        kinds = [notice.kind for notice in each]
        assert kinds[0] is NoticeKind.OPENED
        incident, sink = book.incidents.get(number), next(sink for sink in SINKS if sink.name == name)
        shown = None if incident is None else seen_by(sink, incident)
        assert (kinds[-1] is NoticeKind.RESOLVED) == (shown is None or shown.state is State.RESOLVED)
        # Whoever hears of some sites alone may hear of an end more than once, and of a beginning in between.
        ends = kinds.count(NoticeKind.RESOLVED)
        assert ends <= 1 or sink.sites
        followers = [after for before, after in pairwise(kinds) if before is NoticeKind.RESOLVED]
        assert set(followers) <= {NoticeKind.OPENED}
        assert kinds.count(NoticeKind.OPENED) == len(followers) + 1
    assert len({notice.key for notice in notices}) == len(notices)


@given(STEPS)
def test_spells_of_a_site_do_not_overlap_and_an_open_incident_has_one_that_lasts(steps: Any) -> None:
    book, _, _ = played(steps, Thresholds())
    for incident in book.incidents.values():
        by_site: dict[str, list[Any]] = defaultdict(list)
        for spell in incident.spells:
            by_site[spell.site].append(spell)
        for spells in by_site.values():
            assert all(spell.until is not None for spell in spells[:-1])
        assert any(spell.until is None for spell in incident.spells) == (incident.state is State.OPEN)


@settings(max_examples=300)
@given(st.text(alphabet="x.", max_size=60), st.integers(1, 5), st.integers(0, 5), st.integers(1, 4))
def test_a_track_opens_exactly_when_enough_of_the_last_results_failed(
    results: str, failures: int, more: int, successes: int
) -> None:
    thresholds = Thresholds(failures, failures + more, successes)
    bar = bar_for(Kind.AVAILABILITY, thresholds)
    finding = SIGNS["down"][0]
    track, since = None, 0
    for number, letter in enumerate(results):
        before = track
        if letter == "x":
            track = failed(track, ("outage", "US5", "run"), finding, START, bar)  # type: ignore[arg-type]
        elif track is not None:
            track = passed(track, bar)
        if before is not None and before.opened is not None and track is None:
            since = number + 1
        counted = results[since : number + 1][-bar.window :].count("x")
        if before is None or before.opened is None:
            assert (track is not None and track.opened is not None) == (letter == "x" and counted >= failures)


def test_a_track_never_ends_on_fewer_successes_than_are_asked_for(life: Life) -> None:
    for successes in (1, 2, 5):
        bar = bar_for(Kind.AVAILABILITY, Thresholds(1, 1, successes))
        track = failed(None, ("outage", "US5", "run"), life.outage(), life.at, bar)  # type: ignore[arg-type]
        for _ in range(successes - 1):
            after = passed(track, bar)
            assert after is not None
            track = after
        assert passed(track, bar) is None
