"""Looking after a store: whether it is sound, its backup, its size."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any

from monitors.errors import HarnessError
from monitors.store import book_keeping, memories, outbox, reading, tables
from monitors.store.errors import StoreFullError, damaged
from monitors.store.keys import NEXT_INCIDENT
from monitors.store.sense import READS
from monitors.store.sensible import senseless

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Iterator
    from pathlib import Path

    from sqlalchemy import Connection, Table

    from monitors.store.engine import Database

BACKUP = "{name}.backup"
_MOST = 20
_BULKY = (tables.probe_findings, tables.probes, tables.findings, tables.bodies)


def vacuum(database: Database) -> bool:
    """Give room that is no longer used back to the disk, and let the database learn what is in its tables.

    Returns whether the file is as small by now: SQLite writes a log first, which others may be reading in.
    """
    of_file, of_server = ("VACUUM", "ANALYZE"), ("VACUUM (ANALYZE)",)
    with database.translated(), database.connect_alone(patient=True) as connection:
        for statement in of_file if database.is_sqlite else of_server:
            connection.exec_driver_sql(statement)
        if not database.is_sqlite:
            return True
        busy, *_ = connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").one()
        return not busy


def size(database: Database) -> int | None:
    """Return how many bytes the pages of a store in a file are, wherever they lie by now; None for a server."""
    if not database.is_sqlite:
        return None
    with database.reading() as connection:
        pages, each = (
            connection.exec_driver_sql(f"PRAGMA {name}").scalar_one() for name in ("page_count", "page_size")
        )
    return int(pages * each)


def problems(connection: Connection) -> Iterator[str]:
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
        yield from _together(connection)


def _senseless(connection: Connection, table: Table) -> Generator[str]:
    """Yield which rows of a table make no sense, read as they lie there."""
    streaming = {"stream_results": True}
    with _as_it_lies(connection), connection.exec_driver_sql(_whole(table), execution_options=streaming) as rows:
        yield from _refused(table, map(tuple, rows))


def _whole(table: Table) -> str:
    return f"SELECT {', '.join(column.name for column in table.columns)} FROM {table.name}"  # noqa: S608 - names of ours


def _refused(table: Table, rows: Iterable[Any]) -> Generator[str]:
    for row in rows:
        try:
            READS[table.name](row)
        except ValueError as error:
            yield senseless(table, row, error)


@contextmanager
def _as_it_lies(connection: Connection) -> Iterator[None]:
    """Have text that is none come as what no text is, where the driver would end the whole reading."""
    if connection.dialect.name != "sqlite":
        yield
        return
    raw: Any = connection.connection.dbapi_connection
    before = raw.text_factory
    raw.text_factory = as_it_lies
    try:
        yield
    finally:
        raw.text_factory = before


def as_it_lies(content: bytes) -> str:
    """Return a text as it lies in a file, in which bytes that are none can be told."""
    return content.decode("utf-8", "surrogateescape")


def _together(connection: Connection) -> Iterator[str]:
    """Yield what is wrong with rows that make sense each for itself."""
    checks: tuple[tuple[str, Callable[[], object]], ...] = (
        ("incidents", lambda: book_keeping.read(connection, reading.meta(connection))),
        ("outbox", lambda: outbox.undelivered(connection)),
        ("memory", lambda: memories.read(connection)),
    )
    for name, check in checks:
        try:
            check()
        except HarnessError as error:
            # Where and the way out are known to whoever asks.
            yield str(error).rpartition(" is damaged: ")[2].partition("; ")[0]
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
        int(known.get(NEXT_INCIDENT, "1")),
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
            _refuse_damaged(copy, database.shown, database.path)
        with draft.open("rb+") as file:
            os.fsync(file.fileno())
        draft.replace(target)
    except OSError as error:
        message = f"{target}: cannot be written to: {(error.strerror or str(error)).lower()}"
        raise StoreFullError(message) from error
    finally:
        draft.unlink(missing_ok=True)
    return target


def _refuse_damaged(copy: sqlite3.Connection, shown: str, path: Path) -> None:
    """Read the copy through: damage that nobody met yet must not replace a backup that is sound."""
    ((line,), *_) = copy.execute("PRAGMA quick_check(1)").fetchall()
    if line != "ok":
        raise damaged(shown, path, " ".join(line.split()))
    copy.text_factory = as_it_lies
    for table in tables.metadata.sorted_tables:
        # What a mended store takes from a backup.
        rows = copy.execute(_whole(table)) if table not in _BULKY else ()
        for refused in _refused(table, rows):
            raise damaged(shown, path, refused)
