"""The monitor's log: one structured line for each thing worth knowing afterwards, on stderr."""

from __future__ import annotations

import sys
import threading
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

import structlog

from monitors.report.text import for_log
from monitors.report.value import Layout
from monitors.watching.loglines import LOST, for_people

if TYPE_CHECKING:
    from collections.abc import Callable, MutableMapping
    from typing import TextIO

FORMATS = ("auto", "json", "logfmt", "progress")
LEVELS = ("debug", "info", "warning", "error")
_LONGEST_CHARS = 1_000
_NUMBERS = {"debug": 10, "info": 20, "warning": 30, "error": 40}
_ENDLESS = 10_000


def _one_line() -> Layout:
    return Layout(_ENDLESS)


class Stream(Protocol):
    """Where lines go."""

    def write(self, text: str, /) -> int:
        """Write a text; returns how much of it was written, 0 where there is no room for it."""

    def flush(self) -> None:
        """Have it written."""


class Say(Protocol):
    """How everything here is logged: a level, what happened, and values by name."""

    def __call__(self, level: str, event: str, **values: object) -> None:
        """Log one event."""


class _Lines:
    """Lines on their way to a stream; `fits` tells whether the last one was written, `lost` counts those that were not.

    structlog calls the method that is called as the level is.
    """

    def __init__(self, stream: Stream) -> None:
        """Begin with nothing lost."""
        self._stream, self.lost, self.fits = stream, 0, True

    def msg(self, line: str) -> None:
        """Write a line, or know that it was not."""
        try:
            self.fits = self._stream.write(line + "\n") > 0
            self._stream.flush()
        except (OSError, ValueError):  # a full disk, a reader that is gone; a stream that was closed
            self.fits = False

    debug = info = warning = error = msg


def logger(format_: str, level: str, stream: Stream, shape: Callable[[], Layout] = _one_line) -> Say:
    """Return what writes lines of a format (`json`, `logfmt`, or `progress` for people) from a level on to a stream.

    Lines for people have the `shape` that is returned then. Logging never fails: lines that cannot be written are
    counted, and the first that can be follows one that says how many were lost. Nothing global is configured, so
    libraries that use structlog keep theirs.
    """
    render: Any = {
        "json": structlog.processors.JSONRenderer(),
        "logfmt": structlog.processors.LogfmtRenderer(key_order=["timestamp", "level", "event"], bool_as_flag=False),
        "progress": partial(for_people, shape=shape),
    }[format_]
    lines, lock, least = _Lines(stream), threading.Lock(), _NUMBERS[level]
    wrapped = structlog.wrap_logger(
        lines,
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="%H:%M:%S" if format_ == "progress" else "iso", utc=True),
            _telling,
            _harmless,
            *([_joined] if format_ == "logfmt" else []),
            render,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(least),
        cache_logger_on_first_use=True,
    )

    def say(level: str, event: str, **values: object) -> None:
        if _NUMBERS[level] < least:
            return
        with lock:
            if lines.lost:
                wrapped.error(LOST, lines=lines.lost)
                if not lines.fits:
                    lines.lost += 1
                    return
                lines.lost = 0
            getattr(wrapped, level)(event, **values)
            lines.lost += not lines.fits

    return say


def chosen_format(asked: str, stream: TextIO | None = None) -> str:
    """Return the format `auto` stands for: a line that moves on a terminal, JSON anywhere else."""
    if asked != "auto":
        return asked
    return "progress" if (stream or sys.stderr).isatty() else "json"


def _telling(_logger: Any, _name: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Leave out names that nothing is said of: None, an empty text, an empty list."""
    return {key: value for key, value in event.items() if value is not None and value not in ("", [], ())}


def _joined(_logger: Any, _name: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Write lists as logfmt knows them, which has none: their items with commas between."""
    return {key: ",".join(value) if isinstance(value, list) else value for key, value in event.items()}


def _harmless(_logger: Any, _name: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Spell out whatever a site's text could do to a terminal or a line."""
    for key, value in event.items():
        if isinstance(value, str):
            event[key] = for_log(value, _LONGEST_CHARS)
        elif isinstance(value, (list, tuple)):
            event[key] = [for_log(str(item), _LONGEST_CHARS) for item in value]
    return event
