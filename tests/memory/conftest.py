from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from mock_site.catalogue import NAMED_RUNS, run_document
from monitors.checks import CHECKS
from monitors.contract import judge
from monitors.memory import Patience, Session
from monitors.model import Finding, Kind, Level, Observation
from monitors.store import FILE_NAME, Store, StoreShelf, open_store, sqlite_url

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from monitors.memory import Recollection

START = datetime(2026, 6, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)


def make_run(run: str = "all-members") -> Any:
    """Return a fresh copy of a run of the mock."""
    return run_document("US1", NAMED_RUNS[run])


def make_answer(site: str, at: datetime, body: Any, check: str = "run", status: int | None = None) -> Observation:
    made = CHECKS[check]
    return Observation(
        site=site,
        check=check,
        at=at,
        method="GET",
        url="https://127.0.0.1/",
        run_id=made.run_id or str(NAMED_RUNS["all-members"]),
        with_keys=made.with_keys,
        status=made.expected[0] if status is None else status,
        headers=(("content-type", "application/json"),),
        body=body if isinstance(body, bytes) else json.dumps(body).encode(),
    )


def make_finding(location: str = "$.data.attributes.name", rule: str = "response-property-value-changed") -> Finding:
    return Finding(rule, Level.WARNING, Kind.DRIFT, "changed", location, site="US5", check="run")


class Monitor:
    """Cycles an hour apart over a store, each by a session of its own, as processes would."""

    def __init__(self, store: Store) -> None:
        self.shelf, self.at, self.patience = StoreShelf(store), START, Patience()

    def cycle(self, bodies: Mapping[str, Any], check: str = "run", after: timedelta = HOUR) -> Recollection:
        self.at += after
        session = Session(StoreShelf(self.shelf.store), self.patience)
        judging = session.judging(judge)
        for site, body in bodies.items():
            judging(make_answer(site, self.at, body, check))
        found = session.conclude()
        assert found.failures == ()
        return found


@pytest.fixture
def monitor(tmp_path: Path) -> Iterator[Monitor]:
    with open_store(sqlite_url(tmp_path / "state" / FILE_NAME)) as store:
        yield Monitor(store)


@pytest.fixture
def run() -> Any:
    return make_run()


@pytest.fixture
def answer() -> Callable[..., Observation]:
    return make_answer


@pytest.fixture
def finding() -> Callable[..., Finding]:
    return make_finding
