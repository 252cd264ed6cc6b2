"""`history`: what was probed, and how it went."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import click

from monitors.commands.moments import refuse_backwards, since_option, until_option
from monitors.commands.options import check_option, site_option
from monitors.commands.output import layout, write_stdout
from monitors.commands.storing import check_names, existing_store, site_keys, store_option
from monitors.errors import UsageError

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from monitors.store import Store

_FORMATS = ("table", "json", "ndjson", "csv", "markdown")
_VERDICTS = ("none", "info", "warning", "breaking")
_LINES = 200


@click.command("history", short_help="Show what was probed, and how it went.")
@site_option("Only these sites.")
@check_option()
@since_option("1d")
@until_option
@click.option(
    "--verdict",
    "verdicts",
    type=click.Choice(_VERDICTS),
    multiple=True,
    help="Only probes whose worst finding is of that level; may be repeated.",
)
@click.option(
    "--available/--unavailable", "available", default=None, help="Only probes that found the site so.  [default: all]"
)
@click.option(
    "--limit",
    type=click.IntRange(1),
    metavar="COUNT",
    help=f"At most so many, the newest: lines of a table, else probes.  [default: {_LINES} lines, all probes]",
)
@click.option(
    "--format", "format_", type=click.Choice(_FORMATS), default="table", show_default=True, help="How to print it."
)
@click.option("--body", metavar="HASH", help="Print one body that was kept, in place of everything else.")
@store_option
def command(
    *,
    sites: tuple[str, ...],
    checks: tuple[str, ...],
    since: datetime,
    until: datetime | None,
    verdicts: tuple[str, ...],
    available: bool | None,
    limit: int | None,
    format_: str,
    body: str | None,
    state_dir: Path | None,
    config: Path | None,
) -> None:
    """Show what was probed, and how it went.

    A table, here or in Markdown, puts probes in a row that went the same way on one line; the other formats list each
    probe.
    """
    refuse_backwards(since, until)
    # Deferred: completion imports this module to list its options.
    from monitors.commands import history_views as views  # noqa: PLC0415
    from monitors.commands.history_lines import PIECES  # noqa: PLC0415
    from monitors.store import Filter  # noqa: PLC0415

    wanted = Filter(site_keys(sites), check_names(checks), since, until, verdicts, available)
    store = existing_store(state_dir, config)
    if body is not None:
        _print_body(store, body)
        return
    try:
        if format_ in {"table", "markdown"}:
            found = views.stretches(iter(()) if store is None else store.outcomes(wanted))
            shown = views.Shown(
                [stretch for stretch in found if views.is_wanted(stretch.like, wanted)],
                since,
                until,
                limit or _LINES,
                None if store is None else store.complete_from(),
            )
            as_markdown, as_table = views.as_markdown, views.as_table
            write_stdout(
                as_markdown(shown) if format_ == "markdown" else as_table(shown, layout(sys.stdout, os.environ))
            )
            return
        if limit is not None and store is not None:
            newest = list(store.probes(wanted, newest_first=True, limit=limit))
            probes = reversed(newest)
        else:
            probes = iter(()) if store is None else store.probes(wanted)
        for piece in PIECES[format_](probes):
            write_stdout(piece)
    finally:
        if store is not None:
            store.close()


def _print_body(store: Store | None, name: str) -> None:
    from monitors.report.text import plain  # noqa: PLC0415 - only here

    found = None
    if store is not None:
        with store:
            found = store.body(name.strip().lower())
    if found is None:
        message = f"--body {plain(name, 70)}: no body of that hash is kept; `history --format json` names them"
        raise UsageError(message)
    if sys.stdout.isatty():
        text = found.content.decode("utf-8", "backslashreplace")
        write_stdout("".join(f"{plain(line)}\n" for line in text.splitlines()))
    else:
        sys.stdout.flush()
        sys.stdout.buffer.write(found.content)
        sys.stdout.buffer.flush()
