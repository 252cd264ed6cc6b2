"""A store in a file that is damaged, or gone: what `watch` does for itself so that it can go on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from monitors.errors import HarnessError
from monitors.store import StoreDamagedError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from monitors.store import Salvaged, Store
    from monitors.watching.current import Current

_NAMES = {"incidents": "incidents", "outbox": "notices", "memory": "parts of the memory", "probes": "probes"}


@dataclass(frozen=True, slots=True)
class Mender:
    """Exchanges the `current` store for one that `opened` gives; to be called while nobody else uses it.

    Each says in a line what came of it, and raises a `MonitorError` or an `OSError` where it cannot be done,
    `HeldError` where another instance of the monitor has the store by then.
    """

    current: Current
    opened: Callable[[], Store]

    def mend(self) -> str:
        """Put a damaged store in order: what can be read of it goes into a fresh one."""
        before = self.current.store
        if before.path is None:
            message = f"{before.url_shown}: a server mends its own files"
            raise HarnessError(message)
        before.close()
        outcome = salvaged(before.path)
        self._exchange(self.opened())
        return became(outcome)

    def reopen(self) -> str:
        """Open the file that lies where the store's was, or make one there; a damaged one is mended."""
        before = self.current.store
        before.database.leave()
        there = before.path is not None and before.path.exists()
        said = "the one that is there now is used from here on" if there else "is made anew"
        try:
            store = self.opened()
        except StoreDamagedError as error:
            if error.path is None:
                raise
            outcome = salvaged(error.path)
            store, said = self.opened(), f"the one that is there now is damaged, and is mended: {became(outcome)}"
        self._exchange(store)
        return said

    def _exchange(self, store: Store) -> None:
        try:
            store.succeed(self.current.store)
        except BaseException:
            store.close()
            raise
        self.current.store = store


def salvaged(path: Path) -> Salvaged:
    """Put a damaged file aside, and carry what can be read of it into a fresh one."""
    from monitors.store import salvage  # noqa: PLC0415 - a module nobody else needs

    return salvage(path)


def became(outcome: Salvaged) -> str:
    """Return in a line what became of a damaged store."""
    kept = [f"{outcome.kept[table]:,} {name}" for table, name in _NAMES.items() if outcome.kept.get(table)]
    copied = [f"{count:,} {_NAMES[table]}" for table, count in outcome.from_backup.items() if count and table in _NAMES]
    lost = [name for table, name in _NAMES.items() if outcome.lost.get(table, 0) != 0]
    parts = [f"kept {', '.join(kept) or 'nothing'}"]
    parts += [f"from the backup {', '.join(copied)}"] if copied else []
    parts += [f"lost some or all {', '.join(lost)}"] if lost else []
    return f"{'; '.join(parts)}; the damaged file is now {outcome.aside.name}"
