"""Where a report goes: the terminal, a pipe, or a file that appears whole or not at all."""

from __future__ import annotations

import os
import shutil
import stat
import sys
import tempfile
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from monitors.config import strays
from monitors.errors import UsageError
from monitors.report import RENDERERS, Layout
from monitors.report.summary import sentence
from monitors.report.text import for_log

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from monitors.report import Report

    Writer = Callable[[str], None]

_WIDTH_OF_A_PIPE, _ENDLESS = 100, 10_000
_SIGNS = "✓✗▲▼•·→…"
# File names end at 255 bytes, and mkstemp adds its own letters.
_NAME_CHARS = 40
_STEP_SUMMARY = "GITHUB_STEP_SUMMARY"


@contextmanager
def destination(path: Path | None, option: str = "--output") -> Iterator[Writer]:
    """Yield what takes the text of the report; None and `-` mean standard output. Messages name the `option`.

    A file is opened at once, under another name beside it, and takes its own name when the text is written, so a
    reader never sees half a report. Raises `UsageError` for a path that cannot be written to.
    """
    if path is None or str(path) == "-":
        yield write_stdout
        return
    real = _real(path, option)
    draft = _draft(path, real, option)
    if draft is None:
        yield lambda text: _write_through(path, text, option)
        return
    try:
        yield lambda text: _write_whole(path, real, draft, text, option)
    finally:
        draft.unlink(missing_ok=True)


def _real(path: Path, option: str) -> Path:
    try:
        return Path(os.path.realpath(path))
    except (OSError, ValueError) as error:
        raise _unwritable(path, error, option) from error


def _draft(path: Path, real: Path, option: str) -> Path | None:
    """Make the empty file that will become the report; None for a device or a pipe, which no file may replace."""
    try:
        kind = real.stat().st_mode if real.exists() else stat.S_IFREG
        if stat.S_ISDIR(kind):
            message = f"{option} {path}: is a directory; name a file in it"
            raise UsageError(message)
        if not stat.S_ISREG(kind):
            return None
        if real.exists() and not os.access(real, os.W_OK):
            message = f"{option} {path}: the file is write-protected"
            raise UsageError(message)
        handle, name = tempfile.mkstemp(prefix=f".{real.name[:_NAME_CHARS]}.", dir=real.parent)
    except (OSError, ValueError) as error:
        raise _unwritable(path, error, option) from error
    os.close(handle)
    return Path(name)


def _write_whole(path: Path, real: Path, draft: Path, text: str, option: str) -> None:
    try:
        with draft.open("w", encoding="utf-8", newline="") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        draft.chmod(_mode(real))
        draft.replace(real)
    except OSError as error:
        raise _unwritable(path, error, option) from error


def _write_through(path: Path, text: str, option: str) -> None:
    try:
        path.write_text(text, "utf-8")
    except OSError as error:
        raise _unwritable(path, error, option) from error


def _unwritable(path: Path, error: OSError | ValueError, option: str) -> UsageError:
    reason = getattr(error, "strerror", None) or str(error)
    return UsageError(f"{option} {path}: cannot be written: {reason.lower()}")


def _mode(path: Path) -> int:
    """Return the permissions of the file replaced, or those a new file gets."""
    try:
        return stat.S_IMODE(path.stat().st_mode)
    except FileNotFoundError:
        mask = os.umask(0)
        os.umask(mask)
        return 0o666 & ~mask


def write_stdout(text: str) -> None:
    """Write text to standard output; what its encoding lacks is spelled out.

    Raises `BrokenPipeError` where nobody reads any more and `UsageError` where there is no standard output.
    """
    encoding = _stdout().encoding or "utf-8"
    _stdout().write(text.encode(encoding, "backslashreplace").decode(encoding))
    _stdout().flush()


def _write_utf8(text: str) -> None:
    """Write what other programs read, in UTF-8 whatever the terminal's encoding."""
    _stdout().flush()
    _stdout().buffer.write(text.encode())
    _stdout().flush()


def _stdout() -> Any:
    # Python sets it to None where the shell closed it, whatever the type says.
    stream: Any = sys.stdout
    if stream is None:
        message = "standard output is closed; name a file with --output"
        raise UsageError(message)
    return stream


def layout(stream: Any, environ: Mapping[str, str], *, verbose: bool = False) -> Layout:
    """Return what a stream can show: columns, colour (https://no-color.org), characters beyond ASCII."""
    tty = stream.isatty()
    colour = tty and environ.get("TERM") != "dumb"
    if environ.get("FORCE_COLOR"):
        colour = True
    if environ.get("NO_COLOR"):
        colour = False
    try:
        _SIGNS.encode(stream.encoding or "utf-8")
        unicode = True
    except UnicodeEncodeError:
        unicode = False
    width = shutil.get_terminal_size((_WIDTH_OF_A_PIPE, 0)).columns if tty else _columns(environ)
    return Layout(width, colour=colour, unicode=unicode, verbose=verbose)


def row_layout(stream: Any, environ: Mapping[str, str]) -> Layout:
    """Return the layout of a plain list: in a pipe each row is one line, for grep, unless `COLUMNS` says otherwise."""
    found = layout(stream, environ)
    return found if stream.isatty() or environ.get("COLUMNS") else replace(found, width=_ENDLESS)


def _columns(environ: Mapping[str, str]) -> int:
    given = environ.get("COLUMNS", "")
    return int(given[:4]) if given.isdecimal() and int(given[:4]) else _WIDTH_OF_A_PIPE


def publish(report: Report, write: Writer, format_: str, *, verbose: bool, quiet: bool) -> None:
    """Render a report and write it; on a file, the sentence that sums it up goes to stderr."""
    to_stdout = write is write_stdout
    if not to_stdout:
        write(RENDERERS[format_](report, Layout(verbose=verbose)))
    elif format_ == "table":
        write(RENDERERS[format_](report, layout(_stdout(), os.environ, verbose=verbose)))
    else:
        _write_utf8(RENDERERS[format_](report, Layout()))
    if not to_stdout and not quiet:
        note(sentence(report))
    summary = os.environ.get(_STEP_SUMMARY)
    if format_ == "github" and summary:
        try:
            with Path(summary).open("a", encoding="utf-8") as file:
                file.write(RENDERERS["markdown"](report))
        except OSError as error:
            note(f"warning: {_STEP_SUMMARY} {summary} cannot be written: {error.strerror or error}")


def note(line: str) -> None:
    """Say something beside the report, on stderr."""
    click.echo(for_log(line), err=True)


def note_strays(environ: Mapping[str, str]) -> None:
    """Warn on stderr of variables that are set for sites that do not exist."""
    for line in strays(environ):
        note(f"warning: {line}")
