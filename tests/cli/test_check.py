from __future__ import annotations

import io
import json
import sys
from typing import TYPE_CHECKING, Any

import jsonschema_rs
import pytest

import schemas

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Cli

REPORT = jsonschema_rs.Draft202012Validator(schemas.document("report"))
EXAMPLES = {example.name: example for example in schemas.examples()}
GOOD = EXAMPLES["valid/200/every-member"]
BAD = EXAMPLES["invalid/run/null/data.attributes.name-is-null"]
OURS = "https://api.us5.datadoghq.com/api/v2/model-lab-api/runs/42"
OTHER = "https://api.us5.datadoghq.com/api/v2/incidents"


def entry(url: str, body: Any) -> dict[str, Any]:
    return {
        "startedDateTime": "2026-05-18T15:55:36Z",
        "request": {"method": "GET", "url": url, "headers": []},
        "response": {
            "status": 200,
            "headers": [{"name": "content-type", "value": "application/json"}],
            "content": {"mimeType": "application/json", "text": json.dumps(body)},
        },
    }


def har(path: Path, *entries: dict[str, Any]) -> Path:
    path.write_text(json.dumps({"log": {"version": "1.2", "entries": list(entries)}}), "utf-8")
    return path


def body(path: Path, value: Any) -> Path:
    path.write_text(json.dumps(value), "utf-8")
    return path


def test_a_good_body_keeps_the_contract(cli: Cli, tmp_path: Path) -> None:
    ran = cli("check", body(tmp_path / "run.json", GOOD.body))
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.splitlines()[-1] == "✓ Every answer keeps the contract (1 judged)."


def test_a_broken_body_names_rule_location_and_file(cli: Cli, tmp_path: Path) -> None:
    ran = cli("check", body(tmp_path / "run.json", BAD.body), "--format", "json")
    assert ran.code == 1
    report = json.loads(ran.out)
    REPORT.validate(report)
    (found,) = report["findings"]
    assert (found["rule"], found["location"]) == (BAD.rule, BAD.location)
    assert found["source"] == str(tmp_path / "run.json")
    assert "observations" not in report


def test_a_status_belongs_to_raw_bodies(cli: Cli, tmp_path: Path) -> None:
    error = body(tmp_path / "error.json", {"errors": [{"title": "Generic Error", "detail": "run not found"}]})
    assert cli("check", error).code == 1
    assert cli("check", error, "--status", "404").code == 0


def test_other_operations_are_counted_and_left_aside(cli: Cli, tmp_path: Path) -> None:
    path = har(tmp_path / "a.har", entry(OTHER, {}), entry(OURS, GOOD.body), entry(OTHER, []))
    ran = cli("check", path)
    assert "Left aside: 2 entries" in ran.out
    assert "1 judged, 2 left aside" in ran.out


def test_nothing_to_judge_is_no_success(cli: Cli, tmp_path: Path) -> None:
    ran = cli("check", har(tmp_path / "a.har", entry(OTHER, {})))
    assert ran.code == 2
    assert ran.err == "error: nothing to judge: none of the recorded answers is one of this operation\n"
    assert "Nothing was judged" in ran.out


def test_a_recording_cut_short_is_not_taken_for_an_empty_one(cli: Cli, tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_text("interactions:\n- request: {")
    ran = cli("check", path)
    assert (ran.code, ran.err) == (2, "error: nothing to judge: no answer was found; is the file complete?\n")
    assert ran.out == "▲ Nothing was judged (0 judged).\n"


@pytest.mark.parametrize("text", ["abc", "4.2", "", "9223372036854775808", "\uff11"])
def test_a_run_id_is_an_integer_of_64_bits(text: str, cli: Cli, tmp_path: Path) -> None:
    ran = cli("check", body(tmp_path / "run.json", GOOD.body), "--run-id", text)
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith("error: invalid value for '--run-id': ")
    assert ran.err.endswith("; see model-lab-monitor check --help\n")


def test_an_error_without_its_status_gets_a_hint(cli: Cli, tmp_path: Path) -> None:
    error = {"errors": [{"title": "Generic Error", "detail": "run not found"}]}
    paths = [body(tmp_path / f"{number}.json", error) for number in (1, 2)]
    said = "but no status was given, so 200 was taken; give the one it came with, e.g. --status 404\n"
    assert cli("check", paths[0]).err == f"note: {paths[0]} looks like an error, {said}"
    assert cli("check", *paths).err == f"note: {paths[0]} and {paths[1]} look like errors, {said}"
    assert cli("check", paths[0], "--quiet").err == ""
    assert cli("check", paths[0], "--status", "404").err == ""


@pytest.mark.parametrize("value", [{"errors": "none"}, {"data": {}, "errors": []}, [{"errors": []}], {"data": 1}])
def test_other_bodies_get_no_hint(value: Any, cli: Cli, tmp_path: Path) -> None:
    assert cli("check", body(tmp_path / "a.json", value)).err == ""


def test_an_error_whose_status_was_recorded_gets_no_hint(cli: Cli, tmp_path: Path) -> None:
    assert cli("check", har(tmp_path / "a.har", entry(OURS, {"errors": ["x"]}))).err == ""


def test_verbose_lists_every_answer(cli: Cli, tmp_path: Path) -> None:
    path = har(tmp_path / "a.har", entry(OURS, GOOD.body), entry(OURS, BAD.body))
    lines = cli("check", path, "--verbose").out.splitlines()
    assert lines[0].startswith("✓ 200 ")
    assert lines[1].startswith("✗ 200 ")
    assert "".join(lines[:3]).count("#") == 2
    assert not cli("check", path).out.startswith("✓ 200")


def test_a_broken_file_does_not_hide_what_the_others_hold(cli: Cli, tmp_path: Path) -> None:
    broken = tmp_path / "b.har"
    broken.write_text('{"log": {"entries": [', "utf-8")
    ran = cli("check", body(tmp_path / "a.json", BAD.body), broken)
    assert ran.code == 2
    assert "The contract is broken in 1 answer" in ran.out
    assert ran.err.startswith(f"error: {broken}: ")
    assert ran.err.count("\n") == 1


def test_a_directory_is_read_with_all_its_files(cli: Cli, tmp_path: Path) -> None:
    for number in range(3):
        body(tmp_path / f"{number}.json", GOOD.body)
    (tmp_path / "README.txt").write_text("no recording")
    ran = cli("check", tmp_path)
    assert ran.code == 0
    assert "(3 judged, 1 left aside)" in ran.out


def test_a_run_id_is_held_against_bodies_that_do_not_say(cli: Cli, tmp_path: Path) -> None:
    path = body(tmp_path / "run.json", GOOD.body)
    assert isinstance(GOOD.body, dict)
    assert cli("check", path, "--run-id", "1").code == 1


def test_standard_input_is_a_file_called_dash(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(json.dumps(BAD.body).encode())))
    ran = cli("check", "-")
    assert ran.code == 1
    assert "· standard input" in ran.out


def test_the_threshold_is_the_users(cli: Cli, tmp_path: Path) -> None:
    path = body(tmp_path / "run.json", BAD.body)
    assert cli("check", path, "--fail-on", "never").code == 0
