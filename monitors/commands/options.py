"""Options several commands have, and how their values are read."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from monitors.exit_codes import FAIL_ON
from monitors.report import FORMATS

if TYPE_CHECKING:
    from collections.abc import Callable

    from click.shell_completion import CompletionItem

F = TypeVar("F", bound="Callable[..., Any]")


def _complete_sites(_context: click.Context, _parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    from click.shell_completion import CompletionItem  # noqa: PLC0415 - only a shell asks

    from monitors.sites import SITES  # noqa: PLC0415 - likewise

    done, comma, begun = incomplete.rpartition(",")
    return [
        CompletionItem(f"{done}{comma}{site.key}", help=site.location)
        for site in SITES.values()
        if site.key.startswith(begun.upper())
    ]


def site_option(help_text: str) -> Callable[[F], F]:
    """Return the option `--site` with its help."""
    return click.option(
        "--site", "sites", multiple=True, metavar="SITE[,SITE…]", shell_complete=_complete_sites, help=help_text
    )


config_option = click.option(
    "--config",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Configuration file; else $MODEL_LAB_MONITOR_CONFIG, else model-lab-monitor.toml here.",
)


def report_options(function: F) -> F:
    """Add the options of every command that prints a report."""
    for option in (
        click.option("-v", "--verbose", is_flag=True, help="In the table, list each probe with its phases."),
        click.option("-q", "--quiet", is_flag=True, help="No progress and no notes on stderr."),
        click.option(
            "--fail-on",
            type=click.Choice(FAIL_ON),
            help="Lowest level of a finding that makes the exit code 1 or 3.  [default: breaking]",
        ),
        click.option(
            "--output",
            type=click.Path(path_type=Path, allow_dash=True),
            metavar="FILE",
            help="Write the report there, all at once, in place of stdout.",
        ),
        click.option(
            "--format",
            "format_",
            type=click.Choice(FORMATS),
            default="table",
            show_default=True,
            help="How to print it.",
        ),
    ):
        function = option(function)
    return function
