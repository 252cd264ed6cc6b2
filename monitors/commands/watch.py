"""`watch`: the scheduled monitor."""

from __future__ import annotations

import os
import sys
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from monitors.commands.accepted import accepted_option
from monitors.commands.options import (
    Seconds,
    check_option,
    config_option,
    reaching_options,
    save_option,
    site_option,
)
from monitors.commands.output import destination, note, note_strays, publish, row_layout, write_stdout
from monitors.commands.storing import state_dir_option
from monitors.config import FILE_NAME, FILE_VARIABLE
from monitors.exit_codes import FAIL_ON, ExitCode, exit_code, threshold
from monitors.report import FORMATS, RENDERERS

if TYPE_CHECKING:
    from collections.abc import Callable

    from monitors.notify.sinks import Around
    from monitors.report import Layout
    from monitors.watching.statusline import StatusLine

# The loop goes on meanwhile, and tries again: nobody waits long for a store that is locked.
_BUSY_TIMEOUT_S = 2.0
_MAX_INTERVAL_S = 30 * 86_400
# Reports that lines of others do not spoil: people read them, or the runner of GitHub Actions, line by line.
_SHARED = ("table", "github")
_LOG_FORMATS = ("auto", "json", "logfmt", "progress")
_LOG_LEVELS = ("debug", "info", "warning", "error")


@click.command("watch", short_help="Probe on a schedule, keep history, alert once per problem.")
@click.option("--once", is_flag=True, help="Make every check once, look again where it takes that, deliver, and end.")
@site_option("Only these sites, by key, DD_SITE parameter or API host; may be repeated.  [default: all]")
@check_option("  [default: all]")
@click.option(
    "--interval",
    "interval_s",
    type=Seconds(1, _MAX_INTERVAL_S),
    metavar="SECONDS",
    help="Make every check as often, in place of what is configured, as far as the budget lets through.",
)
@click.option(
    "--log-format",
    type=click.Choice(_LOG_FORMATS),
    default="auto",
    show_default=True,
    help="How to log on stderr; auto is a line that moves on a terminal, JSON elsewhere.",
)
@click.option("--log-level", type=click.Choice(_LOG_LEVELS), default="info", show_default=True, help="What to log.")
@click.option(
    "--format",
    "format_",
    type=click.Choice(FORMATS),
    default="table",
    show_default=True,
    help="With --once, how to print the report.",
)
@click.option(
    "--output",
    type=click.Path(path_type=Path, allow_dash=True),
    metavar="FILE",
    help="With --once, write the report there, all at once, in place of stdout.",
)
@save_option
@click.option(
    "--fail-on",
    type=click.Choice(FAIL_ON),
    help="With --once, lowest level of a finding that makes the exit code 1 or 3.  [default: breaking]",
)
@click.option("--digest", is_flag=True, help="With --once, send a digest of the last day to the sinks that take any.")
@accepted_option
@reaching_options
@state_dir_option
@config_option
def command(
    *,
    once: bool,
    sites: tuple[str, ...],
    checks: tuple[str, ...],
    interval_s: float | None,
    log_format: str,
    log_level: str,
    format_: str,
    output: Path | None,
    save: Path | None,
    fail_on: str | None,
    digest: bool,
    accepted: Path | None,
    mock: tuple[str, ...],
    run_ids: tuple[str, ...],
    timeout_s: float | None,
    resolve: tuple[str, ...],
    connect_to: tuple[str, ...],
    ca_file: Path | None,
    state_dir: Path | None,
    config: Path | None,
) -> int:
    """Probe every site on a schedule, keep what was seen, and alert once per problem: when it begins, and when it ends.

    Runs until SIGTERM or Ctrl-C, which end it in good order; SIGHUP, or a change of the file, has it read its
    configuration anew. Only GET is ever sent to a site.
    """
    _refuse_without_once(once=once, ctx=click.get_current_context())
    # Deferred, so that a mistake in the options is told before HTTP, TLS and the store are loaded.
    from monitors.commands.pass_report import report_of  # noqa: PLC0415
    from monitors.commands.storing import chosen_store  # noqa: PLC0415
    from monitors.commands.targets import Wiring  # noqa: PLC0415
    from monitors.commands.watch_settings import Asked  # noqa: PLC0415
    from monitors.commands.watching import Bench  # noqa: PLC0415
    from monitors.watching.logs import chosen_format, logger  # noqa: PLC0415
    from monitors.watching.statusline import StatusLine  # noqa: PLC0415

    wiring = Wiring(mock or None, resolve, connect_to, ca_file)
    asked = Asked(sites, checks, config, run_ids, timeout_s, interval_s, accepted, wiring)
    format_of_log = chosen_format(log_format)
    with ExitStack() as stack:
        write = stack.enter_context(destination(output))
        write_json = stack.enter_context(destination(save, "--save")) if save else None
        line = stack.enter_context(StatusLine(sys.stderr, shown=format_of_log == "progress" and not once))
        say = logger(format_of_log, _quieter(log_level, once=once), line, _shape)
        tell = _silent if log_level == "error" else note
        if wiring.mock is None:
            note_strays(os.environ)
        elif config is None:
            _note_left_aside(tell)
        bench = stack.enter_context(
            Bench(
                asked,
                say,
                line.show,
                lambda settings: chosen_store(state_dir, settings, wiring=wiring, busy_timeout_s=_BUSY_TIMEOUT_S),
                tell,
                _around(line, aside=once and write is write_stdout and format_ not in _SHARED),
            )
        )
        if not once:
            with line.following(bench.watch.line):
                bench.forever()
            return ExitCode.OK
        kept = bench.once(digest=digest)
        report = report_of(bench, kept, threshold(fail_on) if fail_on else bench.settings.fail_on)
        if write_json:
            write_json(RENDERERS["json"](report))
        publish(report, write, format_, verbose=False, quiet=False)
    return exit_code(report.findings, report.fail_on, harness_failed=bool(report.harness_failures))


def _note_left_aside(tell: Callable[[str], None]) -> None:
    """Tell of a configuration that would count for real sites: mock sites take none that is not named."""
    found = os.environ.get(FILE_VARIABLE) or (FILE_NAME if Path(FILE_NAME).is_file() else "")
    if found:
        tell(f"{found} is left aside with --mock; --config {found} takes it")


def _shape() -> Layout:
    """Return how lines of the log are laid out for people, as wide as the terminal is just now."""
    from monitors.watching.statusline import columns  # noqa: PLC0415 - not for --help

    found = row_layout(sys.stderr, os.environ)
    return replace(found, width=columns(sys.stderr)) if sys.stderr.isatty() else found


def _around(line: StatusLine, *, aside: bool) -> Around:
    """Return where sinks write that write to standard output, where it is shared.

    Above the line that moves on the same terminal; to standard error, `aside` from a report that programs read.
    """
    from monitors.notify.sinks import Around  # noqa: PLC0415 - not for --help

    on_one_terminal = line.shown and sys.stdout is not None and sys.stdout.isatty() and sys.stderr.isatty()
    if not aside and not on_one_terminal:
        return Around()

    def write(text: str) -> None:
        line.write(text)
        line.flush()

    return Around(write=write)


_ONLY_ONCE = {
    "format_": "--format",
    "output": "--output",
    "save": "--save",
    "fail_on": "--fail-on",
    "digest": "--digest",
}


def _refuse_without_once(ctx: click.Context, *, once: bool) -> None:
    """Refuse what speaks of a report that a run without end does not print."""
    for name, option in _ONLY_ONCE.items():
        if not once and ctx.get_parameter_source(name) is click.core.ParameterSource.COMMANDLINE:
            message = f"{option} is for a single pass; add --once, or leave it out"
            raise click.UsageError(message)


def _quieter(level: str, *, once: bool) -> str:
    """Return the level to log from: what a single pass found stands in its report."""
    return "error" if once and level == "info" else level


def _silent(_line: str) -> None:
    """Say nothing: whoever wants only errors, as a job of cron does, waits for nothing."""
