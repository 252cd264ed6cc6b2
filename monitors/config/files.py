"""Regular files alone: a pipe would keep whoever reads it waiting, and a device may do anything."""

from __future__ import annotations

import errno
import os
import stat
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

_KINDS = {
    stat.S_IFIFO: "a pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}
# Nothing is waited for should a pipe be put in the file's place meanwhile, and no terminal becomes ours.
_FLAGS = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOCTTY", 0) | getattr(os, "O_BINARY", 0)


def read_regular(path: Path, most: int) -> bytes:
    """Return at most so many bytes of a regular file, or of what a link to one leads to.

    Raises `OSError` for anything else and where it cannot be read, `ValueError` for a path no system takes.
    """
    # Looked at before it is opened, too: opening alone does something to some devices.
    _regular(path.stat())
    descriptor = os.open(path, _FLAGS)
    with open(descriptor, "rb") as stream:  # noqa: PTH123 - a descriptor has no path
        _regular(os.fstat(descriptor))
        return stream.read(most)


def why(error: OSError | ValueError) -> str:
    """Return in small letters why a file could not be read."""
    return (getattr(error, "strerror", None) or str(error)).lower()


def _regular(found: os.stat_result) -> None:
    if stat.S_ISREG(found.st_mode):
        return
    if stat.S_ISDIR(found.st_mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
    kind = _KINDS.get(stat.S_IFMT(found.st_mode), "something else")
    raise OSError(errno.EINVAL, f"it is {kind}; only regular files are read")
