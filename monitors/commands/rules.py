"""`rules`: what each finding's rule means."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import click

from monitors.commands.output import row_layout, write_stdout
from monitors.report.text import dumps
from monitors.rules import RULES, Group

if TYPE_CHECKING:
    from monitors.model import JSON
    from monitors.rules import Rule


@click.command("rules", short_help="List the rules that findings name.")
@click.option(
    "--format",
    "format_",
    type=click.Choice(["table", "markdown", "json"]),
    default="table",
    show_default=True,
    help="How to print it.",
)
def command(format_: str) -> None:
    """List the rules that findings name: id, level, kind and meaning, in the order of docs/rules.md."""
    if format_ == "json":
        write_stdout(dumps([_as_json(rule) for rule in RULES.values()], indent=2) + "\n")
    elif format_ == "markdown":
        write_stdout(markdown())
    else:
        from monitors.report.tables import lined_up  # noqa: PLC0415 - brings rich

        lines = [(rule.id, str(rule.level), str(rule.kind), rule.meaning) for rule in RULES.values()]
        write_stdout(lined_up(("rule", "level", "kind", "meaning"), lines, row_layout(sys.stdout, os.environ)))


def _as_json(rule: Rule) -> JSON:
    return {
        "rule": rule.id,
        "level": str(rule.level),
        "kind": str(rule.kind),
        "meaning": rule.meaning,
        "own": rule.own,
        "group": rule.group.name.lower(),
    }


def markdown() -> str:
    """Return the rules as the tables of docs/rules.md, one for each group; an id of ours carries an asterisk."""
    return "\n".join(_table(group) for group in Group)


def _table(group: Group) -> str:
    lines = [f"### {group}", "", "| rule | level | kind | meaning |", "|---|---|---|---|"]
    for rule in RULES.values():
        if rule.group is group:
            own = " *" if rule.own else ""
            lines.append(f"| `{rule.id}`{own} | {rule.level} | {rule.kind} | {rule.meaning} |")
    return "\n".join(lines) + "\n"
