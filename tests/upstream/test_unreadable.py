"""A page whose form changed is refused with its line, never read as if everything had been removed."""

from __future__ import annotations

import re
import time
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitors.errors import UsageError
from monitors.model import Kind
from monitors.upstream.comparing import compare
from monitors.upstream.page import Page, PageError
from monitors.upstream.parsing import MAX_CHARS, parse

if TYPE_CHECKING:
    from collections.abc import Callable

    from monitors.model import Finding


def read(text: str) -> list[Finding]:
    return compare(parse(text))


REFUSED: dict[str, tuple[Callable[[str], str], str]] = {
    "empty": (lambda _: "", "it has no table of sites and endpoints"),
    "HTML": (lambda text: f"<!DOCTYPE html><html><body>{text[:60]}</body></html>", "it is HTML, not Markdown"),
    "no table of sites": (
        lambda text: text.replace("API endpoint", "Address"),
        "it has no table of sites and endpoints",
    ),
    "no addresses": (lambda text: text.replace("GET https://", "/"), "no method and URL in"),
    "one address unreadable": (lambda text: text.replace("https://api.us5.", "api.us5."), "no method and URL in"),
    "sites without rows": (
        lambda text: re.sub(r"(?m)^\| \S+ *\| GET .*\n", "", text),
        "the table of sites and endpoints is empty",
    ),
    "foreign sites": (
        lambda text: text.replace("datadoghq", "example").replace("ddog-gov", "example"),
        "none of its sites is one of the contract's",
    ),
    "another operation": (
        lambda text: text.replace("/runs/", "/projects/"),
        "it does not describe GET /api/v2/model-lab-api/runs/{run_id} but GET",
    ),
    "another method": (lambda text: text.replace("GET https", "DELETE https"), "but DELETE /api/v2"),
    "no arguments": (
        lambda text: text.replace("| run_id [", "| the_id ["),
        "the path parameter 'run_id' is not described",
    ),
    "arguments without columns": (
        lambda text: text.replace("| Name ", "| What "),
        "the table of arguments lacks the column `Name` or `Type`",
    ),
    "no responses": (lambda text: text.replace("### Response", "### Answers"), "no response is described"),
    "no tabs": (lambda text: re.sub(r"\{%.*?%\}", "", text), "no response is described"),
    "no 200": (lambda text: text.replace('tab title="200"', 'tab title="Fine"'), "no successful response is described"),
    "no table of fields": (
        lambda text: re.sub(r"(?s)\| Parent field.*?\n\n", "", text, count=1),
        "the response 200 has an example and no table of its fields",
    ),
    "neither table nor example": (
        lambda text: re.sub(r'(?s)(\{% tab title="200" %\}).*?(\{% tab title="400")', r"\1\nOK\n{% /tab %}\n\2", text),
        "the response 200 has no table of fields",
    ),
    "fields without types": (lambda text: text.replace("| Type ", "| Sort "), "lacks the column `Name` or `Type`"),
    "field table without types": (
        lambda text: re.sub(r"(\| Parent field +\| Field +\| )Type", r"\1Sort", text),
        "the table of the response 200 lacks the column `Field` or `Type`",
    ),
    "field table without rows": (
        lambda text: re.sub(r"(?ms)(^\| Parent field[^\n]*\n\| -[^\n]*\n).*?\n\n", r"\1\n", text, count=1),
        "the table of the response 200 has no rows",
    ),
    "no column of parents": (
        lambda text: re.sub(r"(?m)^\| Parent field( +\| Field.*\n)", r"| Above       \1", text),
        "there is no column `Parent field`, so the place of 'attributes' is lost",
    ),
    "parent nobody describes": (
        lambda text: re.sub(r"(?m)^\| attributes(?= )", "| properties", text),
        "no row describes 'properties', the parent of 'completed_at'",
    ),
    "type in prose": (
        lambda text: text.replace("| boolean ", "| true or false "),
        "the type of 'descendant_match' is 'true or false'",
    ),
    "type gone": (lambda text: text.replace("| boolean ", "| "), "the type of 'descendant_match' is ''"),
    "values gone": (
        lambda text: text.replace("Allowed enum values:", "One of"),
        "'status' is an enum, and its allowed values cannot be found",
    ),
    "name gone": (lambda text: text.replace("| is_pinned [*required*]", "| "), "a row names no field"),
    "field twice": (lambda text: text.replace("| owner_id ", "| name "), "'name' is described twice in the same place"),
    "response twice": (lambda text: text.replace('title="404"', 'title="429"'), "the response 429 is described twice"),
    "no marks": (
        lambda text: text.replace(" [*required*]", ""),
        "no field is marked as required any more, so the marks have changed their form",
    ),
    "cut off": (
        lambda text: text[: text.index('{% tab title="404"')],
        "the tab 'v2' is never closed: the page was cut off",
    ),
}


@pytest.mark.parametrize(("change", "expected"), REFUSED.values(), ids=REFUSED)
def test_a_changed_form_is_refused_in_one_line(first_page: str, change: Callable[[str], str], expected: str) -> None:
    """The message says that the page cannot be read, why, and where."""
    changed = change(first_page)
    assert changed != first_page
    with pytest.raises(PageError) as caught:
        read(changed)
    assert str(caught.value).startswith("cannot read the page: ")
    assert expected in str(caught.value)
    assert "\n" not in str(caught.value)


def test_the_line_is_told(first_page: str) -> None:
    """Lines are counted from 1 and survive what stands above."""
    changed = first_page.replace("| boolean ", "| true or false ", 1)
    line = next(at for at, text in enumerate(changed.split("\n"), 1) if "true or false" in text)
    with pytest.raises(PageError, match=rf"\(line {line}\)$"):
        read(changed)
    assert issubclass(PageError, UsageError)


def test_another_operation_of_the_page_may_be_unreadable(first_page: str) -> None:
    """A page of many operations is read for the one asked for."""
    broken = first_page.replace("/runs/{run_id}", "/projects").replace("| boolean ", "| a b ").replace("---\n", "")
    together = first_page + "\n\n" + broken
    page = parse(together)
    assert [bool(operation.problems) for operation in page.operations] == [False, True]
    assert compare(page) == []
    assert compare(parse(broken + first_page)) == []


PIECES = [
    "|", "| a | b |", "|---|---|", '{% tab title="200" %}', "{% /tab %}", "# h", "### Response", "### Arguments", "```",
    "\\", "[*required*]", "| Datadog site | API endpoint |", "| Field | Type |", "| Parent field | Field | Type |",
    "| x | GET https://api.datadoghq.com/api/v2/model-lab-api/runs/{run_id} |", "| a | [object] |", "| | a | <oneOf> |",
    "| a | Option 1 | object |", "| GET https://[ |", "\n",
]  # fmt: skip


@settings(max_examples=80, deadline=None)
@given(data=st.data())
def test_a_page_cut_anywhere_never_says_something_was_removed(data: st.DataObject, first_page: str) -> None:
    """A download that broke off is no news about the API."""
    cut = data.draw(st.integers(0, len(first_page) - len("{% /tab %}\n")))
    with pytest.raises(PageError):
        read(first_page[:cut])


@settings(max_examples=80, deadline=None)
@given(data=st.data())
def test_any_edit_of_a_page_gives_a_page_or_a_plain_refusal(
    data: st.DataObject, first_page: str, second_page: str
) -> None:
    """Lines dropped, doubled, swapped and overwritten."""
    lines = data.draw(st.sampled_from([first_page, second_page])).split("\n")
    for _ in range(data.draw(st.integers(1, 4))):
        at, other = (data.draw(st.integers(0, len(lines) - 1)) for _ in "ab")
        edit = data.draw(st.sampled_from(["drop", "double", "swap", "text", "bars"]))
        if edit == "drop" and len(lines) > 1:
            del lines[at]
        elif edit == "double":
            lines.insert(at, lines[other])
        elif edit == "swap":
            lines[at], lines[other] = lines[other], lines[at]
        elif edit == "text":
            lines[at] = data.draw(st.text(max_size=30))
        else:
            lines[at] = lines[at].replace("|", data.draw(st.sampled_from(["||", "", r"\|", "| |"])))
    with suppress(UsageError):
        assert all(finding.kind is Kind.DRIFT for finding in read("\n".join(lines)))


@settings(max_examples=120, deadline=None)
@given(st.lists(st.sampled_from(PIECES) | st.text(max_size=12)))
def test_any_text_gives_a_page_or_a_plain_refusal(parts: list[str]) -> None:
    """Nothing but `UsageError` comes out, whatever goes in."""
    for text in ("\n".join(parts), "".join(parts)):
        with suppress(UsageError):
            page = parse(text)
            assert isinstance(page, Page)
            compare(page)


@pytest.mark.parametrize(
    "unit",
    [
        "|",
        "| a ",
        "{% tab ",
        "`",
        "\\",
        "*_",
        "[",
        "(required",
        "#",
        "&amp",
        "allowed values: `",
        "**",
        "| a | b |\n",
        "GET https://",
        "<",
        " \t",
    ],
)
def test_huge_texts_are_read_in_reasonable_time(first_page: str, unit: str) -> None:
    """Time is linear: a quarter megabyte of anything, in a cell or on lines of its own, takes moments."""
    text = unit * (250_000 // len(unit))
    started = time.perf_counter()
    for place in ("About owner_id.", "| owner_id ", "| string ", "Fetch it."):
        with suppress(UsageError):
            read(first_page.replace(place, f"{place}{text}" if place.startswith(("A", "F")) else f"| {text} ", 1))
    assert time.perf_counter() - started < 10


def test_a_longer_text_than_any_page_is_refused() -> None:
    """Ten megabytes are enough for the whole reference."""
    with pytest.raises(PageError, match="longer than"):
        parse("x" * (MAX_CHARS + 1))


def test_fields_nested_without_end_are_refused(first_page: str) -> None:
    """A chain of parents has a bound."""
    chain = "".join(f"| f{at} | f{at + 1} | object | x |\n" for at in range(100))
    row = re.search(r"(?m)^\| data *\| id .*\n", first_page)
    assert row is not None
    text = first_page.replace(row[0], f"| data | f0 | object | x |\n{chain}{row[0]}", 1)
    with pytest.raises(PageError, match="nest deeper than 64"):
        read(text)
