"""The pages about the command line say what it does."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import click
import pytest

from monitors.cli import COMMANDS, group
from monitors.commands.rules import markdown
from monitors.exit_codes import MEANINGS
from monitors.report import FORMATS

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "cli.md").read_text("utf-8")


def section(title: str) -> str:
    return PAGE.split(f"\n## {title}\n")[1].split("\n## ")[0]


def first_cells(text: str) -> list[str]:
    return re.findall(r"^\| (`.*?) \|", text, re.MULTILINE)


def options(command: click.Command) -> list[set[str]]:
    """Return the options of a command; those of a group's own commands, each once, are the group's too."""
    above = click.Context(group, **group.context_settings)
    inner = list(command.commands.values()) if isinstance(command, click.Group) and command is not group else []
    found = {
        frozenset(parameter.opts)
        for one in (command, *inner)
        for parameter in one.get_params(click.Context(one, parent=above))
        if isinstance(parameter, click.Option)
    }
    return [{*opts} for opts in found]


def documented(text: str) -> list[set[str]]:
    return [set(re.findall(r"`(-.*?)`", cell)) for cell in first_cells(text)]


@pytest.mark.parametrize("name", COMMANDS)
def test_each_command_is_documented_with_all_its_options(name: str) -> None:
    command = group.get_command(click.Context(group), name)
    assert command is not None
    assert sorted(map(sorted, documented(section(name)))) == sorted(map(sorted, options(command)))


def test_the_options_before_the_command_are_documented() -> None:
    assert sorted(map(sorted, documented(PAGE.split("\n## ")[0]))) == sorted(map(sorted, options(group)))


def test_commands_stand_in_the_order_of_the_help() -> None:
    assert re.findall(r"^## ([a-z]+)$", PAGE, re.MULTILINE) == list(COMMANDS)


def test_every_format_is_documented() -> None:
    assert first_cells(section("Formats")) == [f"`{name}`" for name in FORMATS]


@pytest.mark.parametrize("line", re.findall(r"^\$ (model-lab-monitor .*)$", PAGE, re.MULTILINE))
def test_the_examples_are_command_lines_we_take(line: str) -> None:
    _, name, *arguments = shlex.split(line)
    command = group.get_command(click.Context(group), name)
    while isinstance(command, click.Group):
        command = command.get_command(click.Context(command), arguments.pop(0))
    assert command is not None
    assert command.make_context(name, arguments).params


def test_exit_codes_mean_what_their_page_says() -> None:
    page = (DOCS / "exit-codes.md").read_text("utf-8")
    rows = re.findall(r"^\| (\d+) \| (.*) \|$", page, re.MULTILINE)
    assert [(int(code), meaning) for code, meaning in rows] == [(int(code), text) for code, text in MEANINGS.items()]


def test_the_page_of_rules_is_the_table_of_rules() -> None:
    page = (DOCS / "rules.md").read_text("utf-8")
    assert page.split("<!-- rules -->\n")[1].split("<!-- /rules -->")[0] == markdown()


def test_links_between_pages_lead_somewhere() -> None:
    for name in ("cli.md", "exit-codes.md"):
        for target in re.findall(r"\]\(([a-z-]+\.md)", (DOCS / name).read_text("utf-8")):
            assert (DOCS / target).is_file(), target
