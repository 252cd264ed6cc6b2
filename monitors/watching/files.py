"""Whether files changed since they were last looked at."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path


@dataclass(slots=True)
class Changes:
    """Watches files by what the file system says of them; one that is missing is a state as any other."""

    files: tuple[Path, ...] = ()
    _known: dict[Path, object] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Take the files as they are for the state of departure."""
        self._known = _state(self.files)

    def follow(self, files: Iterable[Path]) -> None:
        """Watch these files from now on: those watched already as they were last seen, others as they are now."""
        self.files = tuple(files)
        # Whoever read them after `seen` may have read half of what was being written just then.
        self._known = _state(self.files) | {file: self._known[file] for file in self.files if file in self._known}

    def seen(self) -> bool:
        """Tell whether anything changed since the last call."""
        state = _state(self.files)
        changed, self._known = state != self._known, state
        return changed


def _state(files: Iterable[Path]) -> dict[Path, object]:
    return {file: _of(file) for file in files}


def _of(file: Path) -> object:
    # A mounted secret is a link to a folder that is exchanged as a whole: what the link leads to is what counts.
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino, found.st_mtime_ns, found.st_size
