"""The schemas hold the tables of fields, all of them and nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

import schemas

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

LIMITS = ("minimum", "maximum", "minItems", "maxItems", "pattern")
INT64 = {"minimum": -(2**63), "maximum": 2**63 - 1}
Row = tuple[str, str, str, str, str, str]


def rows(
    schema: dict[str, Any], definitions: dict[str, Any], location: str = "$", presence: str = "-"
) -> Iterator[Row]:
    """Flatten a schema into the rows of its table."""
    if "$ref" in schema:
        schema = definitions[schema["$ref"].removeprefix("#/$defs/")]
    types = schema.get("type", ["any", "null"])
    types = [types] if isinstance(types, str) else types
    null = "yes" if "null" in types else "no"
    yield location, types[0], schema.get("format", "-"), presence, null, limits(schema)
    for name, child in schema.get("properties", {}).items():
        required = "required" if name in schema.get("required", []) else "optional"
        yield from rows(child, definitions, f"{location}.{name}", required)
    if "items" in schema:
        yield from rows(schema["items"], definitions, f"{location}[*]")


def limits(schema: dict[str, Any]) -> str:
    if schema.get("format") == "int64":
        assert {keyword: schema[keyword] for keyword in INT64} == INT64
        return "-"
    found = [f"{keyword}={schema[keyword]}" for keyword in LIMITS if keyword in schema]
    if "enum" in schema:
        found.append(f"enum={'|'.join(schema['enum'])}")
    if schema.get("additionalProperties") is False:
        found.append("closed")
    return ",".join(found) or "-"


@pytest.mark.parametrize("name", ["run", "jsonapi-error", "rate-limit-error", "string-list-error", "report"])
def test_a_schema_is_its_table_of_fields(name: str, fields: Callable[[str], list[Row]]) -> None:
    document = schemas.document(name)
    assert sorted(rows(document, document.get("$defs", {}))) == sorted(map(tuple, fields(name)))


@pytest.mark.parametrize("name", ["run", "jsonapi-error", "rate-limit-error", "string-list-error", "report"])
def test_a_schema_uses_no_keyword_the_table_cannot_hold(name: str) -> None:
    known = {"$schema", "$id", "$ref", "$defs", "title", "description", "type", "format", "enum", "required"}
    known |= {"properties", "items", "additionalProperties", *LIMITS}
    assert keywords(schemas.document(name)) <= known


def keywords(schema: dict[str, Any]) -> set[str]:
    children = [*schema.get("properties", {}).values(), *schema.get("$defs", {}).values()]
    children += [schema["items"]] if "items" in schema else []
    return set(schema).union(*map(keywords, children))


def test_every_member_of_a_run_is_described(fields: Callable[[str], list[Row]]) -> None:
    described: list[str] = []

    def visit(schema: dict[str, Any]) -> None:
        described.append(schema["description"])
        for child in [*schema.get("properties", {}).values(), *([schema["items"]] if "items" in schema else [])]:
            visit(child)

    visit(schemas.document("run"))
    assert len(described) == len(fields("run"))
    assert all(described)
