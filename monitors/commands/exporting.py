"""`export`: everything the store holds, as lines of JSON."""

from __future__ import annotations

import gzip
import os
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, TextIO, cast

import click

from monitors.commands.output import note
from monitors.commands.storing import existing_store, store_option
from monitors.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from monitors.store import Store

_CHUNK = 1_000
_GZIP_LEVEL = 6
_NOT_READ_TO_ITS_END = 141
"""What the shell makes of SIGPIPE: a script can tell a whole export from one whose reader left."""


@click.command("export", short_help="Write everything the store holds as NDJSON.")
@click.argument("file", type=click.Path(path_type=Path, allow_dash=True), default="-", metavar="[FILE]")
@store_option
def command(*, file: Path, state_dir: Path | None, config: Path | None) -> int:
    """Write everything the store holds as NDJSON: a head, and a line for each row.

    FILE appears whole or not at all, compressed where its name ends in .gz; standard output is `-`. `import` reads it
    back without loss, into a file or a server.
    """
    store = existing_store(state_dir, config)
    if store is None:
        message = "nothing is kept yet, so there is nothing to export; `model-lab-monitor watch` begins"
        raise UsageError(message)
    try:
        with store, _written(file) as out:
            count = _write(store, out)
    except BrokenPipeError:
        # Whoever reads has seen enough: no mistake to speak of, yet not all of it was written.
        return _NOT_READ_TO_ITS_END
    if str(file) != "-":
        note(f"{file}: {count:,} lines")
    return 0


def _write(store: Store, out: BinaryIO) -> int:
    """Write every line; returns how many there were."""
    count = 0
    lines: list[str] = []
    for line in store.export():
        lines.append(line)
        count += 1
        if len(lines) == _CHUNK:
            out.write("".join(lines).encode())
            lines = []
    out.write("".join(lines).encode())
    return count


@contextmanager
def _written(file: Path) -> Iterator[BinaryIO]:
    """Give what takes bytes: standard output, or a draft that takes the file's name once it is whole."""
    if str(file) == "-":
        # Python sets it to None where the shell closed it, whatever the type says.
        stream = cast("TextIO | None", sys.stdout)
        if stream is None:
            message = "standard output is closed; name a file"
            raise UsageError(message)
        stream.flush()
        yield stream.buffer
        stream.flush()
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
