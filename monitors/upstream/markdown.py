"""Markdown cut into the blocks a reference page is made of: headings, tags, tables, code and text.

Only the structure is read, by the rules of GitHub's Markdown (tables) and Markdoc (`{% tag %}`). Any text gives
blocks, in time linear in its length.
"""

from __future__ import annotations

import html
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_HEADING = re.compile(r" {0,3}(#{1,6})(?:[ \t]+(.*))?$")
_TAG = re.compile(r"\{%-?([^%{}]*)-?%\}")
_LABEL = re.compile(r"[\"'\u201c\u201d]([^\"'\u201c\u201d]*)[\"'\u201c\u201d]|=\s*([^\s\"'/]+)")
_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})")
_DELIMITER_CELL = re.compile(r":?-+:?\Z")
_CONTINUED_LINES = 200
_CELL_BREAK = re.compile(r"(?<!\\)((?:\\\\)*)\|")
_ESCAPED = re.compile(r"\\([!-/:-@\[-`{-~])")


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading without its anchor."""

    line: int
    level: int
    text: str


@dataclass(frozen=True, slots=True)
class Tag:
    """A Markdoc tag: `name` is `tab`, `/tab`, `alert` …; `label` is its first quoted value."""

    line: int
    name: str
    label: str


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a table, as many cells as were written."""

    line: int
    cells: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """A table; `columns` are the titles of its head as written."""

    line: int
    columns: tuple[str, ...]
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class Code:
    """A fenced block of code."""

    line: int
    text: str


@dataclass(frozen=True, slots=True)
class Text:
    """One line of anything else."""

    line: int
    text: str


Block = Heading | Tag | Table | Code | Text


def blocks(text: str) -> Iterator[Block]:
    """Yield the blocks of a text in order; lines are counted from 1."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    at = 0
    while at < len(lines):
        line = lines[at]
        fence = _FENCE.match(line)
        if fence:
            end = _fence_end(lines, at, fence.group(1))
            yield Code(at + 1, "\n".join(lines[at + 1 : end]))
            at = end + 1
        elif _starts_table(lines, at):
            table, at = _table(lines, at)
            yield table
        else:
            yield from _line(at + 1, line)
            at += 1


def _line(number: int, line: str) -> Iterator[Block]:
    heading = _HEADING.match(line)
    if heading:
        yield Heading(number, len(heading.group(1)), plain(_TAG.sub("", heading.group(2) or "")).rstrip("# "))
        return
    if line.lstrip().startswith("{%"):
        for tag in _TAG.finditer(line):
            inside = tag.group(1).strip()
            label = _LABEL.search(inside)
            name = re.match(r"/?\s*\w*", inside)
            yield Tag(
                number,
                name.group().replace(" ", "").lower() if name else "",
                plain(next((part for part in label.groups() if part is not None), "")) if label else "",
            )
        line = _TAG.sub("", line)
    if line.strip():
        yield Text(number, line.strip())


def _fence_end(lines: Sequence[str], start: int, mark: str) -> int:
    for at in range(start + 1, len(lines)):
        stripped = lines[at].strip()
        # Some copies of the vendor's pages close a block with the mark and a word after it.
        if stripped.startswith(mark) and " " not in stripped:
            return at
    return len(lines)


def _starts_table(lines: Sequence[str], at: int) -> bool:
    return "|" in lines[at] and at + 1 < len(lines) and _is_delimiter(lines[at + 1])


def _is_delimiter(line: str) -> bool:
    if "|" not in line or "-" not in line or set(line) - set(" \t|:-"):
        return False
    return all(_DELIMITER_CELL.match(cell) for cell in cells(line))


def _table(lines: Sequence[str], at: int) -> tuple[Table, int]:
    start, columns = at, cells(lines[at])
    barred = lines[at].rstrip().endswith("|")
    rows = []
    at += 2
    while at < len(lines) and "|" in lines[at]:
        end = _row_end(lines, at, len(columns)) if barred else at + 1
        rows.append(Row(at + 1, cells(" ".join(lines[at:end]))))
        at = end
    return Table(start + 1, columns, tuple(rows)), at


def _row_end(lines: Sequence[str], start: int, columns: int) -> int:
    """Return where the next row starts: a cell may run over several lines, and its row then ends in a bar."""
    end = start + 1
    while not lines[end - 1].rstrip().endswith("|") and end - start < _CONTINUED_LINES and _continues(lines, end):
        end += 1
    # More cells than columns are two rows, of which the first lacks its last bar.
    if end - start > 1 and len(cells(" ".join(lines[start:end]))) > columns:
        return start + 1
    return end


def _continues(lines: Sequence[str], at: int) -> bool:
    line = lines[at].strip() if at < len(lines) else ""
    return bool(line) and not line.startswith(("|", "{%", "#", "```", "~~~"))


def cells(line: str) -> tuple[str, ...]:
    """Return the cells of one row as written, trimmed; a bar after a backslash belongs to its cell."""
    written = _CELL_BREAK.sub("\\1\n", line.strip()).split("\n")
    if written and not written[0].strip():
        written = written[1:]
    if len(written) > 1 and not written[-1].strip():
        written = written[:-1]
    return tuple(cell.strip() for cell in written)


def plain(text: str) -> str:
    """Return text with entities and backslash escapes undone."""
    return html.unescape(_ESCAPED.sub(r"\1", text)).strip()
