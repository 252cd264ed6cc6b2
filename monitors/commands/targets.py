"""From the options of `probe` to the targets it probes."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from difflib import get_close_matches
from typing import TYPE_CHECKING

from monitors.checks import CHECKS
from monitors.config import Settings, load
from monitors.config.readers import run_id as read_run_id
from monitors.config.readers import shown
from monitors.errors import UsageError
from monitors.probe import Target, target_for
from monitors.sites import find_site, find_sites
from monitors.transport import parse_overrides, tls_context

if TYPE_CHECKING:
    from collections.abc import Sequence
    from contextlib import ExitStack
    from pathlib import Path

    from monitors.checks import Check
    from monitors.config import SiteSettings
    from monitors.sites import Site


@dataclass(frozen=True, slots=True)
class Wiring:
    """How the sites are reached, as the options say; `mock` lists scenarios, None where real sites are meant."""

    mock: Sequence[str] | None = None
    resolve: Sequence[str] = ()
    connect_to: Sequence[str] = ()
    ca_file: Path | None = None


def find_checks(names: Sequence[str]) -> list[Check]:
    """Return the checks called so, in the table's order, each once; none named means all. Raises `UsageError`."""
    wanted = [name.strip() for given in names for name in given.split(",") if name.strip()]
    for name in wanted:
        if name not in CHECKS:
            near = get_close_matches(name, CHECKS, n=1)
            hint = f"; did you mean {near[0]}?" if near else "."
            message = f"unknown check {shown(name)}{hint} Known: {', '.join(CHECKS)}."
            raise UsageError(message)
    return [check for check in CHECKS.values() if not wanted or check.name in wanted]


def settings_for(
    sites: Sequence[str],
    config: Path | None,
    run_ids: Sequence[str],
    timeout_s: float | None,
    wiring: Wiring,
    *,
    alerting: bool = False,
) -> Settings:
    """Return the settings as file, environment and options have them; the mock takes nothing but a file that is named.

    Only where there is `alerting` are secrets of sinks looked up. Raises `UsageError`.
    """
    of_sinks = () if alerting else ("sinks",)
    if wiring.mock is None:
        settings = load(config, os.environ, sites, without=of_sinks)
    elif wiring.resolve or wiring.connect_to or wiring.ca_file:
        message = "--mock reaches its own sites; leave out --resolve, --connect-to and --ca-file"
        raise UsageError(message)
    else:
        # Of the environment only what the file names for its sinks: what belongs to real sites is not even checked.
        environ = {name: text for name, text in os.environ.items() if not name.startswith(("DD_", "MODEL_LAB_"))}
        named = load(config, environ, sites, without=("keys", "store", *of_sinks)) if config else Settings(sites=())
        settings = replace(named, sites=_mock_settings(find_sites(sites)))
    settings = replace(settings, sites=_with_run_ids(settings.sites, run_ids))
    return settings if timeout_s is None else replace(settings, timeout_s=timeout_s)


def _mock_settings(sites: Sequence[Site]) -> tuple[SiteSettings, ...]:
    from monitors.demo import site_settings  # noqa: PLC0415 - a server nobody else needs

    return site_settings(sites)


def _with_run_ids(sites: Sequence[SiteSettings], given: Sequence[str]) -> tuple[SiteSettings, ...]:
    """Put the canary runs of `--run-id` in place of those configured."""
    ids: dict[str, int] = {}
    for text in given:
        name, equals, number = text.rpartition("=")
        if not equals and len(sites) != 1:
            message = f"--run-id {shown(text)}: which site? Write SITE=ID, e.g. US5=42"
            raise UsageError(message)
        key = find_site(name).key if equals else sites[0].site.key
        if key not in {row.site.key for row in sites}:
            message = f"--run-id {shown(text)}: {key} is not among the sites probed"
            raise UsageError(message)
        try:
            ids[key] = read_run_id(number.strip())
        except ValueError as error:
            message = f"--run-id {shown(text)}: the run id must be {error}"
            raise UsageError(message) from error
    return tuple(replace(row, run_id=ids.get(row.site.key, row.run_id)) for row in sites)


def targets_for(stack: ExitStack, settings: Settings, wiring: Wiring) -> list[Target]:
    """Return the targets of the settings; mock sites run until the stack is closed. Raises `UsageError`."""
    if wiring.mock is not None:
        from monitors.demo import embedded  # noqa: PLC0415 - a server nobody else needs

        mock = stack.enter_context(embedded(wiring.mock))
        return [mock.target(site, settings.timeout_s) for site in settings.sites]
    overrides = parse_overrides(wiring.resolve, wiring.connect_to)
    context = tls_context(wiring.ca_file, os.environ)
    return [
        target_for(site, timeout_s=settings.timeout_s, context=context, overrides=overrides) for site in settings.sites
    ]


def lacking(target: Target, check: Check) -> str | None:
    """Return what a check needs that the target has not, and how to give it; None where nothing is missing."""
    if target.lacks(check) is None:
        return None
    suffix = target.site.env_suffix
    if target.credentials is None:
        names = target.key_names or (f"DD_API_KEY_{suffix}", f"DD_APP_KEY_{suffix}")
        return f"no keys: set {' and '.join(names)}"
    return f"no canary run: set MODEL_LAB_RUN_ID_{suffix}"


def refuse_lacking(targets: Sequence[Target], checks: Sequence[Check]) -> None:
    """Raise `UsageError` where a check that was asked for by name cannot be made on a site asked for by name."""
    for target in targets:
        for check in checks:
            if reason := lacking(target, check):
                message = f"{target.site.key}: the check {check.name} cannot be made: {reason}"
                raise UsageError(message)
