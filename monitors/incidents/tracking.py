"""How one problem went lately on one site: when it is believed, and when it is over."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from monitors.incidents.model import FAILED, PASSED, Track, TrackKey
from monitors.model import Kind

if TYPE_CHECKING:
    from datetime import datetime

    from monitors.config.alerting import Thresholds
    from monitors.model import Finding


@dataclass(frozen=True, slots=True)
class Bar:
    """A problem opens once `failures` of the last `window` results failed, and is over after `successes` in a row."""

    failures: int
    window: int
    successes: int

    @property
    def length(self) -> int:
        """How many results have to be remembered."""
        return max(self.window, self.successes)


def bar_for(kind: Kind, thresholds: Thresholds, *, confirmed: bool = False) -> Bar:
    """Return the bar of a kind of problem; `confirmed` ones were seen often enough by whoever tells them."""
    if confirmed or kind is Kind.MONITOR:
        return Bar(1, 1, 1 if kind is Kind.MONITOR else thresholds.success_threshold)
    if kind is Kind.AVAILABILITY:
        return Bar(thresholds.failure_threshold, thresholds.failure_window, thresholds.success_threshold)
    # What breaks readers opens as soon as it is seen again: one odd answer is told in the history only.
    count = thresholds.confirm_count
    return Bar(count, max(count, thresholds.failure_window), thresholds.success_threshold)


def failed(track: Track | None, key: TrackKey, finding: Finding, at: datetime, bar: Bar) -> Track:
    """Return the track after one more result that failed."""
    if track is None:
        track = Track(key, finding, "", at, at)
    window = (track.window + FAILED)[-bar.length :]
    believed = window[-bar.window :].count(FAILED) >= bar.failures
    return replace(
        track,
        finding=finding,
        window=window,
        last=max(track.last, at),
        relapses=track.relapses + track.window.endswith(PASSED),
        opened=track.opened or (at if believed else None),
    )


def passed(track: Track, bar: Bar) -> Track | None:
    """Return the track after one more result that passed; None once there is nothing left to remember.

    Each time a problem came back it takes one more result in a row to believe that it is over, up to the length of the
    window: so one that flaps stays one incident.
    """
    window = (track.window + PASSED)[-bar.length :]
    if track.opened is None:
        return replace(track, window=window) if FAILED in window[-bar.window :] else None
    needed = min(bar.successes + track.relapses, bar.length)
    in_a_row = len(window) - len(window.rstrip(PASSED))
    return None if in_a_row >= needed else replace(track, window=window)
