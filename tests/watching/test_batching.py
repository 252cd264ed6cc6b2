"""What came of a round, in the light of how this machine is."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import timedelta
from email.utils import format_datetime
from typing import TYPE_CHECKING, Any

import pytest

from monitors.checks import CHECKS
from monitors.config.alerting import WatchSettings
from monitors.cycle import HarnessFailure, Prober, Result
from monitors.memory import Notes
from monitors.model import Finding, Kind, Level, Observation, Phase, Phases, Skipped
from monitors.probe import Target
from monitors.sites import SITES
from monitors.transport import ResolverError
from monitors.watching.asking import Made
from monitors.watching.batching import Batcher

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from monitors.watching.clock import SimulatedClock
    from monitors.watching.keeper import Batch

BODY = b'{"data": {"id": "42"}}'


@dataclass
class Rounds:
    """A batcher, the notes it shares with the judge, and whether well-known places answer."""

    clock: SimulatedClock
    make_observed: Callable[..., Observation]
    make_failure: Callable[..., Any]
    online: bool = True
    dialled: int = 0
    notes: Notes = field(init=False)
    batcher: Batcher = field(init=False)

    def __post_init__(self) -> None:
        self.notes = Notes(self)
        prober = Prober(self.notes.judging(self.judge))
        self.batcher = Batcher(prober, self.notes, self.clock, WatchSettings(), None, self.dial)

    def baseline(self, _site: str, _run_id: str) -> None:
        return None

    def judge(self, seen: Observation) -> list[Finding]:
        if seen.failure is None:
            return []
        rule = seen.failure.rule
        return [Finding(rule, Level.BREAKING, Kind.AVAILABILITY, rule, site=seen.site, check=seen.check)]

    def dial(self, _host: str, _port: int, _timeout_s: float) -> None:
        self.dialled += 1
        if not self.online:
            raise ConnectionRefusedError

    def target(self, site: str) -> Target:
        return Target(SITES[site], f"https://{SITES[site].api_host}", None, 42, None)  # type: ignore[arg-type]

    def made(self, outcome: Any, site: str, check: str = "run", ago_s: float = 1) -> Made:
        return Made(self.target(site), CHECKS[check], outcome, self.clock.seconds - ago_s)

    def result(self, site: str, check: str = "run", ago_s: float = 1, **members: Any) -> Made:
        """Let a probe come in, noted by the memory as the judge sees it."""
        at = self.clock.at - timedelta(seconds=ago_s)
        seen = self.make_observed(site, check, at, **{"body": BODY, **members})
        return self.made(self.judged(seen), site, check, ago_s)

    def judged(self, seen: Observation) -> Result:
        return Result(replace(seen, body=b""), tuple(self.notes.judging(self.judge)(seen)))

    def lost(self, site: str, rule: str = "timeout", phase: Phase = Phase.CONNECT, **members: Any) -> Made:
        return self.result(site, failure=self.make_failure(rule, phase), **members)

    def unresolved(self, site: str, ago_s: float = 1) -> Made:
        error = ResolverError(SITES[site].api_host, "try again")
        error.observation = self.make_observed(site, failure=error.failure, phases=Phases())
        return self.made(error, site, ago_s=ago_s)

    def batch(self, *made: Made) -> Batch:
        return self.batcher.batch(made)


@pytest.fixture
def rounds(clock: SimulatedClock, make_observed: Any, make_failure: Any) -> Rounds:
    return Rounds(clock, make_observed, make_failure)


def rules_of(batch: Batch) -> dict[str | None, list[str]]:
    return {each.observation.site: [finding.rule for finding in each.findings] for each in batch.results}


def troubles(batch: Batch) -> set[str]:
    return {problem for problem, finding in batch.own.items() if finding is not None}


def test_a_round_without_trouble_is_kept_as_it_is(rounds: Rounds) -> None:
    batch = rounds.batch(rounds.result("US1"), rounds.result("US5"))
    assert rules_of(batch) == {"US1": [], "US5": []}
    assert [note.sighting.site for note in batch.notes] == ["US1", "US5"]
    assert batch.at == rounds.clock.at
    assert batch.own == dict.fromkeys(
        ["monitor-offline", "monitor-disk-low", "monitor-clock-off", "monitor-probe-failed"]
    )
    assert (rounds.batcher.skipped, rounds.batcher.failures, rounds.batcher.unjudged) == ([], [], 0)


def test_a_round_that_brings_nothing_says_nothing_of_the_network_or_the_clock(rounds: Rounds) -> None:
    batch = rounds.batch(rounds.made(Skipped("US1", "run", "budget"), "US1"))
    assert set(batch.own) == {"monitor-disk-low"}
    assert rounds.batcher.skipped == [Skipped("US1", "run", "budget")]
    assert rounds.dialled == 0


# --- offline ---


def test_sites_out_of_reach_are_their_own_trouble_while_a_known_place_answers(rounds: Rounds) -> None:
    batch = rounds.batch(rounds.lost("US1"), rounds.lost("US5"))
    assert rules_of(batch) == {"US1": ["timeout"], "US5": ["timeout"]}
    assert troubles(batch) == set()
    assert rounds.dialled == 2


def test_while_this_machine_is_offline_no_site_is_judged(rounds: Rounds) -> None:
    rounds.online = False
    batch = rounds.batch(rounds.lost("US1"), rounds.lost("US5"))
    assert batch.results == ()
    assert troubles(batch) == {"monitor-offline"}
    assert rounds.batcher.unjudged == 2
    rounds.online = True
    assert rounds.batch(rounds.result("US1")).own["monitor-offline"] is None


def test_nobody_is_dialled_while_any_site_answers(rounds: Rounds) -> None:
    rounds.online = False
    batch = rounds.batch(rounds.lost("US1"), rounds.result("US5", status=500))
    assert rules_of(batch)["US1"] == ["timeout"]
    assert rounds.dialled == 0


def test_a_site_that_is_late_is_held_against_what_answered_since_it_was_asked(rounds: Rounds) -> None:
    rounds.online = False
    rounds.batch(rounds.result("US5"))
    rounds.clock.advance(8)
    batch = rounds.batch(rounds.lost("US1", ago_s=10))
    assert rules_of(batch) == {"US1": ["timeout"]}
    assert rounds.dialled == 0
    rounds.clock.advance(60)
    assert troubles(rounds.batch(rounds.lost("US1", ago_s=10))) == {"monitor-offline"}


def test_a_mock_on_this_machine_needs_no_network(rounds: Rounds) -> None:
    rounds.online = False
    batch = rounds.batch(rounds.lost("US1", address="127.0.0.1"), rounds.lost("US5"))
    assert rules_of(batch) == {"US1": ["timeout"]}
    assert rounds.batcher.unjudged == 1
    rounds.clock.advance(60)
    assert troubles(rounds.batch(rounds.lost("US1", address="127.0.0.1"))) == set()


def test_the_harness_failing_everywhere_asks_for_the_network_too(rounds: Rounds) -> None:
    rounds.online = False
    failure = HarnessFailure("US1", "run", "no route from here")
    batch = rounds.batch(rounds.made(failure, "US1"))
    assert troubles(batch) == {"monitor-offline"}
    assert "monitor-probe-failed" not in batch.own


# --- the resolver ---


def test_a_resolver_that_answers_for_no_name_is_the_harness_failure(rounds: Rounds) -> None:
    batch = rounds.batch(rounds.unresolved("US1"), rounds.unresolved("US5"))
    assert batch.results == ()
    assert troubles(batch) == {"monitor-probe-failed"}
    found = batch.own["monitor-probe-failed"]
    assert found is not None
    assert found.message.split("; ") == [
        f"the resolver of this machine gives no answer for {SITES[site].api_host}: try again" for site in ("US1", "US5")
    ]
    assert len(rounds.batcher.failures) == 2


def test_a_name_without_an_answer_is_the_sites_trouble_while_others_have_one(rounds: Rounds) -> None:
    batch = rounds.batch(rounds.unresolved("US1"), rounds.result("US5", phases=Phases(resolve_s=0.01)))
    assert rules_of(batch) == {"US1": ["name-not-resolved"], "US5": []}
    assert troubles(batch) == set()


def test_what_resolved_before_the_name_was_asked_for_is_no_proof(rounds: Rounds) -> None:
    rounds.batch(rounds.result("US5"))
    rounds.clock.advance(60)
    assert troubles(rounds.batch(rounds.unresolved("US1"))) == {"monitor-probe-failed"}


def test_names_of_this_machine_prove_nothing_of_the_resolver(rounds: Rounds) -> None:
    local = rounds.result("US5", address="127.0.0.1", phases=Phases(resolve_s=0.01))
    assert "monitor-probe-failed" in troubles(rounds.batch(rounds.unresolved("US1"), local))


def test_many_failures_of_the_harness_are_told_in_one_line(rounds: Rounds) -> None:
    made = [rounds.made(HarnessFailure("US1", "run", f"trouble {number % 5}"), "US1") for number in range(20)]
    found = rounds.batch(*made).own["monitor-probe-failed"]
    assert found is not None
    assert found.message == "trouble 0; trouble 1; trouble 2"


# --- clocks ---


def test_while_the_clock_is_off_certificates_are_not_judged_by_it(rounds: Rounds) -> None:
    date = {"date": format_datetime(rounds.clock.at - timedelta(hours=2), usegmt=True)}
    rule = "tls-certificate-expired"
    made = [
        rounds.result("US1", headers=date),
        rounds.result("US5", headers=date),
        rounds.lost("EU1", rule, Phase.TLS),
        rounds.lost("AP1", "timeout"),
    ]
    batch = rounds.batch(*made)
    assert rules_of(batch) == {"US1": [], "US5": [], "AP1": ["timeout"]}
    assert troubles(batch) == {"monitor-clock-off"}


def test_certificates_that_are_all_out_of_date_are_the_clock(rounds: Rounds) -> None:
    made = [rounds.lost(site, "tls-certificate-not-yet-valid", Phase.TLS) for site in ("US1", "US5")]
    batch = rounds.batch(*made)
    assert batch.results == ()
    assert troubles(batch) == {"monitor-clock-off"}


def test_a_clock_that_is_wrong_stays_wrong_until_an_answer_says_otherwise(rounds: Rounds) -> None:
    assert "monitor-clock-off" not in rounds.batch(rounds.lost("US1")).own
    assert rounds.batch(rounds.result("US1")).own["monitor-clock-off"] is None


def test_a_jump_of_the_clocks_drops_failures_that_were_under_way_and_nothing_else(rounds: Rounds) -> None:
    rounds.batcher.jumped()
    rounds.clock.advance(1)
    batch = rounds.batch(rounds.lost("US1", ago_s=5), rounds.result("US5", ago_s=5), rounds.lost("EU1", ago_s=0.5))
    assert rules_of(batch) == {"US5": [], "EU1": ["timeout"]}
    assert rounds.batcher.unjudged == 1


# --- disk ---


def test_the_disk_of_the_store_is_minded(rounds: Rounds, tmp_path: Path) -> None:
    rounds.batcher.folder = tmp_path
    rounds.batcher.settings = WatchSettings(min_free_mb=10**9)
    assert troubles(rounds.batch(rounds.result("US1"))) == {"monitor-disk-low"}


# --- notes ---


def test_a_note_whose_probe_is_still_on_its_way_waits_for_it(rounds: Rounds) -> None:
    late = rounds.result("US1")
    assert rounds.batch(rounds.result("US5")).notes[0].sighting.site == "US5"
    assert rounds.batch(rounds.made(Skipped("US5", "run", "budget"), "US5")).notes == ()
    assert [note.sighting.site for note in rounds.batch(late).notes] == ["US1"]
    assert rounds.batch(rounds.result("US5")).notes[0].sighting.site == "US5"


def test_the_note_of_an_answer_that_does_not_count_is_dropped(rounds: Rounds) -> None:
    date = {"date": format_datetime(rounds.clock.at - timedelta(hours=2), usegmt=True)}
    soon = rounds.result("EU1")
    assert isinstance(soon.outcome, Result)
    finding = Finding("tls-certificate-expires-soon", Level.WARNING, Kind.AVAILABILITY, "soon")
    soon = replace(soon, outcome=replace(soon.outcome, findings=(finding,)))
    batch = rounds.batch(rounds.result("US1", headers=date), rounds.result("US5", headers=date), soon)
    assert {note.sighting.site for note in batch.notes} == {"US1", "US5"}
    rounds.clock.advance(60)
    assert {note.sighting.site for note in rounds.batch(rounds.result("EU1")).notes} == {"EU1"}


def test_what_the_memory_could_not_take_is_told(rounds: Rounds) -> None:
    def broken(_site: str, _run_id: str) -> None:
        raise ZeroDivisionError

    rounds.notes.baselines = type("Broken", (), {"baseline": staticmethod(broken)})()
    batch = rounds.batch(rounds.result("US1"))
    assert batch.unremembered == ("a bug of the harness: US1 run not remembered: ZeroDivisionError: ",)


# --- other sites ---


def judged(rounds: Rounds, site: str, check: str, finding: str | None, **members: Any) -> Made:
    made = rounds.result(site, check, **members)
    assert isinstance(made.outcome, Result)
    kind = Kind.AVAILABILITY
    findings = () if finding is None else (Finding(finding, Level.BREAKING, kind, finding, site=site, check=check),)
    return replace(made, outcome=replace(made.outcome, findings=findings))


def test_keys_are_another_sites_where_that_one_took_them_in_the_round_before(rounds: Rounds) -> None:
    rounds.batch(judged(rounds, "US5", "run", None, credential="same"))
    rounds.clock.advance(60)
    rejected = judged(rounds, "US1", "run", "key-rejected", credential="same", status=403)
    assert rules_of(rounds.batch(rejected)) == {"US1": ["key-of-other-site"]}


@pytest.mark.parametrize(("seconds", "rule"), [(60, "unexpected-status"), (600, "endpoint-not-deployed")])
def test_what_a_site_answered_long_ago_does_not_show_that_it_serves_the_endpoint_now(
    seconds: float, rule: str, rounds: Rounds
) -> None:
    rounds.batch(judged(rounds, "US5", "not-found", None))
    rounds.clock.advance(seconds)
    gone = judged(rounds, "US5", "run", "endpoint-not-deployed", status=404)
    assert rules_of(rounds.batch(gone)) == {"US5": [rule]}


def test_bodies_are_not_held_for_comparison(rounds: Rounds) -> None:
    made = rounds.result("US5")
    assert isinstance(made.outcome, Result)
    whole = replace(made, outcome=replace(made.outcome, observation=replace(made.outcome.observation, body=BODY)))
    assert rounds.batch(whole).results[0].observation.body == BODY
    assert [known.observation.body for _, known in rounds.batcher._latest.values()] == [b""]


def test_a_batch_speaks_of_its_own_time(rounds: Rounds) -> None:
    first = rounds.batch(rounds.result("US5")).at
    rounds.clock.advance(60)
    assert rounds.batch(rounds.result("US5")).at - first == timedelta(seconds=60)
