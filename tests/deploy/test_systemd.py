"""The units: read by systemd itself, confined, patient where they must be, and one at a time."""

from __future__ import annotations

import re
import shutil
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from monitors.config.alerting import WatchSettings
from monitors.exit_codes import ExitCode

if TYPE_CHECKING:
    from conftest import Run

ROOT = Path(__file__).parents[2]
UNITS = ROOT / "deploy" / "systemd"
SERVICES = sorted(UNITS.glob("*.service"))
NAMES = [path.name for path in sorted([*SERVICES, *UNITS.glob("*.timer")])]
PROGRAMS = ("opt/model-lab-monitor/current/bin/model-lab-monitor", "bin/kill")
SECONDS = {"": 1, "s": 1, "min": 60}
MOST_EXPOSED = 15
"""Of 100, by systemd's own count: 13 when this was written, all of it the network it needs."""

each_service = pytest.mark.parametrize("path", SERVICES, ids=lambda path: path.stem)


def settings(path: Path) -> dict[str, list[str]]:
    found = defaultdict(list)
    for line in path.read_text("utf-8").splitlines():
        if line and not line.startswith(("#", "[")):
            name, _, value = line.partition("=")
            found[name].append(value)
    return found


def seconds(span: str) -> int:
    number, unit = re.fullmatch(r"(\d+)(\w*)", span).groups()  # type: ignore[union-attr]  # else the unit is wrong
    return int(number) * SECONDS[unit]


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    """Lay out what a machine with the monitor has, the encrypted keys' drop-in too."""
    units = tmp_path / "etc" / "systemd" / "system"
    shutil.copytree(UNITS, units, ignore=shutil.ignore_patterns("*.conf", "*.sysusers"))
    (units / "model-lab-monitor.service.d").mkdir()
    shutil.copy(UNITS / "encrypted-keys.conf", units / "model-lab-monitor.service.d")
    for name in PROGRAMS:
        program = tmp_path / name
        program.parent.mkdir(parents=True, exist_ok=True)
        program.write_text("#!/bin/sh\n")
        program.chmod(0o755)
    return tmp_path


@pytest.mark.parametrize("unit", NAMES)
def test_systemd_finds_nothing_wrong_with_a_unit(unit: str, machine: Path, systemd_analyze: str, run: Run) -> None:
    done = run(systemd_analyze, "verify", f"--root={machine}", "--recursive-errors=no", "--man=no", unit)
    assert (done.code, done.said) == (0, "")


@pytest.mark.parametrize("mistake", ["WatchdogSecs=1", "TimeoutStopSec=soon", "SystemCallFilter=@nothing"])
def test_systemd_would_have_found_a_mistake(mistake: str, machine: Path, systemd_analyze: str, run: Run) -> None:
    unit = machine / "etc" / "systemd" / "system" / "model-lab-monitor.service"
    unit.write_text(unit.read_text("utf-8").replace("[Service]", f"[Service]\n{mistake}"))
    done = run(systemd_analyze, "verify", f"--root={machine}", "--recursive-errors=no", "--man=no", unit.name)
    assert mistake.partition("=")[2] in done.said or mistake.partition("=")[0] in done.said


@pytest.mark.parametrize("unit", [path.name for path in SERVICES])
def test_a_service_can_reach_little_but_the_network(unit: str, machine: Path, systemd_analyze: str, run: Run) -> None:
    command = (systemd_analyze, "security", "--no-pager", "--offline=yes", f"--root={machine}")
    done = run(*command, f"--threshold={MOST_EXPOSED}", unit)
    assert done.code == 0, done.said


def test_both_services_are_confined_alike() -> None:
    of_a_kind = {"Type", "ExecStart", "ExecReload", "NotifyAccess", "Restart", "RestartSec", "RestartPreventExitStatus"}
    of_a_kind |= {"StartLimitIntervalSec", "WatchdogSec", "TimeoutStartSec", "Description", "WantedBy", "Environment"}
    confined = [{name: value for name, value in settings(path).items() if name not in of_a_kind} for path in SERVICES]
    assert confined[0] == confined[1]
    assert confined[0]["User"] == ["model-lab-monitor"]


@each_service
def test_stopping_has_longer_than_the_monitor_takes(path: Path) -> None:
    """It may take as long twice: for probes under way, then for notices."""
    assert seconds(settings(path)["TimeoutStopSec"][0]) > 2 * WatchSettings().stop_s


def test_the_service_comes_back_but_for_a_mistake_only_a_person_can_mend() -> None:
    unit = settings(UNITS / "model-lab-monitor.service")
    assert unit["Restart"] == ["always"]
    assert unit["RestartPreventExitStatus"] == [str(int(ExitCode.USAGE))]
    assert unit["StartLimitIntervalSec"] == ["0"]
    assert (unit["Type"], unit["NotifyAccess"]) == (["notify"], ["main"])


def test_the_timer_and_the_service_exclude_each_other() -> None:
    timer = settings(UNITS / "model-lab-monitor-once.timer")
    assert timer["Conflicts"] == ["model-lab-monitor.service"]


def test_systemd_reads_the_timer_in_utc(systemd_analyze: str, run: Run) -> None:
    (calendar,) = settings(UNITS / "model-lab-monitor-once.timer")["OnCalendar"]
    done = run(systemd_analyze, "calendar", calendar, environ={"TZ": "Asia/Kathmandu"})
    assert done.code == 0, done.said
    assert re.search(r"Normalized form: \*-\*-\* \*:00/5:00 UTC$", done.said, re.MULTILINE)


@each_service
def test_no_key_stands_in_a_unit(path: Path) -> None:
    given = dict(line.split("=", 1) for line in settings(path)["Environment"])
    assert set(given) <= {"MODEL_LAB_MONITOR_CONFIG", "MODEL_LAB_MONITOR_STATE_DIR", "PYTHONFAULTHANDLER"}
    assert [name for name in settings(path) if name.startswith(("SetCredential", "PassEnvironment"))] == []


def test_encrypted_keys_reach_the_monitor_as_files() -> None:
    unit = settings(UNITS / "encrypted-keys.conf")
    loaded = {line.partition(":")[0] for line in unit["LoadCredentialEncrypted"]}
    given = dict(line.split("=", 1) for line in unit["Environment"])
    assert {value.removeprefix("%d/") for value in given.values()} == loaded
    assert all(re.fullmatch(r"DD_(API|APP)_KEY_US5_FILE", name) for name in given)


def test_systemd_makes_the_user_the_services_run_as(tmp_path: Path, systemd_sysusers: str, run: Run) -> None:
    (tmp_path / "etc").mkdir()
    done = run(systemd_sysusers, f"--root={tmp_path}", UNITS / "model-lab-monitor.sysusers")
    assert done.code == 0, done.said
    name, _, uid, _, _, home, shell = (tmp_path / "etc" / "passwd").read_text("utf-8").strip().split(":")
    assert (name, home) == ("model-lab-monitor", "/var/lib/model-lab-monitor")
    assert int(uid) > 0
    assert shell.endswith("nologin")
