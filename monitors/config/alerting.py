"""What the scheduled monitor is told by its configuration, as values; `loading` reads them, decisions use them."""

from __future__ import annotations

import socket
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from monitors.model import Level

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime


DEFAULT_INTERVALS_S: Mapping[str, float] = {
    "run": 60.0,
    "not-found": 3600.0,
    "bad-request": 3600.0,
    "unauthenticated": 300.0,
}
"""How often each check is made where nothing is said."""


@dataclass(frozen=True, slots=True)
class Thresholds:
    """When a problem becomes an incident and when it is over (`[incidents]` of the file).

    An availability problem opens once `failure_threshold` of the last `failure_window` results of a check on a site
    failed, anything else once it was seen as often as `confirm_count` says; either is over after `success_threshold`
    results in a row without it. Below `level` nothing becomes an incident. Updates are told at most every
    `update_interval_s`, reminders every `reminder_s` (0: never).
    """

    failure_threshold: int = 3
    failure_window: int = 5
    success_threshold: int = 2
    confirm_count: int = 2
    level: Level = Level.WARNING
    update_interval_s: float = 300.0
    reminder_s: float = 86_400.0


@dataclass(frozen=True, slots=True)
class Maintenance:
    """A window in which nothing is alerted on some sites (`[maintenance.NAME]`); no sites named means all.

    Either `cron` (five fields, in `timezone`) with `duration_s`, or `start` and `end`.
    """

    name: str
    sites: tuple[str, ...] = ()
    cron: str = ""
    duration_s: float = 0.0
    timezone: str = "UTC"
    start: datetime | None = None
    end: datetime | None = None


@dataclass(frozen=True, slots=True)
class SinkSettings:
    """Where notices go (`[sinks.NAME]`), and which: those of incidents of `level` or above, on `sites`, with `rules`.

    No sites or rules named means all; a rule may end in `*`. `digest` sinks get digests and nothing else unless
    `incidents` is true too. `options` are those of the `type`; `secrets` are read from environment or files by the
    option's name, and stand in no representation.
    """

    name: str
    type: str
    level: Level = Level.WARNING
    sites: tuple[str, ...] = ()
    rules: tuple[str, ...] = ()
    incidents: bool = True
    digest: bool = False
    title: str = ""
    body: str = ""
    timeout_s: float = 30.0
    options: Mapping[str, str] = field(default_factory=dict)
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class Retention:
    """How long the store keeps what (`[store]`), in days; 0 keeps it forever."""

    keep_successes_days: int = 14
    keep_failures_days: int = 90
    keep_hours_days: int = 90
    keep_days_days: int = 1_830
    keep_incidents_days: int = 1_830
    keep_bodies_days: int = 90


@dataclass(frozen=True, slots=True)
class WatchSettings:
    """How `watch` runs (`[watch]`). `intervals_s` and `site_intervals_s` hold seconds by check and by (site, check).

    `connectivity` are `host:port` that are reachable whenever the monitor itself is online. `budget_per_minute` bounds
    the requests to one site; `budget_reserve` is the share of the vendor's rate limit that is left to others. `watch
    --once` looks again after `confirm_pause_s` at what it has to see twice.
    """

    intervals_s: Mapping[str, float] = field(default_factory=lambda: dict(DEFAULT_INTERVALS_S))
    site_intervals_s: Mapping[tuple[str, str], float] = field(default_factory=dict)
    jitter_s: float = 5.0
    vantage: str = ""
    connectivity: tuple[str, ...] = ("1.1.1.1:443", "8.8.8.8:443")
    min_free_mb: int = 100
    max_clock_error_s: float = 300.0
    budget_per_minute: int = 20
    budget_reserve: float = 0.5
    stop_s: float = 30.0
    sink_failing_after_s: float = 900.0
    confirm_pause_s: float = 10.0
    digest_cron: str = ""
    digest_timezone: str = "UTC"
    statuspage: bool = False

    @property
    def seen_from(self) -> str:
        """Where this monitor probes from: `vantage`, else the name of this machine."""
        return self.vantage or socket.gethostname()

    def interval_s(self, site: str, check: str) -> float:
        """Return how often a check is made on a site, in seconds."""
        return self.site_intervals_s.get((site, check), self.intervals_s[check])
