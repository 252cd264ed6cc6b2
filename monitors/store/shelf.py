"""The store as the shelf of the drift engine, and what earlier versions kept in files beside it."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import UTC, datetime
from threading import local
from typing import TYPE_CHECKING

from monitors.store.places import FILE_NAME, has_old_files

if TYPE_CHECKING:
    from collections.abc import Iterator

    from monitors.memory.folding import Baseline, Memory
    from monitors.store.store import Store
    from monitors.store.writing import Writing

_TAKEN_OVER = "taken_over"


class StoreShelf:
    """What a session remembers, in a store; within `locked` everything is one transaction of the calling thread."""

    def __init__(self, store: Store) -> None:
        """Use an open store, which stays the caller's to close."""
        self.store = store
        self._here = _Here()

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep every other writer out; what happens within is kept whole or not at all."""
        with self.store.writing() as writing:
            self._here.writing, self._here.loaded = writing, None
            try:
                yield
            finally:
                self._here.writing = self._here.loaded = None

    def load(self) -> Memory:
        """Return the memory."""
        writing = self._here.writing
        if writing is None:
            return self.store.memory()
        self._here.loaded = writing.memory()
        return self._here.loaded

    def save(self, memory: Memory) -> None:
        """Put the memory in place of the one before."""
        writing = self._here.writing
        if writing is None:
            with self.locked():
                self.save(memory)
            return
        before = writing.memory() if self._here.loaded is None else self._here.loaded
        writing.put_memory(before, memory)
        self._here.loaded = memory

    def baseline(self, site: str, run_id: str) -> Baseline | None:
        """Return how a canary run was first seen."""
        writing = self._here.writing
        return self.store.baseline(site, run_id) if writing is None else writing.baseline(site, run_id)

    def keep_baseline(self, site: str, run_id: str, baseline: Baseline) -> None:
        """Put a baseline in place of the one before."""
        writing = self._here.writing
        if writing is None:
            with self.locked():
                self.keep_baseline(site, run_id, baseline)
        else:
            writing.keep_baseline(site, run_id, baseline)

    def forget_baselines(self, site: str) -> int:
        """Forget how the canary runs of a site were first seen; the next answer is the baseline. Returns how many."""
        with self.store.writing() as writing:
            return writing.forget_baselines(site)


class _Here(local):
    """The transaction the calling thread is in, and the memory as it was read there."""

    writing: Writing | None = None
    loaded: Memory | None = None


def take_over(store: Store) -> None:
    """Move what earlier versions kept in files beside a store into it, once; the files are renamed.

    Raises `HarnessError` for a file that does not read: nothing is dropped without a person's leave.
    """
    path = store.path
    if path is None or path.name != FILE_NAME:
        return
    if not has_old_files(path.parent):
        return
    # Deferred: the memory takes as long to import as the database.
    from monitors.memory import Memory, StateDir  # noqa: PLC0415

    files = StateDir(path.parent)
    memory, baselines = files.load(), list(files.baselines())
    with store.writing() as writing:
        if writing.meta(_TAKEN_OVER) is None:
            if writing.memory_revision() == 0:
                writing.put_memory(Memory(), memory)
            for site, run_id, baseline in baselines:
                if writing.baseline(site, run_id) is None:
                    writing.keep_baseline(site, run_id, baseline)
            writing.put_meta(_TAKEN_OVER, f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}")
    # A crash before this leaves files that are in the store already, and are only renamed next time.
    files.put_aside()
