from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitors.config.alerting import Maintenance
from monitors.incidents.maintenance import in_force, is_active, last_start, next_within, under_maintenance
from monitors.incidents.spans import read_span, span
from monitors.sites import SITES

BERLIN = ZoneInfo("Europe/Berlin")
SUNDAYS = Maintenance("sundays", ("EU1",), cron="0 2 * * SUN", duration_s=7200, timezone="Europe/Berlin")


@pytest.mark.parametrize(
    ("at", "active"),
    [
        ("2026-06-07T01:59:59+02:00", False),
        ("2026-06-07T02:00:00+02:00", True),
        ("2026-06-07T03:59:59+02:00", True),
        ("2026-06-07T04:00:00+02:00", False),
        ("2026-06-08T02:30:00+02:00", False),
    ],
)
def test_a_window_by_cron_is_open_from_its_start_for_its_duration(at: str, *, active: bool) -> None:
    assert is_active(SUNDAYS, datetime.fromisoformat(at).astimezone(UTC)) is active


def test_a_window_that_starts_in_the_hour_the_clocks_skip_starts_right_after_it() -> None:
    window = Maintenance("w", cron="30 2 * * *", duration_s=3600, timezone="Europe/Berlin")
    begin = datetime(2026, 3, 29, 1, 0, tzinfo=UTC)
    assert not is_active(window, begin - timedelta(seconds=1))
    assert is_active(window, begin)
    assert not is_active(window, begin + timedelta(hours=1))


def test_a_window_over_the_hour_that_comes_twice_is_as_long_as_it_says_and_comes_once() -> None:
    window = Maintenance("w", cron="30 2 * * *", duration_s=1800, timezone="Europe/Berlin")
    night = [datetime(2026, 10, 25, tzinfo=UTC) + timedelta(minutes=number) for number in range(240)]
    inside = [at for at in night if is_active(window, at)]
    assert len(inside) == 30
    assert inside[0] == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)


def test_a_window_across_the_change_of_the_clocks_lasts_seconds_not_hours_on_the_wall() -> None:
    window = Maintenance("w", cron="0 1 * * *", duration_s=4 * 3600, timezone="Europe/Berlin")
    start = datetime(2026, 3, 29, 0, 0, tzinfo=UTC)
    assert is_active(window, start + timedelta(hours=4) - timedelta(seconds=1))
    assert not is_active(window, start + timedelta(hours=4))


def test_a_window_with_an_end_is_open_between_its_two_times() -> None:
    start, end = datetime(2026, 6, 1, tzinfo=UTC), datetime(2026, 6, 2, tzinfo=UTC)
    window = Maintenance("w", start=start, end=end)
    assert [is_active(window, at) for at in (start - timedelta(1), start, end - timedelta(seconds=1), end)] == [
        False, True, True, False,
    ]  # fmt: skip
    assert not is_active(Maintenance("empty"), start)


def test_a_window_without_sites_is_for_all_of_them() -> None:
    start = datetime(2026, 6, 1, tzinfo=UTC)
    whole = Maintenance("w", start=start, end=start + timedelta(1))
    assert under_maintenance([whole], start) == frozenset(SITES)
    assert under_maintenance([SUNDAYS], start) == frozenset()


@given(
    st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1)),  # noqa: DTZ001 - hypothesis wants them naive
    st.sampled_from(["* * * * *", "*/15 * * * *", "0 2 * * SUN", "30 2 * * *", "0 0 1 * *"]),
    st.sampled_from(["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata"]),
)
def test_the_last_start_is_never_in_the_future_and_stays_the_same_until_the_next(
    naive: datetime, cron: str, zone: str
) -> None:
    at = naive.replace(tzinfo=UTC)
    start = last_start(cron, zone, at)
    assert start is not None
    assert start <= at
    assert last_start(cron, zone, start) == start


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(-5, "0 s"), (0, "0 s"), (59, "59 s"), (60, "1 min"), (3_660, "1 h 1 min"), (3_600, "1 h"), (90_061, "1 d 1 h")],
)
def test_spans_are_told_in_two_units(seconds: int, words: str) -> None:
    assert span(timedelta(seconds=seconds)) == words


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90s", 90), ("30m", 1800), ("30min", 1800), ("2h", 7200), ("1d 12h", 129_600), ("1w", 604_800)],
)
def test_spans_are_read_as_people_write_them(text: str, seconds: int) -> None:
    assert read_span(text).total_seconds() == seconds


@pytest.mark.parametrize("text", ["", "2", "h", "2x", "-1h", "1h-", "1e9d", "9999999d"])
def test_what_is_no_span_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="a span of time such as"):
        read_span(text)


@given(
    at=st.datetimes(datetime(2026, 1, 1), datetime(2026, 12, 31), timezones=st.just(UTC)),  # noqa: DTZ001 - bounds are naive
    cron=st.sampled_from(["30 2 * * *", "0 0 * * *", "15 */6 * * *", "0 23 * * 1", "59 1,3 * * SAT,SUN"]),
    timezone=st.sampled_from(["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe"]),
)
def test_the_next_window_is_the_first_that_opens(at: datetime, cron: str, timezone: str) -> None:
    window = Maintenance("w", cron=cron, duration_s=60, timezone=timezone)
    found = next_within([window], at)
    minutes = (at.replace(second=0, microsecond=0) + timedelta(minutes=number) for number in range(1, 24 * 60 + 1))
    openings = [begun for minute in minutes if (begun := last_start(cron, timezone, minute)) and begun > at]
    assert (None if found is None else found.start) == (openings[0] if openings else None)
    if found is not None:
        assert found.end - found.start == timedelta(minutes=1)
        assert is_active(window, found.start)
        [opening] = in_force([window], found.start)
        assert opening == found


def test_windows_that_are_open_and_the_next_one_name_their_sites_and_times() -> None:
    at = datetime(2026, 6, 7, 1, tzinfo=UTC)
    end = at + timedelta(hours=3)
    once = Maintenance("once", start=at + timedelta(hours=2), end=end)
    past = Maintenance("past", start=at - timedelta(hours=2), end=at)
    [opening] = in_force([SUNDAYS, once, past], at)
    assert (opening.name, opening.sites) == ("sundays", ("EU1",))
    assert (opening.start, opening.end) == (at - timedelta(hours=1), at + timedelta(hours=1))
    coming = next_within([SUNDAYS, once, past], at)
    assert coming is not None
    assert (coming.name, coming.sites, coming.end) == ("once", tuple(SITES), end)
    assert next_within([once], at, timedelta(hours=1)) is None
    assert next_within([SUNDAYS], at) is None, "that is in a week"
    assert next_within([Maintenance("leap", cron="0 0 29 2 *", duration_s=60)], at) is None
