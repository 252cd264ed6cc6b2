"""The vendor's reference page in its Markdown form, read into a value.

The form is the one all operations of the vendor's API reference share: a table of sites and endpoints, tables of
arguments, and a tab for each response with a table of its fields. Widths, order, tags around the tabs, notes and
lines in between do not matter. What does matter and cannot be read is an error of that operation, never a gap:
a gap would look like something was removed.
"""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

from monitors.upstream.fields import Field, UnreadableError, described, is_field_table, nested
from monitors.upstream.markdown import blocks, plain
from monitors.upstream.outline import Outline
from monitors.upstream.page import Operation, Page, Parameter, Response, unreadable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from monitors.model import JSON
    from monitors.upstream.outline import Answer, Draft

_T = TypeVar("_T")

MAX_CHARS = 10 * 1024 * 1024
"""A longer page is refused."""

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


def parse(text: str) -> Page:
    """Return what a page says, operation by operation.

    Raises `PageError` for a text that is no such page. What is wrong inside one operation is kept with it and raised
    by `Operation.readable`, so that a page of many can be read for one of them.
    """
    if len(text) > MAX_CHARS:
        unreadable(f"it is longer than {MAX_CHARS} characters")
    outline = Outline()
    for block in blocks(text):
        outline.take(block)
    outline.finish()
    if not outline.drafts:
        what = "it is HTML, not Markdown" if _HTML.match(text) else "it has no table of sites and endpoints"
        unreadable(outline.refused[1] if outline.refused else what, outline.refused[0] if outline.refused else None)
    return Page(tuple(_operation(draft) for draft in outline.drafts))


def _operation(draft: Draft) -> Operation:
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
    if not problems:
        problems.extend(_gaps(draft, found.path, parameters, responses))
    return replace(found, parameters=parameters, responses=responses, problems=tuple(problems))


def _kept(problems: list[tuple[int, str]], found: Iterator[_T]) -> Iterator[_T]:
    """Yield what can be read; the first thing that cannot ends it and is noted."""
    try:
        yield from found
    except UnreadableError as error:
        problems.append((error.line, error.text))


def _gaps(
    draft: Draft, path: str, parameters: tuple[Parameter, ...], responses: tuple[Response, ...]
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


def _parameters(draft: Draft, path: str) -> Iterator[Parameter]:
    for place, table in draft.arguments:
        if not is_field_table(table):
            raise UnreadableError(table.line, "the table of arguments lacks the column `Name` or `Type`")
        for parent, row in described(table):
            if not parent:
                yield Parameter(place or ("path" if f"{{{row.name}}}" in path else "query"), row)


def _response(answer: Answer) -> Response:
    """Return a response; several tables are one per media type, and the first is the one of plain JSON."""
    table = next((table for table in answer.tables if is_field_table(table)), None)
    description = plain(answer.texts[0]) if answer.texts else ""
    if table is None and answer.tables:
        text = f"the table of the response {answer.status} lacks the column `Field` or `Type`"
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
