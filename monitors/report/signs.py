"""The sign, the colour and the word of each mark on a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text

from monitors.report.cells import Mark

if TYPE_CHECKING:
    from monitors.report.value import Layout

# Plain ANSI colours: the terminal's own palette knows whether its background is dark or light.
STYLES = {
    Mark.OK: "green",
    Mark.INFO: "blue",
    Mark.WARNING: "yellow",
    Mark.BREAKING: "red",
    Mark.DOWN: "magenta",
    Mark.SKIPPED: "dim",
}
_SIGNS = {
    Mark.OK: "✓",
    Mark.INFO: "•",
    Mark.WARNING: "▲",
    Mark.BREAKING: "✗",
    Mark.DOWN: "▼",
    Mark.SKIPPED: "·",
}
_ASCII_SIGNS = {
    Mark.OK: "+",
    Mark.INFO: "i",
    Mark.WARNING: "!",
    Mark.BREAKING: "x",
    Mark.DOWN: "v",
    Mark.SKIPPED: "-",
}


def sign(mark: Mark, layout: Layout) -> Text:
    """Return the sign of a mark in its colour, in ASCII where the layout has nothing else."""
    return Text((_SIGNS if layout.unicode else _ASCII_SIGNS)[mark], style=STYLES[mark], end="")
