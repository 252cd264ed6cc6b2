"""The files in which earlier versions remembered: read once, then put aside."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from monitors.errors import HarnessError
from monitors.memory import written

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from monitors.memory.folding import Baseline, Memory

ASIDE = ".taken-over"
"""What the names of the files end in once a store has what they held."""
_MEMORY, _LOCK, _CANARIES = "memory.json", "lock", "canaries"
_CANARY = re.compile(r"(?P<site>[^.]+)\.(?P<run_id>[^.]+)\.json")


class StateDir:
    """The state directory as earlier versions had it: `memory.json`, and a file for each canary run."""

    def __init__(self, path: Path) -> None:
        """Look at a directory, which need not be there."""
        self.path = path

    def load(self) -> Memory:
        """Return the memory, empty where there is none; raises `HarnessError` for a file that does not read."""
        return written.memory_from(self._read(self.path / _MEMORY), str(self.path / _MEMORY))

    def baselines(self) -> Iterator[tuple[str, str, Baseline]]:
        """Yield site and run id of each canary run with how it was first seen; raises `HarnessError` likewise."""
        for path in self._canaries():
            name, found = _CANARY.fullmatch(path.name), written.baseline_from(self._read(path), str(path))
            if name is not None and found is not None:
                yield name["site"], name["run_id"], found

    def put_aside(self) -> None:
        """Rename the files, so that nobody takes them for what counts; raises `HarnessError` where that fails."""
        for path in (self.path / _MEMORY, self.path / _CANARIES, self.path / _LOCK):
            if path.exists():
                try:
                    path.rename(_free(path))
                except OSError as error:
                    message = f"{path}: cannot be renamed: {(error.strerror or str(error)).lower()}"
                    raise HarnessError(message) from error

    def _canaries(self) -> list[Path]:
        return sorted((self.path / _CANARIES).glob("*.json"))

    def _read(self, path: Path) -> Any:
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


def _free(path: Path) -> Path:
    """Return the name to put a file aside under, with a number where that is taken."""
    wanted, number = path.with_name(path.name + ASIDE), 1
    while wanted.exists():
        number += 1
        wanted = path.with_name(f"{path.name}{ASIDE}-{number}")
    return wanted
