from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, available_timezones

import pytest
from cronsim import CronSim
from hypothesis import example, given, settings
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


def all_transitions() -> list[tuple[str, datetime]]:
    """Return each change of the clocks of each zone from 1990 to 2030, by hours and then to the second."""
    found = []
    for name in sorted(available_timezones() - {"localtime", "posixrules", "Factory"}):
        zone = ZoneInfo(name)
        days = [datetime(1990, 1, 1, tzinfo=UTC) + timedelta(days=30 * number) for number in range(488)]
        for before, after in itertools.pairwise(days):
            low, high = before, after
            if low.astimezone(zone).utcoffset() == high.astimezone(zone).utcoffset():
                continue
            while high - low > timedelta(seconds=1):
                middle = (low + (high - low) / 2).replace(microsecond=0)
                same = middle.astimezone(zone).utcoffset() == low.astimezone(zone).utcoffset()
                low, high = (middle, high) if same else (low, middle)
            found.append((name, high))
    return found


TRANSITIONS = all_transitions()


@settings(max_examples=40, deadline=None)
@given(st.sampled_from(TRANSITIONS), st.integers(-120, 120), st.integers(-600, 600))
@example(("America/Nuuk", datetime(2026, 3, 29, 1, tzinfo=UTC)), -30, 0)
@example(("Pacific/Apia", datetime(2011, 12, 30, 10, tzinfo=UTC)), 30, 0)
@example(("America/St_Johns", datetime(2010, 11, 7, 2, 31, tzinfo=UTC)), -1, 0)
def test_a_daily_window_starts_once_a_day_whatever_the_clocks_do(
    transition: tuple[str, datetime], minutes: int, later: int
) -> None:
    name, changed = transition
    zone = ZoneInfo(name)
    lone = (changed - timedelta(seconds=1)).astimezone(zone).replace(tzinfo=None, fold=0)
    wall = (lone + timedelta(seconds=1, minutes=minutes)).replace(second=0)
    cron = f"{wall.minute} {wall.hour} * * *"
    begin, end = changed - timedelta(days=4), changed + timedelta(days=4)
    # The moments of a span at which a window has just begun, told by asking minute by minute.
    asked = [
        begin.replace(second=0) + timedelta(minutes=number)
        for number in range(int((end - begin).total_seconds() // 60))
    ]
    started = sorted({start for at in asked if (start := last_start(cron, name, at)) and start > begin})
    days = []
    day = begin.astimezone(zone).date() - timedelta(days=2)
    while day <= end.astimezone(zone).date() + timedelta(days=1):
        days.append(shown_first(datetime(day.year, day.month, day.day, wall.hour, wall.minute), zone))  # noqa: DTZ001 - on the wall
        day += timedelta(days=1)
    assert started == sorted({at for at in days if begin < at <= asked[-1]})
    at = changed + timedelta(minutes=later)
    coming = next_within([Maintenance("w", cron=cron, duration_s=60, timezone=name)], at)
    later_days = [day for day in days if at < day <= at + timedelta(days=1)]
    assert (None if coming is None else coming.start) == (min(later_days) if later_days else None)


def shown_first(wall: datetime, zone: ZoneInfo) -> datetime:
    """Return the first whole minute (UTC) at which clocks show a time or, where they skip it, a later one."""
    guess = wall.replace(tzinfo=UTC)
    minutes = (guess + timedelta(minutes=number) for number in range(-26 * 60, 27 * 60))
    exact, gap = None, None
    previous = None
    for at in minutes:
        local = at.astimezone(zone).replace(tzinfo=None, fold=0)
        if local.replace(second=0) == wall and exact is None:
            exact = at - timedelta(seconds=local.second)
        if previous is not None and previous < wall < local and gap is None:
            gap = at
        previous = local
    found = exact or gap
    assert found is not None
    return found


@settings(max_examples=20, deadline=None)
@given(st.sampled_from(TRANSITIONS), st.sampled_from(["*/5 * * * *", "7 * * * *", "*/30 23,0,1,2 * * *"]))
@example(("America/Nuuk", datetime(2026, 3, 29, 1, tzinfo=UTC)), "*/5 * * * *")
@example(("America/St_Johns", datetime(2010, 11, 7, 2, 31, tzinfo=UTC)), "*/5 * * * *")
def test_a_window_by_the_clock_starts_whenever_the_clock_shows_its_time(
    transition: tuple[str, datetime], cron: str
) -> None:
    name, changed = transition
    zone, plain = ZoneInfo(name), CronSim(cron, datetime(2000, 1, 1))  # noqa: DTZ001 - on the wall
    last = None
    for number in range(-26 * 60, 26 * 60):
        at = changed.replace(second=0) + timedelta(minutes=number)
        local = at.astimezone(zone)
        if local.second:
            return  # an offset with seconds: no whole minute of ours is one there
        if local.hour in plain.hours and local.minute in plain.minutes:
            last = at
        if last is not None:
            assert last_start(cron, name, at) == last, at


def test_an_evening_that_the_clocks_skip_starts_its_window_at_midnight() -> None:
    window = Maintenance("w", cron="30 23 * * *", duration_s=3600, timezone="America/Nuuk")
    begin = datetime(2026, 3, 29, 1, 0, tzinfo=UTC)
    assert begin.astimezone(ZoneInfo("America/Nuuk")).isoformat() == "2026-03-29T00:00:00-01:00"
    assert [is_active(window, begin + timedelta(minutes=number)) for number in (-1, 0, 59, 60)] == [
        False, True, True, False,
    ]  # fmt: skip
    coming = next_within([window], begin - timedelta(hours=5))
    assert coming is not None
    assert coming.start == begin


def test_a_yearly_window_in_a_gap_is_found_long_after_it() -> None:
    begin = datetime(2026, 3, 29, 1, 0, tzinfo=UTC)
    assert last_start("30 23 28 3 *", "America/Nuuk", begin + timedelta(days=90)) == begin
    # A star goes by what the clock shows: that night it shows none of these minutes.
    found = last_start("*/30 23 28 3 *", "America/Nuuk", begin + timedelta(days=90))
    assert found == datetime(2025, 3, 29, 1, 30, tzinfo=UTC)


def test_a_window_that_begins_anew_before_it_ends_is_one_opening() -> None:
    window = Maintenance("w", cron="*/15 6,7 * * *", duration_s=3600)
    at = datetime(2026, 6, 1, 6, 10, tzinfo=UTC)
    [opening] = in_force([window], at)
    assert (opening.start, opening.end) == (at.replace(minute=0), at.replace(hour=8, minute=45))
    assert in_force([window], at.replace(hour=8, minute=44)) == [opening]
    assert in_force([window], at.replace(hour=8, minute=45)) == []
    coming = next_within([window], at)
    assert coming is not None
    assert (coming.start, coming.end) == (opening.start + timedelta(days=1), opening.end + timedelta(days=1))
    assert next_within([window], at.replace(hour=5)) == opening
