"""`accept`: findings somebody looked at and lives with, written into a file people review."""

from __future__ import annotations

import getpass
import shutil
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from monitors.acceptance.book import FILE_NAME, HEAD, entry_of, read, with_entries
from monitors.acceptance.known import chosen, read_report
from monitors.commands.accepted import FILE_VARIABLE
from monitors.commands.output import destination, note, write_stdout
from monitors.errors import UsageError

if TYPE_CHECKING:
    from monitors.acceptance.known import Known

_MAX_REPORT_BYTES = 256 * 2**20
_GIT_TIMEOUT_S = 5


@click.command("accept", short_help="Accept findings, with a reason, in a file people review.")
@click.argument("fingerprints", nargs=-1, metavar="FINGERPRINT…")
@click.option("--reason", metavar="TEXT", help="Why it is accepted, for whoever reviews the file.")
@click.option("--by", "by", metavar="WHO", help="Who accepts it.  [default: git's user, else the login name]")
@click.option(
    "--expires",
    type=click.DateTime(["%Y-%m-%d"]),
    metavar="DATE",
    help="Last day it is accepted, e.g. 2026-12-31.  [default: no end]",
)
@click.option(
    "--file",
    "path",
    type=click.Path(path_type=Path),
    default=FILE_NAME,
    show_default=True,
    envvar=FILE_VARIABLE,
    metavar="FILE",
    help="The file of accepted findings.",
)
@click.option(
    "--from",
    "report",
    type=click.Path(path_type=Path, allow_dash=True),
    default="-",
    metavar="FILE",
    help="Report as probe or check print it with --format json.  [default: standard input]",
)
def command(
    *,
    fingerprints: tuple[str, ...],
    reason: str | None,
    by: str | None,
    expires: datetime | None,
    path: Path,
    report: Path,
) -> int:
    """Accept findings of a report, by fingerprint: they stay visible and no longer fail a command.

    Without any FINGERPRINT, list those of the report. Accepting one again changes its reason, its day and who.
    """
    known = read_report(_text(report), str(report))
    if not fingerprints:
        write_stdout(_listed(known))
        return 0
    wanted = chosen(known, fingerprints)
    today = datetime.now(UTC).date()
    last_day = None if expires is None else expires.date()
    reason = " ".join((reason or "").split())
    if not reason:
        message = "--reason is missing: say why, for whoever reviews the file"
        raise UsageError(message)
    if last_day is not None and last_day < today:
        message = f"--expires {last_day}: is past already; name a day to come"
        raise UsageError(message)
    by = " ".join((by or who()).split())
    if not by:
        message = "--by is missing: neither git nor this machine says who you are"
        raise UsageError(message)
    entries = [entry_of(one, reason=reason, by=by, on=today, expires=last_day) for one in wanted]
    with destination(path, "--file") as write:
        before = read(path)[0] if path.exists() else HEAD
        write(with_entries(before, entries, str(path)))
    for entry in entries:
        note(f"accepted {entry.fingerprint} ({entry.rule}) in {path}")
    return 0


def _text(path: Path) -> str:
    """Return the report's text. Raises `UsageError` where there is none."""
    try:
        if str(path) != "-":
            raw = path.read_bytes() if path.stat().st_size <= _MAX_REPORT_BYTES else b""
            return raw.decode("utf-8-sig", "replace")
        if sys.stdin is None or sys.stdin.isatty():
            message = "--from is missing: name a report of probe or check (--format json), or pipe one in"
            raise UsageError(message)
        return sys.stdin.buffer.read(_MAX_REPORT_BYTES).decode("utf-8-sig", "replace")
    except (OSError, ValueError) as error:
        said = getattr(error, "strerror", None) or str(error)
        message = f"cannot read the report {path}: {said.lower()}"
        raise UsageError(message) from error


def _listed(known: list[Known]) -> str:
    from monitors.report.text import for_log  # noqa: PLC0415 - beside its only use

    if not known:
        return "The report has no findings.\n"
    return "".join(
        for_log("  ".join((one.fingerprint, f"{one.level:<8}", one.words, *one.sites, *one.sources))) + "\n"
        for one in known
    )


def who() -> str:
    """Return git's user name, else the login name, else nothing."""
    git = shutil.which("git")
    if git is not None:
        try:
            said = subprocess.run(  # noqa: S603 - a fixed command line, found on the path
                [git, "config", "user.name"], capture_output=True, text=True, timeout=_GIT_TIMEOUT_S, check=False
            )
        except (OSError, subprocess.SubprocessError):
            said = None
        if said is not None and said.stdout.strip():
            return said.stdout
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return ""
