from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitors.checks import CHECKS
from monitors.watching.budget import Budget, Refusal

if TYPE_CHECKING:
    from collections.abc import Callable

    from monitors.model import Observation

    Observed = Callable[..., Observation]

RUN, OPEN = CHECKS["run"], CHECKS["unauthenticated"]


def limits(limit: Any, remaining: Any, reset: Any) -> dict[str, str]:
    names = ("X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset")
    return {name: str(text) for name, text in zip(names, (limit, remaining, reset), strict=True) if text is not None}


@given(st.integers(1, 30), st.lists(st.floats(0, 20), max_size=100))
def test_no_minute_ever_sees_more_requests_than_are_allowed(per_minute: int, gaps: list[float]) -> None:
    budget, now, sent = Budget(per_minute, 0.5), 0.0, list[float]()
    for gap in gaps:
        now += gap
        if budget.refusal(RUN, now) is None:
            budget.spend(now)
            sent.append(now)
        else:
            assert len([at for at in sent if now - 60 < at <= now]) == per_minute
    assert all(len([at for at in sent if end - 60 < at <= end]) <= per_minute for end in sent)


def test_a_refusal_says_why() -> None:
    budget = Budget(1, 0.5)
    budget.spend(0)
    assert budget.refusal(OPEN, 59.9) == Refusal("no more than 1 request a minute", 60)
    assert budget.refusal(OPEN, 60) is None


@given(st.integers(1, 5), st.lists(st.floats(0, 100), min_size=1, max_size=30), st.floats(0, 1e9))
def test_there_is_room_at_the_very_moment_a_refusal_names_and_no_sooner(
    per_minute: int, gaps: list[float], start: float
) -> None:
    budget, now = Budget(per_minute, 0.5), start
    for gap in gaps:
        now += gap
        refusal = budget.refusal(OPEN, now)
        if refusal is not None:
            assert budget.refusal(OPEN, (now + refusal.until_s) / 2) is not None or refusal.until_s - now < 1e-6
            now = refusal.until_s
            assert budget.refusal(OPEN, now) is None
        budget.spend(now)


def test_fewer_requests_a_minute_hold_at_once() -> None:
    budget = Budget(3, 0.5)
    for at in (0, 10, 20):
        budget.spend(at)
    budget.per_minute = 1
    assert budget.refusal(OPEN, 30) == Refusal("no more than 1 request a minute", 80)


def test_after_a_429_requests_with_keys_wait_for_as_long_as_the_site_says(make_observed: Observed) -> None:
    budget = Budget(100, 0.5)
    budget.hear(make_observed(status=429, headers=limits(None, None, 17)), 100)
    assert budget.refusal(RUN, 116.5) == Refusal("the site throttles: it answered 429", 117)
    assert budget.held_until_s == 117
    assert budget.refusal(OPEN, 100) is None
    assert budget.refusal(RUN, 117) is None


@pytest.mark.parametrize("reset", [None, "", "soon", "-3", "1.5", "9" * 10, "\uff11\uff12", "\u00b2"])
def test_after_a_429_that_names_no_time_they_wait_a_minute(reset: str | None, make_observed: Observed) -> None:
    budget = Budget(100, 0.5)
    budget.hear(make_observed(status=429, headers=limits(None, None, reset)), 100)
    assert budget.refusal(RUN, 159) is not None
    assert budget.refusal(RUN, 160) is None


def test_no_site_switches_the_monitor_off_for_longer_than_an_hour(make_observed: Observed) -> None:
    budget = Budget(100, 0.5)
    budget.hear(make_observed(status=429, headers=limits(None, None, 999_999_999)), 0)
    assert budget.refusal(RUN, 3599) is not None
    assert budget.refusal(RUN, 3600) is None


@pytest.mark.parametrize(("remaining", "waits"), [(51, False), (50, True), (0, True)])
def test_the_reserve_of_the_rate_limit_is_left_to_others(
    remaining: int, *, waits: bool, make_observed: Observed
) -> None:
    budget = Budget(100, 0.5)
    budget.hear(make_observed(headers=limits(100, remaining, 30)), 0)
    assert (budget.refusal(RUN, 29) is not None) is waits
    assert budget.refusal(RUN, 30) is None


def test_a_later_answer_never_shortens_the_wait(make_observed: Observed) -> None:
    budget = Budget(100, 0.5)
    budget.hear(make_observed(status=429, headers=limits(None, None, 50)), 0)
    budget.hear(make_observed(headers=limits(100, 100, 1)), 1)
    budget.hear(make_observed(headers=limits(100, 0, 1)), 1)
    assert budget.refusal(RUN, 49) is not None


@given(st.text(max_size=12) | st.none(), st.text(max_size=12) | st.none(), st.text(max_size=12) | st.none())
def test_no_header_whatsoever_makes_it_wait_longer_than_an_hour_or_fail(
    limit: str | None, remaining: str | None, reset: str | None
) -> None:
    from monitors.model import Observation  # noqa: PLC0415 - hypothesis and function fixtures do not mix

    headers = tuple((name.lower(), text) for name, text in limits(limit, remaining, reset).items())
    for status in (200, 429):
        budget = Budget(100, 0.5)
        budget.hear(Observation("US5", "run", None, "GET", "", "1", with_keys=True, status=status, headers=headers), 0)
        assert budget.refusal(RUN, 3600) is None
