"""Headers: what the body is labelled as, and what is said of the rate limit."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from contract_tests.judging import Answer

_RATE_LIMIT = ("limit", "period", "remaining", "reset")


def test_the_body_is_labelled_as_json(answer: Answer) -> None:
    """A run is `application/json`; an error may come under the media type of JSON:API."""
    answer.expect_none_of("media type")


def test_the_connection_is_verified_tls(reply: Answer) -> None:
    """TLS 1.2 or newer, with a certificate that was verified for the site's own name."""
    seen = reply.observation
    if seen.failure is not None:
        pytest.skip(reply.mask(f"{seen.site}: no connection to look at ({seen.failure.rule})"))
    version = seen.tls.version if seen.tls else None
    reply.expect(
        seen.tls is not None and seen.tls.verified and version in {"TLSv1.2", "TLSv1.3"},
        "tls-handshake-failed",
        "the answer did not come over verified TLS",
        base="TLSv1.2 or TLSv1.3",
        revision=version,
    )


def test_the_length_told_is_the_length_sent(answer: Answer) -> None:
    """`Content-Length`, where it is given, is the number of bytes on the wire."""
    seen = answer.observation
    told = seen.header("content-length")
    answer.expect(
        told is None or told == str(seen.wire_size),
        "response-body-truncated",
        "Content-Length is not the length of the body",
        base=told,
        revision=seen.wire_size,
    )


@pytest.mark.checks("run", "not-found", "bad-request")
def test_rate_limit_headers_are_whole_numbers_that_fit(answer: Answer) -> None:
    """Limit, period, remaining and reset are whole numbers, none more than what it is part of.

    The vendor documents them elsewhere and not for this endpoint, so what is odd about them is a warning.
    """
    given = {name: answer.observation.header(f"x-ratelimit-{name}") for name in _RATE_LIMIT}
    present = {name: value for name, value in given.items() if value is not None}
    if not present:
        pytest.skip(f"{answer.observation.site}: the answer says nothing about a rate limit")
    numbers = {name: int(value) for name, value in present.items() if value.isdecimal()}
    for name in present.keys() - numbers.keys():
        answer.warn(f"X-RateLimit-{name.title()} is no whole number: {present[name]}")
    for part, whole in (("remaining", "limit"), ("reset", "period")):
        if {part, whole} <= numbers.keys() and numbers[part] > numbers[whole]:
            answer.warn(f"X-RateLimit-{part.title()} is above X-RateLimit-{whole.title()}")
