"""`probe`: every chosen site once, all at the same time."""

from __future__ import annotations

import os
from contextlib import ExitStack
from pathlib import Path

import click

from monitors.checks import CHECKS
from monitors.commands import completing
from monitors.commands.accepted import accepted_option, entries_of, with_accepted
from monitors.commands.options import Seconds, config_option, names_option, report_options, site_option
from monitors.commands.output import destination, note_strays, publish
from monitors.commands.progress import progress
from monitors.commands.remembering import session_for, state_options
from monitors.exit_codes import exit_code, threshold
from monitors.report import RENDERERS

_HEALTHY = "healthy"
_MIN_TIMEOUT_S, _MAX_TIMEOUT_S = 0.1, 300


@click.command("probe", short_help="Probe the sites once and judge every answer.")
@site_option("Only these sites, by key, DD_SITE parameter or API host; may be repeated.  [default: all]")
@names_option(
    "--check",
    "checks",
    metavar="CHECK[,CHECK…]",
    shell_complete=completing.checks,
    help=f"Only these checks: {', '.join(CHECKS)}; may be repeated.  [default: all]",
)
@report_options
@accepted_option
@click.option(
    "--save",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Write the whole report there as JSON too, whatever --format prints.",
)
@click.option(
    "--mock",
    "mock",
    is_flag=False,
    flag_value=_HEALTHY,
    multiple=True,
    metavar="[[SITE=]SCENARIO]",
    shell_complete=completing.scenarios,
    help="Probe mock sites inside this process, e.g. --mock US5=outage; may be repeated.  [scenario: healthy]",
)
@click.option(
    "--run-id",
    "run_ids",
    multiple=True,
    metavar="SITE=ID",
    shell_complete=completing.run_ids,
    help="Canary run of a site; may be repeated.",
)
@click.option(
    "--timeout",
    "timeout_s",
    type=Seconds(_MIN_TIMEOUT_S, _MAX_TIMEOUT_S),
    metavar="SECONDS",
    help="Deadline of each probe.  [default: 10]",
)
@click.option("--resolve", multiple=True, metavar="HOST:PORT:ADDRESS", help="As in curl; may be repeated.")
@click.option("--connect-to", multiple=True, metavar="HOST:PORT:HOST:PORT", help="As in curl; may be repeated.")
@click.option(
    "--ca-file",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Certificate authorities to trust in place of the usual ones (PEM).",
)
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
