"""The transport against the mock sites: all nine by their real names over TLS, and every fault of the wire."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from mock_site.catalogue import NAMED_RUNS
from mock_site.faults import FAULTS
from mock_site.server import MockSites
from monitors.checks import CHECKS
from monitors.config import Credentials, SiteSettings
from monitors.cycle import run_cycle
from monitors.probe import Target, probe, target_for
from monitors.sites import SITES
from monitors.transport import parse_overrides, tls_context

if TYPE_CHECKING:
    from collections.abc import Iterator

TIMEOUT_S = 1.0
# The faults last up to a minute; a busy machine may need a good part of a second to be scheduled.
OVERSHOOT_S = 1.5
SEEN_BY_TRANSPORT = ("connection-", "tls-", "timeout")
SEEN_WHILE_READING = {
    "response-malformed",
    "response-headers-too-large",
    "response-body-truncated",
    "response-body-too-large",
    "response-body-undecodable",
}


@pytest.fixture(scope="module")
def sites() -> Iterator[MockSites]:
    with MockSites() as running:
        yield running


def _target(sites: MockSites, key: str, timeout_s: float = 5.0) -> Target:
    site = SITES[key]
    ip, port = sites.address(key, tls=True)
    return target_for(
        SiteSettings(site, Credentials("mock-api-key", "mock-app-key"), NAMED_RUNS["typical"]),
        context=tls_context(sites.ca_file),
        overrides=parse_overrides(connect_to=[f"{site.api_host}:443:{ip}:{port}"]),
        environ={},
        timeout_s=timeout_s,
    )


def test_all_nine_sites_answer_every_check_as_they_must(sites: MockSites) -> None:
    outcome = run_cycle([_target(sites, key) for key in SITES], list(CHECKS.values()), lambda _: [])
    assert outcome.harness_failures == ()
    assert [(seen.observation.site, seen.observation.check) for seen in outcome.results] == [
        (key, name) for key in SITES for name in CHECKS
    ]
    for result in outcome.results:
        seen = result.observation
        assert seen.failure is None
        assert seen.status in CHECKS[seen.check or ""].expected
        assert seen.tls is not None
        assert SITES[seen.site or ""].api_host in seen.tls.subject_names


def _transports(rule: str | None) -> bool:
    """Say whether a rule is for the transport to see, not for the judge of whole answers."""
    if rule is None or rule == "tls-certificate-expires-soon":
        return False
    return rule.startswith(SEEN_BY_TRANSPORT) or rule in SEEN_WHILE_READING


@pytest.mark.parametrize("name", FAULTS)
def test_every_fault_of_the_mock_is_seen_as_what_it_is(sites: MockSites, name: str) -> None:
    sites.set_scenario("US5", f"fault:{name}")
    try:
        target = _target(sites, "US5", TIMEOUT_S)
        start = time.monotonic()
        seen = probe(target, CHECKS["run"])
        spent_s = time.monotonic() - start
    finally:
        sites.set_scenario("US5", "healthy")
    expected = FAULTS[name].rule
    assert (seen.failure and seen.failure.rule) == (expected if _transports(expected) else None)
    assert spent_s < TIMEOUT_S + OVERSHOOT_S
    if expected == "tls-certificate-expired":
        assert seen.tls is not None
        assert seen.tls.not_after is not None
