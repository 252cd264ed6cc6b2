"""The GitHub workflows: valid, safe, in step with tox.ini and the command line; a broken contract fails the night."""

from __future__ import annotations

import configparser
import json
import os
import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import click
import jsonschema
import pytest
import yaml

import schemas
from monitors.cli import group
from monitors.exit_codes import FAIL_ON
from monitors.sites import SITES, find_sites

ROOT = Path(__file__).parents[2]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
NIGHTLY = ROOT / ".github" / "workflows" / "nightly.yml"
CI = ROOT / ".github" / "workflows" / "ci.yml"
OUR_COMMANDS = ("model-lab-monitor", "python -m pytest contract_tests")
BIN = Path(sys.executable).parent

each_workflow = pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)


def read(path: Path) -> dict[str, Any]:
    loaded: dict[Any, Any] = yaml.safe_load(path.read_text("utf-8"))
    # YAML 1.1 takes the word `on` for a boolean.
    return {"on" if name is True else name: value for name, value in loaded.items()}


def jobs(path: Path) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = read(path)["jobs"]
    return found


def steps(path: Path) -> list[dict[str, Any]]:
    return [step for job in jobs(path).values() for step in job["steps"]]


def command_lines(path: Path) -> list[str]:
    return [line for step in steps(path) for line in step.get("run", "").splitlines()]


def ran(*command: str, environ: dict[str, str] | None = None, where: Path = ROOT) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603 - commands are made of constants and of the workflows under test
        command, cwd=where, env=os.environ | (environ or {}), capture_output=True, text=True, check=False
    )


def words(line: str) -> list[str]:
    """Split a line as the shell would, variables as a run on all sites has them."""
    values = {"SITES": "all", "FAIL_ON": "breaking"}
    return [values.get(word.removeprefix("$"), word) for word in shlex.split(line)]


@pytest.mark.parametrize(
    ("schema", "paths"),
    [("github-workflows", WORKFLOWS), ("dependabot", [ROOT / ".github" / "dependabot.yml"])],
    ids=["workflows", "dependabot"],
)
def test_the_files_keep_github_s_schemas(schema: str, paths: list[Path]) -> None:
    done = ran(sys.executable, "-m", "check_jsonschema", "--builtin-schema", f"vendor.{schema}", *map(str, paths))
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_security_linter_finds_nothing() -> None:
    done = ran(str(BIN / "zizmor"), "--offline", "--pedantic", "--strict-collection", str(ROOT / ".github"))
    assert done.returncode == 0, done.stdout + done.stderr


@each_workflow
def test_every_action_is_pinned_to_a_commit_and_says_its_version(path: Path) -> None:
    used = re.findall(r"uses: (.*)", path.read_text("utf-8"))
    assert used
    assert [line for line in used if not re.fullmatch(r"[\w.-]+/[\w.-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", line)] == []


def test_one_action_has_one_version_everywhere() -> None:
    used = {step["uses"] for path in WORKFLOWS for step in steps(path) if "uses" in step}
    assert len({action.partition("@")[0] for action in used}) == len(used)


@each_workflow
def test_each_job_may_read_the_code_and_nothing_else_and_ends_in_time(path: Path) -> None:
    workflow = read(path)
    assert workflow["permissions"] == {}
    assert "group" in workflow["concurrency"]
    for job in workflow["jobs"].values():
        assert job["permissions"] == {"contents": "read"}
        assert 0 < job["timeout-minutes"] <= 60


@each_workflow
def test_no_script_holds_an_expression_or_shows_its_environment(path: Path) -> None:
    """Expressions are pasted into scripts before any shell quotes them; `env` and `set -x` would show the keys."""
    shown = re.compile(r"\$\{\{|\bset -\w*x|\bprintenv\b|^\s*(env|set|export|declare -p)\s*$|DD_(API|APP)_KEY")
    assert [line for line in command_lines(path) if shown.search(line)] == []


@each_workflow
def test_keys_are_given_to_no_step_but_those_that_run_our_commands(path: Path) -> None:
    text = path.read_text("utf-8")
    with_keys = [step for step in steps(path) if "secrets." in json.dumps(step)]
    assert ("secrets." in text) == bool(with_keys)
    for step in with_keys:
        assert "secrets." not in json.dumps({name: value for name, value in step.items() if name != "env"})
        assert all(line.startswith(OUR_COMMANDS) for line in step["run"].splitlines())


def test_ci_runs_every_environment_of_tox_and_no_other() -> None:
    parser = configparser.ConfigParser(interpolation=None)
    parser.read(ROOT / "tox.ini", "utf-8")
    assert sorted(env for env, _ in matrix()) == sorted(parser["tox"]["env_list"].split())


def test_ci_has_the_python_each_environment_is_for() -> None:
    assert dict(matrix())["py311"] == "3.11"
    assert [row for row in matrix() if row[0].startswith("py") and row[0] != f"py{row[1].replace('.', '')}"] == []


def test_ci_covers_the_versions_the_project_names() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    named = {word.rpartition(" ")[2] for word in project["classifiers"] if word.startswith("Programming Language")}
    assert {python for _, python in matrix()} == named


def matrix() -> list[tuple[str, str]]:
    rows = jobs(CI)["tox"]["strategy"]["matrix"]
    crossed = [(env, python) for env in rows["env"] for python in rows["python"]]
    return crossed + [(row["env"], row["python"]) for row in rows["include"]]


def test_the_extras_installed_are_there() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    wanted = {extra for path in WORKFLOWS for line in command_lines(path) for extra in re.findall(r"\.\[(\w+)\]", line)}
    assert wanted == {"contract"}
    assert wanted <= set(project["optional-dependencies"])


def our_lines(program: str) -> list[Any]:
    lines = [line for path in WORKFLOWS for line in command_lines(path) if line.startswith(program)]
    assert lines
    return [pytest.param(words(line), id=line) for line in lines]


@pytest.mark.parametrize("line", our_lines("model-lab-monitor"))
def test_the_command_line_takes_what_the_workflows_say(line: list[str]) -> None:
    name = line[1]
    command = group.get_command(click.Context(group), name)
    assert command is not None
    command.make_context(name, line[2:])


@pytest.mark.parametrize("line", our_lines("python -m pytest"))
def test_the_contract_tests_take_what_the_workflows_say(line: list[str], tmp_path: Path) -> None:
    command = [sys.executable, *line[1:], "--collect-only", "-q", "-p", "no:cacheprovider"]
    report = command.index("--junit-xml") + 1
    command[report] = str(tmp_path / command[report])
    done = ran(*command)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "US2-FED" in done.stdout


def test_every_site_s_keys_and_run_reach_both_steps_of_the_night() -> None:
    suffixes = [site.env_suffix for site in SITES.values()]
    wanted = {f"DD_API_KEY_{suffix}": f"${{{{ secrets.DD_API_KEY_{suffix} }}}}" for suffix in suffixes}
    wanted |= {f"DD_APP_KEY_{suffix}": f"${{{{ secrets.DD_APP_KEY_{suffix} }}}}" for suffix in suffixes}
    wanted |= {f"MODEL_LAB_RUN_ID_{suffix}": f"${{{{ vars.MODEL_LAB_RUN_ID_{suffix} }}}}" for suffix in suffixes}
    assert [step["env"] for step in steps(NIGHTLY) if "env" in step] == [wanted, wanted]


def test_a_run_by_hand_offers_words_the_commands_take() -> None:
    inputs = read(NIGHTLY)["on"]["workflow_dispatch"]["inputs"]
    assert inputs["fail-on"]["default"] in inputs["fail-on"]["options"]
    assert set(inputs["fail-on"]["options"]) <= set(FAIL_ON)
    assert len(find_sites([inputs["sites"]["default"]])) == len(SITES)


def test_a_scheduled_run_has_the_defaults_of_a_run_by_hand() -> None:
    """A schedule has no inputs, so the defaults stand in the workflow twice."""
    inputs, given = read(NIGHTLY)["on"]["workflow_dispatch"]["inputs"], jobs(NIGHTLY)["sites"]["env"]
    assert given == {
        "SITES": f"${{{{ inputs.sites || '{inputs['sites']['default']}' }}}}",
        "FAIL_ON": f"${{{{ inputs.fail-on || '{inputs['fail-on']['default']}' }}}}",
    }


@pytest.mark.parametrize("step", ["Contract tests", "Keep the reports"])
def test_whatever_the_probe_says_the_night_goes_on(step: str) -> None:
    assert next(row for row in steps(NIGHTLY) if row.get("name") == step)["if"] == "${{ !cancelled() }}"


def test_every_report_the_night_writes_is_kept() -> None:
    written = [line.split()[index + 1] for line in command_lines(NIGHTLY) for index in reports(line.split())]
    kept = next(step["with"]["path"] for step in steps(NIGHTLY) if "upload-artifact" in step.get("uses", ""))
    assert kept.split() == written


def reports(line: list[str]) -> list[int]:
    return [index for index, word in enumerate(line) if word in {"--output", "--save", "--junit-xml"}]


@pytest.mark.parametrize(
    ("scenario", "fail_on", "code"),
    [
        ("healthy", "breaking", 0),
        ("US5=drifted:nulled@$.data.attributes.name", "breaking", 1),
        ("US5=outage:503", "breaking", 3),
        ("US5=drifted:member-added", "breaking", 0),
        ("US5=drifted:member-added", "info", 1),
    ],
)
def test_the_probe_of_the_night_on_mock_sites(scenario: str, fail_on: str, code: int, tmp_path: Path) -> None:
    """The step's own script, on mock sites: its exit code decides the night, and its report keeps our schema."""
    script = next(step["run"] for step in steps(NIGHTLY) if step.get("name") == "Probe")
    called = f"{shlex.quote(sys.executable)} -c 'from monitors.cli import main; main()'"
    script = script.replace("model-lab-monitor probe", f"{called} probe --mock {shlex.quote(scenario)}")
    environ = {
        "SITES": "all",
        "FAIL_ON": fail_on,
        "PYTHONPATH": str(ROOT),
        "GITHUB_STEP_SUMMARY": str(tmp_path / "summary.md"),
    }
    done = ran("bash", "-eo", "pipefail", "-c", script, environ=environ, where=tmp_path)
    assert done.returncode == code, done.stdout + done.stderr
    report = json.loads((tmp_path / "probe.json").read_text("utf-8"))
    jsonschema.validate(report, schemas.document("report"))
    assert len(report["observations"]) == 4 * len(SITES)
    assert (report["verdict"] == "none") == (scenario == "healthy")
    assert ("::error" in done.stdout) == (report["verdict"] == "breaking")
    assert (tmp_path / "summary.md").read_text("utf-8")
