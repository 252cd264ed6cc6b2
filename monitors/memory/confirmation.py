"""When a drift is believed: seen again. Pure steps over records, one for each drift of each site."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from monitors.memory.patience import Patience
    from monitors.model import Finding

DriftKey = tuple[str, str, str]
"""Site, check and fingerprint."""


@dataclass(frozen=True, slots=True)
class Record:
    """One drift on one site: when it was seen, and since when it is declared (None while it is not).

    `recent` are the last sightings that count towards declaring it, `run` how many of them came in a row, `away` how
    many answers in a row have lacked it since. `finding` is the latest one.
    """

    finding: Finding
    first: datetime
    last: datetime
    count: int
    recent: tuple[datetime, ...]
    run: int = 1
    away: int = 0
    declared: datetime | None = None


Records = dict[DriftKey, Record]


def step(
    records: Mapping[DriftKey, Record],
    asked: tuple[str, str],
    at: datetime,
    found: Sequence[Finding],
    patience: Patience,
) -> Records:
    """Return the records after one more answer of a site to a check, in which `found` is every drift it shows.

    Records of drifts that were never declared are dropped once they are out of the window and did not come back.
    """
    after = dict(records)
    here = {finding.fingerprint: finding for finding in found}
    for fingerprint, finding in here.items():
        key = (*asked, fingerprint)
        after[key] = _seen(records.get(key), finding, at, patience)
    for key, record in records.items():
        if key[:2] == asked and key[2] not in here:
            gone = _lacked(record, patience)
            if gone.declared is None and at - gone.last > timedelta(seconds=patience.window_s):
                del after[key]
            else:
                after[key] = gone
    return after


def _seen(record: Record | None, finding: Finding, at: datetime, patience: Patience) -> Record:
    if record is None:
        record = Record(finding, at, at, 0, (), run=0)
    recent = (*record.recent, at)[-patience.count :]
    run = record.run + 1 if record.away == 0 else 1
    close = len(recent) == patience.count and recent[-1] - recent[0] <= timedelta(seconds=patience.window_s)
    declared = record.declared or (at if close or run >= patience.count else None)
    return replace(
        record,
        finding=finding,
        last=max(record.last, at),
        count=record.count + 1,
        recent=recent,
        run=run,
        away=0,
        declared=declared,
    )


def _lacked(record: Record, patience: Patience) -> Record:
    """Count one more answer without it; long enough away it is over, and to be confirmed anew if it comes back."""
    away = record.away + 1
    if record.declared is not None and away >= patience.count:
        return replace(record, away=away, declared=None, recent=(), run=0)
    return replace(record, away=away)
