"""Whether files changed since they were last looked at."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path


@dataclass(slots=True)
class Changes:
    """Watches files by what the file system says of them; one that is missing is a state as any other.

    A change counts once two looks in a row see the same: who writes a file in several steps is done by then.
    """

    files: tuple[Path, ...] = ()
    _known: dict[Path, object] = field(default_factory=dict)
    _looked: dict[Path, object] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Take the files as they are for the state of departure."""
        self._known = _state(self.files)

    def follow(self, files: Iterable[Path]) -> None:
        """Watch these files from now on: those watched already as they were last seen, others as they are now."""
        self.files = tuple(files)
        # Whoever read them after `seen` may have read half of what was being written just then.
        self._known = _state(self.files) | {file: self._known[file] for file in self.files if file in self._known}

    def seen(self) -> bool:
        """Tell whether anything changed, and has come to rest, since this was told last."""
        state, before = _state(self.files), self._looked
        self._looked = state
        if state == self._known or state != before:
            return False
        self._known = state
        return True


def _state(files: Iterable[Path]) -> dict[Path, object]:
    return {file: _of(file) for file in files}


def _of(file: Path) -> object:
    # A mounted secret is a link to a folder that is exchanged as a whole: what the link leads to is what counts.
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino, found.st_mtime_ns, found.st_size
