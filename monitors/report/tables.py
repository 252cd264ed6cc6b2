"""Plain tables for a terminal: a head and rows of our own text."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from rich.console import Console
from rich.style import Style
from rich.table import Table
from rich.text import Text

from monitors.report.text import for_log

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from rich.console import RenderableType

    from monitors.report.value import Layout

_MIN_WIDTH = 40


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


def bare_table() -> Table:
    """Return a table without lines."""
    return Table(box=None, pad_edge=False, padding=(0, 3, 0, 0), header_style=Style(dim=True))


def lined_up(head: Sequence[str], rows: Iterable[Sequence[str]], layout: Layout) -> str:
    """Return rows below their head; the last column takes what room is left."""
    table = bare_table()
    for number, name in enumerate(head, start=1):
        table.add_column(Text(name), no_wrap=number < len(head), overflow="fold")
    for row in rows:
        table.add_row(*(Text(for_log(cell)) for cell in row))
    return printed([table], layout)
