"""`diff`: two contracts compared for who reads the answers they describe."""

from __future__ import annotations

from pathlib import Path

import click

from monitors.commands.changes import changes_options, rendered
from monitors.commands.output import write_stdout
from monitors.exit_codes import exit_code, threshold


@click.command("diff", short_help="Compare two contracts.")
@click.argument("base", type=click.Path(path_type=Path), metavar="BASE")
@click.argument("revision", type=click.Path(path_type=Path), metavar="REVISION")
@changes_options
def command(*, base: Path, revision: Path, format_: str, fail_on: str) -> int:
    """Compare two contracts: what changes for a program that reads the answers, and whether it breaks.

    Either is a JSON Schema, an OpenAPI 3.0 or 3.1 document (JSON or YAML), a saved shape, or the vendor's page in
    Markdown. Local references are followed; nothing is fetched.
    """
    from monitors.upstream.documents import diff  # noqa: PLC0415 - brings the engine

    found = diff(base, revision)
    write_stdout(rendered("diff", found, (str(base), str(revision)), format_))
    return exit_code(found, threshold(fail_on))
