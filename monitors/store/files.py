"""The file of a store as it was opened: SQLite goes on with one that was removed, and nobody ever sees it again."""

from __future__ import annotations

import stat
from typing import TYPE_CHECKING, Any

from monitors.store.errors import StoreReplacedError

if TYPE_CHECKING:
    import os
    from pathlib import Path


class OpenedFile:
    """Remembers which file a path led to when it was first asked, and notices when it leads elsewhere."""

    def __init__(self, path: Path) -> None:
        """Take a path; nothing is looked at yet."""
        self._path = path
        self._opened: tuple[int, int] | None = None

    def assure(self) -> None:
        """Raise `StoreReplacedError` where the path no longer leads to the file it led to; one look at the disk."""
        try:
            found: Any = self._path.stat()
        except OSError as error:
            if self._opened is None:
                return
            gone = isinstance(error, FileNotFoundError | NotADirectoryError)
            said = "was removed" if gone else f"cannot be found any more ({(error.strerror or str(error)).lower()})"
            self._refuse(f"the file {said} while it was open", error)
        if self._opened is None:
            self._opened = identity(found)
        elif identity(found) != self._opened:
            kind = "a directory" if stat.S_ISDIR(found.st_mode) else "another file"
            self._refuse(f"{kind} was put in its place while it was open", None)

    def _refuse(self, what: str, cause: Exception | None) -> None:
        message = f"{self._path}: {what}"
        raise StoreReplacedError(message) from cause


def identity(found: os.stat_result) -> tuple[int, int]:
    """Return what tells one file from every other that exists at the same time."""
    return found.st_dev, found.st_ino
