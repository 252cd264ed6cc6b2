"""`model-lab-monitor upstream`: one line per mistake, one object per run, exit codes as everywhere."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

import schemas
from monitors import cli
from monitors.commands.changes import rendered
from monitors.model import Finding, Kind, Level

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def page(tmp_path: Path, first_page: str) -> Path:
    path = tmp_path / "page.md"
    path.write_text(first_page, "utf-8")
    return path


def test_no_difference(page: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One sentence, exit code 0; a page and a document in one run."""
    assert cli.run(["upstream", str(page), str(schemas.OPENAPI_PATH), "--fail-on", "info"]) == 0
    assert capsys.readouterr().out == f"No difference ({page}, {schemas.OPENAPI_PATH}).\n"


def test_changes_in_every_format(page: Path, first_page: str, capsys: pytest.CaptureFixture[str]) -> None:
    """The worst first; the exit code follows --fail-on."""
    page.write_text(first_page.replace("killed,", "killed,archived,").replace("is in preview", "is here"), "utf-8")
    assert cli.run(["upstream", str(page)]) == 0
    table = capsys.readouterr().out.splitlines()
    assert table[0].startswith("warning   ")
    assert table[1].split() == ["response-property-enum-value-added", "run", "$.data.attributes.status"]
    assert table[-1] == f"1 warning, 1 harmless change ({page})."
    assert cli.run(["upstream", str(page), "--format", "json", "--fail-on", "warning"]) == 1
    found = json.loads(capsys.readouterr().out)
    assert (found["verdict"], found["command"]) == ("warning", "upstream")
    assert found["summary"] == {"sources": [str(page)], "changes": {"breaking": 0, "warning": 1, "info": 1}}
    assert [change["rule"] for change in found["changes"]] == ["response-property-enum-value-added", "preview-ended"]
    assert {"rule", "level", "location", "message", "base", "revision", "fingerprint"} <= found["changes"][0].keys()
    assert cli.run(["upstream", str(page), "--format", "markdown"]) == 0
    assert "| warning | `response-property-enum-value-added` |" in capsys.readouterr().out


def test_a_page_that_cannot_be_read_is_exit_code_2(page: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What could be read is reported all the same."""
    broken = page.with_name("broken.md")
    broken.write_text("<html>", "utf-8")
    assert cli.run(["upstream", str(broken)]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err == f"error: {broken}: cannot read the page: it is HTML, not Markdown\n"
    assert cli.run(["upstream", str(broken), str(page)]) == 2
    assert capsys.readouterr().out.startswith("No difference")


def test_a_web_that_cannot_be_reached_is_exit_code_4(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without an argument the vendor's page is asked for; here something else stands for it."""
    monkeypatch.setattr("monitors.upstream.sources.PAGE_URL", "http://127.0.0.1:1/page.md")
    monkeypatch.setattr("monitors.upstream.sources.TIMEOUT_S", 0.5)
    monkeypatch.setattr("monitors.upstream.sources._PAUSE_S", 0.0)
    assert cli.run(["upstream"]) == 4
    assert "http://127.0.0.1:1/page.md: cannot be fetched" in capsys.readouterr().err


def test_long_lists_are_cut_in_markdown() -> None:
    """A comment has a limit; JSON has all."""
    many = [Finding(f"rule-{at}", Level.INFO, Kind.DRIFT, "m") for at in range(60)]
    text = rendered("upstream", many, ["page.md"], "markdown")
    assert "and 10 more; `--format json` shows all." in text
    assert text.count("| info |") == 50
