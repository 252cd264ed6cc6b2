"""What can go wrong with the store; every one is the harness's own failure, never a site's.

HarnessError
└── StoreError             exit 4
    ├── StoreBusyError         another process holds it for too long
    ├── StoreFullError         the disk is full, or may not be written to
    ├── StoreDamagedError      the file is malformed, or holds what cannot be
    ├── StoreReplacedError     the file was removed while it was open, or another took its place
    ├── StoreUnreachableError  the server does not answer, or not to us
    ├── StoreOlderError        it was made by an older program, and may not be upgraded now
    ├── StoreNewerError        it was made by a newer program
    └── HeldError              another instance of the monitor runs on it
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from monitors.errors import HarnessError

if TYPE_CHECKING:
    from pathlib import Path


class StoreError(HarnessError):
    """The store did not do what it was asked to; nothing of a transaction that ends so was kept."""


class StoreBusyError(StoreError):
    """Another process holds the store for longer than one waits."""


class StoreFullError(StoreError):
    """The disk is full, or the store may not be written to."""


class StoreDamagedError(StoreError):
    """What the store holds cannot be read; `salvage` reads what can be read of the file at `path`, None on a server."""

    def __init__(self, message: str, path: Path | None = None) -> None:
        """Say what is wrong, and with which file."""
        super().__init__(message)
        self.path = path


def damaged(shown: str, path: Path | None, what: str = "") -> StoreDamagedError:
    """Return the error of a store that is damaged: where, what, and the way out."""
    said = f": {what}" if what else ""
    if path is None:
        return StoreDamagedError(f"{shown}: the store is damaged{said}; restore a backup of the server")
    way_out = "`model-lab-monitor db check --salvage` keeps what can be read"
    return StoreDamagedError(f"{shown}: the file is damaged{said}; {way_out}", path)


class StoreReplacedError(StoreError):
    """The store's file was removed while it was open, or another took its place: what is written would be lost."""


class StoreUnreachableError(StoreError):
    """The server of the store does not answer, or not to us."""


class StoreOlderError(StoreError):
    """The store was made by an older program, and was not to be upgraded."""


class StoreNewerError(StoreError):
    """The store was made by a newer program, which this one would damage."""


class HeldError(StoreError):
    """Another instance of the monitor runs on the store; the text names it."""
