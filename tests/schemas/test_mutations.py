"""The contract is tested like code: loosen or tighten any constraint, and an example must notice."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import jsonschema_rs
import pytest
from referencing.jsonschema import DRAFT202012

import schemas
from schemas.formats import FORMATS
from schemas.loading import BASE, Contract

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    Variants = Callable[[dict[str, Any]], Iterator[tuple[str, dict[str, Any]]]]

HERE = Path(__file__).parent
TYPES = ("null", "boolean", "integer", "number", "string", "array", "object")
# `format` asserts for date-time only; int64 and double are annotations, which the table of fields pins.
ASSERTED_FORMATS = {"date-time"}
LOOSER_BY_ONE = {"minimum": -1, "maximum": 1, "minItems": -1, "maxItems": 1}
EXAMPLES = list(schemas.examples())


class Mutant(NamedTuple):
    """One schema with one constraint changed; `name` says which."""

    name: str
    document: str
    schema: dict[str, Any]


def types_of(schema: dict[str, Any]) -> list[str]:
    declared = schema.get("type", [])
    return [declared] if isinstance(declared, str) else declared


def without(schema: dict[str, Any], keyword: str) -> dict[str, Any]:
    return {name: value for name, value in schema.items() if name != keyword}


def loosenings(schema: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for member in schema.get("required", []):
        yield f"required-{member}", {**schema, "required": [name for name in schema["required"] if name != member]}
    if types := types_of(schema):
        # `enum` implies its type, so both give way together; else loosening `type` beside it would change nothing.
        yield "type", {"anyOf": [schema, {"not": {"type": types}}]}
        covered = {*types, "integer"} if "number" in types else set(types)
        for added in (name for name in TYPES if name not in covered):
            yield f"type+{added}", {"anyOf": [schema, {"type": added}]}
    if schema.get("format") in ASSERTED_FORMATS:
        yield "format", without(schema, "format")
    for keyword in ("enum", "pattern", "additionalProperties", "anyOf"):
        if keyword in schema:
            yield keyword, without(schema, keyword)
    for keyword, step in LOOSER_BY_ONE.items():
        if keyword in schema:
            yield keyword, without(schema, keyword)
            yield f"{keyword}{step:+}", {**schema, keyword: schema[keyword] + step}


def tightenings(schema: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    types = types_of(schema)
    if "null" in types:
        yield "no-null", {**schema, "type": [name for name in types if name != "null"]}
    if "number" in types:
        yield "no-fraction", {**schema, "type": ["integer", "null"]}
        yield "no-integer", {**schema, "not": {"type": "integer"}}
    for keyword in ("enum", "anyOf"):
        choices = schema.get(keyword, [])
        for index in range(len(choices) if len(choices) > 1 else 0):
            yield f"{keyword}-{index}", {**schema, keyword: choices[:index] + choices[index + 1 :]}
    for member in schema.get("properties", {}):
        if member not in schema.get("required", []):
            yield f"required-{member}", {**schema, "required": [*schema.get("required", []), member]}
    if "object" in types and "additionalProperties" not in schema:
        yield "closed", {**schema, "additionalProperties": False}
    for keyword, step in LOOSER_BY_ONE.items():
        if keyword in schema:
            yield f"{keyword}{-step:+}", {**schema, keyword: schema[keyword] - step}


def subschemas(
    schema: dict[str, Any], pointer: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], dict[str, Any]]]:
    yield pointer, schema
    for keyword in ("properties", "$defs"):
        for name, child in schema.get(keyword, {}).items():
            yield from subschemas(child, (*pointer, keyword, name))
    if "items" in schema:
        yield from subschemas(schema["items"], (*pointer, "items"))


def replaced(document: dict[str, Any], pointer: tuple[str, ...], subschema: dict[str, Any]) -> dict[str, Any]:
    if not pointer:
        # Keywords such as `$defs` stay at the root, where references look for them.
        return {**{key: document[key] for key in document if key.startswith("$")}, **subschema}
    changed = copy.deepcopy(document)
    node: Any = changed
    for step in pointer[:-1]:
        node = node[step]
    node[pointer[-1]] = subschema
    return changed


def mutants(document: str, variants: Variants) -> list[Mutant]:
    schema = (
        schemas.OPENAPI["components"]["schemas"][document] if document == "AuthError" else schemas.document(document)
    )
    return [
        Mutant(f"{document}:{'/'.join(pointer) or '#'}:{change}", document, replaced(schema, pointer, changed))
        for pointer, subschema in subschemas(schema)
        for change, changed in variants({key: value for key, value in subschema.items() if not key.startswith("$")})
    ]


STATUSES = {
    "run": {200},
    "jsonapi-error": {400, 404, 500},
    "rate-limit-error": {429},
    "string-list-error": {401, 403},
    "AuthError": {401, 403},
}
LOOSENED = [mutant for document in STATUSES for mutant in mutants(document, loosenings)]
TIGHTENED = [mutant for document in STATUSES for mutant in mutants(document, tightenings)]
LOOSENED_REPORTS = mutants("report", loosenings)


def contract_with(mutant: Mutant) -> Contract:
    openapi, documents = copy.deepcopy(schemas.OPENAPI), {}
    if mutant.document == "AuthError":
        openapi["components"]["schemas"]["AuthError"] = mutant.schema
    else:
        documents[mutant.document] = mutant.schema
    changed = {"openapi": openapi, **documents}
    resources = [(f"{BASE}{name}.json", DRAFT202012.create_resource(schema)) for name, schema in changed.items()]
    return Contract(openapi, documents, schemas.REGISTRY.with_resources(resources))


def noticed_by(mutant: Mutant, *, valid: bool) -> list[str]:
    """Name the examples on which the mutant says the opposite of what they are."""
    contract = contract_with(mutant)
    validators = {
        status: jsonschema_rs.validator_for(contract.body_schema(status), validate_formats=True, formats=dict(FORMATS))
        for status in STATUSES[mutant.document]
    }
    return [
        example.name
        for example in EXAMPLES
        if example.valid is valid
        and example.status in validators
        and validators[example.status].is_valid(example.body) is not valid
    ]


@pytest.mark.parametrize("mutant", LOOSENED, ids=lambda mutant: mutant.name)
def test_a_loosened_constraint_lets_an_invalid_example_pass(mutant: Mutant) -> None:
    assert noticed_by(mutant, valid=False)


@pytest.mark.parametrize("mutant", TIGHTENED, ids=lambda mutant: mutant.name)
def test_a_tightened_constraint_refuses_a_valid_example(mutant: Mutant) -> None:
    assert noticed_by(mutant, valid=True)


@pytest.mark.parametrize("mutant", LOOSENED_REPORTS, ids=lambda mutant: mutant.name)
def test_a_loosened_report_lets_a_broken_report_pass(mutant: Mutant, broken_reports: Mapping[str, Any]) -> None:
    loosened = jsonschema_rs.validator_for(mutant.schema, validate_formats=True, formats=dict(FORMATS))
    assert any(loosened.is_valid(report) for report in broken_reports.values())


def test_the_documentation_counts_the_mutants(record_property: Callable[[str, object], None]) -> None:
    counts = (len(LOOSENED), len(TIGHTENED), len(LOOSENED_REPORTS))
    record_property("mutants", counts)
    loosened, tightened, reports = counts
    text = HERE.parents[1].joinpath("docs", "contract.md").read_text("utf-8")
    assert (
        f"{loosened} loosened and {tightened} tightened constraints, and {reports} loosened ones of the report" in text
    )
