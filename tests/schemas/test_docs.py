"""docs/contract.md shows the fields as the schemas have them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import schemas

if TYPE_CHECKING:
    from collections.abc import Iterator

DOCS = Path(__file__).parents[2] / "docs" / "contract.md"


def table(name: str) -> str:
    head = ["| location | type | presence | meaning |", "|---|---|---|---|"]
    return "\n".join(head + list(lines(schemas.document(name), "$", "")))


def lines(schema: dict[str, Any], location: str, presence: str) -> Iterator[str]:
    if presence:
        yield f"| `{location}` | {type_words(schema)} | {presence} | {schema['description']} |"
    for name, child in schema.get("properties", {}).items():
        required = "required" if name in schema.get("required", []) else "optional"
        yield from lines(child, f"{location}.{name}", required)
    if "items" in schema:
        yield from lines(schema["items"], f"{location}[*]", "each")


def type_words(schema: dict[str, Any]) -> str:
    types = [schema["type"]] if isinstance(schema["type"], str) else schema["type"]
    words = [schema.get("format", types[0]), *types[1:]]
    listed = f": {', '.join(f'`{value}`' for value in schema['enum'])}" if "enum" in schema else ""
    return " or ".join(words) + listed


@pytest.mark.parametrize("name", ["run", "jsonapi-error", "rate-limit-error", "string-list-error"])
def test_the_documentation_holds_the_table_of_a_schema(name: str) -> None:
    text = DOCS.read_text("utf-8")
    begin, end = f"<!-- {name}: begin -->\n", f"\n<!-- {name}: end -->"
    assert text.partition(begin)[2].partition(end)[0] == table(name)
