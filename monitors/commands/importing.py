"""`import`: an export read back into the store."""

from __future__ import annotations

import gzip
import sys
import zlib
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, cast

import click

from monitors.commands.output import note
from monitors.commands.storing import settings_of, store_option, store_to_fill
from monitors.errors import UsageError

if TYPE_CHECKING:
    import io
    from collections.abc import Iterator

    from monitors.store import Taken

_SHOWN = ("probes", "incidents", "outbox", "rollups", "bodies")
_WORDS = {"outbox": "notices", "rollups": "sums per hour and day"}


@click.command("import", short_help="Read an export into the store.")
@click.argument("file", type=click.Path(path_type=Path, allow_dash=True), metavar="FILE|-")
@click.option(
    "--merge",
    is_flag=True,
    help="Add the probes the store lacks to what it holds; all else of the export is left aside.",
)
@click.option(
    "--continue",
    "ahead",
    is_flag=True,
    help="Go back to an export its store went on after: number incidents and notices well ahead of it.",
)
@store_option
def command(*, file: Path, merge: bool, ahead: bool, state_dir: Path | None, config: Path | None) -> None:
    """Read an export into the store, all of it or nothing; the store is made where there is none.

    A file that was made for it is gone again where the import fails. A store that holds something is refused,
    unless it is to be merged with: then the probes it lacks are added, but for hours it has summed up already.

    To go back to an older export say --continue: no key of a notice that was sent since is used for another thing,
    which whoever gets it would take for a repetition.
    """
    if merge and ahead:
        message = "--merge leaves incidents and notices aside, so there is nothing to --continue; leave one of them out"
        raise UsageError(message)
    name = "standard input" if str(file) == "-" else str(file)
    with _lines(file) as lines, store_to_fill(state_dir, settings_of(config)) as store:
        taken = store.take(lines, name, merge=merge, ahead=ahead)
        if merge:
            store.roll_up()
    if not taken.counted:
        note(f"warning: {name}: written by an earlier program, which did not count its lines: some may be missing")
    note(f"{name}: {_said(taken, merge=merge)}")


def _said(taken: Taken, *, merge: bool) -> str:
    if merge:
        added = taken.rows.get("probes", 0)
        return f"{added:,} probes added, {taken.known:,} were there or summed up already; all else is left aside"
    parts = [f"{taken.rows[name]:,} {_WORDS.get(name, name)}" for name in _SHOWN if taken.rows.get(name)]
    return ", ".join(parts) or "an export of an empty store"


@contextmanager
def _lines(file: Path) -> Iterator[Iterator[str]]:
    """Give the lines of a file, decompressed where it begins as gzip does."""
    try:
        opened = nullcontext(sys.stdin.buffer) if str(file) == "-" else file.open("rb")
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        message = f"{file}: cannot be read: {reason.lower()}"
        raise UsageError(message) from error
    with opened as raw:
        packed = cast("io.BufferedReader", raw).peek(2)[:2] == b"\x1f\x8b"
        plain = gzip.GzipFile(fileobj=raw) if packed else raw
        try:
            yield (line.decode() for line in plain)
        except UnicodeDecodeError as error:
            message = f"{file}: not an export: not in UTF-8"
            raise UsageError(message) from error
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            message = f"{file}: not an export, or one that was cut off: {error}"
            raise UsageError(message) from error
