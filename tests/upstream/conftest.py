"""Pages in the vendor's form, written from our own contract and in our own words."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

import schemas
from monitors.sites import SITES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PATH = "/api/v2/model-lab-api/runs/{run_id}"
_FORMATS = {"date-time", "int64", "double"}


def type_word(schema: dict[str, Any]) -> str:
    """Return what the type column says of a schema."""
    types = schema.get("type")
    kind = next(name for name in (types if isinstance(types, list) else [types]) if name != "null")
    if "enum" in schema:
        return "enum"
    if kind == "array":
        return f"[{type_word(schema['items'])}]"
    return schema.get("format", kind) if schema.get("format") in _FORMATS else kind


def rows(schema: dict[str, Any], parent: str = "") -> Iterator[tuple[str, str, str, str]]:
    """Yield parent, field, type and description of every field, depth first."""
    for name, part in sorted(schema.get("properties", {}).items()):
        mark = " [*required*]" if name in schema.get("required", []) else ""
        listed = f" Allowed enum values: `{','.join(map(str, part['enum']))}`" if "enum" in part else ""
        yield parent, name + mark, type_word(part), f"About {name}.{listed}"
        inner = part["items"] if type_word(part).startswith("[") else part
        yield from rows(inner, name)


def table(head: tuple[str, ...], lines: list[tuple[str, ...]]) -> str:
    """Return a table with padded columns, as the vendor prints them."""
    widths = [max(len(line[at]) for line in [head, *lines]) for at in range(len(head))]
    drawn = [" | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) for line in [head, *lines]]
    drawn.insert(1, " | ".join("-" * width for width in widths))
    return "\n".join(f"| {line} |" for line in drawn)


def model(schema: dict[str, Any]) -> str:
    """Return the table of a body's fields; one without nesting has no column of parents."""
    found = list(rows(schema))
    if any(row[0] for row in found):
        return table(("Parent field", "Field", "Type", "Description"), found)
    return table(("Field", "Type", "Description"), [row[1:] for row in found])


def example(schema: dict[str, Any]) -> Any:
    """Return what the vendor prints as an example: the names are right, the values need not be."""
    kind = type_word(schema)
    if kind.startswith("["):
        return [example(schema["items"])]
    if kind == "object":
        return {name: example(part) for name, part in schema.get("properties", {}).items()}
    return kind


def endpoints(sites: list[str] | None = None) -> str:
    """Return the table of sites; UK1 is not on the page the contract was written from."""
    chosen = [site for site in SITES.values() if (site.key in sites if sites else site.key != "UK1")]
    names = [site.dd_site if site.dd_site.count(".") > 1 else f"app.{site.dd_site}" for site in chosen]
    cells = [(name, f"GET https://{site.api_host}{PATH}") for name, site in zip(names, chosen, strict=True)]
    return table(("Datadog site", "API endpoint"), cells)


def response(status: int, *, tab: str = "title") -> str:
    """Return the tab of one response."""
    schema = schemas.schema_for(status)
    assert schema is not None
    shown = json.dumps(example(schema), indent=2)
    return (
        f'{{% tab {tab}="{status}" %}}\nSays {status}\n{{% tab {tab}="Model" %}}\nThe body.\n\n{model(schema)}\n\n'
        f'{{% /tab %}}\n\n{{% tab {tab}="Example" %}}\n\n```json\n{shown}\n```\n\n{{% /tab %}}\n\n{{% /tab %}}\n'
    )


def first_form() -> str:
    """Return the page in the form it was captured in."""
    parameter = table(("Name", "Type", "Description"), [("run_id [*required*]", "integer", "Which run.")])
    answers = "\n".join(response(status) for status in (200, 400, 404, 429, 500))
    return (
        "---\ntitle: One run\n---\n\n# Fetch one run{% #fetch %}\nCopy\n"
        '{% tab title="v2" %}\n**Note**: This endpoint is in preview and may yet be different.\n'
        f"{endpoints()}\n\n### Overview\n\nFetch it.\n\n### Arguments\n\n#### Path Parameters\n\n{parameter}\n\n"
        f"### Response\n\n{answers}\n### Code Example\n\n##### \n  \\# curl | sh\n\n```python\n# Not a heading\n```\n"
        "{% /tab %}\n"
    )


def second_form() -> str:
    """Return the page in a later form: other tags, other headings, a column of parents everywhere, no widths."""
    text = first_form().replace("{% tab title=", "{% tab label=").replace("Allowed enum values", "Allowed values")
    text = text.replace('{% tab label="v2" %}\n**Note**: This', '## v2 (latest)\n\n{% alert level="warning" %}\nThis')
    text = text.replace("different.\n|", "different.\n{% /alert %}\n\n|").replace("#### Path Parameters\n\n", "")
    text = text.replace("### Response\n", "### Response\n\n{% tabs %}").replace("### Code", "{% /tabs %}\n\n### Code")
    text = text.replace("| GET https", "| **GET** https").removesuffix("{% /tab %}\n")
    lines = []
    for line in text.splitlines():
        squeezed = "|".join(f" {cell.strip()} " for cell in line.strip("|").split("|"))
        flat = line.startswith(("| Field", "| Name", "| run_id", "| errors [*required*] | [string]"))
        if line.startswith("|"):
            filler = "| Parent field " if line.startswith(("| Field", "| Name")) else "|  "
            lines.append(f"{filler if flat else ''}|{squeezed}|")
        else:
            lines.append(line)
    return "\n".join(_delimited(lines)) + "\n"


def _delimited(lines: list[str]) -> Iterator[str]:
    for at, line in enumerate(lines):
        if line.startswith("|") and set(line) <= set("|- "):
            yield "|" + " --- |" * (lines[at - 1].count("|") - 1)
        else:
            yield line


FORMS: dict[str, Callable[[], str]] = {"first": first_form, "second": second_form}


@pytest.fixture(params=FORMS)
def page_text(request: pytest.FixtureRequest) -> str:
    return FORMS[request.param]()


@pytest.fixture(scope="session")
def first_page() -> str:
    return first_form()


@pytest.fixture(scope="session")
def second_page() -> str:
    return second_form()
