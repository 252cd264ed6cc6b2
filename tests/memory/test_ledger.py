from __future__ import annotations

import copy
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mock_site.catalogue import run_document
from monitors.drift.shape import learn
from monitors.memory.canary import VOLATILE
from monitors.memory.ledger import MAX_NAMES, MAX_ROWS, MAX_VALUES, Ledger, Row, Sighting, observe
from monitors.memory.promises import enumerated
from monitors.memory.traits import Trait, is_documented, parent_of, traits
from monitors.memory.view import entries, sites_of

if TYPE_CHECKING:
    from collections.abc import Iterable

START = datetime(2026, 6, 1, tzinfo=UTC)
ATTRIBUTES = "$.data.attributes"


def sighting(body: Any, site: str = "US5", hours: float = 0, check: str = "run") -> Sighting:
    shape = learn([body], enumerated(check))
    return Sighting(site, check, START + timedelta(hours=hours), traits(shape, check))


def ledger_of(sightings: Iterable[Sighting]) -> Ledger:
    ledger = Ledger()
    for one in sightings:
        ledger = observe(ledger, one)
    return ledger


def test_first_last_and_count_are_those_of_the_site(run: Any) -> None:
    before = Ledger()
    ledger = ledger_of([sighting(run, "US5", 0), sighting(run, "US5", 2), sighting(run, "US3", 1)])
    seen = ledger.rows[Row("run", Trait(f"{ATTRIBUTES}.status", "string", "", '"completed"'))]
    assert (seen["US5"].first, seen["US5"].last, seen["US5"].count) == (START, START + timedelta(hours=2), 2)
    assert seen["US3"].count == 1
    assert before == Ledger()


def test_every_trait_of_every_run_of_the_mock_is_documented() -> None:
    for run_id in [*range(1, 60), *range(1001, 1032)]:
        for trait in sighting(run_document("EU1", run_id)).traits:
            assert is_documented("run", trait), trait


@pytest.mark.parametrize(
    ("check", "body"),
    [
        ("unauthenticated", {"errors": ["Unauthorized"]}),
        ("unauthenticated", {"errors": [{"title": "Forbidden"}]}),
        ("not-found", {"errors": [{"title": "Generic Error", "detail": "run not found"}]}),
        ("bad-request", {"errors": [{"status": "400", "meta": {"anything": [1, {"at": None}]}}]}),
    ],
)
def test_errors_in_their_forms_are_documented(check: str, body: Any) -> None:
    found = sighting(body, check=check).traits
    assert [trait for trait in found if not is_documented(check, trait)] == []


@pytest.mark.parametrize(
    ("trait", "expected"),
    [
        (Trait(f"{ATTRIBUTES}.name", "null"), False),
        (Trait(f"{ATTRIBUTES}.completed_at", "null"), True),
        (Trait(f"{ATTRIBUTES}.created_at", "string", "date"), False),
        (Trait(f"{ATTRIBUTES}.status", "string", "", '"archived"'), False),
        (Trait(f"{ATTRIBUTES}.gpu_hours", "number"), False),
        (Trait(f"{ATTRIBUTES}.duration", "number"), True),
        (Trait(f"{ATTRIBUTES}.project_id", "number"), False),
    ],
)
def test_what_the_contract_does_not_allow_is_undocumented(trait: Trait, expected: bool) -> None:  # noqa: FBT001 - a table
    assert is_documented("run", trait) is expected


@pytest.mark.parametrize(
    ("place", "parent"),
    [
        ("$", "$"),
        ("$.data", "$"),
        ("$.a[*]", "$.a"),
        ("$.a[*].b", "$.a[*]"),
        ("$['odd.name[*]'].b", "$['odd.name[*]']"),
        ("$.a['it\\'s']", "$.a"),
        ("$.a.*", "$.a"),
    ],
)
def test_the_parent_of_a_place(place: str, parent: str) -> None:
    assert parent_of(place) == parent


def test_members_named_by_data_are_counted_together(run: Any) -> None:
    bodies = []
    for number in range(MAX_NAMES * 3):
        body = copy.deepcopy(run)
        body["data"]["attributes"][f"key-{number}"] = {"inner": {"deep": number}}
        bodies.append(sighting(body, hours=number))
    ledger = ledger_of(bodies)
    below = {row.trait.location for row in ledger.rows if parent_of(row.trait.location) == ATTRIBUTES}
    assert len([place for place in below if "key-" in place]) == MAX_NAMES
    assert ledger.rows[Row("run", Trait(f"{ATTRIBUTES}.*", "any"))]["US5"].count == MAX_NAMES * 2


def test_one_body_with_more_names_than_a_shape_tells_apart_has_one_row_for_them(run: Any) -> None:
    run["data"]["attributes"]["map"] = {f"key {number}": number for number in range(2_000)}
    places = {trait.location for trait in sighting(run).traits if ".map" in trait.location}
    assert places == {f"{ATTRIBUTES}.map", f"{ATTRIBUTES}.map.*"}


def test_values_without_end_are_not_told_apart(run: Any) -> None:
    bodies = []
    for number in range(MAX_VALUES * 2):
        run["data"]["attributes"]["status"] = f"s{number}"
        bodies.append(sighting(run, hours=number))
    rows = [row for row in ledger_of(bodies).rows if row.trait.location == f"{ATTRIBUTES}.status"]
    assert len(rows) == MAX_VALUES


def test_the_ledger_has_an_end() -> None:
    wide = {f"a{i}": {f"b{j}": {f"c{k}": 1 for k in range(20)} for j in range(20)} for i in range(20)}
    ledger = ledger_of([sighting(wide)])
    assert len([row for row in ledger.rows if not is_documented("run", row.trait)]) == MAX_ROWS


def test_changes_stand_first_and_the_oldest_of_them_first(run: Any) -> None:
    newer, newest = copy.deepcopy(run), copy.deepcopy(run)
    newer["data"]["attributes"]["gpu_hours"] = 1.5
    newest["data"]["attributes"] |= {"gpu_hours": 1.5, "archived": True}
    ledger = ledger_of(
        [sighting(run, "US5"), sighting(run, "US3"), sighting(newer, "US3", 1), sighting(newest, "US5", 2)]
    )
    found = entries(ledger, sites_of(ledger, []), everything=False)
    places = [(entry.row.trait.location, entry.first_on) for entry in found]
    assert places == [(f"{ATTRIBUTES}.gpu_hours", ("US3",)), (f"{ATTRIBUTES}.archived", ("US5",))]
    everything = entries(ledger, ["US5"], everything=True)
    assert [entry.change for entry in everything] == sorted([entry.change for entry in everything], reverse=True)
    assert len(everything) > 40


def test_a_documented_member_that_stops_is_a_change_and_not_in_the_latest_answer(run: Any) -> None:
    without = copy.deepcopy(run)
    del without["data"]["attributes"]["owner_id"]
    ledger = ledger_of([sighting(run), sighting(run, hours=1), sighting(without, hours=2)])
    (entry,) = entries(ledger, ["US5"], everything=False)
    assert (entry.row.trait.location, entry.latest, entry.documented) == (f"{ATTRIBUTES}.owner_id", frozenset(), True)


def test_sites_stand_in_the_order_of_their_table(run: Any) -> None:
    ledger = ledger_of([sighting(run, site) for site in ("EU1", "elsewhere", "US1")])
    assert sites_of(ledger, []) == ["US1", "EU1", "elsewhere"]
    assert sites_of(ledger, ["EU1", "AP1"]) == ["EU1"]


@settings(max_examples=40)
@given(st.lists(st.tuples(st.sampled_from(["US1", "US5"]), st.integers(1, 40)), max_size=12))
def test_counts_add_up_whatever_is_seen(seen: list[tuple[str, int]]) -> None:
    ledger = ledger_of(sighting(run_document(site, run_id), site, hours) for hours, (site, run_id) in enumerate(seen))
    for site in ("US1", "US5"):
        answers = sum(one == site for one, _ in seen)
        root = ledger.rows.get(Row("run", Trait("$", "object")), {}).get(site)
        assert (root.count if root else 0) == answers
        for row, sites in ledger.rows.items():
            if site in sites:
                assert 1 <= sites[site].count <= answers
                assert sites[site].first <= sites[site].last
                assert 0 <= (ledger.away(row, site) or 0) <= answers - sites[site].count


def test_the_page_names_the_values_that_may_change() -> None:
    page = (Path(__file__).parents[2] / "docs" / "ledger.md").read_text("utf-8")
    table = page.split("<!-- volatile -->\n")[1].split("<!-- /volatile -->")[0].splitlines()[2:]
    assert table == [f"| `{place}` | {why} |" for place, why in VOLATILE.items()]
