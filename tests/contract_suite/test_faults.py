"""Wire faults: whatever comes instead of an answer is told by one test for the site, and nothing crashes."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import pytest

from mock_site.faults import FAULTS
from monitors.sites import SITES

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.slow

_PLACES = {name: (index // len(SITES), list(SITES)[index % len(SITES)]) for index, name in enumerate(FAULTS)}


@pytest.fixture(scope="module")
def outcome_of(run_suite: Callable[..., Any]) -> Callable[[int], Any]:
    """Return the outcome of the run with this number, nine faults at a time, one check each."""

    @cache
    def outcome(number: int) -> Any:
        faults = [(site, name) for name, (run, site) in _PLACES.items() if run == number]
        scenarios = [f"--mock-scenario={site}=fault:{name}" for site, name in faults]
        return run_suite(*scenarios, "-m", "not properties", "-k", "bad-request and not parity")

    return outcome


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_never_breaks_the_suite_itself(name: str, outcome_of: Callable[[int], Any]) -> None:
    number, site = _PLACES[name]
    outcome = outcome_of(number)
    assert outcome.exit_code in {0, 1}
    reports = outcome.at(site)
    assert reports
    assert all(report.when == "call" for report in reports if report.failed)
    for message in outcome.failed_at(site).values():
        assert message.startswith(f"{site}, check bad-request")
        assert message.replace("\n", "").isprintable()
