"""`sites`: the regional sites, and what is configured for each."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import click

from monitors.commands.options import config_option, site_option
from monitors.commands.output import note_strays, row_layout, write_stdout
from monitors.config import load
from monitors.report.text import dumps

if TYPE_CHECKING:
    from pathlib import Path

    from monitors.config import SiteSettings
    from monitors.model import JSON

_SHORT = "List the sites, and what is configured for each."


@click.command("sites", short_help=_SHORT)
@site_option("Only these sites.")
@click.option(
    "--format",
    "format_",
    type=click.Choice(["table", "json"]),
    default="table",
    show_default=True,
    help="How to print it.",
)
@config_option
def command(sites: tuple[str, ...], format_: str, config: Path | None) -> None:
    """List the sites: key, DD_SITE parameter, API host, and whether keys and a canary run are configured."""
    settings = load(config, os.environ, sites, without=("sinks", "store"))
    note_strays(os.environ)
    if format_ == "json":
        write_stdout(dumps([_as_json(row) for row in settings.sites], indent=2) + "\n")
    else:
        from monitors.report.tables import lined_up  # noqa: PLC0415 - brings rich

        head = ("site", "DD_SITE", "API host", "place", "keys", "run")
        write_stdout(lined_up(head, [_as_row(row) for row in settings.sites], row_layout(sys.stdout, os.environ)))


def _as_json(row: SiteSettings) -> JSON:
    return {
        "key": row.site.key,
        "dd_site": row.site.dd_site,
        "api_host": row.site.api_host,
        "status_host": row.site.status_host,
        "location": row.site.location,
        "keys": row.credentials is not None,
        "run_id": row.run_id,
    }


def _as_row(row: SiteSettings) -> tuple[str, ...]:
    site = row.site
    keys, run = "yes" if row.credentials else "-", "-" if row.run_id is None else str(row.run_id)
    return site.key, site.dd_site, site.api_host, site.location, keys, run
