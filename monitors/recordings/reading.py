"""Files and directories of recordings, read one entry after the other."""

from __future__ import annotations

import os
import stat
import sys
from collections import Counter
from typing import TYPE_CHECKING

from monitors.errors import UsageError
from monitors.recordings import formats
from monitors.recordings.entry import Aside, BrokenError, Exchange, LeftAside, moment
from monitors.recordings.ours import observe

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from datetime import datetime
    from pathlib import Path

    from monitors.model import Observation

MAX_FILE_BYTES = 512 * 2**20
"""Largest file that is read."""

SUFFIXES = (".json", ".har", ".yaml", ".yml", ".vcr")
"""What a directory's files must end in to be opened; a file named by the user may have any name."""

_YAML_SUFFIXES = (".yaml", ".yml")
_CLOCK_SUFFIXES = (".frozen", ".freeze")
_CLOCK_NAME = "frozen.json"
_CLOCK_BYTES = 200
_WIDE_BOMS = (b"\xff\xfe", b"\xfe\xff")
_STDIN = "-"
_SHOWN_SUFFIX = 12
# What all bodies of one file may add up to: references and compression make a small file large.
_BODIES_FLOOR_BYTES = 64 * 2**20
_BODIES_RATIO = 100


def read(
    path: Path,
    *,
    status: int | None = None,
    run_id: str | None = None,
    on_file: Callable[[Path], None] | None = None,
) -> Iterator[Observation | LeftAside]:
    """Yield what a recording, a directory of recordings or standard input (`-`) holds, in order.

    `status` (default 200) is that of raw bodies, `run_id` (default unknown) of answers recorded without their URL.
    `on_file` is called after each file. Raises `UsageError` for a file that cannot be used; in a directory, after
    everything else was yielded.
    """
    if _is_directory(path):
        yield from _directory(path, status, run_id, on_file)
        return
    yield from _file(path, status, run_id)
    if on_file is not None:
        on_file(path)


def count_files(paths: Iterable[Path]) -> int:
    """Return how many files `read` will open for these paths."""
    return sum(sum(1 for _ in _walk(path, Counter())) if _is_directory(path) else 1 for path in paths)


class _SkippedError(UsageError):
    """Nothing in the file could be of interest: wrong where the user named it, left aside in a directory."""

    def __init__(self, message: str, reason: str, kind: Aside) -> None:
        super().__init__(message)
        self.reason = reason
        self.kind = kind


def _is_directory(path: Path) -> bool:
    try:
        return path.is_dir()
    except OSError:
        return False  # What hinders us is said when the file is opened.


def _name(path: Path) -> str:
    """Return the path as one printable line, whatever bytes the file system holds."""
    if str(path) == _STDIN:
        return "standard input"
    text = str(path).encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    return "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in text)


def _directory(
    top: Path, status: int | None, run_id: str | None, on_file: Callable[[Path], None] | None
) -> Iterator[Observation | LeftAside]:
    skipped: Counter[tuple[Aside, str]] = Counter()
    problems: list[UsageError] = []
    found = False
    for path in _walk(top, skipped):
        try:
            yield from _file(path, status, run_id, in_directory=True)
            found = True
        except _SkippedError as error:
            skipped[error.kind, error.reason] += 1
        except UsageError as error:
            problems.append(error)
        if on_file is not None:
            on_file(path)
    for (kind, reason), count in skipped.items():
        yield LeftAside(_name(top), reason, count, kind)
    if problems:
        more = f" (and {len(problems) - 1} more that cannot be read)" if len(problems) > 1 else ""
        message = f"{problems[0]}{more}"
        raise UsageError(message)
    if not found:
        where = f"files named {', '.join('*' + suffix for suffix in SUFFIXES)}"
        message = f"{_name(top)}: no recording in this directory; accepted are {formats.KNOWN}, in {where}"
        raise UsageError(message)


def _walk(top: Path, skipped: Counter[tuple[Aside, str]]) -> Iterator[Path]:
    """Yield the files to open, sorted, following links but entering each directory once."""
    entered: set[tuple[int, int]] = set()
    waiting = [top]
    while waiting:
        path = waiting.pop()
        try:
            info = path.stat()
            if not stat.S_ISDIR(info.st_mode):
                if _is_wanted(path, info.st_mode, skipped):
                    yield path
            elif (info.st_dev, info.st_ino) in entered:
                skipped[Aside.UNKNOWN, "a link to a directory that was read already"] += 1
            else:
                entered.add((info.st_dev, info.st_ino))
                waiting.extend(_children(path, skipped))
        except OSError as error:
            skipped[Aside.UNREADABLE, f"unreadable: {(error.strerror or 'unknown error').lower()}"] += 1


def _children(path: Path, skipped: Counter[tuple[Aside, str]]) -> list[Path]:
    """Return what is in a directory, last first, without the hidden."""
    children = sorted(path.iterdir(), reverse=True)
    shown = [child for child in children if not child.name.startswith(".")]
    if len(shown) < len(children):
        skipped[Aside.UNKNOWN, "hidden"] += len(children) - len(shown)
    return shown


def _is_wanted(path: Path, mode: int, skipped: Counter[tuple[Aside, str]]) -> bool:
    suffix = path.suffix.lower()
    if suffix in _CLOCK_SUFFIXES or path.name == _CLOCK_NAME:
        return False  # Read with the cassette it stands beside.
    if not stat.S_ISREG(mode):
        skipped[Aside.UNKNOWN, "no regular file"] += 1
    elif suffix not in SUFFIXES:
        skipped[Aside.UNKNOWN, f"no recording by its name: {suffix[:_SHOWN_SUFFIX] or 'no suffix'}"] += 1
    else:
        return True
    return False


def _file(
    path: Path, status: int | None, run_id: str | None, *, in_directory: bool = False
) -> Iterator[Observation | LeftAside]:
    name = _name(path)
    data = _load(path, name)
    if not data.strip():
        message = f"{name}: the file is empty; accepted are {formats.KNOWN}"
        raise _SkippedError(message, "unreadable: an empty file", Aside.UNREADABLE)
    try:
        entries = formats.exchanges(data, name)
        if entries is None and data.startswith(_WIDE_BOMS):
            # Windows PowerShell writes what is redirected to a file so; of a recording that says nothing.
            entries = formats.exchanges(_narrowed(data), name)
        if entries is None:
            _refuse_unknown(path, name, data, any_answer=status is not None, in_directory=in_directory)
            entries = iter((Exchange("GET", None, 200 if status is None else status, lambda: data),))
        yield from _entries(path, name, len(data), entries, run_id)
    except BrokenError as error:
        message = f"{name}: a broken recording: {error}"
        if formats.mentions_us(data):
            raise UsageError(message) from None
        raise _SkippedError(message, "unreadable: a broken recording", Aside.UNREADABLE) from None


def _narrowed(data: bytes) -> bytes:
    """Return UTF-16 as UTF-8; as it is where it is none."""
    try:
        return data.decode("utf-16").encode()
    except UnicodeError:
        return data


def _refuse_unknown(path: Path, name: str, data: bytes, *, any_answer: bool, in_directory: bool) -> None:
    """Raise `UsageError` unless the bytes may be a raw body: in a directory nobody has said that they are."""
    is_body = not in_directory or formats.looks_like_a_body(data, any_answer=any_answer)
    if path.suffix.lower() in _YAML_SUFFIXES or not is_body:
        message = f"{name}: is no recording I know; accepted are {formats.KNOWN}"
        raise _SkippedError(message, "no recording by its content", Aside.UNKNOWN)


def _load(path: Path, name: str) -> bytes:
    try:
        if str(path) == _STDIN:
            if sys.stdin is None:
                message = f"{name} is closed; name a file"
                raise UsageError(message)
            data = sys.stdin.buffer.read(MAX_FILE_BYTES + 1)
        else:
            with path.open("rb") as file:
                info = os.fstat(file.fileno())
                # A pipe has no size; a file too large must not be read first.
                data = b"" if info.st_size > MAX_FILE_BYTES else file.read(MAX_FILE_BYTES + 1)
                if info.st_size > MAX_FILE_BYTES:
                    raise _too_large(name)
    except FileNotFoundError:
        message = f"{name}: no such file; name a recording or a directory of recordings"
        raise UsageError(message) from None
    except (OSError, ValueError) as error:
        message = f"{name}: cannot be read: {getattr(error, 'strerror', None) or error}"
        raise UsageError(message) from None
    if len(data) > MAX_FILE_BYTES:
        raise _too_large(name)
    return data


def _too_large(name: str) -> UsageError:
    return UsageError(f"{name}: larger than {MAX_FILE_BYTES // 2**20} MiB; split the recording")


def _entries(
    path: Path, name: str, size: int, entries: Iterator[Exchange | LeftAside | None], run_id: str | None
) -> Iterator[Observation | LeftAside]:
    aside: Counter[tuple[Aside, str, bool]] = Counter()
    spent, allowed = 0, _BODIES_FLOOR_BYTES + _BODIES_RATIO * size
    for number, entry in enumerate(entries, start=1):
        if isinstance(entry, LeftAside):
            seen: Observation | LeftAside = entry
        elif entry is None:
            seen = LeftAside(name, "unreadable entry: no request in it", kind=Aside.UNREADABLE)
        else:
            source = name if entry.url is None else f"{name}#{number}"
            seen = observe(entry, source, run_id=run_id or "", recorded_at=lambda: _clock(path))
        if isinstance(seen, LeftAside):
            aside[seen.kind, seen.reason, seen.exact] += seen.count
            continue
        spent += len(seen.body)
        if spent > allowed:
            message = f"its bodies add up to more than {_BODIES_RATIO} times the file"
            raise BrokenError(message)
        yield seen
    for (kind, reason, exact), count in aside.items():
        yield LeftAside(name, reason, count, kind, exact)


def _clock(path: Path) -> datetime | None:
    """Return the time some test suites keep beside a cassette, to set the clock back to it."""
    for candidate in (*(path.with_suffix(suffix) for suffix in _CLOCK_SUFFIXES), path.with_name(_CLOCK_NAME)):
        try:
            with candidate.open("rb") as file:
                found = moment(file.read(_CLOCK_BYTES))
        except (OSError, ValueError):
            continue
        if found is not None:
            return found
    return None
