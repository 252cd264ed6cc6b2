"""A line of the log as a person reads it on a terminal: wrapped at words, what is said of it below itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from monitors.report.cells import Mark
from monitors.report.text import counted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, MutableMapping

    from monitors.report.value import Layout

LOST = "lines of the log were lost"
_MARKS = {"debug": Mark.SKIPPED, "info": Mark.INFO, "warning": Mark.WARNING, "error": Mark.BREAKING}
_COUNTED = {"kept": ("batch", "batches"), "dropped": ("batch", "batches")}
"""What these count, where the line itself does not say so."""

_Said = tuple[str, str]
"""How something is called, empty where it speaks for itself, and what it is."""


def for_people(_logger: Any, _name: str, event: MutableMapping[str, Any], *, shape: Callable[[], Layout]) -> str:
    """Return a line: the time (UTC), how bad it is, what happened, where, and in which words."""
    event.pop("key", None)  # how a receiver tells what it has had already, which no reader of a terminal is
    time, level, head = str(event.pop("timestamp")), event.pop("level"), str(event.pop("event"))
    if head == LOST:
        head = f"{event.pop('lines'):,} {LOST}"
    if (incident := event.pop("incident", None)) is not None:
        head += f" #{incident}"
    if "site" in event:
        head = " ".join([head, str(event.pop("site")), *([str(event.pop("check"))] if "check" in event else [])])
    if isinstance(event.get("sites"), list | tuple):
        head = " ".join([head, *map(str, event.pop("sites"))])
    return _laid_out(time, _MARKS[level], [("", head), *_said(event)], shape())


def _said(event: MutableMapping[str, Any]) -> Iterator[_Said]:
    # What a person gave as a reason is not why it happened: it comes last and is called so.
    given = event.pop("reason", None) if "by" in event else None
    yield from (("", str(event.pop(name))) for name in ("message", "reason", "error") if event.get(name))
    for name, value in event.items():
        if (name, value) == ("attempts", 1):
            continue
        if name in _COUNTED and isinstance(value, int):
            yield name, counted(value, *_COUNTED[name])
        elif name.endswith("_s") and isinstance(value, int | float):
            yield name.removesuffix("_s").replace("_", " "), f"{value:,} s"
        else:
            yield name, ", ".join(map(str, value)) if isinstance(value, list) else str(value)
    if given:
        yield "reason", str(given)


def _laid_out(time: str, mark: Mark, said: list[_Said], layout: Layout) -> str:
    from rich.table import Table  # noqa: PLC0415 - only a terminal takes it
    from rich.text import Text  # noqa: PLC0415 - likewise

    from monitors.report.signs import sign  # noqa: PLC0415 - brings rich
    from monitors.report.tables import printed  # noqa: PLC0415 - likewise

    text = Text("  ").join(Text.assemble((name, "dim"), " " if name else "", words) for name, words in said)
    table = Table.grid(padding=(0, 1, 0, 0))
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    table.add_row(Text(time, style="dim"), sign(mark, layout), text)
    return printed([table], layout).removesuffix("\n")
