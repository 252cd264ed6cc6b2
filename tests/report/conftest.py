from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from monitors.checks import CHECKS
from monitors.model import Finding, Kind, Level, Observation, Phase, Phases, Skipped, TlsInfo, TransportFailure
from monitors.recordings import LeftAside
from monitors.report import Report

if TYPE_CHECKING:
    from collections.abc import Callable

AT = datetime(2026, 5, 18, 15, 55, 36, 123456, tzinfo=UTC)


def make_observation(
    site: str | None = "US5", check: str | None = "run", status: int | None = 200, **members: Any
) -> Observation:
    """Make an observation of a probe that went well, but for the members given."""
    defaults: dict[str, Any] = {
        "at": AT,
        "method": "GET",
        "url": "https://api.us5.datadoghq.com/api/v2/model-lab-api/runs/42",
        "run_id": "42",
        "with_keys": check != "unauthenticated",
        "headers": (("content-type", "application/json"),),
        "wire_size": 2_100,
        "body_size": 9_000,
        "phases": Phases(0.001, 0.012, 0.024, 0.161, 0.0004),
        "http_version": "1.1",
        "address": "127.0.0.1",
        "tls": TlsInfo("TLSv1.3", "TLS_AES_256_GCM_SHA384", True, AT, AT + timedelta(days=90), ("*.x.test",), "CN=CA"),
    }
    return Observation(site, check, status=status, **{**defaults, **members})


def make_finding(rule: str = "response-property-type-changed", **members: Any) -> Finding:
    """Make a finding of the contract, breaking, on US5's run, but for the members given."""
    defaults: dict[str, Any] = {
        "level": Level.BREAKING,
        "kind": Kind.CONTRACT,
        "message": "an integer became a string",
        "site": "US5",
        "check": "run",
        "at": AT,
    }
    return Finding(rule, **{**defaults, **members})


def make_outage(site: str = "EU1", check: str = "run") -> tuple[Observation, Finding]:
    """Make an observation that got no answer, with its finding."""
    failure = TransportFailure("connection-refused", Phase.CONNECT, "127.0.0.1 refused the connection")
    seen = make_observation(site, check, None, failure=failure, phases=Phases(0.001, 0.002), tls=None, body_size=None)
    found = make_finding(
        failure.rule, kind=Kind.AVAILABILITY, message=failure.message, revision="connect", site=site, check=check
    )
    return seen, found


def make_report(command: str = "probe", **members: Any) -> Report:
    """Make a report of 18 May 2026."""
    return Report(command, "0.1.0", AT, **members)


@pytest.fixture
def mixed() -> Report:
    """Nine sites: US5 and AP1 drifted, EU1 is down, three have no keys."""
    observations, findings, skipped = [], [], []
    for site in ("US1", "US3", "US5", "EU1", "AP1", "AP2", "UK1", "US1-FED", "US2-FED"):
        for check in CHECKS.values():
            if site in {"US3", "AP2", "UK1"} and check.with_keys:
                skipped.append(Skipped(site, check.name, "no keys; set DD_API_KEY_SITE and DD_APP_KEY_SITE"))
            elif site == "EU1":
                seen, found = make_outage(site, check.name)
                observations.append(seen)
                findings.append(found)
            else:
                observations.append(make_observation(site, check.name, check.expected[0]))
    findings += [
        make_finding(location="$.data.attributes.project_id", base="integer", revision="string", site=site)
        for site in ("US5", "AP1")
    ]
    findings.append(
        make_finding(
            "response-optional-property-added",
            level=Level.INFO,
            kind=Kind.DRIFT,
            message="a member the contract does not know",
            location="$.data.attributes.queue",
            revision="string",
        )
    )
    findings.append(
        make_finding(
            "throttled",
            level=Level.WARNING,
            kind=Kind.AVAILABILITY,
            message="the rate limit is used up",
            site="US1",
            revision=429,
        )
    )
    return make_report(observations=tuple(observations), findings=tuple(findings), skipped=tuple(skipped))


@pytest.fixture
def checked() -> Report:
    """A recording of three answers, one of them broken, among entries of other operations."""
    seen = tuple(make_observation(None, None, 200, source=f"session.har#{number}") for number in (1, 4, 7))
    broken = make_finding(
        site=None, check=None, source="session.har#4", location="$.data.id", base="string", revision=7
    )
    aside = (LeftAside("session.har", "another operation", 12), LeftAside("old.yaml", "another operation", 3))
    return make_report("check", observations=seen, findings=(broken,), left_aside=aside)


@pytest.fixture
def report() -> Callable[..., Report]:
    return make_report


@pytest.fixture
def observation() -> Callable[..., Observation]:
    return make_observation


@pytest.fixture
def finding() -> Callable[..., Finding]:
    return make_finding
