"""docs/mock.md says what the code does: its tables are the code's, its curl commands work."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

import pytest

from mock_site.catalogue import NAMED_RUNS, NOTES
from mock_site.drifts import DRIFTS
from mock_site.prefer import PREFERENCES
from mock_site.scenarios import SCENARIOS

PAGE = Path(__file__).parents[2] / "docs" / "mock.md"


def code(text: str) -> str:
    return f"`{text}`" if text else ""


def row(*cells: str) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


TABLES = {
    "Scenarios": [row(code(kind.syntax), kind.meaning) for kind in SCENARIOS.values()],
    "Preferences": [row(code(syntax), meaning) for syntax, meaning in PREFERENCES.values()],
    "Named runs": [row(str(run_id), code(name), NOTES[name]) for name, run_id in NAMED_RUNS.items()],
    "Drifts": [
        row(code(drift.name), drift.meaning, drift.level, code(drift.rule), code(drift.default))
        for drift in DRIFTS.values()
    ],
}


@pytest.mark.parametrize("heading", TABLES)
def test_each_table_of_the_page_is_the_one_in_the_code(heading: str) -> None:
    section = PAGE.read_text("utf-8").split(f"\n## {heading}\n")[1].split("\n## ")[0]
    rows = [line for line in section.splitlines() if line.startswith("|")][2:]
    assert rows == TABLES[heading]


def test_each_curl_command_of_the_page_does_what_the_page_says(client: Any) -> None:
    page = PAGE.read_text("utf-8")
    commands = re.findall(r"^curl (.+?)  # → (.+)$", page, re.MULTILINE)
    assert len(commands) >= 5
    for command, said in commands:
        method, url, headers, body = parsed(shlex.split(command))
        response = client.send(method, url, headers, content=body)
        assert f"{response.status_code} {response.text}".startswith(said), command


def parsed(words: list[str]) -> tuple[str, str, dict[str, str], str]:
    """Read the few options of curl the page uses."""
    method, url, headers, body = "GET", "", {}, ""
    waiting = iter(words)
    for word in waiting:
        if word == "-X":
            method = next(waiting)
        elif word == "-d":
            body = next(waiting)
        elif word == "-H":
            name, _, value = next(waiting).partition(": ")
            headers[name] = value
        else:
            url = word
    return method, url, headers, body
