"""What is due fits the budget of its site."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitors.checks import CHECKS
from monitors.watching.budget import Budget
from monitors.watching.pacing import paced
from monitors.watching.schedule import Schedule

TASKS = st.tuples(st.sampled_from(["US1", "US5"]), st.sampled_from([*CHECKS]))
INTERVALS = st.dictionaries(TASKS, st.floats(1, 4_000), min_size=1)


def per_minute(intervals_s: dict[tuple[str, str], float], site: str) -> float:
    return sum(60 / interval_s for task, interval_s in intervals_s.items() if task[0] == site)


@given(INTERVALS, st.integers(1, 300))
def test_no_site_is_asked_more_than_its_budget_and_all_its_checks_are_stretched_alike(
    asked_s: dict[tuple[str, str], float], budget: int
) -> None:
    made_s, said = paced(asked_s, budget)
    assert made_s.keys() == asked_s.keys()
    for site in ("US1", "US5"):
        factors = [made_s[task] / asked_s[task] for task in asked_s if task[0] == site]
        assert all(factor == pytest.approx(factors[0]) for factor in factors)
        assert per_minute(made_s, site) <= budget * (1 + 1e-6)
        too_much = per_minute(asked_s, site) > budget * (1 + 1e-9)
        assert any(site in line.partition(":")[0] for line in said) == too_much
        if not too_much:
            assert all(factor == 1 for factor in factors)


def test_a_line_says_what_is_asked_for_what_is_let_through_and_what_comes_of_it() -> None:
    made_s, said = paced({("US1", check): 3 for check in CHECKS}, 20)
    assert said == [
        "US1: 80 probes a minute are asked for and 20 let through: each check is made every 12.6 s",
    ]
    assert {round(interval_s, 1) for interval_s in made_s.values()} == {12.6}


def test_sites_of_which_the_same_is_asked_share_a_line() -> None:
    asked_s = {(site, "run"): 1.0 for site in ("US1", "US5")} | {("US1", "bad-request"): 35, ("US5", "bad-request"): 35}
    _, said = paced(asked_s | {("EU1", "run"): 60, ("AP1", "run"): 2.94}, 12)
    each = "made are run every 5.41 s, bad-request every 189 s"
    assert said == [
        f"US1 and US5: 61.8 probes a minute are asked of each and 12 let through: {each}",
        "AP1: 20.5 probes a minute are asked for and 12 let through: each check is made every 5.26 s",
    ]


@pytest.mark.parametrize("jitter_s", [0, 5])
def test_what_is_paced_never_waits_long_for_room(jitter_s: float) -> None:
    intervals_s, _ = paced({("US1", check): 3 for check in CHECKS}, 20)
    schedule, budget = Schedule(intervals_s, 0, jitter_s=jitter_s, seed=3), Budget(20, 0.5)
    now_s = longest_s = 0.0
    for _ in range(500):
        due_s = schedule.next_s()
        now_s = max(now_s, due_s)
        for _, check in schedule.due(now_s):
            while refusal := budget.refusal(CHECKS[check], now_s):
                now_s = refusal.until_s
            budget.spend(now_s)
            longest_s = max(longest_s, now_s - due_s)
    assert longest_s <= 2
