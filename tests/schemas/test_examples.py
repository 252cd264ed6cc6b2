"""Every example is what it says: valid ones keep the contract, invalid ones break one rule at one place."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import jsonschema
import jsonschema_rs
import pytest

import schemas
from monitors.rules import RULES
from schemas.formats import FORMATS

if TYPE_CHECKING:
    from jsonschema.exceptions import ValidationError

EXAMPLES = list(schemas.examples())
VALID = [example for example in EXAMPLES if example.valid]
INVALID = [example for example in EXAMPLES if not example.valid]
DOCUMENTED = {200, 400, 401, 403, 404, 429, 500}


def errors_of(example: schemas.Example) -> list[ValidationError]:
    schema = schemas.schema_for(example.status)
    assert schema is not None
    reference = jsonschema.Draft202012Validator(schema, format_checker=jsonschema.Draft202012Validator.FORMAT_CHECKER)
    return list(reference.iter_errors(example.body))


def location_of(error: ValidationError) -> str:
    return "$" + "".join("[*]" if isinstance(step, int) else f".{step}" for step in error.absolute_path)


def broken_rules(error: ValidationError, status: int) -> set[tuple[str, str]]:
    """Translate one error of the reference validator into (location, rule)."""
    place = location_of(error)
    scope = "body" if place == "$" else "property"
    if error.validator == "anyOf":
        return nearest_form(error, status)
    if error.validator == "required":
        missing = re.fullmatch(r"'(.+)' is a required property", error.message)
        assert missing
        return {(f"{place}.{missing[1]}", "response-required-property-removed")}
    if error.validator == "type":
        return {(place, type_rule(error, place, scope, status))}
    if error.validator == "enum":
        return {(place, enum_rule(error))} if isinstance(error.instance, str) else set()  # else the type says it
    rules = {"format": "type-changed", "maximum": "max-increased", "minimum": "min-decreased"}
    return {(place, f"response-property-{rules[str(error.validator)]}")}


def enum_rule(error: ValidationError) -> str:
    if len(error.validator_value) == 1:
        return "response-property-const-changed"
    respelled = error.instance.lower() in error.validator_value
    return f"response-property-enum-value-{'renamed' if respelled else 'added'}"


def type_rule(error: ValidationError, place: str, scope: str, status: int) -> str:
    if error.instance is None:
        return f"response-{scope}-became-nullable"
    if "integer" in error.validator_value and isinstance(error.instance, float):
        return "response-property-type-generalized"
    other_form = {"object": str, "string": dict}.get(str(error.validator_value))
    if place == "$.errors[*]" and status not in {401, 403} and other_form and isinstance(error.instance, other_form):
        return "response-error-form-changed"
    return f"response-{scope}-type-changed"


def nearest_form(error: ValidationError, status: int) -> set[tuple[str, str]]:
    """Take the branch that got furthest into the body: the form the sender meant."""
    assert error.context
    furthest = max(error.context, key=lambda inner: len(inner.absolute_path)).schema_path[0]
    meant = (inner for inner in error.context if inner.schema_path[0] == furthest)
    return {broken for inner in meant for broken in broken_rules(inner, status)}


@pytest.mark.parametrize("example", VALID, ids=lambda example: example.name)
def test_a_valid_example_keeps_the_contract(example: schemas.Example) -> None:
    assert errors_of(example) == []
    assert jsonschema_rs.is_valid(
        schemas.schema_for(example.status), example.body, validate_formats=True, formats=dict(FORMATS)
    )


@pytest.mark.parametrize("example", INVALID, ids=lambda example: example.name)
def test_an_invalid_example_breaks_the_one_rule_it_names(example: schemas.Example) -> None:
    broken = {pair for error in errors_of(example) for pair in broken_rules(error, example.status)}
    assert broken == {(example.location, example.rule)}
    assert not jsonschema_rs.is_valid(
        schemas.schema_for(example.status), example.body, validate_formats=True, formats=dict(FORMATS)
    )


def test_every_named_rule_is_in_the_table() -> None:
    assert {example.rule for example in INVALID} <= RULES.keys()


def test_valid_examples_cover_every_documented_status() -> None:
    assert {example.status for example in VALID} == DOCUMENTED


def test_invalid_examples_cover_every_documented_status() -> None:
    assert {example.status for example in INVALID} == DOCUMENTED


def test_a_valid_example_names_neither_location_nor_rule() -> None:
    assert {(example.location, example.rule) for example in VALID} == {(None, None)}


@pytest.mark.parametrize(
    ("name", "spelling"),
    [
        ("double-exponent", "1e3"),
        ("double-exponent", "5.15e-07"),
        ("double-exponent", "1.7976931348623157e308"),
        ("double-exponent", "5e-324"),
        ("double-whole", "31781629558784"),
        ("double-negative", "-0.0"),
        ("int64-largest", "9223372036854775807"),
        ("int64-smallest", "-9223372036854775808"),
    ],
)
def test_numbers_keep_their_spelling_in_the_files(name: str, spelling: str) -> None:
    numbers: list[str] = []

    def keep(text: str) -> Any:
        numbers.append(text)
        return text

    file = schemas.OPENAPI_PATH.parent / "examples" / "valid" / "200" / f"{name}.json"
    json.loads(file.read_bytes(), parse_float=keep, parse_int=keep)
    assert spelling in numbers


def test_examples_are_read_afresh_so_a_body_may_be_changed() -> None:
    first, again = next(schemas.examples()), next(schemas.examples())
    assert first == again
    assert first.body is not again.body
