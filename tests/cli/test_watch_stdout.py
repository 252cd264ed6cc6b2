"""`watch` and the sinks that write where it writes too: a report that programs read, a line that moves."""

from __future__ import annotations

import json
import os
import pty
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Cli, Ran

CLEAR = "\r\x1b[2K"
CONFIGURATION = """
[watch]
connectivity = []
confirm_pause_s = 0
jitter_s = 0
min_free_mb = 0
interval_s = 1
budget_per_minute = 600
[incidents]
failure_threshold = 1
failure_window = 1
[sinks.log]
type = "stdout"
"""
NOTICE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2} UTC  🔴 US5 is down: .*")


@pytest.fixture
def once(cli: Cli) -> Callable[..., Ran]:
    """Make one pass over a site that is down."""
    Path("watch.toml").write_text(CONFIGURATION, "utf-8")
    options = ["--once", "--mock", "outage:503", "--site", "US5", "--config", "watch.toml", "--state-dir", "state"]
    return lambda *arguments: cli("watch", *options, *arguments)


@pytest.mark.parametrize("options", [(), ("--output", "-")], ids=["stdout", "dash"])
def test_what_programs_read_on_standard_output_holds_no_notice(
    options: tuple[str, ...], once: Callable[..., Ran]
) -> None:
    ran = once("--format", "json", *options)
    assert json.loads(ran.out)["verdict"] == "breaking"
    assert NOTICE.search(ran.err)


def test_a_report_for_people_and_one_in_a_file_leave_standard_output_to_notices(once: Callable[..., Ran]) -> None:
    for format_ in ("table", "github"):
        assert NOTICE.search(once("--format", format_).out)
        Path("state").rename(format_)
    ran = once("--format", "json", "--output", "report.json")
    assert NOTICE.match(ran.out)
    assert json.loads(Path("report.json").read_text("utf-8"))["verdict"] == "breaking"


def test_on_a_terminal_notices_stand_on_lines_of_their_own(tmp_path: Path) -> None:
    (tmp_path / "watch.toml").write_text(CONFIGURATION, "utf-8")
    options = ["--mock", "US5=outage:503", "--config", "watch.toml", "--state-dir", "state"]
    ours, theirs = pty.openpty()
    watch = subprocess.Popen(  # noqa: S603 - our own interpreter
        [sys.executable, "-c", "from monitors.cli import main; main()", "watch", *options],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2]), "TERM": "xterm", "COLUMNS": "200"},
        stdin=subprocess.DEVNULL,
        stdout=theirs,
        stderr=theirs,
    )
    os.close(theirs)
    shown, deadline = b"", time.monotonic() + 120
    try:
        while b"Incident: 1," not in shown:
            assert time.monotonic() < deadline, shown
            shown += os.read(ours, 4096)
    finally:
        watch.send_signal(signal.SIGTERM)
        while True:
            try:
                more = os.read(ours, 4096)
            except OSError:  # so Linux says that the other end is closed
                break
            if not more:
                break
        watch.wait(timeout=60)
        os.close(ours)
    pieces = re.split(f"{re.escape(CLEAR)}|\r?\n", shown.decode("utf-8", "replace"))
    before = next(number for number, piece in enumerate(pieces) if "🔴" in piece)
    assert NOTICE.fullmatch(pieces[before])
    assert any("1 open incident" in piece for piece in pieces[:before]), "there was a line to collide with"
