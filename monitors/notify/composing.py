"""Digests and tests put together: notices that are of no incident."""

from __future__ import annotations

import uuid
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

from monitors.incidents.content import frame, incident_json, stamp
from monitors.incidents.model import Notice, NoticeKind
from monitors.store.values import Filter, IncidentFilter

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from monitors.config.alerting import SinkSettings
    from monitors.incidents.model import Incident
    from monitors.model import JSON
    from monitors.store.values import UptimeRow

_MAX_INCIDENTS = 500
_LEAST = 0.0001


class Record(Protocol):
    """What a digest needs of the store."""

    def incidents(self, wanted: IncidentFilter) -> list[Incident]:
        """Return the incidents wanted."""

    def uptime(self, wanted: Filter, *, by: str = "site") -> list[UptimeRow]:
        """Return how each site did."""


def digest(
    record: Record, since: datetime, until: datetime, *, skipped: Iterable[tuple[str, str | None, str]] = ()
) -> dict[str, JSON]:
    """Return what happened from `since` to just before `until`, as the member `digest` of a notice.

    Each incident is told as it stood at `until`, so digests that follow each other tell each beginning and each end
    once. `skipped` names what was not probed: site, check (None for all) and why.
    """
    wanted = IncidentFilter(since=since, until=until, limit=_MAX_INCIDENTS)
    found = [as_it_stood(incident, until) for incident in record.incidents(wanted)]
    rows = record.uptime(Filter(since=since, until=until))
    return {
        "from": stamp(since),
        "to": stamp(until),
        "open": [incident_json(one) for one in found if one.resolved is None],
        "opened": [incident_json(one) for one in found if since <= one.opened < until],
        "resolved": [incident_json(one) for one in found if one.resolved is not None and since <= one.resolved],
        "uptime": [_uptime(row) for row in rows],
        "skipped": [{"site": site, "check": check, "reason": reason} for site, check, reason in skipped],
    }


def as_it_stood(incident: Incident, at: datetime) -> Incident:
    """Return an incident that had been opened before `at` as it was just then: whatever came later is left out."""
    spells = tuple(
        spell if spell.until is None or spell.until < at else replace(spell, until=None)
        for spell in incident.spells
        if spell.since < at
    )
    taken = incident.acknowledged
    over = incident.resolved is not None and incident.resolved < at
    return replace(
        incident,
        spells=spells or incident.spells[:1],
        resolved=incident.resolved if over else None,
        why_resolved=incident.why_resolved if over else "",
        acknowledged=taken if taken is None or taken.at < at else None,
    )


def _uptime(row: UptimeRow) -> JSON:
    share = None if row.uptime is None else _percent(row.uptime)
    return {"site": row.site, "check": row.check, "probes": row.probes, "uptime": share, "p95_ms": row.p95_ms}


def _percent(share: float) -> float:
    """Return a share as percent with four decimals; 100 and 0 are said only of all and of nothing."""
    rounded = round(share * 100, 4)
    return min(max(rounded, _LEAST), 100 - _LEAST) if 0 < share < 1 else rounded


def digest_notices(
    said: Mapping[str, JSON], sinks: Iterable[SinkSettings], *, at: datetime, installation: str, vantage: str = ""
) -> list[Notice]:
    """Return a digest for each sink that takes any; the same `at` gives the same keys."""
    notices = []
    for sink in sinks:
        if sink.digest:
            key = f"{installation}-digest-{at:%Y%m%dT%H%M%SZ}-{sink.name}"
            head = frame(kind=NoticeKind.DIGEST, key=key, at=at, installation=installation, vantage=vantage)
            notices.append(Notice(sink.name, 0, 0, NoticeKind.DIGEST, key, at, {**head, "digest": dict(said)}))
    return notices


def trial(sink: str, *, at: datetime, installation: str = "", vantage: str = "") -> Notice:
    """Return a test for a sink, under a key of its own each time."""
    key = f"test-{uuid.uuid4().hex[:12]}-{sink}"
    head = frame(kind=NoticeKind.TEST, key=key, at=at, installation=installation, vantage=vantage)
    return Notice(sink, 0, 0, NoticeKind.TEST, key, at, head)
