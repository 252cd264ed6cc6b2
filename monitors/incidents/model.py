"""The values incidents are made of; frozen, and free of any I/O. Times are aware datetimes in UTC."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from monitors.model import JSON, Finding, Level

FAILED, PASSED = "x", "."
"""The two letters of a track's window."""


class TrackKey(NamedTuple):
    """One problem on one site, as the probes of one check tell it; both are empty where the monitor itself is meant."""

    problem: str
    site: str
    check: str


@dataclass(frozen=True, slots=True)
class Track:
    """How one problem went lately on one site: `window` holds the last results, oldest first, `x` failed, `.` passed.

    `first` and `last` are when it was seen in this spell; `relapses` how often it came back after a result that
    passed. `opened` is when it was believed, None while it is pending. `finding` is the latest one.
    """

    key: TrackKey
    finding: Finding
    window: str
    first: datetime
    last: datetime
    relapses: int = 0
    opened: datetime | None = None


@dataclass(frozen=True, slots=True)
class Spell:
    """One site's part in an incident: since when it fails there (None: it no longer does), and what was seen last."""

    site: str
    since: datetime
    level: Level
    rule: str
    message: str
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """That a person has taken an incident on: who, when, and what they said."""

    by: str
    at: datetime
    reason: str = ""


class State(enum.StrEnum):
    """Where an incident stands; a pending one is a track that is not yet believed."""

    PENDING = "pending"
    OPEN = "open"
    RESOLVED = "resolved"


@dataclass(frozen=True, slots=True)
class Incident:
    """One problem, on all sites it is seen on, from its opening to its end.

    `id` counts from 1 within a store. `since` is when it was first seen, `opened` when it was believed. `finding` is
    the one it was opened with; `spells` stand in the order of `since`. `why_resolved` is "recovered", "by hand", or
    "no longer watched".
    """

    id: int
    problem: str
    finding: Finding
    level: Level
    since: datetime
    opened: datetime
    spells: tuple[Spell, ...]
    resolved: datetime | None = None
    why_resolved: str = ""
    acknowledged: Acknowledgement | None = None

    @property
    def state(self) -> State:
        """Open or resolved."""
        return State.OPEN if self.resolved is None else State.RESOLVED

    @property
    def sites(self) -> tuple[str, ...]:
        """Keys of the sites it is seen on now, in the order they got it; empty for the monitor's own."""
        return tuple(spell.site for spell in self.spells if spell.until is None and spell.site)

    @property
    def all_sites(self) -> tuple[str, ...]:
        """Keys of every site it was seen on, each once, in the order they got it."""
        return tuple(dict.fromkeys(spell.site for spell in self.spells if spell.site))


class EventKind(enum.StrEnum):
    """What can happen to an incident."""

    OPENED = "opened"
    SPREAD = "spread"
    SHRUNK = "shrunk"
    WORSENED = "worsened"
    ACKNOWLEDGED = "acknowledged"
    SILENCED = "silenced"
    UNSILENCED = "unsilenced"
    NOTIFIED = "notified"
    RESOLVED = "resolved"


@dataclass(frozen=True, slots=True)
class Event:
    """One line of an incident's timeline; `sites` are those it speaks of, `by` who did it (empty: the monitor)."""

    incident: int
    at: datetime
    kind: EventKind
    message: str
    sites: tuple[str, ...] = ()
    by: str = ""


@dataclass(frozen=True, slots=True)
class Silence:
    """Nothing is told of the incidents that match, until a time; each empty or None part matches everything.

    `incident` is an id. Incidents go on being kept, and what is still open afterwards is told then.
    """

    id: int
    until: datetime
    reason: str
    by: str
    created: datetime
    incident: int | None = None
    rule: str = ""
    sites: tuple[str, ...] = ()


class NoticeKind(enum.StrEnum):
    """What a notice tells."""

    OPENED = "opened"
    UPDATED = "updated"
    ACKNOWLEDGED = "acknowledged"
    REMINDER = "reminder"
    RESOLVED = "resolved"
    DIGEST = "digest"
    TEST = "test"


@dataclass(frozen=True, slots=True)
class Told:
    """What one sink was last told of one incident: the `number` of that notice, which only grows, and what it said.

    `sites` and `level` are those it named; `acknowledged` whether it was told of the acknowledgement.
    """

    incident: int
    sink: str
    number: int
    kind: NoticeKind
    at: datetime
    sites: tuple[str, ...]
    level: Level
    acknowledged: bool = False


@dataclass(frozen=True, slots=True)
class Notice:
    """One thing to tell one sink. `key` is stable: whoever gets it twice can tell.

    `content` is the documented JSON object (schemas/notification.json) that every sink renders in its own way.
    `incident` is 0 for digests and tests; notices of one incident reach a sink in the order of `number`.
    """

    sink: str
    incident: int
    number: int
    kind: NoticeKind
    key: str
    at: datetime
    content: Mapping[str, JSON]


@dataclass(frozen=True, slots=True)
class Book:
    """Everything the decisions need to know of the past: small, for what is healthy leaves no trace in it.

    `incidents` are the open ones by id, and those resolved of which a sink has still to be told. `installation` is a
    random word that tells one store's notices from another's. The first notice of an incident has the number
    `first_notice`: 1, or more in a store that may have lost notices that were sent.
    """

    installation: str
    tracks: Mapping[TrackKey, Track] = field(default_factory=dict)
    incidents: Mapping[int, Incident] = field(default_factory=dict)
    told: Mapping[tuple[int, str], Told] = field(default_factory=dict)
    silences: tuple[Silence, ...] = ()
    next_id: int = 1
    first_notice: int = 1
