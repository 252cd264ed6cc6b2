"""Rows become the tree they describe, and the tree the schema it means."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitors.upstream.openapi import to_openapi
from monitors.upstream.page import PageError
from monitors.upstream.parsing import parse

HEAD = """# One
| Datadog site | API endpoint |
|---|---|
| app.datadoghq.com | GET https://api.datadoghq.com/api/v2/things |

### Response
{% tab title="200" %}
Fine
{% tab title="Model" %}
"""


def page(rows: list[str], *, example: Any = None, columns: str = "Parent field | Field | Type | Description") -> str:
    shown = (
        "" if example is None else f'{{% tab title="Example" %}}\n```json\n{json.dumps(example)}\n```\n{{% /tab %}}\n'
    )
    table = "\n".join([f"| {columns} |", "|---" * (columns.count("|") + 1) + "|", *(f"| {row} |" for row in rows)])
    return f"{HEAD}{table}\n{{% /tab %}}\n{shown}{{% /tab %}}\n"


def body(rows: list[str], **options: Any) -> Any:
    document = to_openapi(parse(page(rows, **options)))
    return document["paths"]["/api/v2/things"]["get"]["responses"]["200"]["content"]["application/json"]["schema"]


STRING = {"type": "string"}


def test_the_innermost_field_of_a_name_holds_what_follows() -> None:
    """`data` in `data`: its members follow it, and then those of the outer one that it already has."""
    found = body(
        [
            "| data | object |",
            "data | author | object |",
            "author | data [*required*] | object |",
            "data | id | string |",
            "data | type | string |",
            "data | type | int64 |",
        ]
    )
    outer = found["properties"]["data"]["properties"]
    assert outer["type"] == {"type": "integer", "format": "int64"}
    assert set(outer["author"]["properties"]["data"]["properties"]) == {"id", "type"}
    assert outer["author"]["required"] == ["data"]


def test_the_example_tells_which_of_two_fields_holds_a_member() -> None:
    """`attributes` in `attributes` is free-form here, and its neighbours belong to the outer one."""
    rows = [
        "| data | [object] |",
        "data | attributes | object |",
        "attributes | attributes | object |",
        "attributes | custom | string |",
    ]
    shown = {"data": [{"attributes": {"attributes": {"anything": 1}, "custom": "x"}}]}
    outer = body(rows, example=shown)["properties"]["data"]["items"]["properties"]["attributes"]["properties"]
    assert outer == {"attributes": {"type": "object"}, "custom": STRING}
    inner = body(rows)["properties"]["data"]["items"]["properties"]["attributes"]["properties"]
    assert set(inner) == {"attributes"}


def test_variants_hold_their_fields() -> None:
    """`Option 1`, or any other label, is one variant of its union."""
    rows = [
        "| data | [<oneOf>] |",
        "data | Option 1 | object |",
        "Option 1 | a [*required*] | string |",
        "data | Option 2 | object |",
        "Option 2 | b | string |",
        "| more | &lt;anyOf&gt; |",
        "more | Named | object |",
        "Named | c | string |",
        "more | Other | string |",
        "| none | <oneOf> |",
    ]
    found = body(rows)["properties"]
    first = {"type": "object", "properties": {"a": STRING}, "required": ["a"]}
    second = {"type": "object", "properties": {"b": STRING}}
    assert found["data"] == {"type": "array", "items": {"oneOf": [first, second]}}
    assert found["more"] == {"anyOf": [{"type": "object", "properties": {"c": STRING}}, STRING]}
    assert found["none"] == {}


def test_a_body_of_variants_a_list_and_a_map() -> None:
    """The whole body may be a union, a list, or a map of names that are data."""
    assert body(["| Option 1 | object |", "Option 1 | a | string |", "| Option 2 | string |"])["oneOf"][1] == STRING
    assert body(["| a | string |"], example=[{"a": "x"}]) == {
        "type": "array",
        "items": {"type": "object", "properties": {"a": STRING}},
    }
    assert body(["| <items> | string |"]) == {"type": "array", "items": STRING}
    found = body(
        [
            "| by_place | object |",
            "additionalProperties | <any-key> | [string] |",
            "| other | object |",
            "other | <any-key> | string |",
        ]
    )
    lists = {"type": "array", "items": STRING}
    assert found["properties"]["by_place"] == {"type": "object", "properties": {}, "additionalProperties": lists}
    assert found["properties"]["other"]["additionalProperties"] == STRING


def test_types_as_the_vendor_words_them() -> None:
    """A word is a type or a format; brackets are lists; an unknown word is a format of text."""
    written = {
        "uuid": {"type": "string", "format": "uuid"},
        "float": {"type": "number", "format": "float"},
        "[array]": {"type": "array", "items": {"type": "array"}},
        "[[double]]": {"type": "array", "items": {"type": "array", "items": {"type": "number", "format": "double"}}},
        "any": {},
        "`bool`": {"type": "boolean"},
        "int32[]": {"type": "array", "items": {"type": "integer", "format": "int32"}},
        "array&lt;string&gt;": {"type": "array", "items": STRING},
    }
    found = body([f"| f{at} | {word} |" for at, word in enumerate(written)])["properties"]
    assert list(found.values()) == list(written.values())


def test_values_have_the_type_of_their_field() -> None:
    """Numbers in the list of values are numbers, in whichever of the two ways the list is printed."""
    rows = [
        "| a | enum | One.Allowed enum values: `1,2`",
        "| b | string | Allowed values: `x`, `-y` or `z`. Default: `x`.",
        "| c | [enum] | Allowed enum values: `p, q`",
        "| d | double | Allowed values: `1.5`, `2`",
        "| e | boolean | Allowed values: <code>true</code>, `maybe`",
    ]
    found = body(rows)["properties"]
    assert found["a"] == {"type": "integer", "enum": [1, 2]}
    assert found["b"] == {"type": "string", "enum": ["x", "-y", "z"]}
    assert found["c"] == {"type": "array", "items": {"type": "string", "enum": ["p", "q"]}}
    assert found["d"]["enum"] == [1.5, 2]
    assert found["e"]["enum"] == [True, "maybe"]


def test_cells_may_be_missing_split_or_spread_over_lines() -> None:
    """No description, one with a bar in it, one over several lines; a column that says required."""
    rows = [
        "| a | string",
        "| b | string | One | two",
        "| c | string | One\n  two\n  three",
        r"| d | string | One \| two. **Deprecated.**",
    ]
    found = body(rows)["properties"]
    assert list(found) == ["a", "b", "c", "d"]
    assert found["d"] == {"type": "string", "deprecated": True}
    flat = body(["a | string | yes", "b [*deprecated*] | string | no"], columns="Name | Type | Required")
    assert (flat["required"], flat["properties"]["b"]["deprecated"]) == (["a"], True)


@pytest.mark.parametrize("rows", [["a | object |", "b | string |"], ["a | string |", "inner | string |"]])
def test_a_table_that_lost_its_parents_is_refused(rows: list[str]) -> None:
    """Without that column nothing tells members of the body from members of its members."""
    example = None if "object" in rows[0] else {"a": "x", "deep": [{"inner": "y"}]}
    with pytest.raises(PageError, match="there is no column `Parent field`"):
        body(rows, example=example, columns="Field | Type | Description")


def test_operations_without_bodies_and_with_several_versions() -> None:
    """204 has none; a page may hold several versions, each with its own sites; what is not served is left out."""
    text = page(["| a | string |"]).replace(
        "api/v2/things |", "api/v2/things |\n| us3.datadoghq.com | Not supported in the US3 region |"
    )
    second = (
        HEAD.replace("# One", "## v1\n")
        .replace("/api/v2/", "/api/v1/")
        .replace('"200"', '"204"')
        .replace('{% tab title="Model" %}\n', "")
    )
    found = parse(f"{text}\n{second}{{% /tab %}}\n")
    assert [(op.method, op.path, len(op.endpoints), len(op.responses)) for op in found.operations] == [
        ("GET", "/api/v2/things", 1, 1),
        ("GET", "/api/v1/things", 1, 1),
    ]
    document = to_openapi(found)
    assert document["paths"]["/api/v1/things"]["get"]["responses"] == {"204": {"description": "Fine"}}


def test_headings_may_stand_for_tabs_of_responses() -> None:
    """`#### 200` opens a response as a tab does; `Model` and `Example` inside it are no sections."""
    text = (
        page(["| a | string |"])
        .replace('{% tab title="200" %}', "#### 200 OK")
        .replace('{% tab title="Model" %}', "##### Model")
    )
    assert parse(text.replace("{% /tab %}\n", "")).operations[0].responses[0].status == "200"


NAMES = st.text("abcdefgh", min_size=1, max_size=3)
LEAVES = st.sampled_from(["string", "int64", "boolean", "double", "date-time", "uuid", "object"])
SCHEMAS = st.recursive(
    LEAVES,
    lambda inner: st.dictionaries(NAMES, st.tuples(inner, st.booleans(), st.booleans()), min_size=1, max_size=4),
    max_leaves=15,
)


def drawn(tree: Any, parent: str = "") -> list[str]:
    rows = []
    for name, (inside, required, listed) in sorted(tree.items()):
        word = inside if isinstance(inside, str) else "object"
        rows.append(f"{parent} | {name}{' [*required*]' if required else ''} | {f'[{word}]' if listed else word} | x")
        if not isinstance(inside, str):
            rows += drawn(inside, name)
    return rows


def shown(tree: Any) -> Any:
    if isinstance(tree, str):
        return {} if tree == "object" else tree
    return {name: [shown(inside)] if listed else shown(inside) for name, (inside, _, listed) in tree.items()}


def meant(tree: Any) -> dict[str, Any]:
    if isinstance(tree, str):
        words = {
            "int64": ("integer", "int64"),
            "double": ("number", "double"),
            "date-time": ("string", "date-time"),
            "uuid": ("string", "uuid"),
        }
        kind, form = words.get(tree, (tree, None))
        return {"type": kind, "format": form} if form else {"type": kind}
    schema: dict[str, Any] = {"type": "object", "properties": {}}
    for name, (inside, _, listed) in sorted(tree.items()):
        schema["properties"][name] = {"type": "array", "items": meant(inside)} if listed else meant(inside)
    required = sorted(name for name, (_, is_required, _) in tree.items() if is_required)
    return {**schema, "required": required} if required else schema


@settings(max_examples=80, deadline=None)
@given(st.dictionaries(NAMES, st.tuples(SCHEMAS, st.booleans(), st.booleans()), min_size=1, max_size=5))
def test_a_schema_written_as_a_page_reads_back(tree: dict[str, Any]) -> None:
    """Whatever the nesting and the names, the table with its example gives the schema back."""
    assert body(drawn(tree), example=shown(tree)) == meant(tree)
