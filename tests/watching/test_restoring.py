from __future__ import annotations

import random
import shutil
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from monitors.config.alerting import SinkSettings, Thresholds
from monitors.cycle import Result
from monitors.incidents import people
from monitors.incidents.deciding import BY_HAND, RECOVERED
from monitors.incidents.model import Book, Silence, State
from monitors.memory.folding import Baseline
from monitors.model import Finding, Kind, Level, Observation
from monitors.store import IncidentFilter, Store, open_store, sqlite_url
from monitors.watching.current import Current
from monitors.watching.keeper import Batch, Keeper, Rules
from monitors.watching.restoring import Recent, newest, restore

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from monitors.incidents.model import Incident

START = datetime(2026, 6, 1, 12, tzinfo=UTC)
SITES = ("US1", "US5", "EU1")
RULES = Rules(
    Thresholds(failure_threshold=1, failure_window=1, success_threshold=1, confirm_count=1, update_interval_s=0),
    sinks=(SinkSettings("team", "stdout"), SinkSettings("boss", "stdout")),
    watched=frozenset((site, "run") for site in SITES),
)
DOWN = Finding("server-error", Level.BREAKING, Kind.AVAILABILITY, "503")
NULL = Finding("response-property-became-nullable", Level.BREAKING, Kind.CONTRACT, "is null", "$.x", check="run")


@dataclass
class Life:
    """A monitor over a store, and what it knows of it."""

    current: Current
    recent: Recent = field(default_factory=Recent)
    at: datetime = START

    def __post_init__(self) -> None:
        self.keeper = Keeper(self.current, RULES, lambda findings: findings)
        self.recent.book = self.current.book()

    def round(self, **shown: Finding) -> None:
        self.at += timedelta(minutes=1)
        results = []
        for site in SITES:
            seen = Observation(site, "run", self.at, "GET", "/", "42", True, status=200, body=b"{}")
            results.append(Result(seen, (shown[site],) if site in shown else ()))
        self.recent.note(self.keeper.keep(Batch(self.at, tuple(results))))

    def lost(self, mended: Store) -> None:
        """Let the store be exchanged for what could be read of it."""
        with self.current.exchanging():
            self.current.store = mended
            restore(self.keeper, self.recent, self.at)


@pytest.fixture
def life(store: Store) -> Life:
    return Life(Current(store))


def copied(store: Store, folder: Path) -> Path:
    """Copy a store as it is now."""
    made = store.backup()
    assert made is not None
    folder.mkdir()
    return shutil.copy(made, folder / "monitor.sqlite")


@pytest.fixture
def empty(tmp_path: Path) -> Iterator[Store]:
    with open_store(sqlite_url(tmp_path / "empty" / "monitor.sqlite")) as opened:
        yield opened


def told(store: Store) -> list[tuple[Incident, list[object], list[str]]]:
    """Return everything a store tells of incidents."""
    return [
        (incident, list(store.events(incident.id)), [row.notice.key for row in store.notices(incident.id)])
        for incident in store.incidents(IncidentFilter())
    ]


def keys(store: Store, state: str) -> set[str]:
    return {
        row.notice.key
        for incident in store.incidents(IncidentFilter())
        for row in store.notices(incident.id)
        if row.state == state
    }


@pytest.mark.parametrize("seed", range(8))
def test_a_store_that_went_back_to_any_earlier_moment_is_as_if_nothing_had_been(
    life: Life, store: Store, tmp_path: Path, seed: int
) -> None:
    dice = random.Random(seed)  # noqa: S311 - repeatable on purpose
    rounds, copied_at = 20, dice.randrange(20)
    path = None
    for number in range(rounds):
        if number == copied_at:
            path = copied(store, tmp_path / "copy")
        life.round(**{site: dice.choice([DOWN, NULL]) for site in SITES if dice.random() < 0.4})
    assert path is not None
    with open_store(sqlite_url(path)) as older:
        life.lost(older)
        assert older.book() == store.book() == life.recent.book
        assert told(older) == told(store)
        assert older.check() == []
        life.round()
        assert all(incident.state is State.RESOLVED for incident in older.incidents(IncidentFilter()))


def test_a_store_of_which_nothing_is_left_goes_on_under_the_same_name_and_numbers(
    life: Life, store: Store, empty: Store
) -> None:
    life.round(US5=DOWN)
    life.round()
    life.round(EU1=DOWN, US1=NULL)
    assert empty.book().installation != store.book().installation
    life.lost(empty)
    assert empty.book() == store.book()
    assert told(empty) == told(store)
    life.round(EU1=DOWN, US1=NULL, US5=NULL)
    assert {each.id for each in empty.incidents(IncidentFilter()) if each.resolved is None} == {2, 3}


def test_what_was_delivered_is_not_sent_again_and_what_was_not_is(life: Life, empty: Store) -> None:
    life.round(US5=DOWN)
    (row,) = life.current.due("team", life.at)
    life.current.mark_delivered(row.id, life.at)
    life.lost(empty)
    team, boss = row.notice.key, row.notice.key.replace("team", "boss")
    assert keys(empty, "delivered") == {team}
    assert keys(empty, "queued") == {boss}


def test_an_incident_the_copy_has_open_and_nobody_remembers_is_over(life: Life, store: Store, tmp_path: Path) -> None:
    life.round(US5=DOWN)
    path = copied(store, tmp_path / "copy")
    life.round()
    life.recent.ended.clear()
    life.recent.events.clear()
    with open_store(sqlite_url(path)) as older:
        life.lost(older)
        (incident,) = older.incidents(IncidentFilter())
        assert (incident.resolved, incident.why_resolved) == (life.at, RECOVERED)
        assert [spell.until for spell in incident.spells] == [life.at]
        assert older.book().incidents == {}


def test_before_anything_was_kept_there_is_nothing_to_give_back(store: Store, empty: Store) -> None:
    life = Life(Current(store))
    life.recent.book = None
    life.lost(empty)
    assert empty.book().installation != store.book().installation
    assert told(empty) == []


def test_baselines_that_are_lost_are_given_back(life: Life, store: Store, empty: Store) -> None:
    baseline = Baseline(START, "abc", {"a": 1})
    with store.writing() as tx:
        tx.keep_baseline("US5", "42", baseline)
    assert life.keeper.baseline("US5", "42") is not None
    assert life.keeper.baseline("US1", "42") is None
    life.lost(empty)
    assert empty.baseline("US5", "42") == store.baseline("US5", "42") is not None
    assert empty.baseline("US1", "42") is None


# --- people's doings --------------------------------------------------------------------------------------------------


@pytest.fixture
def known(life: Life) -> Book:
    """Return a book with one outage on two sites."""
    life.round(US5=DOWN, EU1=DOWN)
    assert life.recent.book is not None
    return life.recent.book


def test_an_acknowledgement_that_stands_in_the_store_only_is_kept(known: Book) -> None:
    found = people.acknowledge(known, 1, by="ann", reason="on it", at=START).book
    after = newest(found, known)
    assert after.incidents[1].acknowledged == found.incidents[1].acknowledged is not None
    assert newest(known, found).incidents[1] == found.incidents[1]


def test_an_incident_resolved_by_hand_stays_so_and_its_tracks_are_gone(known: Book) -> None:
    found = people.resolve(known, 1, by="ann", reason="planned", at=START).book
    after = newest(found, known)
    assert after.incidents[1].why_resolved == BY_HAND
    assert after.tracks == {}
    assert newest(known, found) == found


def test_silences_of_both_are_kept_those_of_the_store_first(known: Book) -> None:
    silence = Silence(1, START, "planned", "ann", START)
    longer, other = replace(silence, until=START + timedelta(hours=1)), replace(silence, id=2)
    after = newest(replace(known, silences=(longer,)), replace(known, silences=(other, silence)))
    assert after.silences == (longer, other)


def test_numbers_are_never_given_twice(known: Book) -> None:
    later = replace(known.incidents[1], id=8)
    assert newest(replace(known, incidents={1: known.incidents[1], 8: later}, next_id=9), known).next_id == 9


def test_where_it_is_known_how_far_numbers_went_none_is_left_out(known: Book) -> None:
    told = {key: replace(each, number=each.number + 1_000) for key, each in known.told.items()}
    mended = replace(known, told=told, next_id=known.next_id + 1_000, first_notice=1_001)
    assert newest(mended, known) == known
    assert newest(replace(known, next_id=1), known).next_id == known.next_id


def test_what_the_store_has_beyond_what_is_known_is_over(known: Book) -> None:
    assert newest(known, Book(known.installation)) == Book(known.installation, next_id=known.next_id)
