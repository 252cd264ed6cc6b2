"""A part of benchmarks/rollouts.py, small enough to run with the tests."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import Any

import pytest

from mock_site.catalogue import NAMED_RUNS
from mock_site.drifts import DRIFTS, applicable_locations
from monitors.memory.canary import VOLATILE
from monitors.sites import SITES

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
OTHER_RUNS = {"integer-precision-lost": "extremes", "optional-member-filled": "typical"}
"""The runs of the drifts that a run with all members has no place for."""


@pytest.fixture(scope="module")
def benchmark() -> Any:
    sys.path.insert(0, str(BENCHMARKS))
    try:
        spec = importlib.util.spec_from_file_location("rollouts", BENCHMARKS / "rollouts.py")
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules["rollouts"] = module
        spec.loader.exec_module(module)
    finally:
        sys.path.remove(str(BENCHMARKS))
    return module


@pytest.mark.parametrize("name", [name for name, drift in DRIFTS.items() if drift.on == "run"])
def test_a_drift_rolled_out_is_found_on_the_first_site_and_the_same_on_all(name: str, benchmark: Any) -> None:
    edits = benchmark.EDITS_OF_PEOPLE
    drift, run = DRIFTS[name], OTHER_RUNS.get(name, "all-members")
    document, _ = benchmark.healthy("US1", NAMED_RUNS[run])
    places = applicable_locations(document, drift)
    place = next(place for place in places if name not in edits or not place.startswith(tuple(VOLATILE)))
    sites = list(SITES)[:4]
    rollout = benchmark.roll_out(drift, place, run, sites)
    assert rollout.right, rollout
    assert rollout.incidents >= 1


def test_healthy_sites_raise_no_alarm(benchmark: Any) -> None:
    health = benchmark.stay_healthy(120)
    assert (health.alarms["breaking"], health.alarms["warning"], health.pending) == (0, 0, 0), health.told
    assert health.runs > 50
