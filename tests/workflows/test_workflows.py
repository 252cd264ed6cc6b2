"""The GitHub workflows: valid, safe, in step with tox.ini and the command line; a broken contract fails the night."""

from __future__ import annotations

import configparser
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import click
import pytest
import yaml

from monitors.cli import group
from monitors.exit_codes import FAIL_ON
from monitors.sites import SITES, find_sites

ROOT = Path(__file__).parents[2]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
NIGHTLY = ROOT / ".github" / "workflows" / "nightly.yml"
CI = ROOT / ".github" / "workflows" / "ci.yml"
OUR_COMMANDS = ("model-lab-monitor", "python -m pytest contract_tests")
HISTORY = "deploy/github/history.sh"
PERMISSIONS = {
    "watch": {"contents": "read", "actions": "read", "issues": "write"},
    # Every other job reads the code.
}
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
    """Split a line as the shell would, without where its output goes; variables are as a run on all sites has them."""
    values = {"SITES": "all", "FAIL_ON": "breaking"}
    return [values.get(word.removeprefix("$"), word) for word in shlex.split(line.partition(" >> ")[0])]


@pytest.mark.parametrize(
    ("schema", "paths"),
    [("github-workflows", WORKFLOWS), ("dependabot", [ROOT / ".github" / "dependabot.yml"])],
    ids=["workflows", "dependabot"],
)
def test_the_files_keep_github_s_schemas(schema: str, paths: list[Path]) -> None:
    done = ran(sys.executable, "-m", "check_jsonschema", "--builtin-schema", f"vendor.{schema}", *map(str, paths))
    assert done.returncode == 0, done.stdout + done.stderr


def test_actionlint_finds_nothing_nor_shellcheck_in_the_scripts() -> None:
    """It knows what the schema does not: expressions and their types, contexts, needs, labels of runners."""
    done = ran(str(BIN / "actionlint"), "-shellcheck", str(BIN / "shellcheck"), *map(str, WORKFLOWS))
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("steps.history.outcome", "steps.histroy.outcome"),
        ("needs: watch", "needs: watcher"),
        ('"$FAIL_ON"', "$FAIL_ON"),
    ],
)
def test_actionlint_would_have_found_a_mistake(right: str, wrong: str, tmp_path: Path) -> None:
    broken = tmp_path / "nightly.yml"
    broken.write_text(NIGHTLY.read_text("utf-8").replace(right, wrong))
    assert ran(str(BIN / "actionlint"), "-shellcheck", str(BIN / "shellcheck"), str(broken)).returncode == 1


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
def test_each_job_may_do_what_it_needs_and_ends_in_time(path: Path) -> None:
    workflow = read(path)
    assert workflow["permissions"] == {}
    assert "group" in workflow["concurrency"]
    for name, job in workflow["jobs"].items():
        assert job["permissions"] == PERMISSIONS.get(name, {"contents": "read"})
        assert 0 < job["timeout-minutes"] <= 60


def test_two_nights_never_run_at_once_and_none_is_cut_off() -> None:
    assert read(NIGHTLY)["concurrency"] == {"group": "nightly", "cancel-in-progress": False}


@each_workflow
def test_no_script_holds_an_expression_or_shows_its_environment(path: Path) -> None:
    """Expressions are pasted into scripts before any shell quotes them; `env` and `set -x` would show the keys."""
    shown = re.compile(r"\$\{\{|\bset -\w*x|\bprintenv\b|^\s*(env|set|export|declare -p)\s*$|DD_(API|APP)_KEY")
    assert [line for line in command_lines(path) if shown.search(line)] == []


@each_workflow
def test_secrets_are_given_to_no_step_but_those_that_need_them(path: Path) -> None:
    text = path.read_text("utf-8")
    with_secrets = [step for step in steps(path) if re.search(r"secrets\.|github\.token", json.dumps(step))]
    assert bool(re.search(r"secrets\.|github\.token", text)) == bool(with_secrets)
    for step in with_secrets:
        assert "secrets." not in json.dumps({name: value for name, value in step.items() if name != "env"})
        allowed = OUR_COMMANDS if "secrets.DD_" in json.dumps(step) else (HISTORY,)
        assert all(line.startswith(allowed) for line in step["run"].splitlines())


def test_ci_runs_every_environment_of_tox_and_no_other() -> None:
    parser = configparser.ConfigParser(interpolation=None)
    parser.read(ROOT / "tox.ini", "utf-8")
    assert sorted(env for env, _ in matrix()) == sorted(parser["tox"]["env_list"].split())


def test_ci_has_the_python_each_environment_is_for() -> None:
    assert dict(matrix())["coverage"] == "3.11"
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
    assert named("Watch")["env"] == wanted | {"GITHUB_TOKEN": "${{ github.token }}"}
    assert named("Contract tests")["env"] == wanted


def named(name: str) -> dict[str, Any]:
    """Return the one step of the night that has this name."""
    (found,) = (step for step in steps(NIGHTLY) if step.get("name") == name)
    return found


def test_a_run_by_hand_offers_words_the_commands_take() -> None:
    inputs = read(NIGHTLY)["on"]["workflow_dispatch"]["inputs"]
    assert inputs["fail-on"]["default"] in inputs["fail-on"]["options"]
    assert set(inputs["fail-on"]["options"]) <= set(FAIL_ON)
    assert len(find_sites([inputs["sites"]["default"]])) == len(SITES)


def test_a_scheduled_run_has_the_defaults_of_a_run_by_hand() -> None:
    """A schedule has no inputs, so the defaults stand in the workflow twice."""
    inputs, given = read(NIGHTLY)["on"]["workflow_dispatch"]["inputs"], read(NIGHTLY)["env"]
    assert given == {
        "SITES": f"${{{{ inputs.sites || '{inputs['sites']['default']}' }}}}",
        "FAIL_ON": f"${{{{ inputs.fail-on || '{inputs['fail-on']['default']}' }}}}",
    }


def test_whatever_the_probes_say_the_night_goes_on() -> None:
    assert jobs(NIGHTLY)["contract-tests"]["if"] == "${{ !cancelled() }}"
    kept = [step for step in steps(NIGHTLY) if step.get("name") == "Keep the report"]
    assert [step["if"] for step in kept] == ["${{ !cancelled() }}"] * 2


@pytest.mark.parametrize("step", ["Pack the history", "Keep the history"])
def test_the_history_is_kept_whatever_becomes_of_the_night(step: str) -> None:
    """But for a night that could not fetch it: what it would keep is an empty one."""
    assert named("Fetch the history")["id"] == "history"
    assert named(step)["if"] == "${{ always() && steps.history.outcome == 'success' }}"


def test_the_history_is_fetched_before_the_sites_are_watched_and_packed_after_all_that_writes_it() -> None:
    names = [step.get("name") for step in jobs(NIGHTLY)["watch"]["steps"]]
    wanted = ["Fetch the history", "Watch", "Summarise", "Pack the history", "Keep the history"]
    assert [name for name in names if name in wanted] == wanted


def test_the_history_is_kept_under_the_name_it_is_looked_for() -> None:
    script = (ROOT / HISTORY).read_text("utf-8")
    constants = dict(re.findall(r"^([A-Z]+)=(\S+)$", script, re.MULTILINE))
    kept = named("Keep the history")["with"]
    assert kept["name"] == constants["NAME"]
    assert all(fnmatch(constants[name], kept["path"]) for name in ("PLAIN", "ENCRYPTED"))
    assert (kept["overwrite"], kept["if-no-files-found"]) == (True, "error")


def test_the_configuration_of_the_night_names_this_repository(tmp_path: Path) -> None:
    environ = {"GITHUB_REPOSITORY": "example/model-lab"}
    shutil.copytree(ROOT / "deploy" / "github", tmp_path / "deploy" / "github")
    done = ran("bash", "-eo", "pipefail", "-c", named("Configure")["run"], environ=environ, where=tmp_path)
    assert done.returncode == 0, done.stderr
    written = tomllib.loads((tmp_path / "nightly.toml").read_text("utf-8"))
    assert written["sinks"]["issues"]["repository"] == "example/model-lab"
    assert written["sinks"]["issues"]["token_env"] in named("Watch")["env"]


def test_every_report_the_night_writes_is_kept() -> None:
    written = [line.split()[index + 1] for line in command_lines(NIGHTLY) for index in reports(line.split())]
    kept = [step["with"]["path"] for step in steps(NIGHTLY) if step.get("name") == "Keep the report"]
    assert kept == written


def reports(line: list[str]) -> list[int]:
    return [index for index, word in enumerate(line) if word in {"--output", "--save", "--junit-xml"}]
