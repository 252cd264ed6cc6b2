"""Laws of the schedule, whatever the intervals, the jitter and the gaps between looks."""

from __future__ import annotations

import math
from collections import defaultdict

from hypothesis import given
from hypothesis import strategies as st

from monitors.watching.schedule import Schedule

SITES = ("US1", "US5", "EU1")
INTERVALS = st.dictionaries(
    st.tuples(st.sampled_from(SITES), st.sampled_from(["run", "not-found"])),
    st.sampled_from([1.0, 7.5, 60.0, 300.0, 3600.0]),
    min_size=1,
)
GAPS = st.lists(st.floats(0, 10_000), max_size=40)
STARTS = st.floats(0, 1e7)
JITTERS = st.sampled_from([0.0, 0.5, 5.0, 1e6])


def most_jitter_s(interval_s: float, jitter_s: float) -> float:
    return min(jitter_s, interval_s / 10)


@given(INTERVALS, STARTS, JITTERS, st.integers())
def test_everything_is_due_at_once_at_the_start_and_only_once(
    intervals: dict[tuple[str, str], float], start: float, jitter: float, seed: int
) -> None:
    schedule = Schedule(intervals, start, jitter_s=jitter, seed=seed)
    assert schedule.next_s() == start
    assert sorted(schedule.due(start)) == sorted(intervals)
    assert schedule.due(start) == []


@given(st.sampled_from([1.0, 7.5, 60.0, 3600.0]), STARTS, JITTERS, st.integers(0, 100))
def test_the_clock_does_not_drift_whatever_the_jitter(interval: float, start: float, jitter: float, seed: int) -> None:
    schedule = Schedule({("US5", "run"): interval}, start, jitter_s=jitter, seed=seed)
    schedule.due(start)
    for number in range(1, 200):
        due = schedule.next_s()
        late = due - (start + number * interval)
        assert -1e-6 <= late <= most_jitter_s(interval, jitter) + 1e-6
        assert schedule.due(due) == [("US5", "run")]


@given(INTERVALS, STARTS, JITTERS, GAPS)
def test_nothing_is_due_early_and_after_any_gap_each_task_once(
    intervals: dict[tuple[str, str], float], start: float, jitter: float, gaps: list[float]
) -> None:
    schedule = Schedule(intervals, start, jitter_s=jitter, seed=1)
    schedule.due(start)
    now, last = start, dict.fromkeys(intervals, start)
    for gap in gaps:
        now += gap
        expected = schedule.next_s() <= now
        found = schedule.due(now)
        assert bool(found) == expected
        assert len(found) == len(set(found))
        assert schedule.due(now) == []
        assert schedule.next_s() > now
        for task in found:
            # Each time belongs to a slot of its own.
            slots = [math.floor((moment - start) / intervals[task] + 1e-6) for moment in (last[task], now)]
            assert slots[0] < slots[1]
            last[task] = now


@given(INTERVALS, STARTS, JITTERS)
def test_tasks_of_one_interval_are_always_due_together(
    intervals: dict[tuple[str, str], float], start: float, jitter: float
) -> None:
    schedule = Schedule(intervals, start, jitter_s=jitter, seed=3)
    groups = defaultdict(set)
    for task, interval in intervals.items():
        groups[interval].add(task)
    for _ in range(50):
        found = set(schedule.due(schedule.next_s()))
        assert found
        assert all(group <= found or group.isdisjoint(found) for group in groups.values())


@given(INTERVALS, INTERVALS, st.floats(0, 5000))
def test_an_update_keeps_the_times_of_what_it_leaves_alone_and_starts_what_is_new_at_once(
    before: dict[tuple[str, str], float], after: dict[tuple[str, str], float], gap: float
) -> None:
    schedule, untouched = (Schedule(before, 0, jitter_s=5, seed=2) for _ in range(2))
    for each in (schedule, untouched):
        each.due(0)
        each.due(gap)
    schedule.update(after, gap)
    assert sorted(schedule.due(gap)) == sorted(after.keys() - before.keys())
    same = {task for task in after if before.get(task) == after[task]}
    for _ in range(20):
        now = min(schedule.next_s(), untouched.next_s())
        assert {t for t in schedule.due(now) if t in same} == {t for t in untouched.due(now) if t in same}


def test_a_changed_interval_counts_from_the_start_of_the_monitor() -> None:
    schedule = Schedule({("US5", "run"): 3600}, 0, jitter_s=0, seed=0)
    schedule.due(0)
    schedule.update({("US5", "run"): 60}, 90)
    assert schedule.next_s() == 120


def test_a_schedule_without_tasks_is_never_due() -> None:
    schedule = Schedule({}, 0, jitter_s=5, seed=0)
    assert schedule.next_s() == math.inf
    assert schedule.due(1e9) == []


def test_monitors_with_other_seeds_spread_over_the_jitter() -> None:
    times = set()
    for seed in range(20):
        schedule = Schedule({("US5", "run"): 60}, 0, jitter_s=5, seed=seed)
        schedule.due(0)
        times.add(schedule.next_s())
    assert len(times) == 20
