"""Keys: without them nothing is served, and no answer ever repeats them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from contract_tests.plan import MOCK_CREDENTIALS
from monitors.config import Credentials

if TYPE_CHECKING:
    from contract_tests.judging import Answer
    from contract_tests.suite import Suite

_MASK = "***"


@pytest.mark.checks("unauthenticated")
def test_nothing_is_served_without_keys(answer: Answer) -> None:
    """401 or 403, and no member of a run in the body."""
    body = answer.parsed.value
    answer.expect(
        not isinstance(body, dict) or "data" not in body,
        "answered-without-keys",
        "a request without keys got data",
        base="errors",
        revision="data",
    )


@pytest.mark.parametrize(
    "credentials",
    [
        Credentials("wrong-api-key", "wrong-app-key"),
        Credentials("wrong-api-key", MOCK_CREDENTIALS.app_key),
        Credentials(MOCK_CREDENTIALS.api_key, "wrong-app-key"),
        Credentials(MOCK_CREDENTIALS.app_key, MOCK_CREDENTIALS.api_key),
    ],
    ids=["both-wrong", "api-key-wrong", "app-key-wrong", "swapped"],
)
def test_wrong_keys_are_refused(mock: Suite, credentials: Credentials) -> None:
    """403, in a documented form: on the mock only, since a real site may lock out who guesses keys."""
    answer = mock.answer_with("US1", "run", credentials)
    status = answer.observation.status
    answer.expect(status == 403, "unexpected-status", "wrong keys were not refused", base=403, revision=status)
    answer.expect_none_of("schema")


def test_no_answer_repeats_a_key(answer: Answer) -> None:
    """Whatever repeats a key is masked on arrival: a body that is shorter than what came held one."""
    seen = answer.observation
    places = [f"the header {name}" for name, value in seen.headers if _MASK in value]
    if seen.body_size is not None and seen.body_size != len(seen.body):
        places.append("the body")
    answer.expect(
        not (seen.with_keys and places),
        "response-property-constraint-violated",
        "the answer repeats a key of the request",
        base="no key",
        revision=", ".join(places),
    )
