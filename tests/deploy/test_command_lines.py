"""Every command line in `deploy/` is one the program takes; every example of a configuration is one it accepts."""

from __future__ import annotations

import re
import shlex
import sys
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import dockerfile
import pytest
import yaml

from monitors.cli import group

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conftest import Run

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
PROGRAM = (sys.executable, "-c", "from monitors.cli import main; main()")
URL = "https://hooks.example.org/a-secret-part"
OURS = re.compile(r"(?:^|[ /(])model-lab-monitor ((?:watch|history|export)\b.*?)(?= 2?>| \|)")


def of_systemd() -> Iterator[tuple[str, str]]:
    for path in sorted((DEPLOY / "systemd").glob("*.service")):
        yield path.name, re.findall(r"^ExecStart=\S*/model-lab-monitor (.*)$", path.read_text("utf-8"), re.MULTILINE)[0]


def of_cron() -> Iterator[tuple[str, str]]:
    for line in (DEPLOY / "cron" / "model-lab-monitor.cron").read_text("utf-8").splitlines():
        if not line.startswith("#"):
            yield from (("cron", found) for found in OURS.findall(line.replace(r"$(date +\%a)", "Thu")))


def of_docker() -> Iterator[tuple[str, str]]:
    for step in dockerfile.parse_file(str(DEPLOY / "docker" / "Dockerfile")):
        if step.cmd == "CMD":
            yield "Dockerfile", shlex.join(step.value)
        if step.cmd == "HEALTHCHECK":
            yield from (("HEALTHCHECK", found) for found in OURS.findall(step.value[-1]))


def of_kubernetes() -> Iterator[tuple[str, str]]:
    for name in ("deployment", "cronjob"):
        text = (DEPLOY / "kubernetes" / f"{name}.yaml").read_text("utf-8")
        for container in containers(yaml.safe_load(text)):
            yield name, shlex.join(container["args"])
            for probe in ("startupProbe", "livenessProbe"):
                command = container.get(probe, {}).get("exec", {}).get("command", [""])
                yield from ((probe, found) for found in OURS.findall(command[-1]))


def containers(manifest: Any) -> Iterator[dict[str, Any]]:
    for name, value in manifest.items():
        if name == "containers":
            yield from value
        elif isinstance(value, dict):
            yield from containers(value)


LINES = [*of_systemd(), *of_cron(), *of_docker(), *of_kubernetes()]
"""Where a command line of ours stands, and what follows the program's name there."""


def configurations() -> Iterator[Any]:
    for path in sorted(DEPLOY.rglob("*.toml")):
        yield pytest.param(path.read_text("utf-8"), id=str(path.relative_to(DEPLOY)))
    data = yaml.safe_load((DEPLOY / "kubernetes" / "config.yaml").read_text("utf-8"))["data"]
    yield from (pytest.param(text, id=f"kubernetes/{name}") for name, text in data.items())


CONFIGURATIONS = list(configurations())


def test_there_is_a_command_line_of_every_kind() -> None:
    assert {where for where, _ in LINES} == {
        "model-lab-monitor.service",
        "model-lab-monitor-once.service",
        "cron",
        "Dockerfile",
        "HEALTHCHECK",
        "deployment",
        "cronjob",
        "startupProbe",
        "livenessProbe",
    }


@pytest.mark.parametrize(("where", "line"), LINES, ids=[where for where, _ in LINES])
def test_the_command_line_takes_what_is_deployed(where: str, line: str) -> None:
    name, *options = shlex.split(line)
    command = group.get_command(click.Context(group), name)
    assert command is not None, where
    # With its parent, as its first context is where a command learns that -h is help too.
    command.make_context(name, options, parent=click.Context(group, **group.context_settings))


@pytest.mark.parametrize("text", CONFIGURATIONS)
def test_an_example_of_a_configuration_is_accepted(text: str, tmp_path: Path, run: Run) -> None:
    """As it stands, with a made-up key in each file it names, in a folder of the test's."""
    done = checked(with_files(text, tmp_path), tmp_path, run)
    assert done.code == 0, done.said


@pytest.mark.parametrize("text", CONFIGURATIONS)
def test_an_example_without_its_keys_is_not(text: str, tmp_path: Path, run: Run) -> None:
    if "_file = " not in text:
        text += '\n[sinks.other]\ntype = "apprise"\nurl_file = "keys/other"\n'
    placed = with_files(text, tmp_path)
    missing = min((tmp_path / "keys").iterdir())
    missing.unlink()
    done = checked(placed, tmp_path, run)
    assert done.code == 2, done.said
    assert missing.name in done.said


def test_an_example_alerts_of_everything_until_someone_plans_otherwise(tmp_path: Path, run: Run) -> None:
    """A window of maintenance stands there to be taken up, and is accepted then."""
    whole = (DEPLOY / "model-lab-monitor.toml").read_text("utf-8")
    assert not any("maintenance" in tomllib.loads(str(each.values[0])) for each in CONFIGURATIONS)
    taken_up = re.sub(r"^# (\[maintenance|sites =|cron =|duration_s =|timezone =)", r"\1", whole, flags=re.MULTILINE)
    assert set(tomllib.loads(taken_up)["maintenance"]) == {"network"}
    done = checked(with_files(taken_up, tmp_path), tmp_path, run)
    assert done.code == 0, done.said


def with_files(text: str, folder: Path) -> Path:
    (folder / "keys").mkdir()
    text = text.replace("/run/model-lab-keys/", "keys/")
    for name in re.findall(r'_file = "(keys/.*)"', text):
        (folder / name).write_text(URL if "url" in name else "0123456789abcdef0123456789abcdef")
    placed = folder / "model-lab-monitor.toml"
    placed.write_text(text)
    return placed


def checked(path: Path, folder: Path, run: Run) -> Any:
    environ = {"PYTHONPATH": str(ROOT), "GITHUB_TOKEN": "a-token"}
    return run(*PROGRAM, "config", "check", path.name, where=folder, environ=environ)
