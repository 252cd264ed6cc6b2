"""`uptime`: uptime and response times over days or a year."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import click

from monitors.commands.moments import refuse_backwards, since_option, until_option
from monitors.commands.options import check_option, site_option
from monitors.commands.output import layout, write_stdout
from monitors.commands.storing import check_names, existing_store, site_keys, store_option

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

_FORMATS = ("table", "json", "csv", "markdown")


@click.command("uptime", short_help="Show uptime and response times over days or a year.")
@site_option("Only these sites.")
@check_option()
@since_option("30d")
@until_option
@click.option(
    "--by",
    type=click.Choice(("check", "site")),
    default="check",
    show_default=True,
    help="A line for each check of a site, or for each site.",
)
@click.option(
    "--format", "format_", type=click.Choice(_FORMATS), default="table", show_default=True, help="How to print it."
)
@store_option
def command(
    *,
    sites: tuple[str, ...],
    checks: tuple[str, ...],
    since: datetime,
    until: datetime | None,
    by: str,
    format_: str,
    state_dir: Path | None,
    config: Path | None,
) -> None:
    """Show uptime and response times over days or a year.

    The share is of the probes that count: one that only looked again at what was seen just before, or was throttled,
    does not. Times are those of probes that found the site available, within 1 %. The span is widened to whole hours,
    and to whole days where it begins so long ago that only days are kept.
    """
    refuse_backwards(since, until)
    # Deferred: completion imports this module to list its options.
    from monitors.commands import uptime_views as views  # noqa: PLC0415
    from monitors.store import Filter  # noqa: PLC0415

    wanted = Filter(site_keys(sites), check_names(checks), since, until)
    rows = []
    if store := existing_store(state_dir, config):
        with store:
            rows = store.uptime(wanted, by=by)
    if format_ == "json":
        write_stdout(views.as_json(rows, since, until))
    elif format_ == "csv":
        write_stdout(views.as_csv(rows))
    elif format_ == "markdown":
        write_stdout(views.as_markdown(rows, since, until))
    else:
        write_stdout(views.as_table(rows, since, until, layout(sys.stdout, os.environ)))
