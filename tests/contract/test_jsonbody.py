"""Bodies are read strictly, and any bytes give a value or flaws, never an exception."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from monitors import jsonbody, rules
from monitors.jsonbody import MAX_DEPTH, parse

SCALARS = (
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False, allow_infinity=False)
)
TEXTS = st.text(st.characters(exclude_categories=("Cs",)), max_size=8)
VALUES: st.SearchStrategy[Any] = st.recursive(
    SCALARS | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=12,
)


@given(st.binary(max_size=200))
@example(b"")
@example(b"\xff\xfe{\x00}\x00")
@example(b"[" * 5000)
@example(b'{"a":' * 5000)
@example(b"1" * 5000)
@example(b"-")
@example(b'"\\ud800"')
@example(b'{"\\ud800":1,"\\ud800":2}')
@example(b"1e999")
def test_any_bytes_give_a_value_or_a_flaw(body: bytes) -> None:
    """Nothing a site sends makes the reader raise, and what cannot be used says why."""
    parsed = parse(body)
    assert parsed.usable or parsed.flaws
    for flaw in parsed.flaws:
        assert rules.rule_id(flaw) in rules.RULES


@given(VALUES, st.sampled_from([None, 1, "\t"]), st.booleans())
def test_a_clean_body_reads_as_json_reads_it(value: Any, indent: Any, ascii_only: bool) -> None:  # noqa: FBT001  # a drawn value
    """The fast reader and the standard library agree on every clean body."""
    text = json.dumps(value, indent=indent, ensure_ascii=ascii_only)
    parsed = parse(text.encode())
    assert parsed.flaws == ()
    assert parsed.value == json.loads(text)
    assert jsonbody.explain(text.encode()) == parsed


@given(
    st.lists(st.tuples(TEXTS, VALUES), min_size=1, max_size=5),
    st.integers(0, 4),
    st.sampled_from([":", " :", ": ", "\n:\t"]),
    st.booleans(),
)
def test_a_member_named_twice_is_always_seen(pairs: Any, which: int, colon: str, escaped: bool) -> None:  # noqa: FBT001  # a drawn value
    """However the body is spaced or escaped, counting colons misses no repeated name."""
    name = pairs[which % len(pairs)][0]
    members = [*pairs, (name, None)]
    text = "{" + ",".join(json.dumps(n) + colon + json.dumps(v) for n, v in members) + "}"
    if escaped:
        text = text.replace(":", "\\u003a", 1) if '":"' in text else text
    flaws = parse(text.encode()).flaws
    assert any(flaw.what in {"body-duplicate-member", "body-not-json"} for flaw in flaws)


@pytest.mark.parametrize(
    ("body", "what", "location"),
    [
        (b"", "body-empty", "$"),
        (b" \n", "body-empty", "$"),
        (b"{", "body-not-json", "$"),
        (b"{} x", "body-not-json", "$"),
        (b"<html>", "body-not-json", "$"),
        (b'{"a":"\x01"}', "body-not-json", "$"),
        (b"\xef\xbb\xbf{}", "body-byte-order-mark", "$"),
        ("{}".encode("utf-16"), "body-not-utf8", "$"),
        (b'{"a":"\xff"}', "body-not-utf8", "$"),
        (b'{"a":[{"b":NaN}]}', "body-number-not-finite", "$.a[*].b"),
        (b'{"a":-Infinity}', "body-number-not-finite", "$.a"),
        (b'{"a":1e999}', "body-number-not-finite", "$.a"),
        (b'{"a":[{"b":1,"b":1}]}', "body-duplicate-member", "$.a[*].b"),
        (b'{"x y":1,"x y":1}', "body-duplicate-member", "$['x y']"),
        (b'{"a":"\\ud83d"}', "body-lone-surrogate", "$.a"),
        (b"[" * 100_000, "body-nesting-too-deep", "$"),
        (b"[" * (MAX_DEPTH + 1) + b"1e999" + b"]" * (MAX_DEPTH + 1), "body-nesting-too-deep", "$"),
    ],
)
def test_each_flaw_is_named_at_its_place(body: bytes, what: str, location: str) -> None:
    """A flaw of the bytes says what and where."""
    (flaw,) = parse(body).flaws
    assert (flaw.what, flaw.location) == (what, location)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b'{"a":"cut', "not JSON: unterminated string at line 1, column 6"),
        (b"{\n]", "not JSON: expecting property name enclosed in double quotes at line 2, column 1"),
        (b'{"a":"\x01"}', "not JSON: invalid control character at line 1, column 7"),
    ],
)
def test_what_is_no_json_is_told_in_one_sentence(body: bytes, said: str) -> None:
    """The decoder's words and the place make a sentence, though some of its words already end in a preposition."""
    (flaw,) = parse(body).flaws
    assert flaw.message == said


def test_flaws_at_one_place_are_counted() -> None:
    """The same flaw in many items is one change with a count, and many places are cut at twenty."""
    (flaw,) = parse(b'{"a":[' + b",".join([b"NaN"] * 500) + b"]}").flaws
    assert flaw.count == 500
    many = b"{" + b",".join(b'"m%d":NaN' % n for n in range(50)) + b"}"
    assert len(parse(many).flaws) == 20


def test_what_is_judged_of_a_flawed_body_fits_a_validator() -> None:
    """Numbers that are not finite stand as 0 and half a surrogate pair as U+FFFD; the last of two members counts."""
    parsed = parse(b'{"a":NaN,"b":"\\ud800","c":1,"c":2,"\\udfff":3}')
    assert parsed.value == {"a": 0.0, "b": "\ufffd", "c": 2, "\ufffd": 3}


def test_an_integer_of_any_length_is_read() -> None:
    """Python's limit of 4,300 digits is nothing a body can trip over."""
    parsed = parse(b'{"a":' + b"9" * 100_000 + b',"b":NaN}')
    assert parsed.usable
    assert parsed.value["a"] > 2**64
