"""A notice in words: a title, lines, and rows with a label, written as plain text, for chat services, or as Markdown.

Everything in a message is printable and on one line; each form escapes what it would take for markup.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from monitors.config.templates import fill
from monitors.incidents.model import NoticeKind
from monitors.model import Level
from monitors.notify.content import about, completed, moment, text
from monitors.notify.digests import digest_lines, digest_title
from monitors.notify.escaping import cut, defused, escaped, fenced, paragraph
from monitors.notify.wording import Form, Row, Wording, clock
from monitors.report.text import plain

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from monitors.config.alerting import SinkSettings
    from monitors.incidents.model import Notice
    from monitors.model import JSON

TITLE_CHARS = 120
_FIELD_CHARS = 500


class Tone(enum.Enum):
    """What a message means for whoever gets it, as services colour it."""

    FAILURE = "failure"
    WARNING = "warning"
    INFO = "info"
    SUCCESS = "success"


_TONES = {Level.BREAKING: Tone.FAILURE, Level.WARNING: Tone.WARNING, Level.INFO: Tone.INFO}


@dataclass(frozen=True, slots=True)
class Message:
    """What one sink is to say: a title, lines of text, and rows of details.

    `content` is the documented JSON object, completed. `fields` are the values of a template by name; `body` is the
    template that replaces lines and rows, empty for none.
    """

    title: str
    lines: tuple[str, ...]
    rows: tuple[Row, ...]
    level: Level
    tone: Tone
    content: Mapping[str, JSON]
    fields: Mapping[str, str] = field(default_factory=dict)
    body: str = ""

    def plain(self, limit: int = 4_000) -> str:
        """Return the body as text for a terminal or a log, at most `limit` characters long."""
        return cut(self._written(str, str), limit)

    def chat(self, limit: int = 1_800) -> str:
        """Return the body as text in which a chat service finds no mention, link or command that is not ours."""
        return cut(self._written(defused, str), limit)

    @property
    def chat_title(self) -> str:
        """The title for a chat service."""
        return defused(self.title)

    def markdown(self, limit: int = 60_000) -> str:
        """Return the body as GitHub's Markdown: what came over the wire is text, commands stand in blocks of code."""
        if self.body:
            return cut(self._written(_escaped_lines, escaped), limit)
        parts = [paragraph(line) for line in self.lines]
        details = [row for row in self.rows if row.form is not Form.CODE]
        table = "\n".join(
            f"- **{escaped(row.label)}:** {row.text if row.form is Form.LINK else escaped(row.text)}" for row in details
        )
        blocks = [f"{row.label}:\n\n{fenced(row.text)}" for row in self.rows if row.form is Form.CODE]
        return cut("\n\n".join(filter(None, ("  \n".join(parts), table, *blocks))), limit)

    def _written(self, foreign: Callable[[str], str], ours: Callable[[str], str]) -> str:
        if self.body:
            safe = {"link", "curl"}
            return fill(self.body, {n: (ours if n in safe else foreign)(value) for n, value in self.fields.items()})
        lines = [foreign(line) for line in self.lines]
        lines += [f"{row.label}: {(foreign if row.form is Form.TEXT else ours)(row.text)}" for row in self.rows]
        return "\n".join(lines)


def _escaped_lines(value: str) -> str:
    """Return a value of a template in Markdown, each line of it on one of its own."""
    first, *others = value.split("\n")
    return "  \n".join([escaped(first), *map(paragraph, others)])


def message_of(notice: Notice, settings: SinkSettings | None = None, *, known: str | None = None) -> Message:
    """Return a notice in words, by the sink's templates where it has some.

    `known` is what the vendor's status page says of the site. Any content makes a message: what it lacks is left out.
    """
    content = completed(notice.content, known)
    incident = about(content)
    if incident is not None:
        wording = Wording(notice.kind, incident, content)
        made = Message(
            wording.title(),
            wording.lines(),
            wording.rows(),
            incident.level,
            Tone.SUCCESS if notice.kind is NoticeKind.RESOLVED else _TONES[incident.level],
            content,
            wording.fields(),
        )
    elif notice.kind is NoticeKind.DIGEST:
        worst, lines = digest_lines(content)
        tone = Tone.SUCCESS if worst is None else _TONES[worst]
        made = Message(digest_title(content), lines, (), worst or Level.INFO, tone, content)
    else:
        title, lines = _test(notice, content)
        made = Message(title, lines, (), Level.INFO, Tone.INFO, content)
    return _by_template(made, notice, settings)


def _test(notice: Notice, content: Mapping[str, JSON]) -> tuple[str, tuple[str, ...]]:
    vantage = plain(str(content.get("vantage") or ""), 80)
    place = f" on {vantage}" if vantage else ""
    lines = (f"model-lab-monitor{place} can reach the sink {notice.sink}. Nothing is wrong; there is nothing to do.",)
    return f"🔵 Test of {notice.sink}", lines


def _by_template(made: Message, notice: Notice, settings: SinkSettings | None) -> Message:
    fields = {
        "event": str(notice.kind),
        "title": made.title,
        "level": str(made.level),
        "vantage": text(made.content.get("vantage")),
        "at": clock(moment(made.content.get("at"))),
        **made.fields,
    }
    fields = {name: plain(value, _FIELD_CHARS) for name, value in fields.items()}
    # What is no single sentence has a line for each thing it says, as far as the body allows.
    fields["message"] = fields.get("message") or "\n".join(plain(line, _FIELD_CHARS) for line in made.lines)
    title = fill(settings.title, fields) if settings is not None and settings.title else made.title
    body = settings.body if settings is not None else ""
    title = plain(" ".join(title.split()), TITLE_CHARS)
    # Services show the title above the text: what it says word for word is not said again.
    lines = tuple(line for line in made.lines if line not in title)
    return Message(title, lines, made.rows, made.level, made.tone, made.content, fields, body)
