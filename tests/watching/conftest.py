from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from monitors.checks import CHECKS
from monitors.cycle import Result
from monitors.model import Finding, Kind, Level, Observation, Phase, Phases, TransportFailure
from monitors.store import Store, open_store, sqlite_url
from monitors.watching.clock import SimulatedClock

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

START = datetime(2026, 6, 1, 12, tzinfo=UTC)


@dataclass
class Log:
    """What was said, as level, event and values."""

    lines: list[tuple[str, str, dict[str, object]]] = field(default_factory=list)

    def __call__(self, level: str, event: str, **values: object) -> None:
        self.lines.append((level, event, values))

    def of(self, event: str) -> list[dict[str, object]]:
        return [values for _, said, values in self.lines if said == event]


@pytest.fixture
def clock() -> SimulatedClock:
    return SimulatedClock(START, 1_000.0)


@pytest.fixture
def log() -> Log:
    return Log()


def failure(rule: str = "connection-refused", phase: Phase = Phase.CONNECT) -> TransportFailure:
    return TransportFailure(rule, phase, f"{rule}, as it were")


def observed(site: str = "US5", check: str = "run", at: datetime = START, **members: Any) -> Observation:
    """Make an observation; without a status or a failure it is the answer that is expected."""
    made = CHECKS[check]
    headers = tuple((name.lower(), text) for name, text in dict(members.pop("headers", {})).items())
    if "status" not in members and "failure" not in members:
        members["status"] = made.expected[0]
    run_id, url = made.run_id or "42", f"https://{site}/"
    whole = {"address": "192.0.2.1", "phases": Phases(resolve_s=0.0), "headers": headers, **members}
    return Observation(site, check, at, "GET", url, run_id, made.with_keys, **whole)


def down(rule: str = "server-error", site: str = "US5", check: str = "run") -> Finding:
    return Finding(rule, Level.BREAKING, Kind.AVAILABILITY, f"{rule}, as it were", site=site, check=check)


def result(seen: Observation, *findings: Finding) -> Result:
    return Result(seen, tuple(replace(finding, site=seen.site, check=seen.check) for finding in findings))


@pytest.fixture
def make_observed() -> Callable[..., Observation]:
    return observed


@pytest.fixture
def make_result() -> Callable[..., Result]:
    return result


@pytest.fixture
def make_failure() -> Callable[..., TransportFailure]:
    return failure


@pytest.fixture
def make_down() -> Callable[..., Finding]:
    return down


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with open_store(sqlite_url(tmp_path / "state" / "monitor.sqlite")) as opened:
        yield opened
