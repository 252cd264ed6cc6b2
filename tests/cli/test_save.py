"""`probe --save`: one pass over the sites, printed in one form and kept whole as JSON."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import jsonschema

import schemas
from monitors.cli import run

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def test_one_probe_prints_one_form_and_keeps_the_whole_report(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    kept = tmp_path / "probe.json"
    code = run(["probe", "--mock", "US5=outage", "--site", "US5", "--format", "github", "--save", str(kept)])
    assert code == 3
    report = json.loads(kept.read_text("utf-8"))
    jsonschema.validate(report, schemas.document("report"))
    assert {finding["rule"] for finding in report["findings"]} == {"edge-answer"}
    assert capfd.readouterr().out.startswith("::error title=edge-answer::")


def test_a_place_that_cannot_be_written_is_told_under_the_option_s_name(capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["probe", "--mock", "--save", "/nowhere/probe.json"]) == 2
    assert capfd.readouterr().err == "error: --save /nowhere/probe.json: cannot be written: no such file or directory\n"
