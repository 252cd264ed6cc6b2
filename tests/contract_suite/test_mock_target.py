"""The default target: the mock, started by the suite."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from monitors import recordings

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.usefixtures("_no_keys")


@pytest.fixture(scope="module")
def whole(run_suite: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Run the whole suite once, with every report."""
    folder = tmp_path_factory.mktemp("reports")
    outcome = run_suite(f"--har={folder / 'traffic.har'}", f"--junitxml={folder / 'junit.xml'}")
    outcome.folder = folder
    return outcome


def test_the_suite_passes_without_any_configuration_and_without_a_warning(whole: Any) -> None:
    assert whole.exit_code == 0, whole.output
    assert whole.skipped == {}
    assert whole.warnings == []


def test_only_get_is_ever_sent_and_only_for_runs(whole: Any) -> None:
    assert {method for method, _ in whole.requests} == {"GET"}
    assert all(path.startswith("/api/v2/model-lab-api/runs/") for _, path in whole.requests)


def test_every_request_is_counted_and_kept(whole: Any) -> None:
    entries = json.loads((whole.folder / "traffic.har").read_text())["log"]["entries"]
    assert len(entries) == len(whole.requests)
    assert f"model-lab: {len(entries)} requests to 9 mock sites in " in whole.output


def test_each_question_is_asked_once_for_each_site(whole: Any) -> None:
    entries = json.loads((whole.folder / "traffic.har").read_text())["log"]["entries"]
    asked = Counter(entry["comment"] for entry in entries if "connect" in entry["timings"])
    wrong_keys = asked.pop("US1 run") - 1
    assert wrong_keys == 4
    assert len(asked) == 35
    assert set(asked.values()) == {1}


def test_the_property_tests_ask_for_fitting_and_unfitting_ids_once_each(whole: Any) -> None:
    entries = json.loads((whole.folder / "traffic.har").read_text())["log"]["entries"]
    generated = [entry for entry in entries if entry["comment"] == "US1"]
    statuses = Counter(entry["response"]["status"] for entry in generated)
    assert statuses[200] >= 25
    assert statuses[400] >= 25
    assert {200, 400, 401, 403, 404, 429, 500} == set(statuses)
    assert len({entry["request"]["url"] for entry in generated}) > len(generated) / 2


def test_the_archive_holds_no_key_and_can_be_judged_again(whole: Any) -> None:
    path = whole.folder / "traffic.har"
    assert "mock-api-key" not in path.read_text()
    assert "mock-app-key" not in path.read_text()
    read = list(recordings.read(path))
    entries = json.loads(path.read_text())["log"]["entries"]
    assert Counter(seen.status for seen in read if not isinstance(seen, recordings.LeftAside)) <= Counter(
        entry["response"]["status"] for entry in entries
    )
    assert sum(not isinstance(seen, recordings.LeftAside) for seen in read) >= 150


def test_the_junit_report_names_site_and_check(whole: Any) -> None:
    text = (whole.folder / "junit.xml").read_text()
    assert re.search(
        r'<testcase [^>]*name="test_the_bytes_are_json\[EU1-bad-request\]"[^>]*><properties>'
        r'<property name="site" value="EU1" ?/><property name="check" value="bad-request" ?/></properties>',
        text,
    )


def test_two_processes_share_the_work_and_their_archives_are_merged(tmp_path: Path) -> None:
    archive, junit = tmp_path / "traffic.har", tmp_path / "junit.xml"
    environ = {name: value for name, value in os.environ.items() if not name.startswith(("DD_", "PYTEST_", "COV"))}
    command = [sys.executable, "-m", "pytest", str(ROOT / "contract_tests"), "-n", "2", "-p", "no:cacheprovider",
               f"--har={archive}", f"--junitxml={junit}"]  # fmt: skip
    done = subprocess.run(  # noqa: S603 - our own command
        command, cwd=ROOT, env=environ, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    entries = json.loads(archive.read_text())["log"]["entries"]
    assert f"model-lab: {len(entries)} requests to 9 mock sites" in done.stdout
    assert {entry["comment"].partition(" ")[0] for entry in entries} == {
        "US1", "US3", "US5", "EU1", "AP1", "AP2", "UK1", "US1-FED", "US2-FED",
    }  # fmt: skip
    starts = [entry["startedDateTime"] for entry in entries]
    assert starts == sorted(starts)
    assert 'value="UK1"' in junit.read_text()


def test_types_that_differ_between_sites_fail_parity(run_suite: Callable[..., Any]) -> None:
    outcome = run_suite("--mock-scenario=US5=drifted:number-as-string", "-k", "parity")
    [(name, message)] = outcome.failed.items()
    assert name == "contract_tests/test_parity.py::test_no_two_sites_disagree_on_a_type[run]"
    assert message == (
        "check run: the sites contradict each other\n$.data.attributes.project_id: "
        "number on US1 US3 EU1 AP1 AP2 UK1 US1-FED US2-FED, string on US5"
    )


def test_a_new_member_on_its_way_from_site_to_site_is_a_warning(run_suite: Callable[..., Any]) -> None:
    outcome = run_suite("--mock-scenario=rollout:member-added:10000", "-k", "parity")
    assert outcome.exit_code == 0
    assert [text for _, text in outcome.warnings] == [
        "sites differ at $.data.attributes.is_archived: there on US1, absent on US3 US5 EU1 AP1 AP2 UK1 US1-FED US2-FED"
    ]


def test_warnings_fail_where_the_user_wants_them_to(run_suite: Callable[..., Any]) -> None:
    outcome = run_suite("--mock-scenario=drifted:member-added", "-k", "EU1-run",
                        "-W", "error::contract_tests.reporting.ContractWarning")  # fmt: skip
    assert list(outcome.failed) == ["contract_tests/test_success.py::test_the_body_keeps_the_schema[EU1-run]"]


@pytest.mark.parametrize("scenario", ["outage", "server-error", "edge-html", "drifted:nulled"])
def test_the_property_tests_fail_on_what_is_broken(run_suite: Callable[..., Any], scenario: str) -> None:
    outcome = run_suite(f"--mock-scenario={scenario}", "-k", "test_any_run_id")
    [message] = outcome.failed.values()
    assert message.startswith("US1, ")
    assert "Traceback" not in message
    assert "mock-api-key" not in outcome.output


def test_collecting_sends_nothing(run_suite: Callable[..., Any]) -> None:
    outcome = run_suite("--collect-only", "-q")
    assert outcome.exit_code == 0
    assert outcome.requests == []
    assert "requests to" not in outcome.output
