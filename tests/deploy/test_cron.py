"""The cron table: read by cron itself; never two passes at once, silent unless the monitor is in trouble."""

from __future__ import annotations

import os
import re
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from cronsim import CronSim

if TYPE_CHECKING:
    from conftest import Run

TABLE = Path(__file__).parents[2] / "deploy" / "cron" / "model-lab-monitor.cron"
LINES = [line for line in TABLE.read_text("utf-8").splitlines() if line and not line.startswith("#")]
JOBS = [(" ".join(line.split(" ")[:5]), line.split(" ", 5)[5]) for line in LINES if not re.match(r"[A-Z_]+=", line)]
(WHEN, WATCH), (_, BACKUP) = JOBS


def test_cron_takes_the_table(crontab: str, run: Run) -> None:
    done = run(crontab, "-n", TABLE)
    assert done.code == 0, done.said
    assert len(JOBS) == len(LINES) - 5


@pytest.mark.parametrize("line", ["*/5 * * * true", "61 * * * * true"])
def test_cron_would_not_have_taken_a_mistake(line: str, crontab: str, run: Run, tmp_path: Path) -> None:
    broken = tmp_path / "table"
    broken.write_text(f"{line}\n")
    assert run(crontab, "-n", broken).code == 1


def test_a_bare_percent_sign_ends_no_command() -> None:
    """For cron, what follows it is the command's input."""
    assert [command for _, command in JOBS if re.search(r"(?<!\\)%", command)] == []


@pytest.mark.parametrize("command", [command for _, command in JOBS])
def test_a_shell_takes_each_command(command: str, run: Run) -> None:
    assert run("sh", "-n", "-c", command.replace("\\%", "%")).code == 0


def test_a_pass_that_hangs_is_over_before_the_next_begins() -> None:
    passes = CronSim(WHEN, datetime(2026, 1, 1, tzinfo=UTC))
    pause = -(next(passes) - next(passes))
    killed, ended = map(int, re.findall(r"timeout -k (\d+) (\d+) ", WATCH)[0])
    assert timedelta(seconds=ended + killed) <= pause


def test_a_pass_under_way_is_not_joined_and_nobody_is_mailed_for_it(run: Run, tmp_path: Path) -> None:
    lock = re.findall(r"flock (.*?)(\S+) timeout", WATCH)[0][0]
    script = f"exec 9>{tmp_path}/lock; flock 9; flock {lock} {tmp_path}/lock echo joined"
    done = run("sh", "-c", script)
    assert (done.code, done.said) == (0, "")


def test_what_is_found_goes_to_sinks_and_not_to_cron_s_mail() -> None:
    assert " --fail-on never " in WATCH
    assert WATCH.endswith(" >/dev/null")
    assert "2>" not in WATCH


def test_no_job_is_at_an_hour_that_some_day_lacks_or_has_twice() -> None:
    """Clocks are put forward and back between 1 and 4; only what runs all day long may be there."""
    hours = {when.split(" ")[1] for when, _ in JOBS} - {"*"}
    assert {int(hour) for hour in hours} & {0, 1, 2, 3} == set()


@pytest.mark.parametrize(("code", "mailed"), [(0, ""), (4, "what it said\n")], ids=["well", "failed"])
def test_a_backup_is_made_in_silence_and_its_failure_is_mailed(
    code: int, mailed: str, run: Run, tmp_path: Path
) -> None:
    program = tmp_path / "model-lab-monitor"
    program.write_text(f'#!/bin/sh\necho what it said >&2; : > "$2"; exit {code}\n')
    program.chmod(0o755)
    command = BACKUP.replace("\\%", "%").replace("/var/lib/model-lab-monitor", str(tmp_path / "state"))
    done = run("sh", "-c", command, environ={"PATH": f"{tmp_path}:{os.environ['PATH']}", "LC_ALL": "C"})
    assert (done.code, done.said) == (0, mailed)
    (made,) = (tmp_path / "state" / "backups").iterdir()
    assert re.fullmatch(r"(Mon|Tue|Wed|Thu|Fri|Sat|Sun)\.ndjson\.gz", made.name)
    assert stat.S_IMODE(made.stat().st_mode) == 0o600
