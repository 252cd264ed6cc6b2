from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

import jsonschema_rs
import pytest

import schemas
from monitors.checks import CHECKS
from monitors.commands.cycles import probe_all
from monitors.config import Credentials, SiteSettings
from monitors.contract import Policy
from monitors.errors import HarnessError
from monitors.model import Level
from monitors.probe import Target
from monitors.sites import SITES

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Cli

    from mock_site.server import MockSites

REPORT = jsonschema_rs.Draft202012Validator(schemas.document("report"))
DRIFT = "drifted:nulled@$.data.attributes.name"


def test_healthy_sites_are_all_well(cli: Cli) -> None:
    ran = cli("probe", "--mock")
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.splitlines()[-1].startswith("✓ All well (36 probes of 9 sites, the slowest in ")


def test_the_json_of_a_drift_and_an_outage_keeps_its_schema(cli: Cli) -> None:
    ran = cli("probe", "--mock", f"US5={DRIFT}", "--mock", "EU1=outage", "--format", "json")
    assert ran.code == 1
    report = json.loads(ran.out)
    REPORT.validate(report)
    assert report["verdict"] == "breaking"
    assert {(found["site"], found["rule"]) for found in report["findings"]} == {
        ("US5", "response-property-became-nullable"),
        ("EU1", "edge-answer"),
    }
    assert len(report["observations"]) == 36


@pytest.mark.parametrize(
    ("scenario", "options", "code"),
    [
        ("outage", [], 3),
        ("fault:refused", [], 3),
        ("throttled", [], 0),
        ("throttled", ["--fail-on", "warning"], 3),
        (DRIFT, [], 1),
        (DRIFT, ["--fail-on", "never"], 0),
    ],
)
def test_the_exit_code_tells_contract_from_outage(scenario: str, options: list[str], code: int, cli: Cli) -> None:
    assert cli("probe", "--mock", scenario, "--site", "US5", *options).code == code


def test_sites_and_checks_are_chosen_by_name(cli: Cli) -> None:
    ran = cli(
        "probe",
        "--mock",
        "--site",
        "eu1,us5.datadoghq.com",
        "--check",
        "run",
        "--check",
        "not-found",
        "--format",
        "json",
    )
    seen = [(observation["site"], observation["check"]) for observation in json.loads(ran.out)["observations"]]
    assert seen == [("US5", "run"), ("US5", "not-found"), ("EU1", "run"), ("EU1", "not-found")]


def test_a_run_id_of_the_command_line_is_asked_for(cli: Cli) -> None:
    ran = cli("probe", "--mock", "--site", "US5", "--check", "run", "--run-id", "7", "--format", "json")
    assert json.loads(ran.out)["observations"][0]["run_id"] == "7"
    ran = cli("probe", "--mock", "--check", "run", "--run-id", "EU1=8", "--format", "json")
    asked = {seen["site"]: seen["run_id"] for seen in json.loads(ran.out)["observations"]}
    assert (asked["EU1"], len({*asked.values()})) == ("8", 2)


def test_a_deadline_of_the_command_line_ends_a_slow_probe(cli: Cli) -> None:
    ran = cli("probe", "--mock", "slow:5", "--site", "US5", "--check", "run", "--timeout", "0.3")
    assert ran.code == 3
    assert "▼ timeout" in ran.out


def test_the_mock_takes_thresholds_from_a_file_that_is_named(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "some.toml").write_text('fail_on = "warning"\n')
    assert cli("probe", "--mock", "throttled", "--site", "US5").code == 0
    assert cli("probe", "--mock", "throttled", "--site", "US5", "--config", "some.toml").code == 3


def test_what_a_site_lacks_is_called_as_the_file_calls_it(cli: Cli, wired: list[str], tmp_path: Path) -> None:
    named = [f'[sites.{site}]\napi_key_env = "{site}_ONE"\napp_key_env = "{site}_OTHER"\n' for site in ("US5", "EU1")]
    (tmp_path / "some.toml").write_text("".join(named), "utf-8")
    ran = cli("probe", *wired, "--config", "some.toml", "--site", "US5", "--site", "EU1", "--site", "AP1")
    text = " ".join(ran.out.split())
    assert "on EU1: no keys: set EU1_ONE and EU1_OTHER" in text
    assert "on US5: no keys: set US5_ONE and US5_OTHER" in text
    assert "on AP1: no keys: set DD_API_KEY_AP1 and DD_APP_KEY_AP1" in text


def test_sites_without_keys_get_the_check_that_needs_none(
    cli: Cli, wired: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DD_API_KEY_US5", "mock-api-key")
    monkeypatch.setenv("DD_APP_KEY_US5", "mock-app-key")
    monkeypatch.setenv("MODEL_LAB_RUN_ID_US5", "42")
    ran = cli("probe", *wired, "--format", "json")
    assert ran.code == 0
    report = json.loads(ran.out)
    REPORT.validate(report)
    seen = [(observation["site"], observation["check"]) for observation in report["observations"]]
    assert [check for site, check in seen if site == "US5"] == list(CHECKS)
    assert [check for site, check in seen if site != "US5"] == ["unauthenticated"] * 8
    assert len(report["summary"]["skipped"]) == 24
    assert report["summary"]["skipped"][0] == {
        "site": "US1",
        "check": "run",
        "reason": "no keys: set DD_API_KEY_US1 and DD_APP_KEY_US1",
    }
    table = cli("probe", *wired)
    assert "no keys: set DD_API_KEY_SITE and DD_APP_KEY_SITE" in " ".join(table.out.split())


def test_keys_without_a_run_id_still_get_the_other_checks(
    cli: Cli, wired: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DD_API_KEY", "mock-api-key")
    monkeypatch.setenv("DD_APP_KEY", "mock-app-key")
    ran = cli("probe", *wired, "--site", "US1")
    assert ran.code == 0
    assert "Not made: run on US1: no canary run: set MODEL_LAB_RUN_ID_US1" in ran.out


def test_keys_never_show_in_any_format(
    cli: Cli, wired: list[str], monkeypatch: pytest.MonkeyPatch, mock: MockSites
) -> None:
    mock.set_scenario("US5", "key-rejected")
    monkeypatch.setenv("DD_API_KEY_US5", "wrong-api-key-value")
    monkeypatch.setenv("DD_APP_KEY_US5", "wrong-app-key-value")
    for format_ in ("table", "json", "ndjson", "junit", "markdown", "github"):
        ran = cli("probe", *wired, "--site", "US5", "--check", "not-found", "--format", format_)
        assert ran.code == 3
        assert "key-rejected" in ran.out
        assert "-key-value" not in ran.out + ran.err


def test_junit_goes_to_a_file_and_the_sentence_to_stderr(cli: Cli, tmp_path: Path) -> None:
    target = tmp_path / "junit.xml"
    target.write_text("old")
    target.chmod(0o640)
    ran = cli("probe", "--mock", "US5=outage", "--format", "junit", "--output", target)
    assert (ran.code, ran.out) == (3, "")
    assert ran.err == "US5 is unavailable (edge-answer) (36 probes of 9 sites).\n"
    assert ET.parse(target).getroot().attrib["failures"] == "4"  # noqa: S314 - our own output
    assert target.stat().st_mode & 0o777 == 0o640
    assert [path.name for path in tmp_path.iterdir()] == ["junit.xml"]


def test_quiet_says_nothing_beside_the_report(cli: Cli, tmp_path: Path) -> None:
    ran = cli("probe", "--mock", "--site", "US5", "--quiet", "--output", tmp_path / "report.txt")
    assert (ran.code, ran.out, ran.err) == (0, "", "")
    assert (tmp_path / "report.txt").read_text("utf-8").startswith("site   run")


def test_github_gets_a_step_summary_too(cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    summary = tmp_path / "summary.md"
    summary.write_text("before\n")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))
    ran = cli("probe", "--mock", "US5=outage", "--format", "github")
    assert ran.out.startswith("::error title=edge-answer::")
    assert summary.read_text("utf-8").startswith("before\n### Model Lab API: unavailable\n")


def test_a_step_summary_that_cannot_be_written_is_a_warning(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path))
    ran = cli("probe", "--mock", "--site", "US5", "--format", "github")
    assert ran.code == 0
    assert ran.err == f"warning: GITHUB_STEP_SUMMARY {tmp_path} cannot be written: Is a directory\n"


class BrokenClient:
    """Stands for a site's client on a machine that fails."""

    base_url = "https://x.test"

    def exchange(self, *_: Any) -> Any:
        message = "this machine cannot start a thread"
        raise HarnessError(message)


def test_the_harness_own_failure_is_told_once_with_the_probes_it_cost() -> None:
    settings = SiteSettings(SITES["US5"], Credentials("a", "b"), 42)
    client: Any = BrokenClient()
    target = Target(settings.site, client.base_url, settings.credentials, settings.run_id, client)
    words: list[str] = []
    checks = [CHECKS["run"], CHECKS["not-found"]]
    report = probe_all([target], checks, policy=Policy(), fail_on=Level.BREAKING, on_step=words.append)
    assert report.harness_failures == ("this machine cannot start a thread (not known: US5 run, US5 not-found)",)
    assert (report.observations, report.findings, words) == ((), (), ["US5 run", "US5 not-found"])
    assert abs((datetime.now(UTC) - report.at).total_seconds()) < 60
