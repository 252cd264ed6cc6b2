"""What goes into the store and comes out of it beside incidents: probes, filters, counts. Frozen, free of any I/O."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from pathlib import Path

    from monitors.incidents.model import Notice, State
    from monitors.model import Finding, Level, Observation, Phases

VERDICTS = ("none", "info", "warning", "breaking")
"""The words of a verdict; the store keeps their numbers."""


@dataclass(frozen=True, slots=True)
class Probed:
    """One probe to be kept. `observation` says when, where and what; its body is kept only where `keep_body` says so.

    `verdict` is one of `VERDICTS`; `available` is False for an outage, None where the probe says nothing of it. One
    that looks `again` at what was seen just before does not count for uptime: the bad passes of a nightly run would
    weigh more than the good ones.
    """

    observation: Observation
    findings: tuple[Finding, ...] = ()
    verdict: str = "none"
    available: bool | None = True
    keep_body: bool = False
    again: bool = False


@dataclass(frozen=True, slots=True)
class ProbeRow:
    """One probe as it was kept: `at` in whole milliseconds, phases in whole microseconds.

    `rule` is that of the worst finding; `body` the SHA-256 of the kept body in hex, None where none was kept.
    """

    id: int
    at: datetime
    site: str
    check: str
    vantage: str
    status: int | None
    verdict: str
    available: bool | None
    rule: str | None
    phases: Phases
    total_s: float
    body: str | None = None
    findings: tuple[Finding, ...] = ()
    again: bool = False


@dataclass(frozen=True, slots=True)
class Body:
    """A body as it was kept: secrets masked, cut at the cap. `size` is its length before the cut, in bytes."""

    hash: str
    first: datetime
    last: datetime
    size: int
    content: bytes


@dataclass(frozen=True, slots=True)
class Filter:
    """Which probes are wanted; what is empty or None asks for everything. `until` itself is not included."""

    sites: tuple[str, ...] = ()
    checks: tuple[str, ...] = ()
    since: datetime | None = None
    until: datetime | None = None
    verdicts: tuple[str, ...] = ()
    available: bool | None = None
    vantages: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class IncidentFilter:
    """Which incidents are wanted; what is empty or None asks for everything.

    `since` and `until` bound when it was going on: one that was resolved before `since` or opened at or after `until`
    is left out. `sites` match any site it was ever seen on.
    """

    state: State | None = None
    sites: tuple[str, ...] = ()
    checks: tuple[str, ...] = ()
    rules: tuple[str, ...] = ()
    level: Level | None = None
    since: datetime | None = None
    until: datetime | None = None
    limit: int | None = None


@dataclass(frozen=True, slots=True)
class UptimeRow:
    """How one site did, or one check of it: numbers of probes, and milliseconds of those that were available.

    `uptime` is the share of available ones among those that say something of it, None where none did. `outages` counts
    how often it went away; for a whole site, the most that any one check saw.
    """

    site: str
    check: str | None
    probes: int
    available: int
    unavailable: int
    uptime: float | None
    p50_ms: float | None
    p95_ms: float | None
    p99_ms: float | None
    outages: int
    warnings: int = 0
    breaking: int = 0


@dataclass(frozen=True, slots=True)
class OutboxRow:
    """One notice on its way to its sink: `state` is queued, delivered or abandoned, `error` what went wrong last."""

    id: int
    notice: Notice
    state: str = "queued"
    attempts: int = 0
    first_failed: datetime | None = None
    next_at: datetime | None = None
    error: str = ""
    delivered_at: datetime | None = None


Queued = OutboxRow
"""A row of the outbox that is to be delivered now."""


@dataclass(frozen=True, slots=True)
class Counts:
    """How many rows of each kind something was done to."""

    probes: int = 0
    findings: int = 0
    bodies: int = 0
    hours: int = 0
    days: int = 0
    incidents: int = 0
    events: int = 0
    notices: int = 0
    silences: int = 0

    @property
    def total(self) -> int:
        """All rows together."""
        return sum(getattr(self, each.name) for each in fields(self))


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of an import: rows by table, and how many probes were there or summed up already.

    `counted` tells whether the export said how many lines it has, so that none is missing.
    """

    rows: Mapping[str, int]
    known: int = 0
    counted: bool = True


@dataclass(frozen=True, slots=True)
class Salvaged:
    """What became of a damaged store: where it lies now, and rows by table that were `kept` and `lost`.

    `from_backup` are rows that the backup had and the damaged file did not give. `lost` counts what can be known to be
    missing; None stands for a table of which nothing could be read, not even how much it held.
    """

    aside: Path
    kept: dict[str, int] = field(default_factory=dict)
    from_backup: dict[str, int] = field(default_factory=dict)
    lost: dict[str, int | None] = field(default_factory=dict)
