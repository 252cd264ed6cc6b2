"""Statements for many rows at once, in each database's quickest way."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection, Table

_FEW = 4


def insert(connection: Connection, table: Table, rows: Sequence[tuple[Any, ...]]) -> None:
    """Insert rows that hold every column of the table, in its order."""
    _many(connection, table, rows, upserts=False)


def upsert(connection: Connection, table: Table, rows: Sequence[tuple[Any, ...]]) -> None:
    """Insert rows, each in place of the one with the same key if there is one."""
    _many(connection, table, rows, upserts=True)


def _many(connection: Connection, table: Table, rows: Sequence[tuple[Any, ...]], *, upserts: bool) -> None:
    if not rows:
        return
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql(_with_marks(table, "?", upserts=upserts), list(rows))
    elif len(rows) < _FEW:
        for row in rows:
            connection.exec_driver_sql(_with_marks(table, "%s", upserts=upserts), row)
    else:
        # One statement for all rows: a tenth of the time of one for each.
        columns = tuple(list(column) for column in zip(*rows, strict=True))
        connection.exec_driver_sql(_with_arrays(table, upserts=upserts), columns)


@cache
def _with_marks(table: Table, mark: str, *, upserts: bool) -> str:
    marks = ", ".join([mark] * len(table.columns))
    conflict = _conflict(table) if upserts else ""
    return f"INSERT INTO {table.name} ({_names(table)}) VALUES ({marks}){conflict}"  # noqa: S608 - names of ours


@cache
def _with_arrays(table: Table, *, upserts: bool) -> str:
    # Deferred: brings asyncio, which a store in a file has no use for.
    from sqlalchemy.dialects import postgresql  # noqa: PLC0415

    dialect = postgresql.dialect()  # type: ignore[no-untyped-call] # as SQLAlchemy has it
    arrays = ", ".join(f"%s::{column.type.compile(dialect)}[]" for column in table.columns)
    conflict = _conflict(table) if upserts else ""
    return f"INSERT INTO {table.name} ({_names(table)}) SELECT * FROM unnest({arrays}){conflict}"  # noqa: S608 - likewise


def _names(table: Table) -> str:
    return ", ".join(column.name for column in table.columns)


def _conflict(table: Table) -> str:
    keys = ", ".join(column.name for column in table.primary_key)
    changed = ", ".join(f"{column.name} = excluded.{column.name}" for column in table.columns if not column.primary_key)
    return f" ON CONFLICT ({keys}) DO UPDATE SET {changed}"
