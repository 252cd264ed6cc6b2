"""The state directory: the memory as JSON files that appear whole or not at all, one process at a time."""

from __future__ import annotations

import json
import os
import re
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from monitors.errors import HarnessError, UsageError
from monitors.memory import written

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from monitors.memory.folding import Baseline, Memory

APPLICATION = "model-lab-monitor"
LOCK_WAIT_S = 15.0
_POLL_S = 0.05
_MEMORY, _LOCK, _CANARIES = "memory.json", "lock", "canaries"
_ODD = re.compile(r"[^A-Za-z0-9_-]")
_LONGEST_RUN_ID = 24


def default_state_dir(environ: Mapping[str, str]) -> Path:
    """Return where this platform keeps what programs remember (XDG Base Directory Specification on POSIX)."""
    if sys.platform == "win32":
        return Path(environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local") / APPLICATION
    given = environ.get("XDG_STATE_HOME", "")
    # The specification: a relative path is to be ignored.
    base = Path(given) if Path(given).is_absolute() else Path.home() / ".local" / "state"
    return base / APPLICATION


class StateDir:
    """A shelf on disk. Bodies of canary runs lie in it, so only its owner may look into it."""

    def __init__(self, path: Path, *, lock_wait_s: float = LOCK_WAIT_S) -> None:
        """Make the directory where it is missing; raises `UsageError` where that cannot be done or written to."""
        self.path, self._lock_wait_s = path, lock_wait_s
        try:
            path.mkdir(mode=0o700, parents=True, exist_ok=True)
            (path / _CANARIES).mkdir(mode=0o700, exist_ok=True)
            (path / _LOCK).touch(mode=0o600)
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            message = f"state directory {path}: cannot be written: {reason.lower()}; name another with --state-dir"
            raise UsageError(message) from error

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep other processes out; raises `HarnessError` where one of them does not let go in time."""
        with self._failing(_LOCK), (self.path / _LOCK).open("r+b") as file:
            self._take(file.fileno())
            yield

    def _take(self, handle: int) -> None:
        deadline = time.monotonic() + self._lock_wait_s
        while not _try_lock(handle):
            if time.monotonic() >= deadline:
                message = f"{self.path / _LOCK}: another process holds the state directory; try again when it is done"
                raise HarnessError(message)
            time.sleep(_POLL_S)

    def load(self) -> Memory:
        """Return the memory, empty where there is none; raises `HarnessError` for a file that does not read."""
        return written.memory_from(self._read(_MEMORY), str(self.path / _MEMORY))

    def save(self, memory: Memory) -> None:
        """Write the memory; raises `HarnessError` where the disk does not take it."""
        self._write(_MEMORY, written.memory_json(memory))

    def baseline(self, site: str, run_id: str) -> Baseline | None:
        """Return how a canary run was first seen; raises `HarnessError` for a file that does not read."""
        name = _canary(site, run_id)
        return written.baseline_from(self._read(name), str(self.path / name))

    def keep_baseline(self, site: str, run_id: str, baseline: Baseline) -> None:
        """Write how a canary run was first seen; raises `HarnessError` where the disk does not take it."""
        self._write(_canary(site, run_id), written.baseline_json(baseline))

    def forget_baselines(self, site: str) -> int:
        """Forget how the canary runs of a site were first seen; the next answer is the baseline. Returns how many."""
        with self.locked():
            files = sorted((self.path / _CANARIES).glob(f"{_ODD.sub('_', site)}.*.json"))
            for file in files:
                file.unlink()
        return len(files)

    def _read(self, name: str) -> Any:
        path = self.path / name
        try:
            text = path.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            message = f"{path}: cannot be read: {(error.strerror or str(error)).lower()}"
            raise HarnessError(message) from error
        try:
            return json.loads(text)
        except (ValueError, RecursionError) as error:
            raise written.broken(str(path), "not JSON") from error

    def _write(self, name: str, document: Any) -> None:
        path = self.path / name
        with self._failing(name):
            handle, draft = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
            try:
                with os.fdopen(handle, "w", encoding="utf-8") as file:
                    json.dump(document, file, ensure_ascii=True, separators=(",", ":"))
                    file.flush()
                    os.fsync(file.fileno())
                Path(draft).replace(path)
            finally:
                Path(draft).unlink(missing_ok=True)

    @contextmanager
    def _failing(self, name: str) -> Iterator[None]:
        """Translate what the disk says."""
        try:
            yield
        except OSError as error:
            message = f"{self.path / name}: cannot be written: {(error.strerror or str(error)).lower()}"
            raise HarnessError(message) from error


def _canary(site: str, run_id: str) -> str:
    return f"{_CANARIES}/{_ODD.sub('_', site)}.{_ODD.sub('_', run_id)[:_LONGEST_RUN_ID]}.json"


if sys.platform == "win32":
    import msvcrt

    def _try_lock(handle: int) -> bool:
        try:
            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

else:
    import fcntl

    def _try_lock(handle: int) -> bool:
        # Closing the file lets go, and so does the end of the process, however it comes.
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True
