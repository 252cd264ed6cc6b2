"""What the shell is offered after an option."""

from __future__ import annotations

import pytest
from click.shell_completion import ShellComplete

from mock_site.faults import FAULTS
from mock_site.state import MockState
from monitors.cli import PROGRAM, group
from monitors.demo import scenario_words
from monitors.sites import SITES


def offered(*words: str) -> list[str]:
    *before, incomplete = words
    return [item.value for item in ShellComplete(group, {}, PROGRAM, "X").get_completions(before, incomplete)]


@pytest.mark.parametrize(
    ("words", "values"),
    [
        (("probe", "--check", "un"), ["unauthenticated"]),
        (("probe", "--check", "run,no"), ["run,not-found"]),
        (("probe", "--run-id", "us1"), ["US1=", "US1-FED="]),
        (("probe", "--mock", "out"), ["outage"]),
        (("probe", "--mock", "dr"), ["drifted:"]),
        (("probe", "--mock", "outage:"), ["outage:502", "outage:503", "outage:504"]),
        (("probe", "--mock", "us5=fl"), ["US5=flapping"]),
        (("probe", "--mock", "US5=drifted:nulled"), ["US5=drifted:nulled"]),
        (("probe", "--mock", "fault:refu"), ["fault:refused"]),
        (("probe", "--mock", "AP"), ["AP1=", "AP2="]),
        (("probe", "--mock", "drifted:nulled@$.x="), []),
        (("sites", "--site", "US5,u"), ["US5,US1", "US5,US3", "US5,US5", "US5,UK1", "US5,US1-FED", "US5,US2-FED"]),
    ],
)
def test_values_of_options_are_completed(words: tuple[str, ...], values: list[str]) -> None:
    assert offered(*words) == values


def test_mock_offers_scenarios_first_and_then_sites() -> None:
    found = offered("probe", "--mock", "")
    assert found[0] == "healthy"
    assert found[-len(SITES) :] == [f"{key}=" for key in SITES]


def test_every_scenario_offered_is_one_the_mock_plays() -> None:
    words = [word for word, meaning in scenario_words() if not word.endswith(":") and meaning]
    assert len(words) == len(set(words)) > 100
    for word in words:
        MockState(scenario=word, faults=FAULTS)


def test_a_command_that_does_not_exist_completes_to_nothing() -> None:
    assert offered("prob", "--s") == []
