"""The mock sites inside this process: what `--mock` probes, and the story `demo` tells."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mock_site.catalogue import NAMED_RUNS
from mock_site.drifts import DRIFTS
from mock_site.faults import FAULTS
from mock_site.mistakes import MockUsageError
from mock_site.scenarios import SCENARIOS
from mock_site.server import MockSites
from mock_site.state import parse_assignment
from monitors.config import Credentials, SiteSettings
from monitors.errors import UsageError
from monitors.probe import Target, target_for
from monitors.transport import parse_overrides, tls_context

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from monitors.sites import Site

_API_KEY, _APP_KEY = "mock-api-key", "mock-app-key"


@dataclass(frozen=True, slots=True)
class Act:
    """One part of the demo: what is told, and the scenarios that set in with it, by site key."""

    told: str
    scenarios: tuple[tuple[str, str], ...] = ()


_DRIFT = "drifted:nulled@$.data.attributes.name"

STORY = (
    Act("A quiet morning: every site keeps the contract."),
    Act("On US5 a release makes a required member null.", (("US5", _DRIFT),)),
    Act("The release reaches US3; EU1 goes down.", (("US3", _DRIFT), ("EU1", "outage:503"))),
    Act("EU1 is back; the drift stays.", (("EU1", "healthy"),)),
    Act("The release is taken back.", (("US3", "healthy"), ("US5", "healthy"))),
)
"""What `demo` plays, one cycle for each act."""


def site_settings(sites: Sequence[Site]) -> tuple[SiteSettings, ...]:
    """Return settings with the mock's keys and its typical run; real keys never reach the mock."""
    return tuple(SiteSettings(site, Credentials(_API_KEY, _APP_KEY), NAMED_RUNS["typical"]) for site in sites)


def scenario_words() -> Iterator[tuple[str, str]]:
    """Yield scenarios as they are written, each with its meaning; one ending in a colon takes a name after it."""
    named: Mapping[str, Mapping[str, str]] = {
        "outage": dict.fromkeys(("502", "503", "504"), "Every answer is the edge's."),
        "drifted": {drift.name: drift.meaning for drift in DRIFTS.values()},
        "rollout": {drift.name: drift.meaning for drift in DRIFTS.values()},
        "fault": {fault.name: fault.meaning for fault in FAULTS.values()},
    }
    for kind in SCENARIOS.values():
        yield (kind.name if kind.name == kind.syntax.split("[")[0] else f"{kind.name}:"), kind.meaning
        for name, meaning in named.get(kind.name, {}).items():
            yield f"{kind.name}:{name}", meaning


class Embedded:
    """Nine mock sites on loopback, spoken to over TLS under their real names, with an authority of their own."""

    def __init__(self, sites: MockSites) -> None:
        """Wrap mock sites that are running."""
        self._sites = sites

    def set_scenario(self, site_key: str, text: str) -> None:
        """Change what one site is like."""
        self._sites.set_scenario(site_key, text)

    def target(self, settings: SiteSettings, timeout_s: float) -> Target:
        """Return the target of one site; made anew for each cycle, as some faults move the site to another port."""
        host = settings.site.api_host
        address, port = self._sites.address(settings.site.key, tls=True)
        return target_for(
            settings,
            timeout_s=timeout_s,
            context=tls_context(self._sites.ca_file, {}),
            overrides=parse_overrides(connect_to=[f"{host}:443:{address}:{port}"]),
            # No proxy stands between this process and itself.
            environ={},
        )


@contextmanager
def embedded(scenarios: Sequence[str] = ()) -> Iterator[Embedded]:
    """Run the mock sites; `scenarios` are `SCENARIO` for all or `SITE=SCENARIO` for one, the last one counts.

    Raises `UsageError` for a scenario the mock does not know.
    """
    everywhere, single = "healthy", {}
    try:
        for text in scenarios:
            site, scenario = parse_assignment(text)
            if site is None:
                everywhere = scenario
            else:
                single[site] = scenario
        running = MockSites(scenario=everywhere, scenarios=single, api_key=_API_KEY, app_key=_APP_KEY)
    except MockUsageError as error:
        message = f"--mock: {error}"
        raise UsageError(message) from error
    with running:
        yield Embedded(running)
