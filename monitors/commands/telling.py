"""What `watch` would tell of a few reports: the incidents they lead to, kept in a store that is gone afterwards."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from monitors.config.alerting import SinkSettings, Thresholds
from monitors.cycle import Result
from monitors.notify.message import message_of
from monitors.report.value import place_of
from monitors.store import open_store, sqlite_url
from monitors.watching.current import Current
from monitors.watching.keeper import Batch, Keeper, Rules

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from monitors.report import Report

_AT_ONCE = Thresholds(
    failure_threshold=1, failure_window=1, success_threshold=1, confirm_count=1, update_interval_s=0.0
)
"""A demonstration is short: what is seen is believed."""


@contextmanager
def telling() -> Iterator[Callable[[Report], list[str]]]:
    """Yield what returns the titles of the notices that one more report leads to."""
    with TemporaryDirectory() as folder, open_store(sqlite_url(Path(folder) / "monitor.sqlite")) as store:
        keeper = Keeper(Current(store), Rules(_AT_ONCE, sinks=(SinkSettings("you", "stdout"),)), lambda found: found)
        watched: set[tuple[str, str]] = set()

        def told(report: Report) -> list[str]:
            found = report.findings_by_place()
            watched.update((seen.site or "", seen.check or "") for seen in report.observations)
            keeper.rules = Rules(_AT_ONCE, sinks=keeper.rules.sinks, watched=frozenset(watched))
            results = tuple(Result(seen, tuple(found.get(place_of(seen), ()))) for seen in report.observations)
            kept = keeper.keep(Batch(report.at, results))
            return [message_of(notice).title for notice in kept.notices]

        yield told
