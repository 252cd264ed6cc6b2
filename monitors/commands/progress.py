"""How far a command is, on a terminal's stderr; silence anywhere else."""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

from monitors.report.text import for_log

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@contextmanager
def progress(what: str, total: int, *, quiet: bool) -> Iterator[Callable[[str], None]]:
    """Yield a function to call after each of `total` steps with a word on it; the bar is gone at the end."""
    if quiet or not sys.stderr.isatty() or os.environ.get("TERM") == "dumb":
        yield lambda _word: None
        return
    from rich.console import Console  # noqa: PLC0415 - most runs have no terminal to draw on
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn  # noqa: PLC0415 - likewise

    columns = (TextColumn("{task.description}", markup=False), BarColumn(30), MofNCompleteColumn())
    words = TextColumn("{task.fields[word]}", style="dim", markup=False)
    with Progress(*columns, words, console=Console(file=sys.stderr, highlight=False), transient=True) as bar:
        task = bar.add_task(what, total=total, word="")
        yield lambda word: bar.update(task, advance=1, word=for_log(word, 40))
