"""Annotations on a run of GitHub Actions, and its step summary."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from monitors.notify.errors import SinkError
from monitors.notify.escaping import escaped
from monitors.notify.message import Tone
from monitors.notify.stdout import write_lines
from monitors.report.text import plain

if TYPE_CHECKING:
    from collections.abc import Callable

    from monitors.config.alerting import SinkSettings
    from monitors.incidents.model import Notice
    from monitors.notify.message import Message
    from monitors.notify.sinks import Around

STEP_SUMMARY = "GITHUB_STEP_SUMMARY"
_COMMANDS = {Tone.FAILURE: "error", Tone.WARNING: "warning", Tone.INFO: "notice", Tone.SUCCESS: "notice"}
_TEXT_CHARS = 2_000


@dataclass(frozen=True, slots=True)
class GithubActions:
    """Writes one annotation for each notice, and its whole text into the file of the step summary, if there is one."""

    settings: SinkSettings
    write: Callable[[str], None]
    summary: Path | None

    def send(self, message: Message, notice: Notice) -> None:  # noqa: ARG002 - every sink has one signature
        """Write one notice. Raises `SinkError` where one of the two cannot be written."""
        title = _data(message.title).replace(":", "%3A").replace(",", "%2C")
        # A line end within an annotation is written %0A.
        body = "%0A".join(_data(line) for line in message.plain(_TEXT_CHARS).split("\n"))
        write_lines(self.write, [f"::{_COMMANDS[message.tone]} title={title}::{body}"])
        if self.summary is None:
            return
        text = f"### {escaped(message.title)}\n\n{message.markdown()}\n\n"
        try:
            with self.summary.open("a", encoding="utf-8") as file:
                file.write(text)
        except OSError as error:
            problem = f"{STEP_SUMMARY}: {self.summary} cannot be written: {(error.strerror or str(error)).lower()}"
            raise SinkError(problem) from error


def _data(text: str) -> str:
    return plain(text).replace("%", "%25")


def build(settings: SinkSettings, around: Around) -> GithubActions:
    """Return the sink; GitHub names the file of the step summary in the environment."""
    summary = around.environ.get(STEP_SUMMARY)
    return GithubActions(settings, around.write, Path(summary) if summary else None)
