from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from monitors.config.alerting import Retention
from monitors.store import Filter, Probed, Store

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
NOW = datetime(2026, 6, 30, 12, 0, tzinfo=UTC)


def down(store: Store, days: int = 60) -> list[tuple[datetime, datetime, int]]:
    """Return the runs of probes that found a site down: first, last, how many."""
    runs: list[tuple[datetime, datetime, int]] = []
    current = None
    for each in store.outcomes(Filter(since=NOW - days * DAY)):
        if each.apart or each.available or current is None:
            current = None if each.available else (each.at, each.at, 0)
            if current is not None:
                runs.append(current)
        if current is not None and not each.available:
            runs[-1] = current = (current[0], each.at, current[2] + 1)
    return runs


@pytest.fixture
def keep(file_store: Store, probe: Callable[..., Probed]) -> Callable[..., Store]:
    """Keep probes at times, of which some find the site down, and delete what need not be kept any longer."""

    def kept(times: Iterable[datetime], bad: Callable[[datetime], bool], again: bool = False) -> Store:  # noqa: FBT001, FBT002 - of a test
        with file_store.writing() as writing:
            for at in times:
                found = {"available": False, "verdict": "breaking", "status": None} if bad(at) else {}
                writing.add_probes("", [probe(at=at, **found)])
                if found and again:
                    more = [probe(at=at + n * timedelta(seconds=20), again=True, **found) for n in (1, 2)]
                    writing.add_probes("", more)
        file_store.roll_up()
        return file_store

    return kept


def every(step: timedelta, days: float, jitter_s: float = 0) -> Iterable[datetime]:
    dice = random.Random(7)  # noqa: S311 - the same every time
    for n in range(int(days * DAY / step), 0, -1):
        yield NOW - n * step + timedelta(seconds=dice.uniform(0, jitter_s))


def test_runs_of_one_minute_probes_are_the_same_after_what_went_well_is_deleted(keep: Callable[..., Store]) -> None:
    begun = NOW - 3 * DAY
    bad = {
        minute for first, count in ((10, 30), (50, 5), (57, 3), (600, 90), (2_000, 1), (3_500, 1))
        for minute in range(first, first + count)
    }  # fmt: skip
    store = keep(every(MINUTE, 3, jitter_s=5), lambda at: (at - begun) // MINUTE in bad)
    before = down(store)
    assert [count for *_, count in before] == [30, 5, 3, 90, 1, 1]
    store.retain(NOW, Retention(keep_successes_days=1))
    assert store.complete_from() == NOW - DAY
    assert down(store) == before
    store.retain(NOW, Retention(keep_successes_days=1, keep_hours_days=1))
    assert down(store) == before


def test_a_run_of_nightly_passes_goes_on_from_night_to_night_and_ends_with_a_good_one(
    keep: Callable[..., Store],
) -> None:
    bad = {20, 21, 22, 24, 25, 40, 43}
    store = keep(every(DAY, 50, jitter_s=600), lambda at: (at - NOW) // DAY + 51 in bad, again=True)
    before = down(store)
    assert [count for *_, count in before] == [9, 6, 3, 3]
    store.retain(NOW, Retention(keep_successes_days=5))
    assert down(store) == before
    store.retain(NOW, Retention(keep_successes_days=5, keep_hours_days=5))
    assert down(store) == before


def test_a_run_ends_where_nobody_looked_for_long(keep: Callable[..., Store]) -> None:
    off = NOW - DAY, NOW - DAY / 2
    store = keep((at for at in every(MINUTE, 2) if not off[0] < at < off[1]), lambda _: True)
    assert [(first, last) for first, last, _ in down(store)] == [
        (NOW - 2 * DAY, off[0]),
        (off[1], NOW - MINUTE),
    ]


def test_a_run_goes_on_where_probes_come_late_or_less_often_from_now_on(keep: Callable[..., Store]) -> None:
    often, seldom = every(MINUTE, 0.1), [NOW + n * timedelta(hours=1) for n in range(1, 20)]
    late = [at for n, at in enumerate(often) if n % 7]
    assert [count for *_, count in down(keep([*late, *seldom], lambda _: True))] == [len(late), len(seldom)]


def test_retention_that_is_made_longer_does_not_bring_back_what_is_deleted(keep: Callable[..., Store]) -> None:
    store = keep(every(timedelta(hours=1), 20), lambda _: False)
    assert store.complete_from() is None
    assert store.retain(NOW, Retention(keep_successes_days=5)).probes == 15 * 24
    for days in (10, 0):
        store.retain(NOW, Retention(keep_successes_days=days))
        assert store.complete_from() == NOW - 5 * DAY
