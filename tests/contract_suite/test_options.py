"""Mistakes on the command line: one line, exit code 4 of pytest, nothing sent."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.usefixtures("_no_keys")

KNOWN = "Known: US1, US3, US5, EU1, AP1, AP2, UK1, US1-FED, US2-FED."


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--site="], "no site is named in ''; write a site, or all"),
        (["--site=US6"], f"unknown site 'US6'; did you mean US5? {KNOWN}"),
        (["--site=US5", "--mock-scenario=outage"],
         "--mock-scenario is for the mock sites; leave out either it or --site"),
        (["--ca-file=x.pem"], "--ca-file is for real sites; add --site, e.g. --site US5"),
        (["--resolve=a:443:127.0.0.1"], "--resolve is for real sites; add --site, e.g. --site US5"),
        (["--connect-to=::127.0.0.1:1"], "--connect-to is for real sites; add --site, e.g. --site US5"),
        (["--model-lab-config=x.toml"], "--model-lab-config is for real sites; add --site, e.g. --site US5"),
        (["--site=US5", "--model-lab-config=x.toml"],
         "cannot read the configuration file x.toml: no such file or directory"),
        (["--site=US5", "--ca-file=x.pem"], "--ca-file x.pem: no such file or directory"),
        (["--site=US5", "--resolve=a:443:nowhere"],
         "--resolve a:443:nowhere: 'nowhere' is no IP address; write HOST:PORT:ADDRESS"),
        (["--mock-scenario=outrage"], "--mock-scenario: unknown scenario 'outrage'; did you mean outage?"),
        (["--mock-scenario=US6=outage"], "--mock-scenario: unknown site 'US6'"),
        (["--mock-scenario=US5=drifted:null"], "--mock-scenario: unknown drift 'null'; did you mean nulled?"),
        (["--mock-scenario=fault:expired"], "--mock-scenario: unknown fault 'expired'; did you mean tls-expired?"),
        (["--har=nowhere/traffic.har"], "--har nowhere/traffic.har: cannot be written"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)  # fmt: skip
def test_a_mistake_is_a_usage_error(run_suite: Callable[..., Any], arguments: list[str], message: str) -> None:
    outcome = run_suite(*arguments)
    assert outcome.exit_code == pytest.ExitCode.USAGE_ERROR
    assert f"ERROR: {message}" in outcome.output
    assert "Traceback" not in outcome.output
    assert outcome.requests == []


def test_half_a_pair_of_keys_is_a_usage_error(run_suite: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DD_API_KEY_US5", "half-of-a-pair")
    outcome = run_suite("--site=US5")
    assert outcome.exit_code == pytest.ExitCode.USAGE_ERROR
    assert (
        "ERROR: US5: there is an API key but no application key; set DD_APP_KEY_US5, or give neither" in outcome.output
    )
    assert "half-of-a-pair" not in outcome.output


def test_a_broken_configuration_does_not_matter_for_the_mock(run_suite: Callable[..., Any]) -> None:
    Path("model-lab-monitor.toml").write_text("nonsense")
    assert run_suite("-k", "US1-unauthenticated").exit_code == 0
