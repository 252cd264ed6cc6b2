"""Reading a file that is damaged: what does not read is left out, down to the single row, and counted."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING, Any

from sqlalchemy import DefaultClause, Integer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sqlalchemy import Table

_RANGE = 10_000
_MOST_FAILURES = 20_000
"""After so many reads that failed, ranges are given up whole: the damage is everywhere."""


class Source:
    """A file of SQLite that may be damaged, or not there at all; only read.

    `is_behind` tells that it opens only without what was written last.
    """

    def __init__(self, path: Path) -> None:
        """Open it; a file that does not open has no rows, and nobody knows how many it had."""
        self._lost: dict[str, int | None] = {}
        self._failures = 0
        self._connection, self.is_behind = _opened(path)

    def close(self) -> None:
        """Close it."""
        if self._connection is not None:
            self._connection.close()

    def lost(self, table: Table) -> int | None:
        """Return how many rows of a table that was read are missing; None where that cannot be known."""
        return self._lost.get(table.name)

    def rows(self, table: Table) -> Iterator[tuple[Any, ...]]:
        """Yield the rows of a table that can be read; those of ours all have a key, by which they are reached."""
        self._lost[table.name] = None
        columns = self._columns(table)
        if columns is None:
            return
        keys = list(table.primary_key.columns)
        if len(keys) == 1 and isinstance(keys[0].type, Integer):
            yield from self._numbered(table, keys[0].name, columns)
        else:
            yield from self._from_both_ends(table, columns)

    def _columns(self, table: Table) -> str | None:
        """Return what to select where the table is as we know it, or as it was before it had its last columns."""
        found = None if self._connection is None else self._tried(f"PRAGMA table_info({table.name})")
        there = [row[1] for row in found or ()]
        if not there or there != [column.name for column in table.columns][: len(there)]:
            return None
        defaults = [column.server_default for column in list(table.columns)[len(there) :]]
        if not all(isinstance(default, DefaultClause) for default in defaults):
            return None
        return ", ".join([*there, *(f"{default.arg}" for default in defaults if isinstance(default, DefaultClause))])

    def _tried(self, statement: str, *values: Any) -> list[tuple[Any, ...]] | None:
        """Return the rows of a statement, None where the file does not give them."""
        assert self._connection is not None
        try:
            return self._connection.execute(statement, values).fetchall()
        except (sqlite3.DatabaseError, UnicodeDecodeError):
            self._failures += 1
            return None

    def _numbered(self, table: Table, key: str, columns: str) -> Iterator[tuple[Any, ...]]:
        """Read a table by ranges of its ids; one that fails is halved, until only what is broken is left out."""
        ends = self._tried(f"SELECT min({key}), max({key}) FROM {table.name}")  # noqa: S608 - names of ours
        if ends is None:
            # One end is broken: the ids count from 1, and the other tables tell how far they may go.
            ends = [(1, self._highest(table, key))]
        low, high = ends[0]
        self._lost[table.name] = 0
        if low is None or high is None:
            return
        for start in range(low, high + 1, _RANGE):
            yield from self._range(table, key, columns, start, min(start + _RANGE - 1, high))

    def _highest(self, table: Table, key: str) -> int:
        """Return an id that is not below the highest: the first power of two beyond which nothing can be found."""
        for exponent in range(40):
            statement = f"SELECT {key} FROM {table.name} WHERE {key} >= ? LIMIT 1"  # noqa: S608 - names of ours
            if self._tried(statement, 1 << exponent) == []:
                return 1 << exponent
        return 1 << 20

    def _range(self, table: Table, key: str, columns: str, low: int, high: int) -> Iterator[tuple[Any, ...]]:
        found = self._tried(f"SELECT {columns} FROM {table.name} WHERE {key} BETWEEN ? AND ?", low, high)  # noqa: S608
        if found is not None:
            yield from found
        elif low == high or self._failures > _MOST_FAILURES:
            self._lost[table.name] = (self._lost[table.name] or 0) + high - low + 1
        else:
            middle = (low + high) // 2
            yield from self._range(table, key, columns, low, middle)
            yield from self._range(table, key, columns, middle + 1, high)

    def _from_both_ends(self, table: Table, columns: str) -> Iterator[tuple[Any, ...]]:
        """Read a table from its first key up to the damage, and from its last key down to it."""
        assert self._connection is not None
        for direction in ("ASC", "DESC"):
            order = ", ".join(f"{column.name} {direction}" for column in table.primary_key)
            try:
                yield from self._connection.execute(f"SELECT {columns} FROM {table.name} ORDER BY {order}")  # noqa: S608
            except (sqlite3.DatabaseError, UnicodeDecodeError):
                continue
            else:
                self._lost[table.name] = 0
                return


def _opened(path: Path) -> tuple[sqlite3.Connection | None, bool]:
    """Open a file to read; without what was written last, and saying so, where that is what is damaged."""
    if not path.exists():
        return None, False
    name = str(path).replace("%", "%25").replace("?", "%3f").replace("#", "%23")
    for options, is_behind in (("mode=ro", False), ("mode=ro&immutable=1", True)):
        connection = sqlite3.connect(f"file:{name}?{options}", uri=True, isolation_level=None)
        try:
            # Without it a file that is cut off is refused as a whole; nothing is written, it is open to read.
            connection.execute("PRAGMA writable_schema = ON").close()
            connection.execute("SELECT count(*) FROM sqlite_master").fetchall()
            # The file's own map of itself may be among what is damaged; rows are reached by their keys.
            connection.execute("PRAGMA cell_size_check = ON").close()
        except sqlite3.DatabaseError:
            connection.close()
        else:
            return connection, is_behind
    return None, True
