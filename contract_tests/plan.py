"""What a run of the suite is about, decided from the command line before anything is sent."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from mock_site.catalogue import NAMED_RUNS
from mock_site.faults import FAULTS
from mock_site.mistakes import MockUsageError
from mock_site.scenarios import make_scenario
from mock_site.state import parse_assignment
from monitors.checks import CHECKS
from monitors.config import Credentials, Settings, SiteSettings, load
from monitors.errors import UsageError
from monitors.sites import SITES
from monitors.transport.overrides import Overrides, parse_overrides

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

MOCK_CREDENTIALS = Credentials("mock-api-key", "mock-app-key")
_MOCK_RUN = NAMED_RUNS["typical"]


@dataclass(frozen=True, slots=True)
class Plan:
    """The sites to ask and how to reach them; `scenarios` are of the mock, by site, None standing for all sites."""

    settings: Settings
    mock: bool
    scenarios: Mapping[str | None, str]
    overrides: Overrides
    curl_options: tuple[str, ...] = ()
    ca_file: Path | None = None

    def site(self, key: str) -> SiteSettings:
        """Return what is known of a site of the plan."""
        return next(entry for entry in self.settings.sites if entry.site.key == key)

    @property
    def site_keys(self) -> list[str]:
        """Keys of the sites, in the table's order."""
        return [entry.site.key for entry in self.settings.sites]

    @property
    def credentials(self) -> list[Credentials]:
        """Every pair of keys that could turn up in an answer."""
        return [entry.credentials for entry in self.settings.sites if entry.credentials]

    def missing(self, site_key: str, check: str) -> str | None:
        """Return why a check cannot be made on a site, or None."""
        known, wanted = self.site(site_key), CHECKS[check]
        suffix = known.site.env_suffix
        if wanted.with_keys and known.credentials is None:
            return (
                f"{site_key}: the check {check} needs keys; set DD_API_KEY_{suffix} and DD_APP_KEY_{suffix}, "
                f"or name them under [sites.{site_key}]"
            )
        if wanted.run_id is None and known.run_id is None:
            return (
                f"{site_key}: the check {check} needs a run to ask for; set MODEL_LAB_RUN_ID_{suffix}, "
                f"or run_id under [sites.{site_key}]"
            )
        return None


def make_plan(
    *,
    sites: Sequence[str],
    config: str | None,
    scenarios: Sequence[str],
    resolve: Sequence[str],
    connect_to: Sequence[str],
    ca_file: str | None,
    environ: Mapping[str, str],
) -> Plan:
    """Return the plan of a command line; raises `UsageError` (or `ConfigError`) for one that cannot be carried out."""
    if not sites:
        _refuse_without_sites(config=config, resolve=resolve, connect_to=connect_to, ca_file=ca_file)
        mock_sites = tuple(SiteSettings(site, MOCK_CREDENTIALS, _MOCK_RUN) for site in SITES.values())
        assigned = _scenarios(scenarios)
        return Plan(Settings(mock_sites, pause_s=0), mock=True, scenarios=assigned, overrides=parse_overrides())
    if scenarios:
        message = "--mock-scenario is for the mock sites; leave out either it or --site"
        raise UsageError(message)
    options = [("--resolve", resolve), ("--connect-to", connect_to), ("--cacert", [ca_file] if ca_file else [])]
    return Plan(
        load(Path(config) if config else None, environ, sites, without=("sinks", "store")),
        mock=False,
        scenarios={},
        overrides=parse_overrides(resolve, connect_to),
        curl_options=tuple(part for name, texts in options for text in texts for part in (name, text)),
        ca_file=_readable(ca_file) if ca_file else None,
    )


def _refuse_without_sites(**options: object) -> None:
    for name, value in options.items():
        if value:
            option = "--model-lab-config" if name == "config" else "--" + name.replace("_", "-")
            message = f"{option} is for real sites; add --site, e.g. --site US5"
            raise UsageError(message)


def _scenarios(texts: Sequence[str]) -> dict[str | None, str]:
    try:
        assigned = dict(map(parse_assignment, texts))
        for text in assigned.values():
            make_scenario(text, since_s=0, faults=FAULTS)
    except MockUsageError as error:
        message = f"--mock-scenario: {error}"
        raise UsageError(message) from error
    return assigned


def _readable(name: str) -> Path:
    path = Path(name)
    try:
        path.open("rb").close()
    except OSError as error:
        message = f"--ca-file {name}: {(error.strerror or str(error)).lower()}"
        raise UsageError(message) from error
    return path
