"""Parity: each site is an installation of its own, yet one reader must be able to read them all."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

import pytest

from contract_tests.parity import Difference, conflicts, uneven
from contract_tests.reporting import ContractWarning
from monitors.checks import CHECKS

if TYPE_CHECKING:
    from contract_tests.judging import Answer
    from contract_tests.plan import Plan
    from contract_tests.suite import Suite


@pytest.fixture(params=list(CHECKS))
def answers(request: pytest.FixtureRequest, plan: Plan) -> dict[str, Answer]:
    """Return what each site answered to one check, leaving out those that could not be asked or did not answer."""
    check: str = request.param
    able = [key for key in plan.site_keys if not plan.missing(key, check)]
    if len(able) < 2:
        pytest.skip(f"parity of the check {check} needs two sites that can be asked, not {len(able)}")
    suite: Suite = request.getfixturevalue("suite")
    every = {key: suite.answer(key, check) for key in able}
    answered = {key: answer for key, answer in every.items() if not answer.unavailable and answer.parsed.usable}
    if len(answered) < 2:
        pytest.skip(f"parity of the check {check} needs two sites that answer, not {len(answered)}")
    return answered


def _show(differences: list[Difference], answers: dict[str, Answer]) -> None:
    mask = next(iter(answers.values())).mask
    for difference in differences:
        warnings.warn(mask(f"sites differ at {difference}"), ContractWarning, stacklevel=2)


def _fail(differences: list[Difference], answers: dict[str, Answer], check: str) -> None:
    mask = next(iter(answers.values())).mask
    lines = [f"check {check}: the sites contradict each other", *map(str, differences)]
    pytest.fail(mask("\n".join(lines)), pytrace=False)


def test_no_two_sites_disagree_on_a_type(answers: dict[str, Answer]) -> None:
    """Where two sites fill the same member, the error list included, they have a type in common."""
    found = conflicts({key: answer.parsed.value for key, answer in answers.items()})
    if found:
        _fail(found, answers, next(iter(answers.values())).observation.check or "")


def test_an_undocumented_member_is_on_every_site_or_on_none(answers: dict[str, Answer]) -> None:
    """A member only some sites have is a change on its way: shown as a warning."""
    undocumented = {key: _places(answer, "response-optional-property-added") for key, answer in answers.items()}
    _show(uneven(undocumented), answers)


def _places(answer: Answer, rule: str) -> set[str]:
    return {finding.location or "$" for finding in answer.findings if finding.rule == rule}


def test_the_sites_answer_with_the_same_status_and_media_type(answers: dict[str, Answer]) -> None:
    """A documented status or media type that only some sites use is shown as a warning."""
    said = {
        "the status": {key: str(answer.observation.status) for key, answer in answers.items()},
        "the media type": {key: _media_type(answer) for key, answer in answers.items()},
    }
    _show([Difference(what, words) for what, words in said.items() if len(set(words.values())) > 1], answers)


def _media_type(answer: Answer) -> str:
    return (answer.observation.header("content-type") or "none").partition(";")[0].strip().lower()[:80]
