"""The blocks of a page sorted into operations and their sections, nothing read in them yet."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from monitors.upstream import cells
from monitors.upstream.markdown import Block, Code, Heading, Table, Tag, Text
from monitors.upstream.page import Endpoint

_STATUS = re.compile(r"([1-5](?:\d\d|XX)|default)\b", re.IGNORECASE)
_VERSION = re.compile(r"v\d+\b", re.IGNORECASE)
_SECTIONS = {
    "overview": "intro",
    "arguments": "arguments",
    "request": "request",
    "request body": "request",
    "body data": "request",
    "response": "response",
    "responses": "response",
    "code example": "other",
    "code examples": "other",
}
_PLACES = {"path": "path", "query": "query", "header": "header", "cookie": "cookie"}


@dataclass(slots=True)
class Draft:
    """An operation while it is being read."""

    title: str
    line: int
    endpoints: tuple[Endpoint, ...]
    notes: list[str]
    arguments: list[tuple[str | None, Table]] = field(default_factory=list)
    answers: list[Answer] = field(default_factory=list)
    problems: list[tuple[int, str]] = field(default_factory=list)


@dataclass(slots=True)
class Answer:
    """The tab of one response while it is being read."""

    status: str
    line: int
    texts: list[str] = field(default_factory=list)
    tables: list[Table] = field(default_factory=list)
    examples: list[str] = field(default_factory=list)


class Outline:
    """Sorts blocks into operations and their sections."""

    def __init__(self) -> None:
        """Start before the first line."""
        self.drafts: list[Draft] = []
        self.refused: tuple[int, str] | None = None
        self._title = ""
        self._section = "intro"
        self._place: str | None = None
        self._recent: list[str] = []
        self._answer: Answer | None = None
        self._tabs: list[tuple[int, str]] = []

    def take(self, block: Block) -> None:
        """Take the next block."""
        match block:
            case Heading():
                self._heading(block)
            case Tag(name="tab"):
                self._tabs.append((block.line, block.label))
                self._label(block.label, block.line)
            case Tag(name="/tab"):
                del self._tabs[-1:]
            case Table():
                self._table(block)
            case Code() if self._answer is not None and self._section == "response":
                self._answer.examples.append(block.text)
            case Text():
                self._text(block.text)
            case _:
                pass

    def finish(self) -> None:
        """Note a page that was cut off: what is missing at its end was not removed."""
        if self._tabs and self.drafts:
            line, label = self._tabs[-1]
            self.drafts[-1].problems.append((line, f"the tab {label!r} is never closed: the page was cut off"))

    def _heading(self, heading: Heading) -> None:
        word = re.sub(r"\s*\(.*", "", heading.text).strip("*_:. ").lower()
        section = _SECTIONS.get(word)
        place = _PLACES.get(word.split(" ")[0]) if re.search(r"param|string|header|argument", word) else None
        if section is not None:
            self._section, self._place, self._answer = section, None, None
        elif place is not None and self._section in {"intro", "arguments"}:
            self._section, self._place = "arguments", place
        elif self._section == "response" and _STATUS.match(word):
            self._label(heading.text, heading.line)
        elif heading.text and not (self._section in {"response", "request"} and word in {"model", "example"}):
            self._section, self._place, self._answer, self._recent = "intro", None, None, []
            if not _VERSION.match(word):
                self._title = heading.text

    def _label(self, label: str, line: int) -> None:
        status = _STATUS.match(label)
        if self._section == "response" and status and self.drafts:
            written = status[1] if status[1].lower() == "default" else status[1].upper()
            self._answer = Answer(written, line)
            self.drafts[-1].answers.append(self._answer)
        elif _VERSION.match(label):
            self._section, self._place, self._answer, self._recent = "intro", None, None, []

    def _text(self, text: str) -> None:
        if self._section == "intro":
            # The operation that starts here keeps this very list, and so what follows its table of sites.
            self._recent.append(text)
        elif self._section == "response" and self._answer is not None and not self._answer.tables:
            self._answer.texts.append(text)

    def _table(self, table: Table) -> None:
        at = _endpoint_column(table)
        if at is not None:
            self._endpoints(table, at)
        elif self._section == "arguments" and self.drafts:
            self.drafts[-1].arguments.append((self._place, table))
        elif self._section == "response" and self._answer is not None:
            self._answer.tables.append(table)

    def _endpoints(self, table: Table, at: int) -> None:
        endpoints, problems = [], []
        for row in table.rows:
            cell = row.cells[at] if at < len(row.cells) else ""
            found = cells.endpoint(cell)
            if found is not None:
                endpoints.append(Endpoint(cells.name(row.cells[1 - min(at, 1)]).text, *found, row.line))
            elif not cells.is_unsupported(" ".join(row.cells)):
                problems.append((row.line, f"no method and URL in {cell[:60]!r}"))
        if not endpoints:
            self.refused = problems[0] if problems else (table.line, "the table of sites and endpoints is empty")
            return
        self.drafts.append(Draft(self._title, table.line, tuple(endpoints), self._recent, problems=problems))
        self._section, self._answer = "intro", None


def _endpoint_column(table: Table) -> int | None:
    titles = [title.strip("*_` ").lower() for title in table.columns]
    return next((at for at, title in enumerate(titles) if title in {"api endpoint", "endpoint"}), None)
