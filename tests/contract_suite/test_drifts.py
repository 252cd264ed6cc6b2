"""The canary of the contract tests: a breaking drift must fail them, a harmless one must not."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import pytest

from mock_site.drifts import DRIFTS
from monitors.sites import SITES

if TYPE_CHECKING:
    from collections.abc import Callable

_NAMES = list(DRIFTS)
_PLACES = {name: (index // len(SITES), list(SITES)[index % len(SITES)]) for index, name in enumerate(_NAMES)}
"""Each drift has a site to itself, so nine are tried in one run."""

_UNSEEN = {"errors-as-objects"}
"""Only 429 is documented with strings, and none of the four checks of a healthy site gets it."""


@pytest.fixture(scope="module")
def outcome_of(run_suite: Callable[..., Any]) -> Callable[[int], Any]:
    """Return the outcome of the run with this number; parity is left out, as every site drifts differently."""

    @cache
    def outcome(number: int) -> Any:
        drifts = [(site, name) for name, (run, site) in _PLACES.items() if run == number]
        scenarios = [f"--mock-scenario={site}=drifted:{name}" for site, name in drifts]
        return run_suite(*scenarios, "-m", "not properties", "-k", "not parity")

    return outcome


def _of(level: str) -> list[str]:
    return [name for name, drift in DRIFTS.items() if drift.level == level]


@pytest.mark.parametrize("name", _of("breaking"))
def test_a_breaking_drift_fails_the_suite_by_its_rule(name: str, outcome_of: Callable[[int], Any]) -> None:
    number, site = _PLACES[name]
    messages = outcome_of(number).failed_at(site).values()
    assert any(f"{DRIFTS[name].rule} (breaking)" in message for message in messages), list(messages)


@pytest.mark.parametrize("name", [*_of("warning"), *_of("info"), *_of("none")])
def test_a_harmless_drift_passes_and_is_shown_where_there_is_a_rule(
    name: str, outcome_of: Callable[[int], Any]
) -> None:
    number, site = _PLACES[name]
    outcome = outcome_of(number)
    assert outcome.failed_at(site) == {}
    rule = DRIFTS[name].rule
    shown = [text for text in outcome.warnings_at(site) if rule and rule in text]
    assert bool(shown) == (bool(rule) and name not in _UNSEEN)


@pytest.mark.slow
@pytest.mark.parametrize("name", [*_of("info"), *_of("none")])
def test_a_harmless_drift_passes_the_whole_suite(name: str, run_suite: Callable[..., Any]) -> None:
    outcome = run_suite(f"--mock-scenario=drifted:{name}")
    assert outcome.failed == {}
    assert outcome.exit_code == 0


@pytest.mark.slow
@pytest.mark.parametrize("name", _of("breaking"))
def test_a_breaking_drift_fails_on_every_site(name: str, run_suite: Callable[..., Any]) -> None:
    outcome = run_suite(f"--mock-scenario=drifted:{name}", "-m", "not properties")
    assert outcome.exit_code == 1
    assert all(outcome.failed_at(site) for site in SITES)
