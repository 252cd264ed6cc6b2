from __future__ import annotations

import json
import multiprocessing
import zlib
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from mock_site.drifts import DRIFTS, apply
from monitors.contract import judge
from monitors.errors import HarnessError
from monitors.memory import Memory, Session, StateDir
from monitors.memory.ledger import Row
from monitors.memory.traits import Trait
from monitors.memory.written import memory_from, memory_json
from monitors.store import StoreShelf, open_store, sqlite_url

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Monitor

    from monitors.model import Observation

START = datetime(2026, 6, 1, tzinfo=UTC)
ROOT = Row("run", Trait("$", "object"))


def lively(monitor: Monitor, run: Any) -> Memory:
    """Let the memory have something of everything."""
    for body in (run, run, apply(run, DRIFTS["unit-changed"], "$.data.attributes.duration")):
        monitor.cycle({"US1": run, "US5": body})
    monitor.cycle({"US5": {"errors": [{"title": "x"}]}}, check="not-found")
    monitor.cycle({"US5": apply(run, DRIFTS["unit-changed"], "$.data.attributes.duration")})
    return monitor.shelf.load()


def test_the_memory_reads_back_the_same(monitor: Monitor, run: Any) -> None:
    memory = lively(monitor, run)
    assert memory.drifts
    written = json.loads(json.dumps(memory_json(memory)))
    again = memory_from(written, "memory.json")
    assert again == memory
    assert memory_json(again) == memory_json(memory)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "not JSON"),
        ("[" * 100_000, "not JSON"),
        ("[]", '"kind" is not "model-lab-monitor/memory"'),
        ('{"kind": "model-lab-monitor/memory"}', "written in version None, this program reads 1"),
        ('{"kind": "model-lab-monitor/memory", "version": 2}', "written in version 2, this program reads 1"),
        ('{"kind": "model-lab-monitor/memory", "version": 1}', "damaged: KeyError: 'answers'"),
        (
            '{"kind": "model-lab-monitor/memory", "version": 1, "answers": [["US5", "run", "x", "y", 1, 1]]}',
            "damaged: ValueError: Invalid isoformat string: 'x'",
        ),
        (
            '{"kind": "model-lab-monitor/memory", "version": 1, "answers": [["US5", "run", "2026-06-01", "y", 1, 1]]}',
            "damaged: ValueError: 2026-06-01 has no zone",
        ),
    ],
)
def test_a_file_that_does_not_read_is_named_and_left_as_it_is(text: str, message: str, tmp_path: Path) -> None:
    files, file = StateDir(tmp_path), tmp_path / "memory.json"
    file.write_text(text, "utf-8")
    with pytest.raises(HarnessError) as caught:
        files.load()
    assert str(caught.value).startswith(f"{file}: {message}")
    assert file.read_text("utf-8") == text


def damaged(raw: dict[str, Any], what: str) -> dict[str, Any]:
    if what == "a row of no answer":
        raw["answers"] = []
    elif what == "a count below zero":
        raw["answers"][0][4] = -1
    elif what == "a count that is no integer":
        raw["answers"][0][4] = 1.5
    elif what == "a finding with a member too many":
        raw["drifts"][0][2]["finding"]["more"] = 1
    elif what == "an unknown level":
        raw["drifts"][0][2]["finding"]["level"] = "bad"
    elif what == "a shape that is none":
        raw["shapes"][0][2]["shape"] = []
    else:
        raw["rows"] = None
    return raw


@pytest.mark.parametrize(
    "what",
    [
        "a row of no answer",
        "a count below zero",
        "a count that is no integer",
        "a finding with a member too many",
        "an unknown level",
        "a shape that is none",
        "no rows",
    ],
)
def test_damage_inside_the_memory_is_told(what: str, monitor: Monitor, run: Any) -> None:
    raw = json.loads(json.dumps(memory_json(lively(monitor, run))))
    with pytest.raises(HarnessError, match=r"memory\.json: damaged: \w+Error: .*; restore it, or move it away"):
        memory_from(damaged(raw, what), "memory.json")


def test_a_baseline_that_does_not_read_costs_the_memory_not_the_verdict(
    monitor: Monitor, run: Any, answer: Callable[..., Observation]
) -> None:
    monitor.cycle({"US5": run})
    with monitor.shelf.store.writing() as writing:
        writing.connection.exec_driver_sql("UPDATE baselines SET content = ?", (zlib.compress(b"{}"),))
    session = Session(monitor.shelf)
    broken = apply(run, DRIFTS["nulled"], "$.data.attributes.name")
    assert len(session.judging(judge)(answer("US5", monitor.at, broken))) == 1
    (failure,) = session.conclude().failures
    assert ": the file is damaged: canary run 1004 on US5 does not read; `model-lab-monitor db check" in failure


def test_a_file_that_cannot_be_read_is_the_failure_of_the_harness(tmp_path: Path) -> None:
    (tmp_path / "memory.json").mkdir()
    with pytest.raises(HarnessError, match=r"memory\.json: cannot be read: is a directory"):
        StateDir(tmp_path).load()


def _cycles(path: Path, count: int, seen: Observation) -> None:
    with open_store(sqlite_url(path), busy_timeout_s=60) as store:
        for _ in range(count):
            session = Session(StoreShelf(store))
            session.judging(judge)(seen)
            assert session.conclude().failures == ()


def test_two_processes_at_once_lose_nothing(tmp_path: Path, run: Any, answer: Callable[..., Observation]) -> None:
    path = tmp_path / "monitor.sqlite"
    fork = multiprocessing.get_context("fork")
    seen = [answer(site, START, run) for site in ("US1", "US5")]
    both = [fork.Process(target=_cycles, args=(path, 15, each)) for each in seen]
    for process in both:
        process.start()
    for process in both:
        process.join(60)
    assert [process.exitcode for process in both] == [0, 0]
    with open_store(sqlite_url(path)) as store:
        counts = {site: seen.count for site, seen in store.memory().ledger.rows[ROOT].items()}
    assert counts == {"US1": 15, "US5": 15}


def test_baselines_of_one_site_are_forgotten_and_no_others(monitor: Monitor, run: Any) -> None:
    monitor.cycle({"US1": run, "US1-FED": run})
    assert (monitor.shelf.forget_baselines("US1"), monitor.shelf.forget_baselines("US1")) == (1, 0)
    assert monitor.shelf.baseline("US1", "1004") is None
    assert monitor.shelf.baseline("US1-FED", "1004") is not None
