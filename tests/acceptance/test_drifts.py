"""Whatever drifts, the proposed change of the contract makes that finding go away, and touches nothing else."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

import schemas
from mock_site.answers import canned
from mock_site.drifts import DRIFTS, applicable_locations, apply, dump
from monitors import jsonbody
from monitors.acceptance.examples import verdict
from monitors.acceptance.paths import steps, values
from monitors.acceptance.tree import Judges, Tree

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from conftest import Problems

    from mock_site.drifts import Drift
    from monitors.acceptance.known import Known
    from monitors.acceptance.proposal import Proposal

NEVER = {
    "run-id-mismatch", "response-body-duplicate-member", "response-body-lone-surrogate", "response-error-form-changed",
}  # fmt: skip
"""Rules no schema can make true."""
PLACES = 1
"""How many of a drift's locations are tried in each answer; twice as many in a run."""


def answers() -> dict[str, tuple[int, Any]]:
    found = {example.name: (example.status, example.body) for example in schemas.examples() if example.valid}
    wanted = ("200/every-member", "400/every-member", "401/no-keys", "429/limit-reached")
    chosen = {name: found[f"valid/{name}"] for name in wanted}
    return {**chosen, "404": (404, json.loads(canned(None)["404"].body))}


ANSWERS = answers()


def cases() -> Iterator[tuple[Drift, str, str]]:
    for drift in DRIFTS.values():
        for name, (status, document) in ANSWERS.items():
            found = applicable_locations(document, drift, status)
            places = PLACES * 2 if status == 200 else PLACES
            step = max(1, len(found) // places)
            yield from ((drift, name, where) for where in found[::step][:places])


CASES = [case for case in cases() if case[0].rule]


def proposed(making: Proposal, problems: list[Known], value: Any) -> Proposal:
    for known in problems:
        making.add(known, list(values(value, steps(known.location or "$"))))
    return making


@pytest.mark.parametrize(
    ("drift", "answer", "where"), CASES, ids=[f"{drift.name}-{answer}-{where}" for drift, answer, where in CASES]
)
def test_a_proposal_makes_the_finding_true_and_nothing_else(
    drift: Drift, answer: str, where: str, problems: Problems, proposal: Callable[[], Proposal]
) -> None:
    status, document = ANSWERS[answer]
    body = dump(apply(document, drift, where, status))
    value = jsonbody.explain(body).value
    found = [known for known in problems(body, status) if known.rule != "throttled"]
    making = proposed(proposal(), found, value)
    refused = {known.rule for known, _ in making.left_out}
    before, after = Judges(Tree(making.tree.root)), Judges(making.tree)
    left = verdict(after, status, value)
    taken = [known for known in found if known not in [one for one, _ in making.left_out]]
    assert set(left) <= set(verdict(before, status, value))
    assert not {(known.rule, known.location) for known in taken} & set(left)
    if drift.rule not in NEVER and not listed_container(drift, where):
        assert (refused, left) == (set(), [])
    for name, entry in making.tree.examples() if where == drift.default else ():
        broken = [] if name.startswith("schemas/examples/valid/") else [(entry["rule"], entry["location"])]
        now = verdict(after, entry["status"], entry["body"])
        if "unknown-members" not in name and not (broken and "error-form" in broken[0][0]):
            assert set(now) <= {*broken, *verdict(before, entry["status"], entry["body"])}, name
            assert bool(now) == bool(broken), name


def listed_container(drift: Drift, where: str) -> bool:
    """Tell whether an object stands where values are listed, which no short list of values can say."""
    return drift.name == "scalar-wrapped" and where.endswith((".status", ".type"))
