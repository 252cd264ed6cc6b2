"""Rows of a field table nested into the tree they describe.

The vendor prints the tree depth first, and of each row's parent only the name. Several open fields may have that
name (`data` in `data` in `data`): the example beside the table then tells which one holds the member, else it is the
innermost one that does not have the member yet.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from monitors.upstream import cells

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from monitors.model import JSON
    from monitors.upstream.markdown import Row, Table

ANY_KEY = "<any-key>"
"""Name of the row that describes every member whose name is data."""

ITEMS = "<items>"
"""Name of a row that describes the items of a list."""

_MAX_DEPTH = 64
_COLUMNS = {
    "parent": ("parent field", "parent"),
    "name": ("field", "name", "property", "field name"),
    "type": ("type", "data type", "field type"),
    "description": ("description", "details"),
    "required": ("required",),
}
_YES = frozenset({"yes", "true", "required", "x", "✓", "✔", "✅"})


class UnreadableError(Exception):
    """Part of the page is not in the form known; the line and one sentence."""

    def __init__(self, line: int, text: str) -> None:
        """Keep where it is and what is the matter."""
        super().__init__(text)
        self.line = line
        self.text = text


@dataclass(frozen=True, slots=True)
class Field:
    """One field as the page describes it; `values` are the allowed ones, empty where any is."""

    name: str
    type: cells.Type
    line: int
    required: bool = False
    deprecated: bool = False
    values: tuple[str, ...] = ()
    description: str = ""
    fields: tuple[Field, ...] = ()


@dataclass(slots=True, eq=False)
class _Node:
    """A field while its parts are still being read."""

    row: Field
    depth: int
    example: Any
    children: dict[str, _Node] = field(default_factory=dict)

    def take(self, child: _Node) -> None:
        self.children[child.row.name] = child

    def freeze(self) -> Field:
        parts = tuple(child.freeze() for child in self.children.values())
        return Field(
            self.row.name, self.row.type, self.row.line, self.row.required, self.row.deprecated, self.row.values,
            self.row.description, parts,
        )  # fmt: skip


def columns(table: Table) -> dict[str, int]:
    """Return which column holds what, by the titles in the head; columns with other titles are left out."""
    found: dict[str, int] = {}
    for at, title in enumerate(table.columns):
        word = title.strip("*_` ").lower()
        for meaning, titles in _COLUMNS.items():
            if word in titles:
                found.setdefault(meaning, at)
    return found


def is_field_table(table: Table) -> bool:
    """Tell whether a table has the columns a field table needs."""
    return {"name", "type"} <= columns(table).keys()


def described(table: Table) -> Iterator[tuple[str, Field]]:
    """Yield the name of the parent (empty at the top) and the field of each row.

    Raises `UnreadableError` for a row without a name or without a type that can be read.
    """
    where = columns(table)
    for row in table.rows:
        parent = cells.name(_cell(row, where.get("parent")))
        name = cells.name(_cell(row, where["name"]))
        written = _cell(row, where["type"])
        type_ = cells.type_(written)
        if not name.text:
            raise UnreadableError(row.line, "a row names no field")
        if type_ is None:
            raise UnreadableError(row.line, f"the type of {name.text!r} is {written[:60]!r}, which is no known form")
        at = where.get("description")
        description = " ".join(row.cells[at:]) if at is not None and at == len(table.columns) - 1 else _cell(row, at)
        values = cells.allowed_values(description)
        if type_.is_enum and not values:
            raise UnreadableError(row.line, f"{name.text!r} is an enum, and its allowed values cannot be found")
        required = "required" in name.marks or _cell(row, where.get("required")).strip("*_` ").lower() in _YES
        deprecated = "deprecated" in name.marks or cells.is_deprecated(description)
        yield parent.text, Field(name.text, type_, row.line, required, deprecated, values, description)


def _cell(row: Row, at: int | None) -> str:
    return row.cells[at] if at is not None and at < len(row.cells) else ""


def nested(table: Table, example: JSON) -> tuple[Field, ...]:
    """Return the fields at the top of a table, each with the fields inside it.

    `example` is the JSON printed beside the table, None where there is none. Raises `UnreadableError` for rows that
    cannot be placed for sure: a parent no row describes, the same field twice, nesting deeper than 64.
    """
    rows = list(described(table))
    root = _Node(Field("", cells.Type("object", {"type": "object"}), table.line), 0, _one(example))
    if "parent" not in columns(table):
        _refuse_flattened(table, [row for _, row in rows], root.example)
    _Builder(root).place(rows)
    return tuple(child.freeze() for child in root.children.values())


def _refuse_flattened(table: Table, rows: Sequence[Field], example: Any) -> None:
    """Refuse a table without parents whose fields are not all at the top, as far as can be told."""
    if isinstance(example, dict):
        lost = next((row for row in rows if row.name not in example and _is_inside(example, row.name)), None)
    else:
        lost = next((row for row in rows if row.type.holds_fields), None) if len(rows) > 1 else None
    if lost is not None:
        raise UnreadableError(table.line, f"there is no column `Parent field`, so the place of {lost.name!r} is lost")


def _is_inside(example: Any, name: str) -> bool:
    waiting = [example]
    while waiting:
        node = waiting.pop()
        if isinstance(node, dict):
            if name in node:
                return True
            waiting.extend(node.values())
        elif isinstance(node, list):
            waiting.extend(node)
    return False


def _one(example: Any) -> Any:
    """Return the first item of a list, of lists in lists too, else the value itself."""
    while isinstance(example, list):
        example = example[0] if example else None
    return example


class _Builder:
    """Places rows one after the other; `open_` is the way from the top to the row before."""

    def __init__(self, root: _Node) -> None:
        self._root = root
        self._open = [root]
        self._closed: dict[str, _Node] = {}
        self._waiting: dict[str, list[Field]] = {}

    def place(self, rows: Iterable[tuple[str, Field]]) -> None:
        for parent, row in rows:
            node = self._parent(parent, row)
            if node is None:
                self._waiting.setdefault(parent, []).append(row)
            else:
                self._add(node, row)
        if self._waiting:
            parent, waiting = next(iter(self._waiting.items()))
            raise UnreadableError(waiting[0].line, f"no row describes {parent!r}, the parent of {waiting[0].name!r}")

    def _add(self, parent: _Node, row: Field) -> None:
        known = parent.children.get(row.name)
        if known is not None:
            if known.row.type != row.type or known.row.required != row.required:
                raise UnreadableError(row.line, f"{row.name!r} is described twice in the same place")
            return
        if parent.depth >= _MAX_DEPTH:
            raise UnreadableError(row.line, f"fields nest deeper than {_MAX_DEPTH}")
        example = _one(parent.example.get(row.name)) if isinstance(parent.example, dict) else None
        option = parent.row.type.union is not None
        node = _Node(row, parent.depth + 1, parent.example if option else example)
        parent.take(node)
        if parent in self._open:
            del self._open[self._open.index(parent) + 1 :]
            self._open.append(node)
        if row.type.holds_fields:
            self._closed[row.name] = node
            # Rows may stand before their parent, where a table is not sorted depth first.
            for early in self._waiting.pop(row.name, ()):
                self._add(node, early)

    def _parent(self, name: str, row: Field) -> _Node | None:
        if not name:
            return self._root
        if name == "additionalProperties" and row.name == ANY_KEY and self._open[-1].row.type.holds_fields:
            return self._open[-1]
        found = [node for node in reversed(self._open) if node.row.name == name and node.row.type.holds_fields]
        free = [node for node in found if row.name not in node.children]
        shown = [node for node in free if isinstance(node.example, dict) and row.name in node.example]
        for candidates in (shown, free, found):
            if candidates:
                return candidates[0]
        return self._closed.get(name)
