"""Looking after a store: whether it is sound, its backup, its size."""

from __future__ import annotations

import hashlib
import os
import sqlite3
import zlib
from contextlib import closing
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, select

from monitors.errors import HarnessError
from monitors.store import bodies, book_keeping, histogram, memories, outbox, reading, tables
from monitors.store.errors import StoreDamagedError, StoreFullError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from sqlalchemy import Connection

    from monitors.store.engine import Database

BACKUP = "{name}.backup"
_MOST = 20
_CHUNK = 500


def vacuum(database: Database) -> None:
    """Give room that is no longer used back to the disk, and let the database learn what is in its tables."""
    of_file, of_server = ("VACUUM", "ANALYZE", "PRAGMA wal_checkpoint(TRUNCATE)"), ("VACUUM (ANALYZE)",)
    with database.translated(), database.connect_alone(patient=True) as connection:
        for statement in of_file if database.is_sqlite else of_server:
            connection.exec_driver_sql(statement)


def problems(connection: Connection, shown: str) -> Iterator[str]:
    """Yield what is wrong with a store, one line each: first what the database says of itself, then of our rows."""
    if connection.dialect.name == "sqlite":
        for (line,) in connection.exec_driver_sql(f"PRAGMA integrity_check({_MOST})"):
            if line != "ok":
                yield f"the file: {line}"
        for table, row, parent, _ in connection.exec_driver_sql("PRAGMA foreign_key_check").all()[:_MOST]:
            yield f"{table}: row {row} belongs to nothing in {parent}"
    checks: tuple[tuple[str, Callable[[], object]], ...] = (
        ("incidents", lambda: book_keeping.read(connection, reading.meta(connection))),
        ("outbox", lambda: outbox.undelivered(connection)),
        ("memory", lambda: memories.read(connection, shown)),
    )
    for name, check in checks:
        try:
            check()
        except HarnessError as error:
            yield str(error)
        except (ValueError, KeyError, TypeError) as error:
            yield f"{name}: a row does not read: {type(error).__name__}"
    yield from _numbering(connection)
    yield from _some(_rollups(connection))
    yield from _some(_bodies(connection))


def _some(found: Iterator[str]) -> Iterator[str]:
    for number, line in enumerate(found):
        if number == _MOST:
            yield "and more of the kind"
            return
        yield line


def _numbering(connection: Connection) -> Iterator[str]:
    newest = connection.execute(select(func.max(tables.incidents.c.id))).scalar_one() or 0
    upcoming = int(reading.meta(connection).get(book_keeping.NEXT_INCIDENT, "1"))
    if upcoming <= newest:
        yield f"incidents: the next one would be {upcoming}, and {newest} is there already"


def _rollups(connection: Connection) -> Iterator[str]:
    column = tables.rollups.c
    query = select(column.period, column.start_ms, column.series, column.available, column.latencies)
    for period, start_ms, series, available, content in connection.execute(query):
        counts: histogram.Histogram = {}
        try:
            histogram.add(counts, content)
        except (ValueError, TypeError):
            counts = {}
        if sum(counts.values()) != available:
            yield f"rollups: {period} at {start_ms} of series {series} holds another number of probes than it says"


def _bodies(connection: Connection) -> Iterator[str]:
    column = tables.bodies.c
    for row in connection.execute(select(column.hash, column.content)):
        try:
            sound = hashlib.sha256(bodies.content(row.content)).hexdigest() == row.hash
        except (zlib.error, TypeError):
            sound = False
        if not sound:
            yield f"bodies: {row.hash} is another body than it says"


def backup(database: Database) -> Path | None:
    """Copy a store in a file beside it, whole or not at all; returns where, None for a server, which has its own.

    Raises `StoreDamagedError` where the file is damaged, and keeps the backup of before.
    """
    if database.path is None:
        return None
    target = database.path.with_name(BACKUP.format(name=database.path.name))
    draft = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        os.close(os.open(draft, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600))
        copying = closing(sqlite3.connect(draft))
        with database.translated(), database.connect_alone() as connection, copying as copy:
            source: Any = connection.connection.dbapi_connection
            source.backup(copy)
            # One file, whatever it is opened with.
            copy.execute("PRAGMA journal_mode=DELETE").close()
            _refuse_damaged(copy, database.shown)
        with draft.open("rb+") as file:
            os.fsync(file.fileno())
        draft.replace(target)
    except OSError as error:
        message = f"{target}: cannot be written to: {(error.strerror or str(error)).lower()}"
        raise StoreFullError(message) from error
    finally:
        draft.unlink(missing_ok=True)
    return target


def _refuse_damaged(copy: sqlite3.Connection, shown: str) -> None:
    """Read the copy through: damage that nobody met yet must not replace a backup that is sound."""
    ((line,), *_) = copy.execute("PRAGMA quick_check(1)").fetchall()
    if line != "ok":
        message = f"{shown}: the file is damaged: {' '.join(line.split())}"
        raise StoreDamagedError(message)
