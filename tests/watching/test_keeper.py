"""What a batch comes to, in a store on the disk."""

from __future__ import annotations

import json
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from monitors.checks import CHECKS
from monitors.config.alerting import Maintenance, SinkSettings, Thresholds
from monitors.incidents import people
from monitors.memory import Notes
from monitors.memory.folding import Memory
from monitors.model import Acceptance, Finding, Kind, Level
from monitors.store import StoreBusyError, StoreUnreachableError, open_store, sqlite_url
from monitors.store.values import Filter, IncidentFilter
from monitors.watching.current import Current
from monitors.watching.keeper import Batch, Keeper, Rules, is_available

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from monitors.cycle import Result
    from monitors.store import Store, Writing

START = datetime(2026, 6, 1, 12, tzinfo=UTC)
WATCHED = frozenset((site, check) for site in ("US1", "US5") for check in ("run", "not-found"))
RULES = Rules(
    Thresholds(failure_threshold=1, failure_window=1, success_threshold=1, confirm_count=1),
    sinks=(SinkSettings("team", "stdout"),),
    watched=WATCHED,
    urls={("US5", "run"): "https://us5/42"},
    vantage="here",
)


class Shop:
    """A keeper over a store, and the notes of the answers it is to keep."""

    def __init__(self, store: Store, make_observed: Any, make_result: Any) -> None:
        self.store, self.make_observed, self.make_result = store, make_observed, make_result
        self.accepted: dict[str, Acceptance] = {}
        self.keeper = Keeper(Current(store), RULES, self.accept)
        self.notes = Notes(self.keeper)
        self.at = START

    def accept(self, findings: Sequence[Finding]) -> Sequence[Finding]:
        return [replace(finding, accepted=self.accepted.get(finding.rule)) for finding in findings]

    def result(self, site: str = "US5", *findings: Finding, body: Any = None, check: str = "run") -> Result:
        data = json.dumps(body if body is not None else {"data": {"id": "42"}}).encode()
        seen = self.make_observed(site, check, self.at, body=data)
        made: Result = self.make_result(seen, *findings)
        self.notes.hear(seen, made.findings)
        return made

    def batch(self, *results: Result, minutes: float = 1, **members: Any) -> Batch:
        notes, _ = self.notes.take()
        batch = Batch(self.at, results, tuple(notes), **members)
        self.at += timedelta(minutes=minutes)
        return batch

    def keep(self, *results: Result, **members: Any) -> Any:
        return self.keeper.keep(self.batch(*results, **members))

    def probes(self) -> list[Any]:
        return list(self.store.probes(Filter()))


@pytest.fixture
def shop(store: Store, make_observed: Any, make_result: Any) -> Shop:
    return Shop(store, make_observed, make_result)


def changed(level: Level = Level.BREAKING) -> Finding:
    return Finding("response-property-became-nullable", level, Kind.CONTRACT, "is null", "$.data.id", check="run")


def test_probe_incident_and_notice_are_kept_together(shop: Shop, make_down: Callable[..., Finding]) -> None:
    kept = shop.keep(shop.result("US5", make_down()), shop.result("US1"))
    assert [(row.site, row.verdict, row.available) for row in shop.probes()] == [
        ("US5", "breaking", False),
        ("US1", "none", True),
    ]
    [incident] = shop.store.incidents(IncidentFilter())
    assert (incident.problem, incident.sites) == ("outage", ("US5",))
    [waiting] = shop.store.undelivered()
    assert waiting.notice.content["request"]["url"] == "https://us5/42"  # type: ignore[index,call-overload]
    assert waiting.notice.content["vantage"] == "here"
    assert [str(event.kind) for event in kept.events] == ["opened", "notified"]
    assert shop.store.book() == kept.book


def test_batches_are_kept_all_or_none(shop: Shop, make_down: Callable[..., Finding]) -> None:
    good, bad = shop.batch(shop.result("US5", make_down())), shop.batch(shop.result())
    nameless = replace(bad.results[0], observation=replace(bad.results[0].observation, site=None))
    with pytest.raises(ValueError, match="site"):
        shop.keeper.keep_all([good, replace(bad, results=(nameless,))])
    assert shop.probes() == []
    assert shop.store.book().incidents == {}
    assert shop.store.undelivered() == []
    assert shop.store.memory() == Memory()
    kept = shop.keeper.keep_all([good, bad])
    assert len(kept) == 2
    assert kept[1].notices[0].kind == "resolved"
    assert [row.state for row in shop.store.notices(1)] == ["queued", "queued"]
    assert shop.store.memory().ledger.rows


def test_what_is_there_though_its_commit_was_never_answered_is_counted_once(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, make_down: Callable[..., Finding]
) -> None:
    real = shop.store.writing

    @contextmanager
    def unanswered() -> Iterator[Writing]:
        with real() as tx:
            yield tx
        raise StoreUnreachableError("the server went away")  # noqa: EM101, TRY003 - as short as a test wants it

    batches = [shop.batch(shop.result("US5", make_down())), shop.batch(shop.result("US1")), shop.batch(shop.result())]
    with monkeypatch.context() as patched:
        patched.setattr(shop.store, "writing", unanswered)
        for _ in range(2):
            with pytest.raises(StoreUnreachableError):
                shop.keeper.keep_all(batches)
    # The trouble itself comes in front of them, and not all of them are offered at once.
    own = shop.batch(own={"self:store": None})
    kept = shop.keeper.keep_all([own, *batches[:2]])
    kept += shop.keeper.keep_all([batches[2], shop.batch(shop.result("US1"))])
    assert [done.batch.id for done in kept[:4]] == [batch.id for batch in (own, *batches)]
    assert [done.events for done in kept[:4]] == [()] * 4
    assert [row.site for row in shop.probes()] == ["US5", "US1", "US5", "US1"]
    assert [row.notice.kind for row in shop.store.notices(1)] == ["opened", "resolved"]
    assert shop.store.memory().ledger.rows


def test_batches_that_were_there_do_not_hide_those_that_follow(shop: Shop) -> None:
    first, second = shop.batch(shop.result("US1")), shop.batch(shop.result("US5"))
    shop.keeper.keep_all([first, second])
    shop.keeper.keep_all([first, shop.batch(shop.result("US1"))])
    shop.keeper.keep_all([second, shop.batch(shop.result("US5"))])
    assert len(shop.probes()) == 4


def test_what_only_counts_is_written_every_five_minutes_and_news_at_once(shop: Shop) -> None:
    shop.keep(shop.result())
    first = shop.store.memory_revision()
    assert first > 0, "the first answer is news"
    for _ in range(4):
        shop.keep(shop.result())
    assert shop.store.memory_revision() == first
    for _ in range(2):
        shop.keep(shop.result())
    second = shop.store.memory_revision()
    assert second > first
    shop.keep(shop.result(body={"data": {"id": "42", "more": 1}}))
    assert shop.store.memory_revision() > second


def test_flushing_writes_what_was_only_counted(shop: Shop) -> None:
    shop.keeper.flush(shop.at)
    for _ in range(3):
        shop.keep(shop.result())
    before = shop.store.memory()
    shop.keeper.flush(shop.at)
    after = shop.store.memory()
    assert after != before
    revision = shop.store.memory_revision()
    shop.keeper.flush(shop.at)
    assert shop.store.memory_revision() == revision


def test_a_memory_that_was_changed_elsewhere_is_read_anew(shop: Shop, make_observed: Any, make_result: Any) -> None:
    shop.keep(shop.result())
    other = Shop(shop.store, make_observed, make_result)
    other.at = shop.at
    other.keep(other.result("US1"))
    shop.keep(shop.result())
    shop.keep(shop.result(body={"data": {"id": "42", "more": 1}}))
    assert {key[0] for key in shop.store.memory().shapes} == {"US1", "US5"}
    other.keep(other.result("US1"))
    shop.keeper.flush(shop.at)
    assert {key[0] for key in shop.store.memory().shapes} == {"US1", "US5"}


def test_flushing_never_writes_over_what_was_changed_elsewhere(
    shop: Shop, make_observed: Any, make_result: Any
) -> None:
    shop.keep(shop.result())
    shop.keep(shop.result())
    other = Shop(shop.store, make_observed, make_result)
    other.keep(other.result("US1"))
    revision = shop.store.memory_revision()
    shop.keeper.flush(shop.at)
    assert shop.store.memory_revision() == revision


def test_the_first_answer_of_a_canary_run_is_its_baseline(shop: Shop) -> None:
    assert shop.keeper.baseline("US5", "42") is None
    shop.keep(shop.result())
    known = shop.keeper.baseline("US5", "42")
    assert known is not None
    assert known.body == {"data": {"id": "42"}}
    shop.keep(shop.result(body={"data": {"id": "42", "more": 1}}))
    assert shop.store.baseline("US5", "42") == known


def test_baselines_forgotten_elsewhere_are_asked_for_anew(shop: Shop) -> None:
    shop.keep(shop.result())
    assert shop.keeper.baseline("US5", "42") is not None
    with shop.store.writing() as tx:
        assert tx.forget_baselines("US5") == 1
    shop.keep(shop.result())
    shop.keep(shop.result(body={"data": {"id": "43"}}))
    assert shop.store.baseline("US5", "42").body == {"data": {"id": "43"}}  # type: ignore[union-attr]


def test_drift_from_the_baseline_is_declared_once_it_was_seen_again_and_opens_at_once(shop: Shop) -> None:
    done = {"data": {"id": "42", "attributes": {"status": "completed", "duration": 7}}}
    moved = {"data": {"id": "42", "attributes": {"status": "completed", "duration": 8}}}
    shop.keep(shop.result(body=done))
    first = shop.keep(shop.result(body=moved))
    assert [finding.rule for finding, _ in first.recalled.pending] == ["response-property-value-changed"]
    assert first.book.incidents == {}
    second = shop.keep(shop.result(body=moved))
    [incident] = second.book.incidents.values()
    assert (incident.finding.kind, incident.sites) == (Kind.DRIFT, ("US5",))
    assert shop.probes()[-1].verdict != "none"


def test_accepted_findings_are_kept_and_open_nothing(shop: Shop) -> None:
    shop.accepted["response-property-became-nullable"] = Acceptance("known", "ada")
    kept = shop.keep(shop.result("US5", changed()))
    assert kept.book.incidents == {}
    [probe] = shop.probes()
    assert (probe.verdict, [finding.rule for finding in probe.findings]) == (
        "none",
        ["response-property-became-nullable"],
    )
    shop.accepted.clear()
    assert len(shop.keep(shop.result("US5", changed())).book.incidents) == 1


def test_what_people_did_from_elsewhere_counts_for_the_next_batch(
    shop: Shop, make_down: Callable[..., Finding]
) -> None:
    shop.keep(shop.result("US5", make_down()))
    with shop.store.writing() as tx:
        book = tx.book()
        decision = people.acknowledge(book, 1, by="ada", reason="", at=shop.at)
        tx.put_book(book, decision.book, decision.events)
    kept = shop.keep(shop.result("US5", make_down()))
    assert [str(notice.kind) for notice in kept.notices] == ["acknowledged"]


def test_during_maintenance_results_are_kept_and_nothing_opens(shop: Shop, make_down: Callable[..., Finding]) -> None:
    window = Maintenance("w", ("US5",), start=START, end=START + timedelta(minutes=2))
    shop.keeper.rules = replace(RULES, maintenance=(window,))
    for opened in (0, 0, 1):
        assert len(shop.keep(shop.result("US5", make_down())).book.incidents) == opened
    assert len(shop.probes()) == 3


def test_the_end_of_an_incident_everybody_knows_is_in_the_store_when_it_leaves_the_book(
    shop: Shop, make_down: Callable[..., Finding]
) -> None:
    shop.keep(shop.result("US5", make_down()))
    kept = shop.keep(shop.result("US5"))
    assert kept.book.incidents == {}
    incident = shop.store.incident(1)
    assert incident is not None
    assert (incident.why_resolved, incident.spells[0].until) == ("recovered", kept.batch.at)


def test_lines_about_what_was_not_remembered_are_handed_on(shop: Shop) -> None:
    kept = shop.keep(unremembered=("a line",))
    assert kept.recalled.failures == ("a line",)
    assert shop.keep(shop.result(), unremembered=("a line",)).recalled.failures == ("a line",)


def test_a_keeper_may_forget_the_store_it_knew(shop: Shop, tmp_path: Any) -> None:
    shop.keep(shop.result())
    with open_store(sqlite_url(tmp_path / "other.sqlite")) as other:
        shop.keeper.store.store = other
        shop.keeper.forget()
        shop.keep(shop.result())
        assert other.memory().ledger.rows
        assert other.baseline("US5", "42") is not None


def test_a_store_that_is_locked_keeps_nothing_and_loses_nothing(shop: Shop, tmp_path: Any) -> None:
    assert shop.store.path is not None
    with open_store(sqlite_url(shop.store.path), busy_timeout_s=0.05) as impatient:
        shop.keeper.store.store = impatient
        batch = shop.batch(shop.result())
        with shop.store.writing(), pytest.raises(StoreBusyError):
            shop.keeper.keep(batch)
        shop.keeper.keep(batch)
    assert len(shop.probes()) == 1
    del tmp_path


def test_availability_is_told_from_findings(make_down: Callable[..., Finding]) -> None:
    throttled = replace(make_down(), rule="throttled")
    soon = replace(make_down(), rule="tls-certificate-expires-soon")
    assert is_available([]) is True
    assert is_available([changed(), soon]) is True
    assert is_available([throttled]) is None
    assert is_available([throttled, make_down()]) is False


def test_sites_are_counted_once_whatever_checks_they_have() -> None:
    assert RULES.sites == 2
    assert len(CHECKS) == 4
