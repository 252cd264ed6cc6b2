from __future__ import annotations

import copy
import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any, NoReturn

import pytest

from mock_site.drifts import DRIFTS, apply
from monitors.contract import judge
from monitors.drift.written import to_schema
from monitors.errors import HarnessError
from monitors.memory import Patience, Session, Shelf
from monitors.memory.folding import MAX_PLACES
from monitors.memory.folding import places as places_of
from monitors.violations import Contract

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Monitor

    from monitors.memory import Recollection
    from monitors.model import Observation

DURATION = "$.data.attributes.duration"
THREE = ("US1", "US3", "US5")


def drifted(run: Any, drift: str = "unit-changed", place: str = DURATION) -> Any:
    return apply(run, DRIFTS[drift], place)


def said(found: Recollection) -> list[tuple[str, str | None]]:
    return [(finding.rule, finding.site) for finding in found.findings]


def test_a_unit_that_changes_is_pending_first_and_declared_when_seen_again(monitor: Monitor, run: Any) -> None:
    assert monitor.cycle({"US5": run}).findings == ()
    first = monitor.cycle({"US5": drifted(run)})
    assert (first.findings, [count for _, count in first.pending]) == ((), [1])
    second = monitor.cycle({"US5": drifted(run)})
    assert (said(second), second.pending) == ([("response-property-unit-changed", "US5")], ())
    assert second.findings[0].location == DURATION


def test_a_flapping_member_is_one_lasting_drift(monitor: Monitor, run: Any) -> None:
    gone = drifted(run, "optional-member-removed", "$.data.attributes.owner_id")
    told = [monitor.cycle({"US5": body}).findings for body in (run, gone, run, gone, run, gone, run, run, run)]
    assert [len(findings) for findings in told] == [0, 0, 0, 1, 1, 1, 1, 0, 0]
    assert len({findings[0].fingerprint for findings in told if findings}) == 1
    assert "not in the latest answer" in told[4][0].message
    assert "not in the latest answer" not in told[5][0].message


def test_what_the_contract_says_is_not_said_twice(monitor: Monitor, run: Any) -> None:
    monitor.cycle({"US5": run})
    renamed = drifted(run, "required-member-renamed", "$.data.attributes.status")
    assert monitor.cycle({"US5": renamed}).pending == ()
    retyped = drifted(run, "object-as-list", "$.data")
    assert monitor.cycle({"US5": retyped}).pending == ()


def test_the_same_drift_has_the_same_fingerprint_on_every_site(monitor: Monitor, run: Any) -> None:
    monitor.cycle(dict.fromkeys(THREE, run))
    monitor.cycle(dict.fromkeys(THREE, drifted(run)))
    found = monitor.cycle(dict.fromkeys(THREE, drifted(run)))
    assert len({finding.fingerprint for finding in found.findings}) == 1
    assert {finding.site for finding in found.findings} == set(THREE)


def test_a_baseline_is_never_an_answer_that_breaks_the_contract(monitor: Monitor, run: Any) -> None:
    broken = drifted(run, "nulled", "$.data.attributes.name")
    monitor.cycle({"US5": broken})
    assert monitor.shelf.baseline("US5", "1004") is None
    monitor.cycle({"US5": run})
    baseline = monitor.shelf.baseline("US5", "1004")
    assert baseline is not None
    assert baseline.body == json.loads(json.dumps(run))


def test_the_first_finished_form_becomes_the_baseline(monitor: Monitor, run: Any) -> None:
    running = copy.deepcopy(run)
    running["data"]["attributes"].update(status="running", duration=1.0)
    monitor.cycle({"US5": running})
    monitor.cycle({"US5": run})
    later = monitor.cycle({"US5": drifted(run)})
    assert [finding.rule for finding, _ in later.pending] == ["response-property-unit-changed"]
    # A finished baseline stays, whatever comes.
    monitor.cycle({"US5": drifted(run)})
    baseline = monitor.shelf.baseline("US5", "1004")
    assert baseline is not None
    assert baseline.body == json.loads(json.dumps(run))


def test_a_new_member_rolling_out_is_one_finding_that_lists_the_sites(monitor: Monitor, run: Any) -> None:
    newer = drifted(run, "object-member-added", "$.data.attributes")
    for _ in range(4):
        assert monitor.cycle(dict.fromkeys(THREE, run)).findings == ()
    assert monitor.cycle({"US1": run, "US3": run, "US5": newer}).findings == ()
    (one,) = monitor.cycle({"US1": run, "US3": run, "US5": newer}).findings
    assert (one.rule, one.site, one.revision, one.base) == (
        "response-property-not-on-all-sites", None, ["US5"], ["US1", "US3"],
    )  # fmt: skip
    assert one.message == "on US5; not on US1, US3"
    for _ in range(2):
        wider = monitor.cycle({"US1": run, "US3": newer, "US5": newer})
    (two,) = wider.findings
    assert (two.revision, two.fingerprint) == (["US3", "US5"], one.fingerprint)
    for _ in range(2):
        everywhere = monitor.cycle(dict.fromkeys(THREE, newer))
    assert everywhere.findings == ()


def test_sites_with_few_answers_are_not_compared(monitor: Monitor, run: Any) -> None:
    newer = drifted(run, "member-added", "$.data.attributes")
    monitor.cycle({"US1": run, "US5": newer})
    assert monitor.cycle({"US1": run, "US5": newer}).findings == ()
    assert len(monitor.cycle({"US1": run, "US5": newer}).findings) == 1


def test_an_optional_member_of_another_run_is_no_drift(monitor: Monitor, run: Any) -> None:
    other = copy.deepcopy(run)
    for name in ("owner_id", "completed_at", "duration", "external_url", "deleted_at"):
        del other["data"]["attributes"][name]
    other["data"]["attributes"]["params"] = None
    for _ in range(5):
        assert monitor.cycle({"US1": run, "US5": other}).findings == ()


def test_a_member_of_items_is_not_missed_where_there_were_no_items(monitor: Monitor, run: Any) -> None:
    newer = drifted(run, "member-added", "$.data.attributes.metric_summaries[*]")
    without = copy.deepcopy(run)
    without["data"]["attributes"]["metric_summaries"] = []
    for _ in range(5):
        assert monitor.cycle({"US1": without, "US5": newer}).findings == ()


def test_types_and_formats_of_unknown_members_are_compared(monitor: Monitor, run: Any) -> None:
    number, text, plain_id = copy.deepcopy(run), copy.deepcopy(run), copy.deepcopy(run)
    number["data"]["attributes"]["cost"], text["data"]["attributes"]["cost"] = 1, "1.50"
    plain_id["data"]["attributes"]["owner_id"] = "somebody"
    for _ in range(3):
        found = monitor.cycle({"US1": number, "US3": text})
    assert [(one.rule, one.location, one.base, one.revision) for one in found.findings] == [
        ("response-property-unlike-other-sites", "$.data.attributes.cost", "number", ["US3"])
    ]
    for _ in range(3):
        found = monitor.cycle({"AP1": run, "AP2": plain_id})
    assert "string on AP2" in next(one.message for one in found.findings if one.location and "owner" in one.location)


def test_a_site_not_heard_of_for_long_is_not_compared(monitor: Monitor, run: Any) -> None:
    newer = drifted(run, "member-added", "$.data.attributes")
    for _ in range(3):
        monitor.cycle({"US1": run})
    monitor.at += timedelta(days=2)
    for _ in range(4):
        assert monitor.cycle({"US5": newer}).findings == ()


@pytest.mark.parametrize(
    ("check", "status", "body"),
    [
        ("run", 500, {"errors": [{"title": "x"}]}),
        ("run", 200, b"<html>"),
        ("run", 200, b""),
        ("not-found", 404, {"errors": ["Not found"]}),
        ("unauthenticated", 200, {"data": {}}),
    ],
)
def test_only_answers_of_the_api_are_remembered(
    check: str, status: int, body: Any, monitor: Monitor, answer: Callable[..., Observation]
) -> None:
    session = Session(monitor.shelf)
    session.judging(judge)(answer("US5", monitor.at, body, check, status))
    assert session.conclude().failures == ()
    assert monitor.shelf.load().ledger.answers == {}


def test_the_shape_of_each_site_is_learned_and_vouches_for_its_answers(monitor: Monitor, run: Any) -> None:
    other = copy.deepcopy(run)
    del other["data"]["attributes"]["duration"]
    monitor.cycle({"US5": run})
    monitor.cycle({"US5": other})
    shape = monitor.shelf.load().shapes["US5", "run"]
    assert shape.count == 2
    schema = Contract(to_schema(shape))  # type: ignore[arg-type]  # JSON is a dict here
    assert schema.allows(run)
    assert schema.allows(other)


def test_a_shape_without_end_is_kept_as_it_was(monitor: Monitor, run: Any) -> None:
    wide = copy.deepcopy(run)
    wide["data"]["attributes"]["x"] = {f"a{i}": {f"b{j}": 1 for j in range(200)} for i in range(120)}
    monitor.cycle({"US5": run})
    monitor.cycle({"US5": wide})
    assert places_of(monitor.shelf.load().shapes["US5", "run"]) < MAX_PLACES


class Broken(Shelf):
    """A shelf whose every move fails."""

    def __init__(self, error: Exception) -> None:
        self.error = error

    def locked(self) -> NoReturn:
        raise self.error

    def baseline(self, site: str, run_id: str) -> NoReturn:  # noqa: ARG002 - the shelf's signature
        raise self.error


def test_a_memory_out_of_reach_costs_no_verdict(run: Any, monitor: Monitor, answer: Callable[..., Observation]) -> None:
    session = Session(Broken(HarnessError("the disk is full")))
    broken = drifted(run, "nulled", "$.data.attributes.name")
    findings = session.judging(judge)(answer("US5", monitor.at, broken))
    assert [finding.rule for finding in findings] == ["response-property-became-nullable"]
    assert session.conclude().failures == ("the disk is full", "the disk is full")


def test_a_bug_of_the_memory_costs_no_verdict(run: Any, monitor: Monitor, answer: Callable[..., Observation]) -> None:
    session = Session(Broken(ZeroDivisionError("oh")), Patience())
    assert session.judging(judge)(answer("US5", monitor.at, run)) == []
    _, failures = session.notes.take()
    assert failures == ("a bug of the harness: US5 run not remembered: ZeroDivisionError: oh",)


@pytest.mark.parametrize("number", ["1" + "0" * 400, "-" + "9" * 309, "1e400", "-0", "-0.0", "1e-400", "5e-324"])
@pytest.mark.parametrize("member", ["project_id", "duration"])
def test_a_number_of_any_size_is_remembered_and_compared_both_ways(
    monitor: Monitor, run: Any, member: str, number: str
) -> None:
    odd = json.dumps({**run, "data": {**run["data"], "attributes": {**run["data"]["attributes"], member: "NUMBER"}}})
    body = odd.replace('"NUMBER"', number).encode()
    for answer in (run, body, body, run, body):
        monitor.cycle({"US5": answer})  # asserts that nothing failed to be remembered
    monitor.cycle({"US1": body})
    monitor.cycle({"US1": run})
