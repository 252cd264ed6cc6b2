"""An accepted finding is marked; one that expired counts again; one that is gone is said to be gone."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from monitors.acceptance.applying import applied, remarks
from monitors.acceptance.book import Entry
from monitors.exit_codes import ExitCode, exit_code
from monitors.model import Acceptance, Finding, Kind, Level, Observation, Phase, TransportFailure, verdict

DAY = date(2026, 11, 23)
NULLED = Finding(
    "response-property-became-nullable", Level.BREAKING, Kind.CONTRACT, "m", "$.a", site="US5", check="run"
)
REFUSED = Finding("connection-refused", Level.BREAKING, Kind.AVAILABILITY, "m", site="US5", check="run")


def seen(site: str | None = "US5", check: str | None = "run", status: int | None = 200, **members: Any) -> Observation:
    at = datetime(2026, 11, 23, tzinfo=UTC)
    return Observation(site, check, at, "GET", "https://h/", "42", True, status, **members)


def entry(finding: Finding = NULLED, **members: Any) -> Entry:
    defaults: dict[str, Any] = {"sites": ("US5",), "reason": "r", "by": "Ada", "on": DAY, "check": finding.check}
    return Entry(finding.fingerprint, finding.rule, finding.location, **{**defaults, **members})


@given(
    st.lists(st.tuples(st.sampled_from(["$.a", "$.b", "$.c"]), st.sampled_from(Level)), max_size=6), st.integers(0, 3)
)
def test_what_is_accepted_counts_neither_for_verdict_nor_exit_code(found: list[tuple[str, Level]], number: int) -> None:
    findings = [replace(NULLED, location=where, level=level) for where, level in found]
    accepting = [entry(replace(NULLED, location=where)) for where in ("$.a", "$.b", "$.c")[:number]]
    marked = applied(findings, accepting, DAY)
    open_ones = [one for one in findings if one.location not in ("$.a", "$.b", "$.c")[:number]]
    assert [replace(one, accepted=None) for one in marked] == findings
    assert [one for one in marked if one.accepted is None] == open_ones
    assert verdict(marked) == verdict(open_ones)
    for fail_on in Level:
        assert exit_code(marked, fail_on) == exit_code(open_ones, fail_on)


def test_an_accepted_outage_is_no_failure() -> None:
    assert exit_code([REFUSED], Level.BREAKING) is ExitCode.UNAVAILABLE
    assert exit_code(applied([REFUSED], [entry(REFUSED)], DAY), Level.BREAKING) is ExitCode.OK


def test_an_acceptance_holds_on_its_last_day_and_no_longer() -> None:
    limited = entry(expires=DAY)
    assert applied([NULLED], [limited], DAY)[0].accepted == Acceptance("r", "Ada", DAY)
    assert remarks([NULLED], [seen()], [limited], DAY) == []
    later = DAY + timedelta(days=1)
    assert applied([NULLED], [limited], later) == (NULLED,)
    [said] = remarks([NULLED], [seen()], [limited], later)
    assert said.startswith(
        f"Accepted until 2026-11-23, which has passed: {NULLED.fingerprint} (response-property-became"
    )


def gone(accepted: Entry, *observations: Observation) -> bool:
    said = remarks([], observations, [accepted], DAY)
    assert all("no longer seen" in line and line.endswith("remove it") for line in said)
    return bool(said)


def test_a_finding_is_gone_once_every_site_it_was_seen_on_was_judged_again() -> None:
    both = entry(sites=("US5", "EU1"))
    assert gone(both, seen("US5"), seen("EU1"))
    assert not gone(both, seen("US5"))
    assert not gone(both, seen("US5"), seen("EU1", "not-found", 404))


def test_an_answer_that_could_not_have_shown_it_tells_nothing() -> None:
    failure = TransportFailure("timeout", Phase.CONNECT, "m")
    assert not gone(entry(), seen(status=None, failure=failure))
    assert not gone(entry(), seen(status=503))
    assert gone(entry(REFUSED), seen(status=503))


def test_of_recordings_the_same_files_must_have_been_judged() -> None:
    recorded = entry(replace(NULLED, check=None, site=None), sites=(), sources=("a.har",))
    assert gone(recorded, seen(None, None, source="a.har#4"))
    assert not gone(recorded, seen(None, None, source="b.har#4"))
    assert not gone(entry(sites=()), seen())
