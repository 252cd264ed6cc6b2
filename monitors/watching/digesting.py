"""Digests: what happened since the last one, to the sinks that take them, at times people plan like cron."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from monitors.incidents.maintenance import last_start
from monitors.notify.composing import digest, digest_notices

if TYPE_CHECKING:
    from collections.abc import Sequence

    from monitors.config.alerting import SinkSettings, WatchSettings
    from monitors.store import Store

_TOLD = "digest"
DAY = timedelta(days=1)
_LONGEST = timedelta(days=31)


def put_digest(
    store: Store,
    sinks: Sequence[SinkSettings],
    at: datetime,
    vantage: str,
    *,
    since: datetime,
    skipped: Sequence[tuple[str, str | None, str]] = (),
    mark: str | None = None,
) -> int:
    """Put a digest into the outbox for each sink that takes any; returns how many. Raises `StoreError`.

    `mark` is noted with it in the same transaction, so that a digest is told once whatever happens afterwards.
    """
    takers = [sink for sink in sinks if sink.digest]
    said = digest(store, since, at, skipped=skipped) if takers else {}
    with store.writing() as tx:
        notices = digest_notices(said, takers, at=at, installation=tx.book().installation, vantage=vantage)
        tx.queue(notices)
        if mark is not None:
            tx.put_meta(_TOLD, mark)
    return len(notices)


class Digests:
    """Puts a digest into the outbox each time the plan says so."""

    def __init__(self) -> None:
        """Know nothing yet of the last one."""
        self._told: datetime | None = None

    def put_if_due(
        self, store: Store, watch: WatchSettings, sinks: Sequence[SinkSettings], at: datetime, vantage: str
    ) -> int:
        """Put a digest into the outbox if its time has come since the last one; returns for how many sinks.

        The first time nothing is told: nobody waited for it. Raises `StoreError`.
        """
        fired = last_start(watch.digest_cron, watch.digest_timezone, at) if watch.digest_cron else None
        # A clock that was set back, or another plan, tells nothing twice.
        if fired is None or (self._told is not None and fired <= self._told):
            return 0
        since = self._told or self._last(store, fired)
        told = 0
        if since < fired:
            begin = max(since, fired - _LONGEST)
            told = put_digest(store, sinks, fired, vantage, since=begin, mark=fired.isoformat())
        self._told = max(since, fired)
        return told

    @staticmethod
    def _last(store: Store, fired: datetime) -> datetime:
        """Return up to when digests were told before this process; the store begins with the latest of the plan."""
        with store.writing() as tx:
            told = tx.meta(_TOLD)
            if told is None:
                tx.put_meta(_TOLD, fired.isoformat())
        return fired if told is None else datetime.fromisoformat(told)
