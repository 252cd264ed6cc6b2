"""`probe`: every chosen site once, all at the same time."""

from __future__ import annotations

import os
from contextlib import ExitStack
from typing import TYPE_CHECKING

import click

from monitors.commands.accepted import accepted_option, entries_of, with_accepted
from monitors.commands.options import (
    check_option,
    config_option,
    reaching_options,
    report_options,
    save_option,
    site_option,
)
from monitors.commands.output import destination, note_strays, publish
from monitors.commands.progress import progress
from monitors.commands.remembering import session_for, state_options
from monitors.exit_codes import exit_code, threshold
from monitors.report import RENDERERS

if TYPE_CHECKING:
    from pathlib import Path


@click.command("probe", short_help="Probe the sites once and judge every answer.")
@site_option("Only these sites, by key, DD_SITE parameter or API host; may be repeated.  [default: all]")
@check_option("  [default: all]")
@report_options
@accepted_option
@save_option
@reaching_options
@state_options
@config_option
def command(
    *,
    sites: tuple[str, ...],
    checks: tuple[str, ...],
    mock: tuple[str, ...],
    run_ids: tuple[str, ...],
    timeout_s: float | None,
    config: Path | None,
    format_: str,
    output: Path | None,
    accepted: Path | None,
    save: Path | None,
    fail_on: str | None,
    verbose: bool,
    quiet: bool,
    resolve: tuple[str, ...],
    connect_to: tuple[str, ...],
    ca_file: Path | None,
    state_dir: Path | None,
    no_state: bool,
) -> int:
    """Probe the sites once, all at the same time, and judge every answer.

    Sites without keys get the check that needs none. Only GET is ever sent.
    """
    # Deferred, so that a mistake in the options is told before HTTP and TLS are loaded.
    from monitors.commands.cycles import probe_all  # noqa: PLC0415
    from monitors.commands.targets import (  # noqa: PLC0415
        Wiring,
        find_checks,
        refuse_lacking,
        settings_for,
        targets_for,
    )
    from monitors.contract import Policy  # noqa: PLC0415

    chosen = find_checks(checks)
    wiring = Wiring(mock or None, resolve, connect_to, ca_file)
    settings = settings_for(sites, config, run_ids, timeout_s, wiring)
    if wiring.mock is None and not quiet:
        note_strays(os.environ)
    entries = entries_of(accepted)
    with ExitStack() as stack:
        write = stack.enter_context(destination(output))
        write_json = stack.enter_context(destination(save, "--save")) if save else None
        session = session_for(stack, state_dir, no_state=no_state, wiring=wiring, settings=settings)
        targets = targets_for(stack, settings, wiring)
        if sites and checks:
            refuse_lacking(targets, chosen)
        with progress("probing", len(targets) * len(chosen), quiet=quiet) as step:
            report = probe_all(
                targets,
                chosen,
                policy=Policy(settings.availability, settings.certificate_warning_days),
                fail_on=threshold(fail_on) if fail_on else settings.fail_on,
                on_step=step,
                session=session,
            )
        report = with_accepted(report, entries)
        if write_json:
            write_json(RENDERERS["json"](report))
        publish(report, write, format_, verbose=verbose, quiet=quiet)
    return exit_code(report.findings, report.fail_on, harness_failed=bool(report.harness_failures))
