"""A run of the suite at work: opens the way to each site once, asks each question once, remembers the answers."""

from __future__ import annotations

import os
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import pytest

from contract_tests.judging import Answer, answer_of
from contract_tests.plan import MOCK_CREDENTIALS
from contract_tests.polite import Pacer
from contract_tests.reporting import Route
from monitors.checks import CHECKS
from monitors.contract import Policy
from monitors.errors import HarnessError
from monitors.probe import Target, probe, target_for
from monitors.transport.overrides import Overrides, parse_overrides
from monitors.transport.tls import tls_context

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from contract_tests.plan import Plan
    from contract_tests.properties import Caller
    from contract_tests.reporting import Mask
    from contract_tests.traffic import Traffic
    from mock_site.server import MockSites
    from monitors.config import Credentials
    from monitors.model import Observation

MAKE_MOCK = pytest.StashKey[Any]()
"""Where a plugin may put, in the configuration's stash, what makes the mock in place of `MockSites`."""


@dataclass
class Suite:
    """The sites as the tests see them. `mock` is None where real sites are asked."""

    plan: Plan
    traffic: Traffic
    mask: Mask
    mock: MockSites | None
    ca_file: Path | None
    environ: Mapping[str, str]
    _targets: dict[str, Target] = field(default_factory=dict)
    _answers: dict[tuple[str, str], Answer] = field(default_factory=dict)

    @cached_property
    def pacer(self) -> Pacer:
        """The pause between two requests to one site."""
        return Pacer(self.plan.settings.pause_s)

    @cached_property
    def policy(self) -> Policy:
        """How the judge leans, from the configuration."""
        settings = self.plan.settings
        return Policy(settings.availability, settings.certificate_warning_days)

    def answer(self, site_key: str, check: str) -> Answer:
        """Return what a check gets on a site; it is asked once in a run, however many tests look at it."""
        if (site_key, check) not in self._answers:
            seen = self._probe(site_key, check, self.plan.site(site_key).credentials)
            self._answers[site_key, check] = self.judged(seen)
        return self._answers[site_key, check]

    def answer_with(self, site_key: str, check: str, credentials: Credentials) -> Answer:
        """Ask once more with other keys."""
        return self.judged(self._probe(site_key, check, credentials))

    def judged(self, seen: Observation) -> Answer:
        """Count a request and judge its answer."""
        self.traffic.note(seen)
        return answer_of(seen, self.policy, self.route(seen.site), self.mask)

    def route(self, site_key: str | None) -> Route:
        """Return how curl would reach the site."""
        if self.mock is None or site_key is None:
            return Route(self.plan.curl_options)
        return Route(("--connect-to", self._detour(site_key), "--cacert", str(self.mock.ca_file)))

    def _probe(self, site_key: str, check: str, credentials: Credentials | None) -> Observation:
        target = replace(self._target(site_key), credentials=credentials)
        self.pacer.wait(site_key)
        return probe(target, CHECKS[check])

    def _target(self, site_key: str) -> Target:
        if site_key not in self._targets:
            self._targets[site_key] = target_for(
                self.plan.site(site_key),
                timeout_s=self.plan.settings.timeout_s,
                context=tls_context(self.ca_file, self.environ),
                overrides=self._overrides(site_key),
                environ=self.environ,
            )
        return self._targets[site_key]

    def _overrides(self, site_key: str) -> Overrides:
        return self.plan.overrides if self.mock is None else parse_overrides((), (self._detour(site_key),))

    @contextmanager
    def plain_caller(self, site_key: str) -> Iterator[Caller]:
        """Yield a caller of one mock site over plain HTTP and one kept connection, for many requests."""
        # Brings schemathesis along, which only the property tests need.
        from contract_tests.properties import Caller  # noqa: PLC0415

        if self.mock is None:
            message = "only the mock is asked many questions"
            raise HarnessError(message)
        address, port = self.mock.address(site_key, tls=False)
        with Caller.open(f"http://{address}:{port}", MOCK_CREDENTIALS) as caller:
            yield caller

    def _detour(self, site_key: str) -> str:
        """Return the way from a site's public name to the mock, as curl writes it."""
        if self.mock is None:
            message = "only the mock is reached by a detour"
            raise HarnessError(message)
        address, port = self.mock.address(site_key, tls=True)
        return f"{self.plan.site(site_key).site.api_host}:443:{address}:{port}"


@contextmanager
def open_suite(
    plan: Plan, traffic: Traffic, mask: Mask, make_mock: Callable[..., MockSites] | None = None
) -> Iterator[Suite]:
    """Yield the suite of a plan, with the mock running as long as it lasts where the plan is about the mock.

    `make_mock` makes the mock in place of `MockSites`, for whoever wants to watch it.
    """
    if not plan.mock:
        yield Suite(plan, traffic, mask, None, plan.ca_file, os.environ)
        return
    scenarios = {key: text for key, text in plan.scenarios.items() if key is not None}
    make = make_mock or _mock_sites()
    with make(scenario=plan.scenarios.get(None, "healthy"), scenarios=scenarios) as mock:
        # Proxies and authorities of the environment are for the real sites.
        yield Suite(plan, traffic, mask, mock, mock.ca_file, {})


def _mock_sites() -> Callable[..., MockSites]:
    # Not needed for real sites, and it brings a whole server along.
    from mock_site.server import MockSites  # noqa: PLC0415

    return MockSites
