"""The state of all mock sites: keys, scenarios, rate limits and the clock. One object, shared by app and wire."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

from mock_site.mistakes import MockUsageError, unknown
from mock_site.ratelimit import Bucket, RateLimit
from mock_site.scenarios import CALM, Condition, Scenario, make_scenario

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

DEFAULT_SITE = "US1"
"""The site that answers for a bare loopback address."""

_LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "::1", "[::1]"})


@dataclass(frozen=True, slots=True)
class SiteRow:
    """One site of schemas/sites.json: key (`US5`), API host, status page host, place in the table from 0."""

    key: str
    api_host: str
    status_host: str | None
    index: int


@cache
def site_rows() -> Mapping[str, SiteRow]:
    """Return the nine sites by key, in the table's order."""
    rows = json.loads(files("schemas").joinpath("sites.json").read_bytes())["sites"]
    return {row["key"]: SiteRow(row["key"], row["api_host"], row["status_host"], i) for i, row in enumerate(rows)}


@dataclass(frozen=True, slots=True)
class Keys:
    """The pair of keys a site takes."""

    api_key: str
    app_key: str

    def __repr__(self) -> str:
        """Hide the keys."""
        return "Keys(***)"


class SiteState:
    """One mock site: what it takes, what it is like now, what is left of its rate limit."""

    __slots__ = ("api_key", "app_key", "bucket", "calm", "row", "scenario")

    def __init__(self, row: SiteRow, keys: Keys, rate_limit: RateLimit, scenario: Scenario) -> None:
        """Start with a full bucket."""
        self.row = row
        self.api_key = keys.api_key.encode()
        self.app_key = keys.app_key.encode()
        self.bucket = Bucket(rate_limit)
        self.set(scenario)

    def set(self, scenario: Scenario) -> None:
        """Change the scenario. Other threads read it, so it is replaced whole."""
        self.calm = False
        self.scenario = scenario
        self.calm = scenario.text == "healthy"

    def condition(self, now_s: float) -> Condition:
        """Return what the site is like at a moment."""
        return CALM if self.calm else self.scenario.condition(now_s, self.row.index)


class MockState:
    """All nine sites. `clock` gives seconds since the epoch; `faults` are the names of the wire faults known.

    `keys` gives single sites keys of their own, by site key. Scenarios may be changed from any thread.
    """

    def __init__(
        self,
        *,
        api_key: str = "mock-api-key",
        app_key: str = "mock-app-key",
        keys: Mapping[str, Keys] | None = None,
        rate_limit: RateLimit | None = None,
        scenario: str = "healthy",
        scenarios: Mapping[str, str] | None = None,
        faults: Collection[str] = (),
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Start every site with `scenario`, single ones with theirs; raises `MockUsageError` for an unknown name."""
        self.faults = tuple(faults)
        self.clock = clock
        both, own, limit = Keys(api_key, app_key), keys or {}, rate_limit or RateLimit()
        start = self._scenario(scenario)
        self.sites: dict[str, SiteState] = {
            key: SiteState(row, own.get(key, both), limit, start) for key, row in site_rows().items()
        }
        self._by_host = {site.row.api_host: site for site in self.sites.values()}
        for key, text in (scenarios or {}).items():
            self.set_scenario(key, text)

    def _scenario(self, text: str) -> Scenario:
        return make_scenario(text, since_s=self.clock(), faults=self.faults)

    def site(self, key: str) -> SiteState:
        """Return a site by its key in any letter case; raises `MockUsageError` with the nearest known key."""
        found = self.sites.get(key.upper())
        if found is None:
            raise unknown(key, "site", self.sites)
        return found

    def site_for_host(self, host: str) -> SiteState | None:
        """Return the site a Host header or SNI name means, with or without port; None for a name of no site.

        A loopback address or `localhost` means US1, and so does no name at all, which HTTP/1.0 allows.
        """
        name = host.strip().lower()
        name = name[: name.find("]") + 1] if name.startswith("[") else name
        if name.count(":") == 1:
            name = name.partition(":")[0]
        name = name.rstrip(".")
        if (
            not host.strip()
            or name in _LOOPBACK_NAMES
            or (name.startswith("127.") and name.replace(".", "").isdecimal())
        ):
            return self.sites[DEFAULT_SITE]
        return self._by_host.get(name)

    def set_scenario(self, site_key: str | None, text: str) -> None:
        """Put a scenario on one site, or on all where `site_key` is None; raises `MockUsageError`."""
        chosen = list(self.sites.values()) if site_key is None else [self.site(site_key)]
        scenario = self._scenario(text)
        for site in chosen:
            site.set(scenario)

    def condition_for(self, site_key: str, now_s: float | None = None) -> Condition:
        """Return what a site is like at a moment, by default now."""
        return self.site(site_key).condition(self.clock() if now_s is None else now_s)

    def fault_for(self, site_key: str, now_s: float | None = None) -> str | None:
        """Return the name of the wire fault a scenario puts on a site at a moment, by default now."""
        return self.condition_for(site_key, now_s).fault

    def scenario_texts(self) -> dict[str, str]:
        """Return each site's scenario as it was written."""
        return {key: site.scenario.text for key, site in self.sites.items()}


def parse_assignment(text: str) -> tuple[str | None, str]:
    """Read `SITE=SCENARIO` or a bare `SCENARIO` (for all sites) as the command line takes it.

    Raises `MockUsageError` for an unknown site; the scenario is judged when it is set.
    """
    site, equals, scenario = text.partition("=")
    # A location can hold "=" as well, but then a scenario's colon stands before it.
    if not equals or ":" in site:
        return None, text
    if site.upper() not in site_rows():
        raise unknown(site, "site", site_rows())
    if not scenario:
        message = f"no scenario after {site}=; write e.g. {site.upper()}=outage."
        raise MockUsageError(message)
    return site.upper(), scenario
