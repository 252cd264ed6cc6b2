"""Whether a schedule leaves any pause between windows of a duration."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import islice, pairwise

import pytest
from cronsim import CronSim
from hypothesis import given, settings
from hypothesis import strategies as st

from monitors.config.schedules import never_ends

HOUR, DAY = 3600.0, 86_400.0


@pytest.mark.parametrize(
    ("cron", "duration_s", "pause_s"),
    [
        ("*/5 * * * *", HOUR, 300),
        ("* * * * *", 60, 60),
        ("*/7 * * * *", 419, None),  # from 56 to the full hour it is but 4 minutes, from 0 to 7 it is 7
        ("*/7 * * * *", 420, 420),
        ("0 2 * * *", DAY, DAY),
        ("0 2 * * *", DAY - 1, None),
        ("0 2,14 * * *", 12 * HOUR, 12 * HOUR),
        ("0 2,13 * * *", 12 * HOUR, None),
        ("0 2 * * MON-FRI", DAY, None),
        ("0 2 * * MON-FRI", 3 * DAY, 3 * DAY),
        ("0 2 * * SUN", 7 * DAY, 7 * DAY),
        ("0 0 1 * *", 31 * DAY, 31 * DAY),
        ("0 0 1 * *", 31 * DAY - 1, None),
        ("0 0 29 2 *", 31 * DAY, None),
        ("0 0 29 2 MON#5", 31 * DAY, None),
    ],
)
def test_a_window_that_never_ends_is_told_from_one_that_does(
    cron: str, duration_s: float, pause_s: float | None
) -> None:
    assert never_ends(cron, duration_s) == pause_s


FIELDS = st.tuples(
    st.sampled_from(["0", "30", "*/20", "*", "5,50"]),
    st.sampled_from(["*", "2", "*/6", "22-23", "0,12"]),
    st.sampled_from(["*", "*", "*/2", "1"]),
    st.just("*"),
    st.sampled_from(["*", "*", "MON", "SAT,SUN"]),
)


@settings(max_examples=60, deadline=None)
@given(FIELDS)
def test_the_longest_pause_is_that_of_the_times_themselves(fields: tuple[str, ...]) -> None:
    cron = " ".join(fields)
    begin = datetime(2024, 1, 1, tzinfo=UTC)
    fired = CronSim(cron, begin)
    times = list(islice((at for at in fired), 2000))
    longest = max((after - before for before, after in pairwise(times)), default=timedelta())
    seconds = longest.total_seconds()
    assert never_ends(cron, seconds - 1) is None
    if times[-1] - times[0] > timedelta(days=400):
        assert never_ends(cron, seconds) == seconds
