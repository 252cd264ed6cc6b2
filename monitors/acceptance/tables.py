"""The tables that say in rows what a schema says: of docs/contract.md, and of the tests that pin the fields."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

_LIMITS = ("minimum", "maximum", "minItems", "maxItems", "pattern")
_INT64 = (-(2**63), 2**63 - 1)


def with_docs_table(page: str, name: str, schema: Any) -> str:
    """Return the page with the table of a schema brought up to date; a page without that table stays as it is."""
    begin, end = f"<!-- {name}: begin -->\n", f"<!-- {name}: end -->"
    before, found, rest = page.partition(begin)
    table, closed, after = rest.partition(end)
    if not found or not closed:
        return page
    head = "".join(table.splitlines(keepends=True)[:2])
    return before + begin + head + "".join(_docs_rows(schema, "$", "")) + end + after


def _docs_rows(schema: Any, location: str, presence: str) -> Iterator[str]:
    if presence:
        yield f"| `{location}` | {_type_words(schema)} | {presence} | {schema.get('description', '')} |\n"
    for place, how, child in _children(schema, location):
        yield from _docs_rows(child, place, "each" if how == "-" else how)


def _children(schema: Any, location: str) -> Iterator[tuple[str, str, Any]]:
    for name, child in schema.get("properties", {}).items():
        yield f"{location}.{name}", "required" if name in schema.get("required", []) else "optional", child
    if "items" in schema:
        yield f"{location}[*]", "-", schema["items"]


def _types(schema: Any) -> list[str]:
    given = schema.get("type", ["any"])
    return [given] if isinstance(given, str) else list(given)


def _type_words(schema: Any) -> str:
    first, *others = _types(schema)
    listed = ", ".join(f"`{value}`" for value in schema.get("enum", []))
    return " or ".join([schema.get("format", first), *others]) + (f": {listed}" if listed else "")


def with_field_rows(table: str, schema: Any) -> str:
    """Return the table of fields brought up to date: rows keep their order, new ones follow those above them."""
    lines = table.splitlines()
    written = {line.split("\t")[0]: number for number, line in enumerate(lines)}
    kept: list[list[str]] = [[line] for line in lines]
    above = 0
    for row in _field_rows(schema, "$", "-"):
        place = row.split("\t")[0]
        if place in written:
            above = written[place]
            kept[above][0] = row
        else:
            kept[above].append(row)
    return "\n".join(row for group in kept for row in group) + "\n"


def _field_rows(schema: Any, location: str, presence: str) -> Iterator[str]:
    types = _types(schema)
    null = "yes" if {"null", "any"} & set(types) else "no"
    yield "\t".join([location, types[0], schema.get("format", "-"), presence, null, _limits(schema)])
    for place, how, child in _children(schema, location):
        yield from _field_rows(child, place, how)


def _limits(schema: Any) -> str:
    found = [f"{keyword}={schema[keyword]}" for keyword in _LIMITS if keyword in schema]
    if schema.get("format") == "int64" and (schema.get("minimum"), schema.get("maximum")) == _INT64:
        found = []
    if "enum" in schema:
        found.append(f"enum={'|'.join(map(str, schema['enum']))}")
    if schema.get("additionalProperties") is False:
        found.append("closed")
    return ",".join(found) or "-"
