"""Errors: the documented statuses, in the vendor's two forms."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from monitors.answers import Form, form_of

if TYPE_CHECKING:
    from contract_tests.judging import Answer


@pytest.mark.checks("not-found", "bad-request", "unauthenticated")
def test_an_error_has_its_documented_form(answer: Answer) -> None:
    """A list of objects or of strings, as documented for the status; the other of the two forms is a warning."""
    answer.expect_none_of("error form")


@pytest.mark.checks("not-found", "bad-request", "unauthenticated")
def test_an_error_is_one_of_the_two_forms(answer: Answer) -> None:
    """`errors` is a list that is not empty, all objects or all strings: any reader can show it."""
    form = form_of(answer.observation.body, answer.parsed)
    answer.expect(
        form in {Form.OBJECTS, Form.STRINGS},
        "response-property-type-changed",
        "the error has neither of the vendor's forms",
        base="a list of objects or of strings",
        revision=form.value,
    )


@pytest.mark.checks("not-found")
def test_a_run_that_does_not_exist_is_told_apart_from_a_missing_route(answer: Answer) -> None:
    """No such run is a list of objects; a list of strings means that the site does not serve the endpoint."""
    form = form_of(answer.observation.body, answer.parsed)
    answer.expect(
        form is Form.OBJECTS, "endpoint-not-deployed", "404 for the route itself", base="objects", revision=form.value
    )
