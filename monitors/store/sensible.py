"""Rows on their way out: one that makes no sense is damage, said with the table and the key, and never goes further."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from monitors.store.errors import StoreDamagedError, damaged
from monitors.store.sense import READS, TYPED

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from sqlalchemy import Connection, Table

_SAID_CHARS = 200


def sensible(connection: Connection, table: Table, rows: Iterable[Any]) -> Iterator[Any]:
    """Yield rows, all columns of a table, that make sense; raises `StoreDamagedError` for one that does not."""
    return _checked(connection, table, READS[table.name], rows)


def typed(connection: Connection, table: Table, rows: Iterable[Any]) -> Iterator[Any]:
    """Yield rows as `sensible` does, where whoever reads on finds out by itself what is written in them."""
    return _checked(connection, table, TYPED[table.name], rows)


def _checked(connection: Connection, table: Table, read: Callable[[Any], object], rows: Iterable[Any]) -> Iterator[Any]:
    for row in rows:
        try:
            read(row)
        except ValueError as error:
            raise damage(connection, senseless(table, row, error)) from error
        yield row


def senseless(table: Table, row: Any, error: ValueError) -> str:
    """Return in a line which row makes no sense, and why."""
    names = [column.name for column in table.columns]
    key = " ".join(str(row[names.index(column.name)])[:_SAID_CHARS] for column in table.primary_key)
    # Bytes that are no text come as what no output takes.
    return f"{table.name}: row {key}: {str(error)[:_SAID_CHARS]}".encode("ascii", "backslashreplace").decode()


def damage(connection: Connection, what: str) -> StoreDamagedError:
    """Return the error that says what is damaged in the store of a connection, and what to do."""
    options = connection.get_execution_options()
    return damaged(options["shown"], options["path"], what)
