from __future__ import annotations

import json
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from monitors.rules import RULES
from monitors.sites import SITES

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Cli


def test_the_demo_tells_its_story_and_ends_well(cli: Cli) -> None:
    ran = cli("demo", "--pause", "0")
    assert (ran.code, ran.err) == (0, "")
    verdicts = [line for line in ran.out.splitlines() if line.startswith(("✓ ", "✗ The", "✗ EU1"))]
    assert len(verdicts) == 5
    assert verdicts[0].startswith("✓ All well")
    assert verdicts[1] == "✗ The contract is broken on US5 (36 probes of 9 sites)."
    assert verdicts[2].startswith("✗ EU1 is unavailable (edge-answer); the contract is broken on US3 and US5")
    assert verdicts[3] == "✗ The contract is broken on US3 and US5 (36 probes of 9 sites)."
    assert verdicts[4].startswith("✓ All well")


def test_sites_are_listed_with_what_is_configured(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DD_API_KEY_EU1", "api-key-value")
    monkeypatch.setenv("DD_APP_KEY_EU1", "app-key-value")
    monkeypatch.setenv("MODEL_LAB_RUN_ID_EU1", "7")
    rows = json.loads(cli("sites", "--format", "json").out)
    assert [row["key"] for row in rows] == list(SITES)
    configured = next(row for row in rows if row["key"] == "EU1")
    assert (configured["keys"], configured["run_id"]) == (True, 7)
    assert [row["key"] for row in rows if row["keys"]] == ["EU1"]
    table = cli("sites", "--site", "EU1,US5").out
    assert [line.split()[0] for line in table.splitlines()] == ["site", "US5", "EU1"]
    assert table.splitlines()[2].split()[-2:] == ["yes", "7"]
    assert "key-value" not in table


def test_a_variable_of_no_site_is_a_warning_and_no_mistake(
    cli: Cli, wired: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DD_API_KEY_US6", "not-to-be-printed")
    said = "warning: DD_API_KEY_US6 is not read: no site is called US6; did you mean DD_API_KEY_US5?\n"
    probe = ("probe", "--site", "US5", "--check", "unauthenticated", "--no-state", *wired)
    for arguments in (("sites",), probe):
        ran = cli(*arguments)
        assert (ran.code, ran.err) == (0, said)
    assert cli(*probe, "--quiet").err == ""
    assert cli("probe", "--mock", "--site", "US5").err == ""


def test_rules_are_listed_for_people_and_programs(cli: Cli) -> None:
    assert [row["rule"] for row in json.loads(cli("rules", "--format", "json").out)] == list(RULES)
    lines = cli("rules").out.splitlines()[1:]
    assert [line.split()[:3] for line in lines] == [
        [rule.id, str(rule.level), str(rule.kind)] for rule in RULES.values()
    ]
    assert all(line.endswith(rule.meaning) for line, rule in zip(lines, RULES.values(), strict=True))
    rows = [line for line in cli("rules", "--format", "markdown").out.splitlines() if line.startswith("| `")]
    assert [row.split("`")[1] for row in rows] == list(RULES)


def test_rules_of_a_single_answer_come_first(cli: Cli) -> None:
    listed = json.loads(cli("rules", "--format", "json").out)
    groups = [row["group"] for row in listed]
    assert groups == sorted(groups, key=["answer", "comparison", "published", "monitor"].index)
    of = {row["rule"]: row["group"] for row in listed}
    assert of["response-property-became-nullable"] == of["edge-answer"] == "answer"
    assert of["response-property-renamed"] == "comparison"
    assert of["site-added"] == "published"


def test_a_list_obeys_the_width_it_is_told(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    for command in ("rules", "sites"):
        lines = cli(command).out.splitlines()
        assert max(map(len, lines)) <= 50
        assert "…" not in "".join(lines)
    assert "US1-FED" in lines


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_scripts_are_printed(shell: str, cli: Cli, tmp_path: Path) -> None:
    ran = cli("completion", shell)
    assert ran.code == 0
    assert "_MODEL_LAB_MONITOR_COMPLETE" in ran.out
    interpreter = shutil.which(shell)
    if interpreter:
        script = tmp_path / "script"
        script.write_text(ran.out)
        subprocess.run([interpreter, "-n", str(script)], check=True)  # noqa: S603 - the shell the script is for


def test_completion_knows_the_shell_one_sits_in(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHELL", "/usr/bin/zsh")
    assert cli("completion").out.startswith("#compdef model-lab-monitor")
    monkeypatch.setenv("SHELL", "/bin/tcsh")
    assert cli("completion").err == ("error: $SHELL names no shell with completion; write one of bash, zsh, fish\n")
