"""When a notice that a sink did not take is tried again."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import datetime, timedelta

FIRST_S, SLOWEST_S = 1.0, 900.0
"""The pace: twice the first after one failure, twice as long after each further one, a quarter of an hour at most."""

GIVEN_UP_AFTER = timedelta(days=7)
_GIVEN_UP_AFTER_ATTEMPTS = 20
_MAX_DOUBLINGS = 10

Jitter = Callable[[], float]
"""Gives a number from 0 to 1, evenly spread."""


def pause_s(failures: int, jitter: Jitter = random.random) -> float:
    """Return how long to wait after so many failures: somewhere between half the pace and the pace.

    Half of it is certain, so that a sink that is down for long is not asked again after a second by chance; half is by
    lot, so that those who failed together do not come back together ("equal jitter"). Spreading over all of the pace
    pays where thousands ask at once; here a few notices do, one after the other.
    """
    pace_s = min(FIRST_S * 2.0 ** min(failures, _MAX_DOUBLINGS), SLOWEST_S)
    return max(FIRST_S, pace_s * (1 + jitter()) / 2)


def next_try_s(failures: int, *, retry_after_s: float | None, permanent: bool, jitter: Jitter = random.random) -> float:
    """Return how many seconds from now a notice is tried again: as the service asks, else by the pace.

    What only a person can mend is tried at the slowest pace: nothing is lost while nobody looks.
    """
    if retry_after_s is not None:
        # A little later than asked for, and not all at once.
        return max(retry_after_s, FIRST_S) * (1 + 0.1 * jitter())
    return SLOWEST_S if permanent else pause_s(failures, jitter)


def is_hopeless(first_failed: datetime | None, failures: int, at: datetime) -> bool:
    """Tell whether a notice is given up: after a week of failures, and not because a clock jumped by one."""
    if first_failed is None or failures < _GIVEN_UP_AFTER_ATTEMPTS:
        return False
    return at - first_failed >= GIVEN_UP_AFTER
