"""Options several commands have, and how their values are read."""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from monitors.checks import CHECKS
from monitors.commands import completing
from monitors.exit_codes import FAIL_ON
from monitors.report import FORMATS

if TYPE_CHECKING:
    from collections.abc import Callable

F = TypeVar("F", bound="Callable[..., Any]")

_HEALTHY = "healthy"
_MIN_TIMEOUT_S, _MAX_TIMEOUT_S = 0.1, 300


class Seconds(click.FloatRange):
    """A number of seconds within bounds; not a number, which stands within any bounds, is none."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Read the option's text."""
        seconds: float = super().convert(value, param, ctx)
        if math.isnan(seconds):
            self.fail(f"{value} is no number of seconds", param, ctx)
        return seconds


class Int64(click.IntRange):
    """An integer as the path of the operation takes it: any other word there would be another operation."""

    def __init__(self) -> None:
        """Take what 64 bits hold."""
        super().__init__(-(2**63), 2**63 - 1)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Read the option's text."""
        if not re.fullmatch(r"-?[0-9]+", str(value)):
            self.fail(f"{str(value)!r} is no integer, as run ids are", param, ctx)
        number: int = super().convert(value, param, ctx)
        return number


def _refuse_blank(_context: click.Context, _parameter: click.Parameter, given: tuple[str, ...]) -> tuple[str, ...]:
    """Refuse a list that names nothing, such as a variable that is not set: all sites were not meant."""
    if given and not any(text.strip(" ,") for text in given):
        message = f"{given[0]!r} names nothing; leave the option out to mean all"
        raise click.BadParameter(message)
    return given


def names_option(flag: str, name: str, **attributes: Any) -> Callable[[F], F]:
    """Return an option that takes names, separated by commas or given again, and at least one where it is given."""
    return click.option(flag, name, multiple=True, callback=_refuse_blank, **attributes)


def site_option(help_text: str) -> Callable[[F], F]:
    """Return the option `--site` with its help."""
    return names_option("--site", "sites", metavar="SITE[,SITE…]", shell_complete=completing.sites, help=help_text)


config_option = click.option(
    "--config",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Configuration file; else $MODEL_LAB_MONITOR_CONFIG, else model-lab-monitor.toml here.",
)


def report_options(function: F) -> F:
    """Add the options of every command that prints a report."""
    for option in (
        click.option(
            "-v",
            "--verbose",
            is_flag=True,
            help="In the table, list each probe with its phases, or each recorded answer.",
        ),
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


def check_option(help_end: str = "") -> Callable[[F], F]:
    """Return the option `--check` with its help, which ends as given."""
    return names_option(
        "--check",
        "checks",
        metavar="CHECK[,CHECK…]",
        shell_complete=completing.checks,
        help=f"Only these checks: {', '.join(CHECKS)}; may be repeated.{help_end}",
    )


save_option = click.option(
    "--save",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Write the whole report there as JSON too, whatever --format prints.",
)


def reaching_options(function: F) -> F:
    """Add the options that say what stands for the sites, and how they are reached."""
    for option in (
        click.option(
            "--ca-file",
            type=click.Path(path_type=Path),
            metavar="FILE",
            help="Certificate authorities to trust in place of the usual ones (PEM).",
        ),
        click.option("--connect-to", multiple=True, metavar="HOST:PORT:HOST:PORT", help="As in curl; may be repeated."),
        click.option("--resolve", multiple=True, metavar="HOST:PORT:ADDRESS", help="As in curl; may be repeated."),
        click.option(
            "--timeout",
            "timeout_s",
            type=Seconds(_MIN_TIMEOUT_S, _MAX_TIMEOUT_S),
            metavar="SECONDS",
            help="Deadline of each probe.  [default: 10]",
        ),
        click.option(
            "--run-id",
            "run_ids",
            multiple=True,
            metavar="SITE=ID",
            shell_complete=completing.run_ids,
            help="Canary run of a site; may be repeated.",
        ),
        click.option(
            "--mock",
            "mock",
            is_flag=False,
            flag_value=_HEALTHY,
            multiple=True,
            metavar="[[SITE=]SCENARIO]",
            shell_complete=completing.scenarios,
            help="Mock sites in this process instead, e.g. --mock US5=outage; may be repeated. Of the configuration "
            "only a file named by --config counts.  [scenario: healthy]",
        ),
    ):
        function = option(function)
    return function
