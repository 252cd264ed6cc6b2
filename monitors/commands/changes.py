"""Changes between two contracts, printed: the table, the JSON object and the Markdown of `diff` and `upstream`."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from monitors import __version__
from monitors.exit_codes import FAIL_ON
from monitors.model import Level, verdict
from monitors.report.json_object import finding_json
from monitors.report.markdown import code, escaped
from monitors.report.text import counted, dumps, for_log, utc
from monitors.report.value import counts

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from monitors.model import JSON, Finding

_WORDS = {Level.BREAKING: "breaking change", Level.WARNING: "warning", Level.INFO: "harmless change"}
_TITLES = {"diff": "Contracts compared", "upstream": "Published description"}
_SHOWN = 50
_INDENT = 10
_TEXT_CHARS = 300


def changes_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options of every command that prints changes."""
    for option in (
        click.option(
            "--fail-on",
            type=click.Choice(FAIL_ON),
            default="breaking",
            show_default=True,
            help="Lowest level of a change that makes the exit code 1.",
        ),
        click.option(
            "--format", "format_", type=click.Choice(["table", "json", "markdown"]), default="table", show_default=True,
            help="How to print it.",
        ),
    ):  # fmt: skip
        function = option(function)
    return function


def rendered(command: str, found: Sequence[Finding], sources: Sequence[str], format_: str) -> str:
    """Return changes as text of one format; `sources` are what was compared, in order."""
    if format_ == "json":
        return _json(command, found, sources)
    if format_ == "markdown":
        return "\n".join(_markdown(command, found, sources)) + "\n"
    return _table(found, sources)


def _json(command: str, found: Sequence[Finding], sources: Sequence[str]) -> str:
    document: dict[str, JSON] = {
        "verdict": verdict(found),
        "command": command,
        "version": __version__,
        "at": utc(datetime.now(UTC)),
        "summary": {"sources": list(sources), "changes": {**counts(found)}},
        "changes": [finding_json(finding) for finding in found],
    }
    return dumps(document, indent=2) + "\n"


def sentence(found: Sequence[Finding], sources: Sequence[str]) -> str:
    """Return what was found in one sentence."""
    number = {level: sum(finding.level is level for finding in found) for level in sorted(Level, reverse=True)}
    said = ", ".join(counted(count, _WORDS[level]) for level, count in number.items() if count)
    return f"{said or 'No difference'} ({', '.join(sources)})."


def _table(found: Sequence[Finding], sources: Sequence[str]) -> str:
    lines = []
    for one in found:
        lines.append(f"{one.level!s:<{_INDENT}}{for_log(one.message, _TEXT_CHARS)}")
        lines.append(" " * _INDENT + for_log("  ".join(part for part in (one.rule, _where(one)) if part)))
    return "\n".join([*lines, *([""] if lines else []), for_log(sentence(found, sources))]) + "\n"


def _where(finding: Finding) -> str:
    return " ".join(part for part in (finding.site, finding.check, finding.location) if part)


def _markdown(command: str, found: Sequence[Finding], sources: Sequence[str]) -> list[str]:
    lines = [f"### {_TITLES[command]}: {verdict(found)}", "", escaped(sentence(found, sources))]
    if found:
        lines += ["", "| level | rule | where | what |", "|---|---|---|---|"]
        lines += [
            f"| {one.level} | {code(one.rule)} | {code(_where(one))} | {escaped(one.message, _TEXT_CHARS)} |"
            for one in found[:_SHOWN]
        ]
    if len(found) > _SHOWN:
        lines += ["", f"and {len(found) - _SHOWN:,} more; `--format json` shows all."]
    return lines
