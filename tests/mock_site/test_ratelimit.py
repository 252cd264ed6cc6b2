"""The rate limit counts per site and starts anew with the calendar."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mock_site.mistakes import MockUsageError
from mock_site.ratelimit import Bucket, RateLimit

if TYPE_CHECKING:
    from collections.abc import Callable


def test_a_used_up_limit_answers_429_with_the_five_headers_and_the_documented_sentence(
    make_client: Callable[..., Any],
) -> None:
    client = make_client(rate_limit=RateLimit(2, 300))
    remaining = [client.run(run_id).headers["x-ratelimit-remaining"] for run_id in (42, "x")]
    response = client.run()
    assert remaining == ["1", "0"]
    assert response.status_code == 429
    assert response.json() == {"errors": ["Rate limit of 2 requests in 300 seconds reached. Please try again later."]}
    headers = {name: value for name, value in response.headers.items() if name.startswith("x-ratelimit")}
    assert headers == {
        "x-ratelimit-limit": "2",
        "x-ratelimit-period": "300",
        "x-ratelimit-remaining": "0",
        "x-ratelimit-reset": "197",  # 1,000,000,003 is 103 s into its five minutes
        "x-ratelimit-name": "model_lab_runs_read",
    }
    assert "retry-after" not in response.headers


def test_the_limit_starts_anew_with_the_next_period_of_the_calendar(make_client: Callable[..., Any]) -> None:
    client = make_client(rate_limit=RateLimit(1, 300))
    assert [client.run().status_code for _ in range(2)] == [200, 429]
    client.clock.now_s += 196.9
    assert client.run().status_code == 429
    assert client.run().headers["x-ratelimit-reset"] == "1"
    client.clock.now_s += 0.1
    assert client.run().status_code == 200


def test_each_site_counts_for_itself_and_strangers_use_nothing_up(make_client: Callable[..., Any]) -> None:
    client = make_client(rate_limit=RateLimit(1, 300))
    client.send("GET", "/api/v2/model-lab-api/runs/42")
    assert client.run(site="US1").status_code == 200
    assert client.run(site="US1").status_code == 429
    assert client.run(site="EU1").status_code == 200


def test_a_429_that_was_asked_for_takes_nothing_from_the_bucket(make_client: Callable[..., Any]) -> None:
    client = make_client(rate_limit=RateLimit(1, 300))
    asked = client.run(prefer="code=429")
    assert (asked.status_code, asked.headers["x-ratelimit-remaining"]) == (429, "0")
    assert client.run().status_code == 200


@given(
    st.integers(1, 5), st.integers(1, 100), st.lists(st.floats(0, 50, allow_nan=False), max_size=40), st.floats(0, 2e9)
)
def test_no_period_ever_serves_more_than_the_limit(
    limit: int, period_s: int, waits_s: list[float], now_s: float
) -> None:
    bucket = Bucket(RateLimit(limit, period_s))
    served: dict[float, int] = {}
    for wait_s in waits_s:
        now_s += wait_s
        allowed = bucket.take(now_s)
        period = now_s // period_s
        served[period] = served.get(period, 0) + allowed
        headers = dict(bucket.headers(now_s))
        assert int(headers[b"x-ratelimit-remaining"]) == limit - served[period]
        assert 1 <= int(headers[b"x-ratelimit-reset"]) <= period_s
        assert allowed or served[period] == limit
        assert math.isclose((now_s + int(headers[b"x-ratelimit-reset"])) // period_s, period + 1, abs_tol=1)


def test_a_clock_set_back_starts_a_new_period() -> None:
    bucket = Bucket(RateLimit(1, 10))
    assert bucket.take(1_000.0)
    assert not bucket.take(1_001.0)
    assert bucket.take(500.0)


def test_a_rate_limit_is_written_as_limit_and_period() -> None:
    assert RateLimit.parse("10/300") == RateLimit(10, 300)
    for wrong in ("", "10", "0/10", "10/0", "-1/10", "10/300s", "1" * 20 + "/1", "\u0661/1"):
        with pytest.raises(MockUsageError, match="must be written LIMIT/PERIOD_S, e"):
            RateLimit.parse(wrong)
