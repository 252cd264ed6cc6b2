"""docs/running.md, followed on a machine in a folder, leaves one that systemd accepts; what the page names is there."""

from __future__ import annotations

import os
import re
import shlex
import stat
import sys
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import yaml
from markdown_it import MarkdownIt

if TYPE_CHECKING:
    from conftest import Run

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "running.md"
KUBERNETES = ROOT / "deploy" / "kubernetes"
PLACES = re.compile(r"(?<![\w.])/(etc|opt|usr/local|var/lib)\b")
RECORD = '#!/bin/sh\necho "$(basename "$0") $*" >> {log}\n'
VENV = """\
#!/bin/sh
test "$1 $2" = "-m venv" && mkdir -p "$3/bin" || exit 1
for program in pip model-lab-monitor; do cp {stub} "$3/bin/$program"; done
"""


def commands() -> list[str]:
    tokens = MarkdownIt("commonmark").parse(PAGE.read_text("utf-8"))
    blocks = [token.content for token in tokens if token.type == "fence" and token.info == "sh"]
    return [line for block in blocks for line in block.splitlines()]


COMMANDS = commands()


def words_after(program: str, option: str) -> list[str]:
    found = []
    for line in COMMANDS:
        words = shlex.split(line)
        if words[0] == program:
            found += [after for word, after in pairwise(words) if word == option]
    return found


class Machine:
    """A machine in a folder: what the page installs lands there, what it would start is only noted."""

    def __init__(self, root: Path, run: Run) -> None:
        self.root, self.run = root / "machine", run
        self.log, programs = root / "log", root / "bin"
        programs.mkdir()
        for folder in ("etc/systemd/system", "etc/sysusers.d", "opt", "usr/local/bin", "var/lib", "bin"):
            (self.root / folder).mkdir(parents=True)
        stub = RECORD.format(log=self.log)
        for name in ("systemctl", "systemd-sysusers", "crontab", "chown", "sudo", "stub"):
            (programs / name).write_text(stub)
        (programs / "python3").write_text(VENV.format(stub=programs / "stub"))
        (self.root / "bin" / "kill").write_text(stub)
        for program in [*programs.iterdir(), self.root / "bin" / "kill"]:
            program.chmod(0o755)
        self.path = f"{self.root}/usr/local/bin{os.pathsep}{programs}{os.pathsep}{os.environ['PATH']}"

    def follow(self, line: str) -> None:
        """Run one command of the page as it stands, but for `sudo`, where the machine is, and who owns what."""
        text = PLACES.sub(rf"{self.root}/\1", re.sub(r"^sudo (-u \S+ )?", "", line))
        text = text.replace(" -g model-lab-monitor ", f" -g {os.getgid()} ")
        text = text.replace(" -o model-lab-monitor ", f" -o {os.getuid()} ")
        done = self.run("bash", "-euo", "pipefail", "-c", text, environ={"PATH": self.path})
        assert (done.code, done.said) == (0, ""), line

    @property
    def started(self) -> list[str]:
        return self.log.read_text("utf-8").replace(str(self.root), "").splitlines()

    def mode(self, place: str) -> int:
        return stat.S_IMODE((self.root / place).stat().st_mode)


@pytest.fixture
def machine(tmp_path: Path, run: Run) -> Machine:
    """Return a machine set up as the page says, from its first command to its last."""
    made = Machine(tmp_path, run)
    for line in COMMANDS:
        if line.startswith("sudo "):
            made.follow(line)
    return made


def test_systemd_accepts_a_machine_set_up_as_the_page_says(machine: Machine, systemd_analyze: str, run: Run) -> None:
    units = sorted(path.name for path in (machine.root / "etc" / "systemd" / "system").iterdir())
    assert units == ["model-lab-monitor-once.service", "model-lab-monitor-once.timer", "model-lab-monitor.service"]
    for unit in units:
        done = run(systemd_analyze, "verify", f"--root={machine.root}", "--recursive-errors=no", "--man=no", unit)
        assert (done.code, done.said) == (0, "")


def test_keys_and_configuration_are_for_the_monitor_s_group_alone(machine: Machine) -> None:
    assert machine.mode("etc/model-lab-monitor") == 0o750
    assert machine.mode("etc/model-lab-monitor/keys") == 0o750
    assert machine.mode("etc/model-lab-monitor/model-lab-monitor.toml") == 0o640


def test_page_and_example_say_what_mode_a_key_has(machine: Machine) -> None:
    key = machine.root / "etc" / "model-lab-monitor" / "keys" / "us5-api-key"
    key.write_text("a key")
    key.chmod(0o666)
    machine.follow(next(line for line in COMMANDS if "chmod -R" in line and line.endswith("/keys")))
    mode = f"mode {machine.mode('etc/model-lab-monitor/keys/us5-api-key'):o}"
    example = machine.root / "etc" / "model-lab-monitor" / "model-lab-monitor.toml"
    assert mode in PAGE.read_text("utf-8")
    assert mode in example.read_text("utf-8")


def test_the_store_is_for_the_monitor_alone_also_where_systemd_makes_no_folder_for_it(machine: Machine) -> None:
    assert machine.mode("var/lib/model-lab-monitor") == 0o700


def test_the_link_says_which_version_runs(machine: Machine) -> None:
    """And is moved by an upgrade, not put into the folder of the version before."""
    home = machine.root / "opt" / "model-lab-monitor"
    versions = sorted(path.name for path in home.iterdir() if not path.is_symlink())
    assert os.readlink(home / "current") == versions[-1]  # noqa: PTH115 - the text of the link is what is meant
    assert not (home / versions[0] / versions[-1]).exists()


def test_every_unit_that_is_started_is_among_those_installed(machine: Machine) -> None:
    started = {line.split()[-1] for line in machine.started if re.match(r"systemctl (enable|restart)", line)}
    assert started == {"model-lab-monitor.service", "model-lab-monitor-once.timer"}
    assert machine.started.index("systemctl daemon-reload") < machine.started.index(
        "systemctl enable --now model-lab-monitor.service"
    )


def test_the_command_by_hand_is_the_service_s_user_with_the_service_s_places(machine: Machine) -> None:
    unit = (machine.root / "etc" / "systemd" / "system" / "model-lab-monitor.service").read_text("utf-8")
    (checked,) = (line for line in machine.started if line.startswith("sudo ") and line.endswith(" config check"))
    _, _, user, _, *environ, program, _, _ = checked.split()
    assert f"User={user}\n" in unit
    assert all(f"Environment={pair}\n" in unit for pair in environ)
    assert f"ExecStart={program} watch" in unit


def test_the_linter_of_shell_scripts_finds_nothing_in_it(run: Run) -> None:
    done = run(Path(sys.executable).parent / "shellcheck", ROOT / "deploy" / "systemd" / "model-lab-monitor.sh")
    assert (done.code, done.said) == (0, "")


def test_every_file_of_a_command_is_there() -> None:
    named = {name for line in COMMANDS for name in re.findall(r"(?<!\S)deploy/\S+", line)}
    assert len(named) > 5
    assert [name for name in named if not (ROOT / name).is_file()] == []


def test_all_manifests_are_applied_but_for_the_other_workload() -> None:
    applied = {Path(name).name for name in words_after("kubectl", "-f")}
    assert applied == {path.name for path in KUBERNETES.iterdir()} - {"cronjob.yaml"}


def test_the_secret_has_the_keys_that_the_configuration_names() -> None:
    (text,) = yaml.safe_load((KUBERNETES / "config.yaml").read_text("utf-8"))["data"].values()
    named = {Path(file).name for file in re.findall(r'_file = "(.*)"', text)}
    (line,) = (line for line in COMMANDS if "create secret" in line)
    assert set(re.findall(r"--from-file=(\S+)", line)) == named
    (secret,) = re.findall(r"create secret generic (\S+)", line)
    assert f"secretName: {secret}\n" in (KUBERNETES / "deployment.yaml").read_text("utf-8")


def test_containers_and_namespaces_are_those_of_the_files() -> None:
    namespace = yaml.safe_load((KUBERNETES / "namespace.yaml").read_text("utf-8"))["metadata"]["name"]
    assert set(words_after("kubectl", "-n")) == {namespace}
    services = set(yaml.safe_load((ROOT / "deploy" / "docker" / "compose.yaml").read_text("utf-8"))["services"])
    assert set(words_after("docker", "exec")) | set(words_after("docker", "SIGHUP")) == services


def test_the_image_that_is_built_is_the_one_that_is_run() -> None:
    compose = yaml.safe_load((ROOT / "deploy" / "docker" / "compose.yaml").read_text("utf-8"))
    assert words_after("docker", "--tag") == [compose["services"]["monitor"]["image"]]
