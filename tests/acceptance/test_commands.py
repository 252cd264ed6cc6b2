"""The commands: a finding accepted no longer fails, a mistake is one line, a patch comes out whole or not at all."""

from __future__ import annotations

import json
import os
import sys
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import schemas
from monitors.cli import run

if TYPE_CHECKING:
    from collections.abc import Callable

NULLED = "$.data.attributes.name"


@pytest.fixture
def cli(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Callable[..., tuple[int, str, str]]:
    """Run command lines in a directory with `good.json` and `bad.json`, whose name is null."""
    monkeypatch.chdir(tmp_path)
    for name in os.environ:
        if name.startswith(("DD_", "MODEL_LAB_", "GITHUB_")):
            monkeypatch.delenv(name)
    body: dict[str, Any] = next(e.body for e in schemas.examples() if e.name == "valid/200/minimal")  # type: ignore[assignment]  # a run
    Path("good.json").write_text(json.dumps(body))
    body["data"]["attributes"] |= {"name": None, "queue": "a"}
    Path("bad.json").write_text(json.dumps(body))

    def ran(*words: str) -> tuple[int, str, str]:
        capfd.readouterr()
        code = run(words)
        return code, *capfd.readouterr()

    assert ran("check", "bad.json", "--format", "json", "--output", "report.json", "-q") == (1, "", "")
    return ran


def fingerprints() -> dict[str, str]:
    report = json.loads(Path("report.json").read_text())
    return {finding["location"]: finding["fingerprint"] for finding in report["findings"]}


def accept(cli: Callable[..., Any], *more: str) -> tuple[int, str, str]:
    words = ("accept", fingerprints()[NULLED], "--from", "report.json", "--reason", "known", "--by", "Ada", *more)
    result: tuple[int, str, str] = cli(*words)
    return result


def test_an_accepted_finding_is_shown_and_no_longer_fails(cli: Callable[..., Any]) -> None:
    code, out, err = accept(cli)
    assert (code, out) == (0, "")
    assert err == f"accepted {fingerprints()[NULLED]} (response-property-became-nullable) in model-lab-accepted.toml\n"
    code, out, _ = cli("check", "bad.json", "--format", "json")
    found = {finding["location"]: finding["accepted"] for finding in json.loads(out)["findings"]}
    assert (code, json.loads(out)["verdict"]) == (0, "info")
    assert found == {NULLED: {"reason": "known", "by": "Ada", "expires": None}, "$.data.attributes.queue": None}


def test_an_acceptance_that_has_expired_counts_no_more(cli: Callable[..., Any]) -> None:
    accept(cli)
    path = Path("model-lab-accepted.toml")
    path.write_text(path.read_text() + "expires = 2026-01-01\n")
    code, out, _ = cli("check", "bad.json")
    assert code == 1
    assert "Accepted until 2026-01-01, which has passed" in out


def test_an_acceptance_of_what_is_gone_is_told(cli: Callable[..., Any]) -> None:
    accept(cli)
    Path("bad.json").write_bytes(Path("good.json").read_bytes())
    code, out, _ = cli("check", "bad.json")
    assert (code, "no longer seen" in out) == (0, True)
    assert "no longer seen" not in cli("check", "good.json")[1]


def test_a_file_elsewhere_counts_where_it_is_named(cli: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    accept(cli, "--file", "other.toml")
    assert cli("check", "bad.json")[0] == 1
    assert cli("check", "bad.json", "--accepted", "other.toml")[0] == 0
    monkeypatch.setenv("MODEL_LAB_ACCEPTED", "other.toml")
    assert cli("check", "bad.json")[0] == 0


def test_accepting_again_changes_the_entry(cli: Callable[..., Any]) -> None:
    accept(cli)
    accept(cli, "--reason", "  better\nknown ", "--expires", "2999-12-31")
    [entry] = tomllib.loads(Path("model-lab-accepted.toml").read_text())["accepted"]
    assert (entry["reason"], str(entry["expires"]), entry["by"]) == ("better known", "2999-12-31", "Ada")
    assert entry["sources"] == ["bad.json"]


def test_without_a_fingerprint_those_of_the_report_are_listed(cli: Callable[..., Any]) -> None:
    code, out, _ = cli("accept", "--from", "report.json")
    assert code == 0
    assert out.splitlines()[0] == (
        f"{fingerprints()[NULLED]}  breaking  response-property-became-nullable at {NULLED}  bad.json"
    )
    cli("check", "good.json", "--format", "json", "--output", "fine.json", "-q")
    assert cli("accept", "--from", "fine.json") == (0, "The report has no findings.\n", "")


def test_a_report_is_taken_from_standard_input(cli: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    with Path("report.json").open() as stream:
        monkeypatch.setattr(sys, "stdin", stream)
        assert accept(cli, "--from", "-")[0] == 0
    monkeypatch.setattr(sys, "stdin", None)
    code, _, err = cli("accept", "0" * 16)
    assert (code, err) == (
        2, "error: --from is missing: name a report of probe or check (--format json), or pipe one in\n",
    )  # fmt: skip


def test_who_accepts_is_what_git_says(cli: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    config = tmp_path / "gitconfig"
    config.write_text("[user]\nname = Grace Hopper\n")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(config))
    words = ("accept", fingerprints()[NULLED], "--from", "report.json", "--reason", "known")
    assert cli(*words)[0] == 0
    assert 'by = "Grace Hopper"' in Path("model-lab-accepted.toml").read_text()
    monkeypatch.setenv("PATH", "")
    monkeypatch.setenv("LOGNAME", "grace")
    assert cli(*words)[0] == 0
    assert 'by = "grace"' in Path("model-lab-accepted.toml").read_text()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["accept", "FP", "--from", "report.json"], "--reason is missing: say why, for whoever reviews the file"),
        (["accept", "FP", "--from", "report.json", "--reason", " "], "--reason is missing"),
        (["accept", "FP", "--from", "report.json", "--reason", "r", "--expires", "2020-01-01"],
         "--expires 2020-01-01: is past already; name a day to come"),
        (["accept", "FP", "--from", "report.json", "--reason", "r", "--by", " "], "--by is missing"),
        (["accept", "FP", "--from", "none.json", "--reason", "r"], "cannot read the report none.json: no such file"),
        (["accept", "FP", "--from", "good.json", "--reason", "r"], "good.json: no report; write one with"),
        (["accept", "0000", "--from", "report.json", "--reason", "r"], "'0000' is not in the report. It has "),
        (["accept", "FP", "--from", "report.json", "--reason", "r", "--file", "."], "--file .: is a directory"),
        (["check", "bad.json", "--accepted", "none.toml"], "cannot read the accepted findings none.toml: no such file"),
        (["propose", "--from", "none.json"], "none.json: no such file"),
        (["propose", "0000", "--from", "bad.json"], "'0000' is not in the report. It has "),
        (["propose", "--from", "bad.json", "--checkout", "."], "is this the contract's checkout?"),
    ],
)  # fmt: skip
def test_each_mistake_is_one_line(words: list[str], message: str, cli: Callable[..., Any]) -> None:
    code, out, err = cli(*(fingerprints()[NULLED] if word == "FP" else word for word in words))
    assert (code, out) == (2, "")
    assert err.startswith("error: ")
    assert message in err
    assert err.count("\n") == 1
    assert not Path("model-lab-accepted.toml").exists()


def test_a_patch_of_a_report_and_of_the_answer_are_one_change(cli: Callable[..., Any]) -> None:
    fingerprint = fingerprints()[NULLED]
    code, patch, err = cli("propose", fingerprint, "--from", "bad.json")
    assert (code, err) == (0, f"{NULLED}: may be null\n")
    assert cli("propose", fingerprint, "--from", "report.json")[1] == patch
    assert "queue" not in patch


def test_the_reason_comes_from_the_accepted_findings(cli: Callable[..., Any]) -> None:
    accept(cli)
    assert '+    "reason": "known"\n' in cli("propose", fingerprints()[NULLED], "--from", "report.json")[1]
    assert '+    "reason": "why not"\n' in cli("propose", "--from", "report.json", "--reason", "why not")[1]


def test_what_cannot_be_proposed_is_said_and_asked_for_by_name_a_mistake(cli: Callable[..., Any]) -> None:
    Path("bad.json").write_text("{")
    code, patch, err = cli("propose", "--from", "bad.json")
    assert (code, patch) == (0, "")
    assert "(response-body-not-json at $): no change of a schema makes this rule true\nnothing to propose\n" in err
    fingerprint = err.split()[2]
    code, _, err = cli("propose", fingerprint, "--from", "bad.json", "--output", "x.patch")
    assert (code, Path("x.patch").exists()) == (2, False)
    assert err.endswith(
        "no change of a schema makes this rule true; accept it instead, or change the contract by hand\n"
    )


def test_several_answers_are_taken_together(cli: Callable[..., Any]) -> None:
    body = json.loads(Path("bad.json").read_text())
    Path("many").mkdir()
    for number, value in enumerate(["a", 1, 2.5, None]):
        body["data"]["attributes"]["queue"] = value
        Path("many", f"{number}.json").write_text(json.dumps(body))
    code, patch, _ = cli("propose", "--from", "many")
    assert code == 0
    described = patch.split('+            "queue": {\n')[1].split("\n+            }")[0]
    assert [line.strip("+ ,") for line in described.split("\n")][:5] == [
        '"type": [', '"string"', '"number"', '"null"', "]",
    ]  # fmt: skip


def test_a_cassette_of_other_operations_has_nothing_to_propose(cli: Callable[..., Any]) -> None:
    entry = {"request": {"method": "GET", "url": "https://api.datadoghq.com/api/v1/validate"},
             "response": {"status": 200, "content": {"text": "{}"}, "headers": []}}  # fmt: skip
    Path("other.har").write_text(json.dumps({"log": {"entries": [entry]}}))
    assert cli("propose", "--from", "other.har") == (0, "", "nothing to propose\n")
