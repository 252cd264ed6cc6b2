"""Notices on standard output, for a log or a terminal."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from monitors.notify.errors import SinkError
from monitors.report.text import for_log

if TYPE_CHECKING:
    from collections.abc import Callable

    from monitors.config.alerting import SinkSettings
    from monitors.incidents.model import Notice
    from monitors.notify.message import Message
    from monitors.notify.sinks import Around


@dataclass(frozen=True, slots=True)
class Stdout:
    """Writes the date and a title, indented lines, and an empty one."""

    settings: SinkSettings
    write: Callable[[str], None]

    def send(self, message: Message, notice: Notice) -> None:
        """Write one notice. Raises `SinkError` where standard output is closed."""
        body = [f"  {line}" for line in message.plain().split("\n")]
        title = f"{notice.at:%Y-%m-%d %H:%M} UTC  {message.title}"
        write_lines(self.write, [*(for_log(line) for line in (title, *body)), ""])


def write_lines(write: Callable[[str], None], lines: list[str]) -> None:
    """Write lines to standard output. Raises `SinkError` where nobody reads it."""
    try:
        write("\n".join(lines) + "\n")
    except (OSError, ValueError) as error:
        reason = (getattr(error, "strerror", None) or str(error)).lower()
        message = f"standard output: cannot be written: {reason}"
        raise SinkError(message) from error


def build(settings: SinkSettings, around: Around) -> Stdout:
    """Return the sink."""
    return Stdout(settings, around.write)
