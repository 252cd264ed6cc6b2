"""The vendor's reference page in its Markdown form, read into a value.

The form is the one all operations of the vendor's API reference share: a table of sites and endpoints, tables of
arguments, and a tab for each response with a table of its fields. Widths, order, tags around the tabs, notes and
lines in between do not matter. What does matter and cannot be read is an error of that operation, never a gap:
a gap would look like something was removed.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, NoReturn, TypeVar
from urllib.parse import urlsplit

from monitors.errors import UsageError
from monitors.upstream import cells
from monitors.upstream.fields import Field, UnreadableError, described, is_field_table, nested
from monitors.upstream.markdown import Block, Code, Heading, Table, Tag, Text, blocks, plain

if TYPE_CHECKING:
    from collections.abc import Iterator

    from monitors.model import JSON

MAX_CHARS = 10 * 1024 * 1024
"""A longer page is refused."""

_STATUS = re.compile(r"([1-5](?:\d\d|XX)|default)\b", re.IGNORECASE)
_VERSION = re.compile(r"v\d+\b", re.IGNORECASE)
_PREVIEW = re.compile(
    r"\bin (?:an? )?(?:\w+ )?(?:preview|beta)\b|\b(?:is|currently) (?:unstable|experimental)\b"
    r"|\b(?:endpoint|operation|api)\b[^.]*\b(?:subject to change|may change without notice)\b",
    re.IGNORECASE,
)
_ENDED = re.compile(
    r"\b(?:no longer|not|was|were|left|out of)\b[^.]*\b(?:preview|beta)\b|\bgenerally available\b", re.IGNORECASE
)
_DEPRECATED = re.compile(
    r"\b(?:this|these) (?:\w+ )?(?:endpoint|operation|method|route|api)s?\b[^.]{0,40}\bdeprecated\b"
    r"|\A\W{0,8}deprecated\b|\(deprecated\)",
    re.IGNORECASE,
)
_HTML = re.compile(r"\s*<(?:!doctype|html|head|body|div|table|\?xml)\b", re.IGNORECASE)
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
_T = TypeVar("_T")
_PLACES = {"path": "path", "query": "query", "header": "header", "cookie": "cookie"}


class PageError(UsageError):
    """The page cannot be read: its form changed, it is no such page, or it is about another operation."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One row of the table of sites: the site's name on the page, and method and URL of the endpoint there."""

    site: str
    method: str
    url: str
    line: int


@dataclass(frozen=True, slots=True)
class Parameter:
    """One argument of the request; `place` is `path`, `query`, `header` or `cookie`."""

    place: str
    field: Field


@dataclass(frozen=True, slots=True)
class Response:
    """One response: its status as written, and the fields of its body, None where the page shows no table."""

    status: str
    line: int
    description: str = ""
    fields: tuple[Field, ...] | None = None
    listed: bool = False


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation as the page describes it. `problems` are what could not be read, as line and sentence."""

    title: str
    line: int
    endpoints: tuple[Endpoint, ...]
    preview: bool = False
    deprecated: bool = False
    parameters: tuple[Parameter, ...] = ()
    responses: tuple[Response, ...] = ()
    problems: tuple[tuple[int, str], ...] = ()

    @property
    def method(self) -> str:
        """The method most sites are listed with."""
        return Counter(endpoint.method for endpoint in self.endpoints).most_common(1)[0][0]

    @property
    def path(self) -> str:
        """The path most sites are listed with."""
        return Counter(path_of(endpoint.url) for endpoint in self.endpoints).most_common(1)[0][0]

    def readable(self) -> Operation:
        """Return the operation itself. Raises `PageError` with the first thing that could not be read."""
        if self.problems:
            line, text = min(self.problems)
            unreadable(text, line)
        return self


@dataclass(frozen=True, slots=True)
class Page:
    """A page: its operations in order."""

    operations: tuple[Operation, ...]


@dataclass(slots=True)
class _Draft:
    """An operation while it is being read."""

    title: str
    line: int
    endpoints: tuple[Endpoint, ...]
    notes: list[str]
    arguments: list[tuple[str | None, Table]] = field(default_factory=list)
    answers: list[_Answer] = field(default_factory=list)
    problems: list[tuple[int, str]] = field(default_factory=list)


@dataclass(slots=True)
class _Answer:
    status: str
    line: int
    texts: list[str] = field(default_factory=list)
    tables: list[Table] = field(default_factory=list)
    examples: list[str] = field(default_factory=list)


def unreadable(text: str, line: int | None = None) -> NoReturn:
    """Raise the error of a page that cannot be read, with the line where there is one."""
    where = f" (line {line})" if line is not None else ""
    message = f"cannot read the page: {text}{where}"
    raise PageError(message)


def path_of(url: str) -> str:
    """Return the path of a URL as written, braces and all."""
    try:
        return urlsplit(url).path or "/"
    except ValueError:
        return url


def parse(text: str) -> Page:
    """Return what a page says, operation by operation.

    Raises `PageError` for a text that is no such page. What is wrong inside one operation is kept with it and raised
    by `Operation.readable`, so that a page of many can be read for one of them.
    """
    if len(text) > MAX_CHARS:
        unreadable(f"it is longer than {MAX_CHARS} characters")
    reader = _Reader()
    for block in blocks(text):
        reader.take(block)
    reader.finish()
    if not reader.drafts:
        what = "it is HTML, not Markdown" if _HTML.match(text) else "it has no table of sites and endpoints"
        unreadable(reader.refused[1] if reader.refused else what, reader.refused[0] if reader.refused else None)
    return Page(tuple(_operation(draft) for draft in reader.drafts))


class _Reader:
    """Sorts blocks into operations and their sections."""

    def __init__(self) -> None:
        self.drafts: list[_Draft] = []
        self.refused: tuple[int, str] | None = None
        self._title = ""
        self._section = "intro"
        self._place: str | None = None
        self._recent: list[str] = []
        self._answer: _Answer | None = None
        self._tabs: list[tuple[int, str]] = []
        self._closes_tabs = False

    def take(self, block: Block) -> None:
        match block:
            case Heading():
                self._heading(block)
            case Tag(name="tab"):
                self._tabs.append((block.line, block.label))
                self._label(block.label, block.line)
            case Tag(name="/tab"):
                self._closes_tabs = True
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
        if self._closes_tabs and self._tabs and self.drafts:
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
            self._answer = _Answer(written, line)
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
        self.drafts.append(_Draft(self._title, table.line, tuple(endpoints), self._recent, problems=problems))
        self._section, self._answer = "intro", None


def _endpoint_column(table: Table) -> int | None:
    titles = [title.strip("*_` ").lower() for title in table.columns]
    return next((at for at, title in enumerate(titles) if title in {"api endpoint", "endpoint"}), None)


def _operation(draft: _Draft) -> Operation:
    sentences = [sentence for note in draft.notes for sentence in re.split(r"(?<=[.!?])\s", note)]
    found = Operation(
        draft.title,
        draft.line,
        draft.endpoints,
        preview=any(_PREVIEW.search(said) and not _ENDED.search(said) for said in sentences),
        deprecated=any(map(_DEPRECATED.search, [*sentences, draft.title])),
    )
    problems = list(draft.problems)
    parameters = tuple(_kept(problems, _parameters(draft, found.path)))
    responses = tuple(_kept(problems, (_response(answer) for answer in draft.answers)))
    problems.extend(_gaps(draft, found.path, parameters, responses))
    return replace(found, parameters=parameters, responses=responses, problems=tuple(problems))


def _kept(problems: list[tuple[int, str]], found: Iterator[_T]) -> Iterator[_T]:
    """Yield what can be read; the first thing that cannot ends it and is noted."""
    try:
        yield from found
    except UnreadableError as error:
        problems.append((error.line, error.text))


def _gaps(
    draft: _Draft, path: str, parameters: tuple[Parameter, ...], responses: tuple[Response, ...]
) -> Iterator[tuple[int, str]]:
    """Yield what an operation must have and this one lacks."""
    if not draft.answers:
        yield draft.line, "no response is described"
    named = {parameter.field.name for parameter in parameters if parameter.place == "path"}
    for name in re.findall(r"\{([^{}]*)\}", path):
        if name not in named:
            yield draft.line, f"the path parameter {name!r} is not described"
    seen: dict[str, Response] = {}
    for response in responses:
        if _form(seen.setdefault(response.status, response)) != _form(response):
            yield response.line, f"the response {response.status} is described twice"


def _form(response: Response) -> tuple[object, ...]:
    return response.listed, response.fields is None, [_field_form(part) for part in response.fields or ()]


def _field_form(part: Field) -> tuple[object, ...]:
    inside = [_field_form(child) for child in part.fields]
    return part.name, part.type, part.required, part.values, inside


def _parameters(draft: _Draft, path: str) -> Iterator[Parameter]:
    for place, table in draft.arguments:
        if not is_field_table(table):
            raise UnreadableError(table.line, "the table of arguments lacks the columns `Name` and `Type`")
        for parent, row in described(table):
            if not parent:
                yield Parameter(place or ("path" if f"{{{row.name}}}" in path else "query"), row)


def _response(answer: _Answer) -> Response:
    """Return a response; several tables are one per media type, and the first is the one of plain JSON."""
    table = next((table for table in answer.tables if is_field_table(table)), None)
    description = plain(answer.texts[0]) if answer.texts else ""
    if table is None and answer.tables:
        text = f"the table of the response {answer.status} lacks the columns `Field` and `Type`"
        raise UnreadableError(answer.tables[0].line, text)
    if table is None and answer.examples:
        raise UnreadableError(answer.line, f"the response {answer.status} has an example and no table of its fields")
    if table is None:
        return Response(answer.status, answer.line, description)
    if not table.rows:
        raise UnreadableError(table.line, f"the table of the response {answer.status} has no rows")
    example = _example(answer.examples)
    return Response(answer.status, answer.line, description, nested(table, example), isinstance(example, list))


def _example(written: list[str]) -> JSON:
    for text in written:
        try:
            example: JSON = json.loads(text)
        except (ValueError, RecursionError):
            continue
        return example
    return None
