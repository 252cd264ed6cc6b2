"""Tables no package compares itself: environment variables, why recordings are left aside, the mock's options."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from monitors.config import markdown
from monitors.recordings.entry import Aside

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PLATFORM = {"LOCALAPPDATA"}
"""Where Windows keeps what programs remember: its own affair."""


def section(page: str, title: str) -> str:
    return (DOCS / page).read_text("utf-8").split(f"\n## {title}\n")[1].split("\n## ")[0]


def first_cells(text: str) -> list[str]:
    cells = re.findall(r"^\| (`.*?) \|", text, re.MULTILINE)
    return [name for cell in cells for name in re.findall(r"`([^`]+)`", cell)]


def variables_read() -> Iterator[str]:
    """Yield every environment variable the monitor reads, as its source names it."""
    for path in (ROOT / "monitors").rglob("*.py"):
        text = path.read_text("utf-8")
        yield from re.findall(r'environ(?:\.get\(|\[)"([A-Za-z_]+)"', text)
        yield from re.findall(r'^_?(?:\w+_VARIABLE|STEP_SUMMARY) = "(\w+)"', text, re.MULTILINE)
        if found := re.search(r"^_VARIABLES = \((.*)\)$", text, re.MULTILINE):
            yield from re.findall(r'"(\w+)"', found[1])


def test_every_environment_variable_is_documented_and_every_documented_one_is_read() -> None:
    documented = {*first_cells(section("cli.md", "Environment"))}
    read = {name.upper() for name in variables_read()} - PLATFORM
    # Keys and run ids stand on the page of the configuration, whose table is compared elsewhere; the variable that
    # click reads to complete is no business of a user's.
    read = {name for name in read if name not in first_cells(markdown("environment"))} - {"_MODEL_LAB_MONITOR_COMPLETE"}
    assert read == documented - {"MODEL_LAB_MONITOR_CONFIG"}


def test_every_reason_to_leave_a_recording_aside_is_documented() -> None:
    assert first_cells(section("recordings.md", "What is left aside")) == [str(kind) for kind in Aside]


def test_the_options_of_the_mock_are_documented() -> None:
    command = [sys.executable, "-m", "mock_site", "--help"]
    printed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout  # noqa: S603 - a constant
    head = (DOCS / "mock.md").read_text("utf-8").split("\n## ")[0]
    documented = [name for name in first_cells(head) if name.startswith("--")]
    assert documented == [name for name in re.findall(r"^  (--[\w-]+)", printed, re.MULTILINE) if name != "--help"]
