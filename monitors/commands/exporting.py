"""`export`: everything the store holds, as lines of JSON."""

from __future__ import annotations

import gzip
import os
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, cast

import click

from monitors.commands.output import note
from monitors.commands.storing import existing_store, store_option
from monitors.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

_CHUNK = 1_000
_GZIP_LEVEL = 6


@click.command("export", short_help="Write everything the store holds as NDJSON.")
@click.argument("file", type=click.Path(path_type=Path, allow_dash=True), default="-", metavar="[FILE]")
@store_option
def command(*, file: Path, state_dir: Path | None, config: Path | None) -> None:
    """Write everything the store holds as NDJSON: a head, and a line for each row.

    FILE appears whole or not at all, compressed where its name ends in .gz; standard output is `-`. `import` reads it
    back without loss, into a file or a server.
    """
    store = existing_store(state_dir, config)
    if store is None:
        message = "nothing is kept yet, so there is nothing to export; `model-lab-monitor watch` begins"
        raise UsageError(message)
    count = 0
    with store, _written(file) as out:
        lines: list[str] = []
        for line in store.export():
            lines.append(line)
            count += 1
            if len(lines) == _CHUNK:
                out.write("".join(lines).encode())
                lines = []
        out.write("".join(lines).encode())
    if str(file) != "-":
        note(f"{file}: {count:,} lines")


@contextmanager
def _written(file: Path) -> Iterator[BinaryIO]:
    """Give what takes bytes: standard output, or a draft that takes the file's name once it is whole."""
    if str(file) == "-":
        sys.stdout.flush()
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    try:
        handle, name = tempfile.mkstemp(prefix=f".{file.name[:40]}.", dir=file.parent)
    except (OSError, ValueError) as error:
        raise _unwritable(file, error) from error
    draft = Path(name)
    try:
        with os.fdopen(handle, "wb") as raw:
            if file.suffix == ".gz":
                # No name and no time in it: the same store gives the same file.
                with gzip.GzipFile("", "wb", _GZIP_LEVEL, raw, mtime=0) as out:
                    yield cast("BinaryIO", out)
            else:
                yield raw
            raw.flush()
            os.fsync(raw.fileno())
        draft.replace(file)
    except OSError as error:
        raise _unwritable(file, error) from error
    finally:
        draft.unlink(missing_ok=True)


def _unwritable(file: Path, error: OSError | ValueError) -> UsageError:
    reason = getattr(error, "strerror", None) or str(error)
    return UsageError(f"{file}: cannot be written: {reason.lower()}")
