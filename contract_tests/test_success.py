"""The run: the site answers, with 200 for its canary run, and the body keeps the contract."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from contract_tests.judging import reference
from monitors.model import Level

if TYPE_CHECKING:
    from contract_tests.judging import Answer


def test_the_site_answers(reply: Answer) -> None:
    """The endpoint itself answers, in time, securely, with these keys; a used-up rate limit is no outage."""
    if any(finding.rule == "throttled" for finding in reply.findings):
        reset = reply.observation.header("x-ratelimit-reset") or "an unknown number of"
        seen = reply.observation
        pytest.skip(reply.mask(f"{seen.site}: the check {seen.check} was throttled; the window resets in {reset} s"))
    reply.expect_none_of("availability")


def test_the_status_is_the_one_the_check_must_get(answer: Answer) -> None:
    """200 for the run, 404 for an id nobody has, 400 for what is no id, 401 or 403 without keys."""
    answer.expect_none_of("status")


def test_the_body_keeps_the_schema(answer: Answer) -> None:
    """Every guaranteed member is there, with its type, its format and one of its values."""
    answer.expect_none_of("schema")


def test_the_reference_validator_agrees(answer: Answer) -> None:
    """What jsonschema objects to, the judge has found too, and what the judge lets pass, jsonschema does."""
    validator = reference(answer.observation.status or 0)
    if validator is None or not answer.parsed.usable:
        pytest.skip("there is no documented body to validate")
    error = next(validator.iter_errors(answer.parsed.value), None)
    judged = any(finding.level >= Level.WARNING for finding in answer.findings)
    answer.expect(
        error is None or judged,
        "response-property-constraint-violated",
        "the reference validator objects, the judge does not",
        base="no objection",
        revision=None if error is None else f"{error.json_path}: the keyword {error.validator}",
    )


@pytest.mark.checks("run")
def test_the_run_is_the_one_asked_for(run: Answer) -> None:
    """`data.id` is the id of the request."""
    run.expect_none_of("identity")
