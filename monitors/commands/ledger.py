"""`ledger`: what was seen where, on which site, since when."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import click

from monitors.commands.options import site_option
from monitors.commands.output import layout, note, write_stdout
from monitors.commands.storing import existing_store, store_option
from monitors.report.text import counted
from monitors.sites import find_site, find_sites

if TYPE_CHECKING:
    from pathlib import Path

_FORMATS = ("table", "json", "markdown")


@click.command("ledger", short_help="Show what was seen where, on which site, since when.")
@site_option("Only these sites.")
@click.option(
    "--format", "format_", type=click.Choice(_FORMATS), default="table", show_default=True, help="How to print it."
)
@click.option("--all", "everything", is_flag=True, help="Every place of every answer, not only what changed.")
@click.option(
    "--new-baseline",
    "new_baseline",
    metavar="SITE",
    help="Forget how the canary runs of a site were first seen: the next answer is what later ones are held against.",
)
@store_option
def command(
    *,
    sites: tuple[str, ...],
    format_: str,
    everything: bool,
    new_baseline: str | None,
    state_dir: Path | None,
    config: Path | None,
) -> None:
    """Show what was seen where, on which site, since when: how a change rolls out from region to region.

    A change is what the contract does not document, and what a site began or ceased to answer. Who has it first stands
    first.
    """
    # Deferred: completion imports this module to list its options.
    from monitors.commands.ledger_views import as_json, as_markdown, as_table  # noqa: PLC0415
    from monitors.memory.ledger import Ledger  # noqa: PLC0415
    from monitors.memory.view import entries, sites_of  # noqa: PLC0415
    from monitors.store import StoreShelf  # noqa: PLC0415

    site = find_site(new_baseline).key if new_baseline is not None else None
    ledger, forgotten = Ledger(), 0
    if store := existing_store(state_dir, config, filled_by="probe"):
        with store:
            if site is None:
                ledger = store.memory().ledger
            else:
                forgotten = StoreShelf(store).forget_baselines(site)
    if site is not None:
        note(f"{site}: {counted(forgotten, 'canary run')} forgotten; the next answer is the new baseline")
        return
    shown = sites_of(ledger, [site.key for site in find_sites(sites)] if sites else [])
    found = entries(ledger, shown, everything=everything)
    if format_ == "json":
        write_stdout(as_json(ledger, shown, found))
    elif format_ == "markdown":
        write_stdout(as_markdown(ledger, shown, found))
    else:
        write_stdout(as_table(ledger, shown, found, layout(sys.stdout, os.environ)))
