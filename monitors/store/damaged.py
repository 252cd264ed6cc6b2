"""Reading a file that is damaged: what does not read is left out, down to the single row, and counted."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING, Any

from sqlalchemy import DefaultClause, Integer

from monitors.store.upkeep import as_it_lies

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sqlalchemy import Table

_UNREADABLE = (sqlite3.DatabaseError, UnicodeDecodeError)
_RANGE = 10_000
_MOST_FAILURES = 20_000
"""After so many reads of a table that failed, ranges are given up whole: the damage is everywhere."""


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
        """Return how many rows of a table that was read may be missing at most; None where that cannot be known."""
        return self._lost.get(table.name)

    def rows(self, table: Table) -> Iterator[tuple[Any, ...]]:
        """Yield the rows of a table that can be read; those of ours all have a key, by which they are reached."""
        self._lost[table.name], self._failures = None, 0
        source = self._source(table)
        if source is None:
            return
        keys = list(table.primary_key.columns)
        ends = None
        if len(keys) == 1 and isinstance(keys[0].type, Integer):
            ends = self._tried(f"SELECT min({keys[0].name}), max({keys[0].name}) FROM {source}")  # noqa: S608 - names of ours
            if ends is None or set(map(type, ends[0])) == {int}:
                yield from self._numbered(table, keys[0].name, source, None if ends is None else ends[0])
                return
        yield from self._from_both_ends(table, source)

    def _source(self, table: Table) -> str | None:
        """Return what to select from to get all columns of a table by their names, None where that cannot be.

        Columns it did not have yet hold what they begin with; where definitions are damaged, so that some have other
        names than ours, the place says which they are.
        """
        found = None if self._connection is None else self._tried(f"PRAGMA table_info({table.name})")
        there, ours = [row[1] for row in found or ()], list(table.columns)
        if {column.name for column in ours} <= set(there):
            return table.name
        first, later = ours[: len(there)], ours[len(there) :]
        defaults = [column.server_default for column in later if isinstance(column.server_default, DefaultClause)]
        moved = any(column.name in there and column.name != name for column, name in zip(first, there, strict=False))
        if not there or len(there) > len(ours) or len(defaults) < len(later) or moved:
            return None
        names = ", ".join(column.name for column in first)
        more = [f"{default.arg} AS {column.name}" for default, column in zip(defaults, later, strict=True)]
        # Named within the statement: its own names may be none that can be said.
        placed = f"WITH placed({names}) AS (SELECT * FROM {table.name})"  # noqa: S608 - names of ours
        return f"({placed} SELECT {', '.join([names, *more])} FROM placed)"  # noqa: S608 - likewise

    def _tried(self, statement: str, *values: Any) -> list[tuple[Any, ...]] | None:
        """Return the rows of a statement, None where the file does not give them."""
        assert self._connection is not None
        try:
            return self._connection.execute(statement, values).fetchall()
        except _UNREADABLE:
            self._failures += 1
            return None

    def _numbered(self, table: Table, key: str, source: str, ends: tuple[int, int] | None) -> Iterator[tuple[Any, ...]]:
        """Read a table by ranges of its ids; one that fails is halved, until only what is broken is left out."""
        self._lost[table.name] = 0
        # Where one end is broken the ids count from 1, and what is found tells how far they go.
        low, high = ends or (1, self._highest(key, source))
        while low <= high:
            before, end = self._failures, min(low + _RANGE - 1, high)
            count = 0
            for row in self._range(table, key, source, low, end):
                count += 1
                yield row
            low = end + 1
            if not count and self._failures == before:
                # An id that is damaged may be very far from the others.
                further = self._tried(f"SELECT min({key}) FROM {source} WHERE {key} >= ?", low)  # noqa: S608 - likewise
                low = further[0][0] if further and further[0][0] is not None else high + 1 if further else low
            if self._failures > _MOST_FAILURES:
                break
        if ends is None or self._failures > _MOST_FAILURES:
            self._lost[table.name] = None

    def _highest(self, key: str, source: str) -> int:
        """Return an id that is not below the highest: the first power of two beyond which nothing can be found."""
        for exponent in range(40):
            statement = f"SELECT {key} FROM {source} WHERE {key} >= ? LIMIT 1"  # noqa: S608 - names of ours
            if self._tried(statement, 1 << exponent) == []:
                return 1 << exponent
        return 1 << 20

    def _range(self, table: Table, key: str, source: str, low: int, high: int) -> Iterator[tuple[Any, ...]]:
        columns = ", ".join(column.name for column in table.columns)
        found = self._tried(f"SELECT {columns} FROM {source} WHERE {key} BETWEEN ? AND ?", low, high)  # noqa: S608 - likewise
        if found is not None:
            yield from found
        elif low == high or self._failures > _MOST_FAILURES:
            self._lost[table.name] = (self._lost[table.name] or 0) + high - low + 1
        else:
            middle = (low + high) // 2
            yield from self._range(table, key, source, low, middle)
            yield from self._range(table, key, source, middle + 1, high)

    def _from_both_ends(self, table: Table, source: str) -> Iterator[tuple[Any, ...]]:
        """Read a table from its first key up to the damage, and from its last key down to it."""
        assert self._connection is not None
        columns = ", ".join(column.name for column in table.columns)
        for direction in ("ASC", "DESC"):
            order = ", ".join(f"{column.name} {direction}" for column in table.primary_key)
            try:
                yield from self._connection.execute(f"SELECT {columns} FROM {source} ORDER BY {order}")  # noqa: S608 - likewise
            except _UNREADABLE:
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
            # Text that is none is refused with its row, and with no other.
            connection.text_factory = as_it_lies
        except _UNREADABLE:
            connection.close()
        else:
            return connection, is_behind
    return None, True
