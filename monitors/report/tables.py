"""Plain tables for a terminal: a head and rows of our own text."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from rich.cells import cell_len
from rich.console import Console
from rich.measure import Measurement
from rich.style import Style
from rich.table import Table
from rich.text import Text

from monitors.report.text import for_log

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from rich.console import RenderableType

    from monitors.report.value import Layout

_MIN_WIDTH, _ENDLESS = 40, 10_000
# Below this, text in the last column is not read but spelled.
_MIN_PROSE = 24


def printed(parts: Iterable[RenderableType], layout: Layout) -> str:
    """Return rich's renderables as text of `layout.width` columns, with colours only where the layout has them."""
    out = io.StringIO()
    console = Console(
        file=out,
        width=max(layout.width, _MIN_WIDTH),
        force_terminal=layout.colour,
        color_system="standard" if layout.colour else None,
        no_color=not layout.colour,
        legacy_windows=False,
        highlight=False,
        markup=False,
        emoji=False,
        _environ={},
    )
    for part in parts:
        console.print(part)
    text = "\n".join(line.rstrip() for line in out.getvalue().splitlines()) + "\n"
    return text if layout.unicode else _ascii(text)


def _ascii(text: str) -> str:
    for sign, word in (("→", "->"), ("…", "~"), ("·", "-")):
        text = text.replace(sign, word)
    return text.encode("ascii", "backslashreplace").decode("ascii")


def bare_table(gap: int = 3) -> Table:
    """Return a table without lines, its columns `gap` blanks apart."""
    return Table(box=None, pad_edge=False, padding=(0, gap, 0, 0), header_style=Style(dim=True))


def natural_width(table: Table) -> int:
    """Return the columns a table takes where nothing limits it."""
    console = Console(width=_ENDLESS, color_system=None, legacy_windows=False, _environ={})
    return Measurement.get(console, console.options, table).maximum


def lined_up(head: Sequence[str], rows: Iterable[Sequence[str]], layout: Layout) -> str:
    """Return rows below their head; the last column takes what room is left.

    Where that is too little, each row is a paragraph: its first cell, and below it the others with their headings.
    """
    lines = [[for_log(cell) for cell in row] for row in rows]
    table = bare_table()
    for number, name in enumerate(head, start=1):
        table.add_column(Text(name), no_wrap=number < len(head), overflow="fold")
    for line in lines:
        table.add_row(*map(Text, line))
    prose = max(cell_len(line[-1]) for line in [head, *lines])
    if natural_width(table) - prose + min(prose, _MIN_PROSE) <= max(layout.width, _MIN_WIDTH):
        return printed([table], layout)
    return printed(_paragraphs(head, lines), layout)


def _paragraphs(head: Sequence[str], lines: Sequence[Sequence[str]]) -> Iterator[RenderableType]:
    for line in lines:
        yield Text(line[0], overflow="fold")
        table = Table.grid(padding=(0, 1))
        table.add_column(no_wrap=True)
        table.add_column(overflow="fold")
        for name, cell in zip(head[1:], line[1:], strict=True):
            table.add_row(Text(f" {name}", style="dim"), Text(cell))
        yield table
