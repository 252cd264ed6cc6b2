"""Bodies as bytes and as JSON: what every reader, in any language, has to cope with."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from contract_tests.judging import Answer


def test_the_bytes_are_json(answer: Answer) -> None:
    """UTF-8 without byte order mark, one JSON text, nested no deeper than common readers go."""
    answer.expect_none_of("bytes")


def test_no_object_names_a_member_twice(answer: Answer) -> None:
    """Readers disagree on which of two equal names counts."""
    answer.expect_none_of("names")


def test_numbers_are_numbers_every_reader_can_hold(answer: Answer) -> None:
    """No NaN or Infinity; integers within int64, written without fraction or exponent."""
    answer.expect_none_of("numbers")


@pytest.mark.checks("run")
def test_the_run_is_a_json_api_resource(run: Answer) -> None:
    """One resource object under `data` with `type`, `id` as text and `attributes`.

    JSON:API 1.1, sections 5.1 (top level) and 5.2 (resource objects).
    """
    body = run.parsed.value
    data = body.get("data") if isinstance(body, dict) else None
    whole = (
        isinstance(data, dict)
        and isinstance(data.get("type"), str)
        and isinstance(data.get("id"), str)
        and isinstance(data.get("attributes"), dict)
    )
    run.expect(
        whole,
        "response-property-type-changed",
        "the body is no JSON:API document of one resource",
        base="data with type, id, attributes",
        revision=", ".join(sorted(data)) if isinstance(data, dict) else type(data).__name__,
    )


@pytest.mark.checks("not-found", "bad-request", "unauthenticated")
def test_an_error_document_has_no_data(answer: Answer) -> None:
    """`data` and `errors` never stand side by side (JSON:API 1.1, section 5.1)."""
    body = answer.parsed.value
    answer.expect(
        not (isinstance(body, dict) and "data" in body),
        "response-property-constraint-violated",
        "data beside errors",
        base="errors alone",
        revision="data",
    )
