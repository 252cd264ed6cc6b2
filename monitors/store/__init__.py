"""The store: probes, incidents, notices and memory, in one SQLite file or one PostgreSQL database.

`open_store` gives a `Store`; everything that changes it happens within one of its `writing()` transactions.
"""

from typing import TYPE_CHECKING, Any

from monitors.store.engine import sqlite_url
from monitors.store.errors import (
    HeldError,
    StoreBusyError,
    StoreDamagedError,
    StoreError,
    StoreFullError,
    StoreNewerError,
    StoreOlderError,
    StoreReplacedError,
    StoreUnreachableError,
)
from monitors.store.outcomes import Outcome
from monitors.store.places import FILE_NAME, default_state_dir
from monitors.store.shelf import StoreShelf
from monitors.store.store import Store, open_store
from monitors.store.values import (
    VERDICTS,
    Body,
    Counts,
    Filter,
    IncidentFilter,
    OutboxRow,
    Probed,
    ProbeRow,
    Queued,
    Salvaged,
    Taken,
    UptimeRow,
)
from monitors.store.writing import Writing

if TYPE_CHECKING:
    from monitors.store.salvaging import salvage

__all__ = [
    "FILE_NAME",
    "VERDICTS",
    "Body",
    "Counts",
    "Filter",
    "HeldError",
    "IncidentFilter",
    "OutboxRow",
    "Outcome",
    "ProbeRow",
    "Probed",
    "Queued",
    "Salvaged",
    "Store",
    "StoreBusyError",
    "StoreDamagedError",
    "StoreError",
    "StoreFullError",
    "StoreNewerError",
    "StoreOlderError",
    "StoreReplacedError",
    "StoreShelf",
    "StoreUnreachableError",
    "Taken",
    "UptimeRow",
    "Writing",
    "default_state_dir",
    "open_store",
    "salvage",
    "sqlite_url",
]


def __getattr__(name: str) -> Any:
    """Import `salvage` where it is used: hardly ever."""
    if name == "salvage":
        from monitors.store.salvaging import salvage  # noqa: PLC0415 - see above

        return salvage
    message = f"module {__name__!r} has no attribute {name!r}"
    raise AttributeError(message)
