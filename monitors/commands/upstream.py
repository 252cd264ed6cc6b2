"""`upstream`: what the vendor publishes, compared with our contract."""

from __future__ import annotations

import click

from monitors.commands.changes import changes_options, rendered
from monitors.commands.output import note, write_stdout
from monitors.errors import MonitorError
from monitors.exit_codes import ExitCode, exit_code, threshold


@click.command("upstream", short_help="Compare the vendor's page with the contract.")
@click.argument("sources", nargs=-1, metavar="[FILE|URL]…")
@changes_options
def command(*, sources: tuple[str, ...], format_: str, fail_on: str) -> int:
    """Compare what the vendor publishes with the contract: the page of the operation, or an OpenAPI document.

    A page is read in its Markdown form, the address with .md behind. Without FILE or URL the vendor's own page is
    fetched, with one GET and without keys. A page whose form has changed is exit code 2, never "all was removed".
    """
    from monitors.upstream.comparing import compare  # noqa: PLC0415 - brings the engine
    from monitors.upstream.sources import PAGE_URL, read  # noqa: PLC0415 - brings urllib

    found, mistakes, wanted = [], [], sources or (PAGE_URL,)
    for source in wanted:
        try:
            found += compare(read(source), source=source)
        except MonitorError as error:
            text = str(error)
            note(f"error: {text if source in text else f'{source}: {text}'}")
            mistakes.append(error.exit_code)
    if len(mistakes) < len(wanted):
        found.sort(key=lambda finding: -finding.level)
        write_stdout(rendered("upstream", found, wanted, format_))
    if ExitCode.HARNESS in mistakes:
        return ExitCode.HARNESS
    return ExitCode.USAGE if mistakes else exit_code(found, threshold(fail_on))
