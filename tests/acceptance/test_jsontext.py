"""JSON text is edited in place: what it means changes as asked, what is beside the place keeps its form."""

from __future__ import annotations

import copy
import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitors.acceptance import jsontext
from monitors.acceptance.jsontext import value_at

if TYPE_CHECKING:
    from collections.abc import Iterator

scalars = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5)
)
documents = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=12,
)
layouts = st.sampled_from([2, 4, "\t", None])


def places(document: Any, pointer: jsontext.Pointer = ()) -> Iterator[jsontext.Pointer]:
    yield pointer
    for step, child in document.items() if isinstance(document, dict) else ():
        yield from places(child, (*pointer, step))
    for step, child in enumerate(document) if isinstance(document, list) else ():
        yield from places(child, (*pointer, step))


@given(st.data(), documents, layouts, scalars | documents)
@settings(max_examples=200, deadline=None)
def test_each_edit_means_what_it_says(data: st.DataObject, document: Any, layout: Any, value: Any) -> None:
    text = json.dumps(document, indent=layout, ensure_ascii=False)
    pointer = data.draw(st.sampled_from(list(places(document))))
    target = value_at(document, pointer)
    wanted = {"": copy.deepcopy(document)}
    full: jsontext.Pointer = ("", *pointer)
    holder, key = value_at(wanted, full[:-1]), full[-1]
    if isinstance(target, dict):
        made = jsontext.with_member(text, pointer, "\u00e9 new", value)
        holder[key] = {**target, "\u00e9 new": value}
    elif isinstance(target, list):
        made = jsontext.with_item(text, pointer, value)
        holder[key] = [*target, value]
    else:
        made = jsontext.replaced(text, pointer, value)
        holder[key] = value
    assert json.loads(made) == wanted[""]
    if pointer:
        wanted = {"": copy.deepcopy(document)}
        del value_at(wanted, full[:-1])[key]
        assert json.loads(jsontext.without(text, pointer)) == wanted[""]


@given(documents, layouts.filter(bool), st.text(max_size=4))
@settings(max_examples=100, deadline=None)
def test_an_edited_text_looks_as_if_it_had_been_written_so(document: Any, layout: Any, name: str) -> None:
    whole = {"first": document, "last": [document]}
    text = json.dumps(whole, indent=layout, ensure_ascii=False)
    made = jsontext.with_item(jsontext.with_member(text, (), f"\U0010ffff{name}", document), ("last",), document)
    wanted = {"first": document, "last": [document, document], f"\U0010ffff{name}": document}
    assert made == json.dumps(wanted, indent=layout, ensure_ascii=False)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ('{"a": 1, "c": 2}', '{"a": 1, "b": 0, "c": 2}'),
        ('{"c": 1, "a": 2}', '{"c": 1, "a": 2, "b": 0}'),
        ('{\n  "c": 1\n}', '{\n  "b": 0,\n  "c": 1\n}'),
        ("{}", '{\n  "b": 0\n}'),
    ],
)
def test_a_member_takes_its_place_in_the_alphabet_if_there_is_one(text: str, wanted: str) -> None:
    assert jsontext.with_member(text, (), "b", 0) == wanted


def test_a_member_follows_those_named() -> None:
    text = '{"type": "x", "description": "y", "items": {}}'
    made = jsontext.with_member(text, (), "properties", {}, after=("type", "description", "required"))
    assert list(json.loads(made)) == ["type", "description", "properties", "items"]


def test_a_member_is_renamed_in_place() -> None:
    assert jsontext.renamed('{"a": {"const" : 1}}', ("a", "const"), "enum") == '{"a": {"enum" : 1}}'


def test_what_leads_nowhere_is_told() -> None:
    with pytest.raises(LookupError):
        jsontext.find('{"a": [1]}', ("b",))
    with pytest.raises(LookupError):
        jsontext.find('{"a": [1]}', ("a", 1))
    with pytest.raises(ValueError, match="Expecting"):
        jsontext.parse("{")
