from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from monitors.config.alerting import SinkSettings, Thresholds
from monitors.incidents.deciding import Result, Round, decide
from monitors.incidents.model import Book, Event, Incident, Notice, State
from monitors.incidents.planning import Surroundings, plan, silenced_from_the_start
from monitors.model import Finding, Kind, Level

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

START = datetime(2026, 6, 1, 12, tzinfo=UTC)
WATCHED = ("US1", "US3", "US5", "EU1")


def outage(rule: str = "server-error", message: str = "503 Service Unavailable") -> Finding:
    return Finding(rule, Level.BREAKING, Kind.AVAILABILITY, message)


def throttled() -> Finding:
    return Finding("throttled", Level.WARNING, Kind.AVAILABILITY, "429")


def broken(location: str = "$.data.attributes.name", level: Level = Level.BREAKING) -> Finding:
    return Finding(
        "response-property-became-nullable",
        level,
        Kind.CONTRACT,
        "is null",
        location,
        base="string",
        revision="null",
        check="run",
    )


def moved(location: str = "$.data.attributes.duration") -> Finding:
    return Finding("response-property-unit-changed", Level.BREAKING, Kind.DRIFT, "ms, not s", location, check="run")


def across(*sites: str) -> Finding:
    rule = "response-property-not-on-all-sites"
    return Finding(rule, Level.WARNING, Kind.DRIFT, "on some", "$.data.attributes.x", revision=list(sites), check="run")


def own(rule: str = "monitor-offline", about: str = "") -> Finding:
    return Finding(rule, Level.BREAKING, Kind.MONITOR, "offline", discriminator=about)


def sink(name: str = "team", **settings: object) -> SinkSettings:
    return replace(SinkSettings(name, "stdout"), **settings)  # type: ignore[arg-type]


@dataclass
class Life:
    """A monitor without sites and sinks: rounds go in a minute apart, what they lead to is kept."""

    thresholds: Thresholds = field(default_factory=lambda: Thresholds(update_interval_s=0))
    sinks: tuple[SinkSettings, ...] = (SinkSettings("team", "stdout"),)
    book: Book = field(default_factory=lambda: Book("test"))
    at: datetime = START
    maintenance: frozenset[str] = frozenset()
    watched: Sequence[str] = WATCHED
    checks: Sequence[str] = ("run",)
    events: list[Event] = field(default_factory=list)
    notices: list[Notice] = field(default_factory=list)
    ever: dict[int, Incident] = field(default_factory=dict)
    late: bool = False

    def round(
        self,
        failing: Mapping[str, Sequence[Finding]] | None = None,
        *,
        drift: Mapping[str, Sequence[Finding]] | None = None,
        across: Sequence[Finding] | None = None,
        own: Mapping[str, Finding | None] | None = None,
        asked: Sequence[str] | None = None,
        check: str = "run",
        minutes: float = 1,
    ) -> list[str]:
        """Play one round in which every site that is asked answers; returns the kinds of the notices it leads to."""
        self.at += timedelta(minutes=minutes)
        shown, told = failing or {}, drift or {}
        results = tuple(
            Result(site, check, self.at, tuple(shown.get(site, ())), tuple(told.get(site, ())))
            for site in (self.watched if asked is None else asked)
        )
        watched = frozenset((site, name) for site in self.watched for name in self.checks)
        seen = Round(self.at, results, None if across is None else tuple(across), own or {}, watched, self.maintenance)
        decision = decide(self.book, seen, self.thresholds)
        self.events += decision.events
        self.events += silenced_from_the_start(decision.book, decision.events, self.at)
        self.ever.update(decision.book.incidents)
        self.book = decision.book
        return self.planned()

    def planned(self) -> list[str]:
        done = plan(
            self.book,
            Surroundings(
                self.at,
                self.sinks,
                self.thresholds,
                urls={(site, "run"): f"https://{site}/42" for site in self.watched},
                watched=len(self.watched),
                maintenance=self.maintenance,
                late=self.late,
            ),
        )
        self.book = done.book
        self.events += done.events
        self.notices += done.notices
        return [str(notice.kind) for notice in done.notices]

    def rounds(self, count: int, failing: Mapping[str, Sequence[Finding]] | None = None) -> list[str]:
        return [kind for _ in range(count) for kind in self.round(failing)]

    outage = staticmethod(outage)
    throttled = staticmethod(throttled)
    broken = staticmethod(broken)
    moved = staticmethod(moved)
    across = staticmethod(across)
    own = staticmethod(own)
    sink = staticmethod(sink)
    start = START

    @property
    def open(self) -> list[Incident]:
        return [entry for entry in self.book.incidents.values() if entry.state is State.OPEN]

    def timeline(self, number: int = 1) -> list[str]:
        return [str(event.kind) for event in self.events if event.incident == number and event.kind != "notified"]


@pytest.fixture
def life() -> Life:
    return Life()
