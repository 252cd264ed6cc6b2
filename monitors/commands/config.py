"""`config`: writes, checks or shows the configuration."""

from __future__ import annotations

import os
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from monitors.checks import CHECKS
from monitors.commands.options import config_option, site_option
from monitors.commands.output import layout, note, note_strays, row_layout, write_stdout
from monitors.config import FILE_NAME, STORE_VARIABLE, load
from monitors.errors import UsageError
from monitors.exit_codes import ExitCode

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from monitors.config import Settings
    from monitors.config.effective import Effective
    from monitors.model import JSON

F = TypeVar("F", bound="Callable[..., Any]")

# File names end at 255 bytes, and mkstemp adds its own letters.
_NAME_CHARS = 40
_SECRETS = ("keys", "sinks", "store")


def _reading(function: F) -> F:
    """Add what both commands have that read the configuration."""
    for option in (
        click.option(
            "--no-secrets",
            is_flag=True,
            help="The file alone: keys and other secrets it only names are not looked up, and may be missing.",
        ),
        config_option,
        click.argument("file", required=False, type=click.Path(path_type=Path), metavar="[FILE]"),
    ):
        function = option(function)
    return function


def _load(file: Path | None, config: Path | None, sites: tuple[str, ...], *, no_secrets: bool) -> Settings:
    if file is not None and config is not None:
        message = f"both {file} and --config {config} are given; keep one of them"
        raise UsageError(message)
    settings = load(file or config, os.environ, sites, without=_SECRETS if no_secrets else ())
    note_strays(os.environ)
    return settings


@click.group("config", short_help="Write, check or show the configuration.")
def command() -> None:
    """Write, check or show the configuration.

    It is one TOML file: the one named, else that of $MODEL_LAB_MONITOR_CONFIG, else model-lab-monitor.toml here.
    """


@command.command("init", short_help="Write a file with every key in it, commented out.")
@click.argument("file", required=False, type=click.Path(path_type=Path, allow_dash=True), metavar="[FILE|-]")
@click.option("--force", is_flag=True, help="Write over a file that is there.")
def init(*, file: Path | None, force: bool) -> int:
    """Write a file with every key in it, commented out: model-lab-monitor.toml here, or FILE, or - for stdout."""
    from monitors.config.example import example  # noqa: PLC0415 - beside its only use

    path = file or Path(FILE_NAME)
    if str(path) == "-":
        write_stdout(example())
        return ExitCode.OK
    _write(path, example(), force=force)
    note(f"{path} is written; every key in it is commented out")
    return ExitCode.OK


def _write(path: Path, text: str, *, force: bool) -> None:
    """Write a file that its owner alone can read: whole or not at all, and over another one only by force."""
    try:
        if force:
            handle, name = tempfile.mkstemp(prefix=f".{path.name[:_NAME_CHARS]}.", dir=path.parent)
            draft = Path(name)
        else:
            handle, draft = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), path
        try:
            with open(handle, "w", encoding="utf-8", newline="") as file:  # noqa: PTH123 - a handle has no path
                file.write(text)
            draft.replace(path)
        except OSError:
            draft.unlink(missing_ok=True)
            raise
    except FileExistsError as error:
        message = f"{path}: there is a file of that name; --force writes over it"
        raise UsageError(message) from error
    except (OSError, ValueError) as error:
        message = f"{path}: cannot be written: {(getattr(error, 'strerror', None) or str(error)).lower()}"
        raise UsageError(message) from error


@command.command("check", short_help="List every mistake, with its line.")
@_reading
def check(*, file: Path | None, config: Path | None, no_secrets: bool) -> int:
    """List every mistake, with its line and what to write instead; exit code 2 where there is one."""
    settings = _load(file, config, (), no_secrets=no_secrets)
    for line in (*settings.warnings, *_past(settings), *_too_often(settings, no_secrets=no_secrets)):
        note(f"warning: {line}")
    write_stdout("\n".join(_summary(settings)) + "\n")
    return ExitCode.OK


def _past(settings: Settings) -> list[str]:
    """Return a line on each window of maintenance that came once and is over: hardly what was meant, nor a mistake."""
    now = datetime.now(UTC)
    return [
        f"{settings.origins['maintenance', window.name, 'end']}: maintenance.{window.name} ended at "
        f"{window.end:%Y-%m-%d %H:%M} UTC; it came once, so it may go"
        for window in settings.maintenance
        if window.end is not None and window.end <= now
    ]


def _too_often(settings: Settings, *, no_secrets: bool) -> list[str]:
    """Return a line on sites of which more is asked than the budget lets through; without keys that is little."""
    from monitors.watching.pacing import paced  # noqa: PLC0415 - beside its only use

    watch = settings.watch
    intervals_s = {
        (site.site.key, check.name): watch.interval_s(site.site.key, check.name)
        for site in settings.sites
        for check in CHECKS.values()
        if (no_secrets or site.credentials or not check.with_keys) and (site.run_id is not None or check.run_id)
    }
    _, too_often = paced(intervals_s, watch.budget_per_minute)
    return too_often


def _summary(settings: Settings) -> list[str]:
    from monitors.report.text import counted, listed, plain  # noqa: PLC0415 - not for --help

    where = plain(str(settings.path)) if settings.path else "no file, the environment alone"
    keyed = [row.site.key for row in settings.sites if row.credentials]
    asked = [row.site.key for row in settings.sites if row.run_id is not None]
    windows = [window.name for window in settings.maintenance]
    sinks = [f"{sink.name} ({sink.type})" for sink in settings.sinks]
    sign = "✓ " if layout(sys.stdout, os.environ).unicode else ""
    return [
        f"{sign}{where}: no mistakes",
        f"  keys: {listed(keyed) or 'of no site'}",
        f"  canary runs: {listed(asked) or 'of no site'}",
        f"  {counted(len(windows), 'maintenance window')}{': ' if windows else ''}{listed(windows)}",
        f"  {counted(len(sinks), 'sink')}{': ' if sinks else ''}{listed(sinks)}",
    ]


@command.command("show", short_help="Show the values in force and where each came from.")
@site_option("Only these sites.")
@click.option(
    "--format",
    "format_",
    type=click.Choice(["table", "json"]),
    default="table",
    show_default=True,
    help="How to print it.",
)
@_reading
def show(*, file: Path | None, config: Path | None, no_secrets: bool, sites: tuple[str, ...], format_: str) -> int:
    """Show the values in force and where each came from; secrets are masked."""
    from monitors.config.effective import effective  # noqa: PLC0415 - beside its only use

    settings = _load(file, config, sites, no_secrets=no_secrets)
    rows = list(effective(settings, _store(no_secrets=no_secrets)))
    if format_ == "json":
        from monitors.report.text import dumps  # noqa: PLC0415 - not for --help

        found: list[JSON] = [{"name": row.name, "value": row.value, "from": row.origin} for row in rows]
        whole: JSON = {"file": str(settings.path) if settings.path else None, "settings": found}
        write_stdout(dumps(whole, indent=2) + "\n")
    else:
        write_stdout(_table(rows))
    return ExitCode.OK


def _store(*, no_secrets: bool) -> tuple[str | None, str]:
    """Return the URL of the store where no configuration names one, and who does."""
    from monitors.commands.storing import STATE_VARIABLE  # noqa: PLC0415 - beside its only use
    from monitors.store import FILE_NAME as STORE_NAME  # noqa: PLC0415 - brings the database
    from monitors.store import default_state_dir, sqlite_url  # noqa: PLC0415 - likewise

    if no_secrets:
        for name in (STORE_VARIABLE, f"{STORE_VARIABLE}_FILE"):
            if os.environ.get(name):
                return None, f"environment {name}"
    if folder := os.environ.get(STATE_VARIABLE):
        return sqlite_url(Path(folder).absolute() / STORE_NAME), f"environment {STATE_VARIABLE}"
    return sqlite_url(default_state_dir(os.environ) / STORE_NAME), "the user's state directory"


def _table(rows: Sequence[Effective]) -> str:
    """Return a line for each value: with its whole name for grep in a pipe, below its table's on a terminal."""
    from rich.text import Text  # noqa: PLC0415 - heavy

    from monitors.report.tables import bare_table, lined_up, printed  # noqa: PLC0415 - brings rich
    from monitors.report.text import for_log  # noqa: PLC0415 - not for --help

    head = ("setting", "value", "from")
    if not sys.stdout.isatty() and not os.environ.get("COLUMNS"):
        cells = [(row.name, _cell(row.value), row.origin) for row in rows]
        return lined_up(head, cells, row_layout(sys.stdout, os.environ))
    table = bare_table()
    for number, name in enumerate(head):
        table.add_column(Text(name), no_wrap=number == 0, overflow="fold")
    last = ""
    for row in rows:
        group, name = _split(row.name)
        if group != last:
            table.add_row()
            table.add_row(Text(f"[{group}]"))
            last = group
        table.add_row(*(Text(for_log(cell)) for cell in (name, _cell(row.value), row.origin)))
    return printed([table], layout(sys.stdout, os.environ))


def _split(name: str) -> tuple[str, str]:
    """Return the table a value stands under, and its name there; all checks stand under one."""
    above, checks, below = name.rpartition("checks.")
    if checks:
        return f"{above}checks", below
    table, _, own = name.rpartition(".")
    return table, own


def _cell(value: JSON) -> str:
    """Return a value as the table has it: a dash for nothing."""
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "-"
    if isinstance(value, bool):
        return str(value).lower()
    return "-" if value is None or value == "" else str(value)
