"""The monitor's log: one structured line for each thing worth knowing afterwards, on stderr."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, Protocol, cast

import structlog

from monitors.report.text import for_log

if TYPE_CHECKING:
    from collections.abc import MutableMapping
    from typing import TextIO

FORMATS = ("auto", "json", "logfmt", "progress")
LEVELS = ("debug", "info", "warning", "error")
_LONGEST_CHARS = 1_000
_NUMBERS = {"debug": 10, "info": 20, "warning": 30, "error": 40}


class Stream(Protocol):
    """Where lines go."""

    def write(self, text: str, /) -> int:
        """Write a text."""

    def flush(self) -> None:
        """Have it written."""


class Say(Protocol):
    """How everything here is logged: a level, what happened, and values by name."""

    def __call__(self, level: str, event: str, **values: object) -> None:
        """Log one event."""


def logger(format_: str, level: str, stream: Stream) -> Say:
    """Return what writes lines of a format (`json`, `logfmt`, or `progress` for people) from a level on to a stream.

    Nothing global is configured, so libraries that use structlog keep theirs.
    """
    render: Any = {
        "json": structlog.processors.JSONRenderer(),
        "logfmt": structlog.processors.LogfmtRenderer(key_order=["timestamp", "level", "event"], bool_as_flag=False),
        "progress": _for_people,
    }[format_]
    wrapped = structlog.wrap_logger(
        structlog.WriteLogger(cast("TextIO", stream)),
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="%H:%M:%S" if format_ == "progress" else "iso", utc=True),
            _telling,
            _harmless,
            *([_joined] if format_ == "logfmt" else []),
            render,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(_NUMBERS[level]),
        cache_logger_on_first_use=True,
    )

    def say(level: str, event: str, **values: object) -> None:
        getattr(wrapped, level)(event, **values)

    return say


def chosen_format(asked: str, stream: TextIO | None = None) -> str:
    """Return the format `auto` stands for: a line that moves on a terminal, JSON anywhere else."""
    if asked != "auto":
        return asked
    return "progress" if (stream or sys.stderr).isatty() else "json"


def _for_people(_logger: Any, _name: str, event: MutableMapping[str, Any]) -> str:
    """Return a line as a person reads it: the time (UTC), what happened, where, and in which words."""
    event.pop("key", None)  # how a receiver tells what it has had already, which no reader of a terminal is
    head = [str(event.pop("timestamp")), str(event.pop("event"))]
    level = event.pop("level")
    if level == "error":
        head.append("(error)")
    if (incident := event.pop("incident", None)) is not None:
        head.append(f"#{incident}")
    if isinstance(event.get("sites"), list | tuple):
        head += [str(site) for site in event.pop("sites")]
    said = [str(event.pop(name)) for name in ("message", "reason", "error") if event.get(name)]
    rest = [f"{name} {_words(value)}" for name, value in event.items() if (name, value) != ("attempts", 1)]
    return "  ".join([head[0], " ".join(head[1:]), *said, *rest])


def _words(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


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
