"""Looking after a store: whether it is sound, its backup, its size."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any

from monitors.errors import HarnessError
from monitors.store import book_keeping, memories, outbox, reading, tables
from monitors.store.errors import StoreDamagedError, StoreFullError
from monitors.store.sense import READS

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator
    from pathlib import Path

    from sqlalchemy import Connection, Table

    from monitors.store.engine import Database

BACKUP = "{name}.backup"
_MOST = 20
_SAID_CHARS = 200


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
    made_sense = True
    for table in tables.metadata.sorted_tables:
        for line in _some(_senseless(connection, table)):
            made_sense = False
            yield line
    if made_sense:
        yield from _together(connection, shown)


def _senseless(connection: Connection, table: Table) -> Generator[str]:
    """Yield which rows of a table make no sense, read as they lie there."""
    columns = [column.name for column in table.columns]
    keys = [columns.index(column.name) for column in table.primary_key]
    query = f"SELECT {', '.join(columns)} FROM {table.name}"  # noqa: S608 - names of ours
    streaming = {"stream_results": True}
    with _as_it_lies(connection), connection.exec_driver_sql(query, execution_options=streaming) as rows:
        for row in rows:
            try:
                READS[table.name](tuple(row))
            except ValueError as error:
                key = " ".join(str(row[position])[:_SAID_CHARS] for position in keys)
                yield f"{table.name}: row {key}: {str(error)[:_SAID_CHARS]}"


@contextmanager
def _as_it_lies(connection: Connection) -> Iterator[None]:
    """Have text that is none come as what no text is, where the driver would end the whole reading."""
    if connection.dialect.name != "sqlite":
        yield
        return
    raw: Any = connection.connection.dbapi_connection
    before = raw.text_factory
    raw.text_factory = lambda content: content.decode("utf-8", "surrogateescape")
    try:
        yield
    finally:
        raw.text_factory = before


def _together(connection: Connection, shown: str) -> Iterator[str]:
    """Yield what is wrong with rows that make sense each for itself."""
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
        except (ValueError, KeyError, TypeError, AttributeError, OverflowError) as error:
            yield f"{name}: a row does not read: {type(error).__name__}"
    yield from _numbering(connection)


def _some(found: Generator[str]) -> Iterator[str]:
    with closing(found):
        for number, line in enumerate(found):
            if number == _MOST:
                yield "and more of the kind"
                return
            yield line


def _numbering(connection: Connection) -> Iterator[str]:
    known = reading.meta(connection)
    upcoming, newest = (
        int(known.get(book_keeping.NEXT_INCIDENT, "1")),
        book_keeping.next_incident(connection, known) - 1,
    )
    if upcoming <= newest:
        yield f"incidents: the next one would be {upcoming}, and {newest} is there already"


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
