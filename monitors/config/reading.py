"""The tables of the file, checked against their rows."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from monitors.config.describing import HOMES
from monitors.config.readers import UnfitError, shown

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from monitors.config.document import Document
    from monitors.config.mistakes import Mistakes
    from monitors.config.row import Row

_NAME = re.compile(r"[a-z0-9-]{1,40}\Z")
_KEYS = ("api_key", "app_key")


@dataclass(slots=True)
class Tables:
    """Reads tables by their rows, notes what is wrong with them, and remembers where each value stands."""

    document: Document
    mistakes: Mistakes
    origins: dict[tuple[str, ...], str] = field(default_factory=dict)

    def wrong(self, path: tuple[str, ...], message: str) -> None:
        """Note what is wrong with a key or table."""
        self.mistakes.wrong(path, message)

    def rows(
        self,
        path: tuple[str, ...],
        values: Mapping[str, Any],
        rows: Mapping[str, Row],
        *,
        also: tuple[str, ...] = (),
        told: tuple[str, ...] = (),
        shown_as: tuple[str, ...] | None = None,
    ) -> dict[str, Any]:
        """Return a table's values as the rows read them; anything else is a mistake, but for the names in `also`.

        What is wrong with the names in `told` has been noted already, and none of them is proposed for another.
        `shown_as` is the path whose origins are remembered, where the file may call it otherwise.
        """
        known = {}
        for name, value in values.items():
            if name in also or name in told:
                continue
            place = (*path, name)
            if name not in rows:
                if name in _KEYS or f"{name}_env" in rows:
                    self._literal(place, "key" if name in _KEYS else "secret")
                else:
                    self.wrong(place, f"unknown key {shown(name)}{self._hint(name, [*rows, *also])}")
                continue
            try:
                known[name] = rows[name].read(value)
            except UnfitError as error:
                for clause in error.args:
                    self.wrong(place, f"{name}: {clause}")
            except ValueError as error:
                self.wrong(place, f"{name} must be {error}; it is {shown(value)}")
            else:
                self.origins[(*(path if shown_as is None else shown_as), name)] = self.document.place(place)
        return known

    def table(self, path: tuple[str, ...], value: Any) -> Mapping[str, Any]:
        """Return a table as it stands in the file; the empty one where it is none, which is a mistake."""
        if isinstance(value, dict):
            return value
        self.wrong(path, f"{dotted(path)} must be a table like [{dotted(path)}]; it is {shown(value)}")
        return {}

    def named(self, path: tuple[str, ...], value: Any, example: str) -> Iterator[tuple[str, Any]]:
        """Yield the entries of a table of tables, such as `[sinks.NAME]`."""
        if isinstance(value, dict):
            yield from value.items()
        else:
            self.wrong(path, f"{dotted(path)} must be tables like [{example}]; it is {shown(value)}")

    def entries(
        self, table: str, value: Any, example: str
    ) -> Iterator[tuple[tuple[str, ...], Mapping[str, Any], bool]]:
        """Yield path and content of each table that the user names, such as `[sinks.ops]`, and if its name will do.

        One whose name will not do is checked all the same, as mistakes are told all at once, and then dropped.
        """
        for name, entry in self.named((table,), value, f"{table}.{example}"):
            path, named = (table, name), bool(_NAME.match(name))
            if not named:
                words = f"{shown(name)} is no name of this kind; write up to 40 small letters, digits and dashes"
                self.wrong(path, words)
            if isinstance(entry, dict):
                yield path, entry, named
            else:
                self.table(path, entry)

    def _hint(self, name: str, known: list[str]) -> str:
        """Say where a key belongs that stands in the wrong table, or which key is near."""
        elsewhere = HOMES.get(name)
        return f"; it belongs {' or '.join(elsewhere)}" if elsewhere else self.mistakes.hint(name, known)

    def _literal(self, path: tuple[str, ...], what: str) -> None:
        name = path[-1]
        self.wrong(
            path,
            f"{name}: a {what} is never written into this file; write {name}_env with the name of an environment "
            f"variable, or {name}_file with a path, and replace the {what} if the file was shared",
        )


def dotted(path: tuple[str, ...]) -> str:
    """Return a path as an error may show it."""
    return ".".join(part if shown(part) == repr(part) else shown(part) for part in path)
