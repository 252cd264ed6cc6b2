from __future__ import annotations

import ast
import subprocess
import sys
from typing import TYPE_CHECKING

import click
import pytest

from monitors import __version__
from monitors.cli import COMMANDS, PROGRAM, group

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Cli


def subcommand(name: str) -> click.Command:
    command = group.get_command(click.Context(group), name)
    assert command is not None
    return command


def test_help_names_every_command(cli: Cli) -> None:
    ran = cli("--help")
    assert (ran.code, ran.err) == (0, "")
    for name, line in COMMANDS.items():
        assert f"  {name:<11} {line}\n" in ran.out


@pytest.mark.parametrize("name", COMMANDS)
def test_the_line_of_each_command_is_its_own(name: str) -> None:
    command = subcommand(name)
    assert command.name == name
    assert command.short_help == COMMANDS[name]
    assert (command.help or "").startswith(COMMANDS[name].split()[0])


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_is_explained(name: str, cli: Cli) -> None:
    ran = cli(name, "--help")
    assert ran.code == 0
    for parameter in subcommand(name).params:
        if isinstance(parameter, click.Option):
            assert parameter.help
            assert parameter.opts[-1] in ran.out


@pytest.mark.parametrize("arguments", [["--help"], ["--version"]])
def test_help_and_version_import_little_more_than_click(arguments: list[str], tmp_path: Path) -> None:
    script = (
        "import sys\n"
        "from monitors.cli import run\n"
        f"code = run({arguments!r})\n"
        "print([code, sorted(sys.modules)], file=sys.stderr)\n"
    )
    ran = subprocess.run(  # noqa: S603 - our own interpreter
        [sys.executable, "-c", f"import sys; sys.path[:0] = {sys.path!r}\n{script}"],
        capture_output=True,
        text=True,
        check=True,
        cwd=tmp_path,
    )
    code, modules = ast.literal_eval(ran.stderr)
    assert code == 0
    heavy = {"rich", "httpx", "yaml", "ssl", "asyncio", "jsonschema_rs", "importlib.metadata", "json", "dataclasses"}
    assert heavy.isdisjoint(modules)
    assert {name for name in modules if name.startswith("monitors")} == {"monitors", "monitors.cli", "monitors.errors"}


def test_version_is_that_of_the_package(cli: Cli) -> None:
    assert cli("--version").out == f"{PROGRAM} {__version__}\n"


def test_no_arguments_show_the_help_and_are_a_mistake(cli: Cli) -> None:
    ran = cli()
    assert ran.code == 2
    assert ran.err.startswith("Usage: model-lab-monitor ")
    assert "\n\nCommands:\n" in ran.err
