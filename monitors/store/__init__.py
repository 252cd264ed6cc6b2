"""The store: probes, incidents, notices and memory, in one SQLite file or one PostgreSQL database.

`open_store` gives a `Store`; everything that changes it happens within one of its `writing()` transactions.
"""

from monitors.store.engine import sqlite_url
from monitors.store.errors import (
    HeldError,
    StoreBusyError,
    StoreDamagedError,
    StoreError,
    StoreFullError,
    StoreNewerError,
    StoreOlderError,
    StoreUnreachableError,
)
from monitors.store.places import FILE_NAME, default_state_dir
from monitors.store.salvaging import salvage
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
    UptimeRow,
)
from monitors.store.writing import Writing

__all__ = [
    "FILE_NAME",
    "VERDICTS",
    "Body",
    "Counts",
    "Filter",
    "HeldError",
    "IncidentFilter",
    "OutboxRow",
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
    "StoreShelf",
    "StoreUnreachableError",
    "UptimeRow",
    "Writing",
    "default_state_dir",
    "open_store",
    "salvage",
    "sqlite_url",
]
