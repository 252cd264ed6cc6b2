"""Properties: whatever is asked for, the answer is a documented one. On the mock only."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
import requests
from schemathesis import Case, Response
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import FailureGroup

from contract_tests.judging import reference
from contract_tests.properties import Caller, load_schema, observation_of
from mock_site.catalogue import NAMED_RUNS
from monitors.checks import RUN_PATH
from monitors.model import Kind
from monitors.report.text import plain

if TYPE_CHECKING:
    from collections.abc import Iterator

    from contract_tests.judging import Answer
    from contract_tests.suite import Suite

pytestmark = pytest.mark.properties

_SITE = "US1"
_SHOWN_CHARS = 500
_SCHEMA = load_schema()
_OPERATION = _SCHEMA[RUN_PATH]["GET"]
_STATUSES = [int(status) for status in _OPERATION.definition.raw["responses"] if status != "200"]


@pytest.fixture(scope="module")
def caller(request: pytest.FixtureRequest) -> Iterator[Caller | None]:
    """Open one connection to the mock, or none where real sites are tested."""
    if not request.getfixturevalue("plan").mock:
        yield None
        return
    suite: Suite = request.getfixturevalue("suite")
    with suite.plain_caller(_SITE) as opened:
        yield opened


def _check(suite: Suite, case: Case[Any], response: Response, excluded: tuple[Any, ...] = ()) -> Answer:
    """Hold an answer against the judge and schemathesis: what breaks fails, and so does what only the latter sees."""
    answer = suite.judged(observation_of(response, _SITE))
    # A server error or a used-up rate limit explains nothing: the former is objected to, the latter asked for.
    explained = [finding for finding in answer.findings if finding.kind is not Kind.AVAILABILITY]
    answer.expect_no(explained)
    objections: list[str] = []
    try:
        case.validate_response(response, excluded_checks=list(excluded))
    except FailureGroup as group:
        objections = [str(objection) for objection in group.exceptions]
    if objections and not explained:
        lines = [f"{_SITE}, run {answer.observation.run_id}: schemathesis objects, the judge does not", *objections]
        pytest.fail(answer.mask("\n".join(plain(line, _SHOWN_CHARS) for line in lines)), pytrace=False)
    return answer


@_SCHEMA.parametrize()
def test_any_run_id_gets_a_documented_answer(case: Case[Any], mock: Suite, caller: Caller) -> None:
    """Ids that fit and ids that do not: never a server error, never an undocumented status, type or body."""
    _check(mock, case, caller.call(case))


@pytest.mark.parametrize("status", _STATUSES)
def test_each_documented_error_keeps_the_contract(status: int, mock: Suite, caller: Caller) -> None:
    """Every documented error, asked for by name."""
    case = _case(NAMED_RUNS["typical"])
    # A server error is what was asked for.
    answer = _check(mock, case, caller.call(case, f"code={status}"), (not_a_server_error,))
    found = answer.observation.status
    answer.expect(found == status, "unexpected-status", "another status than asked for", base=status, revision=found)


@pytest.mark.parametrize("name", NAMED_RUNS)
def test_each_interesting_run_keeps_the_contract(name: str, mock: Suite, caller: Caller) -> None:
    """The empty run, the huge one, nulls, extremes, every status: both validators have nothing to object to."""
    case = _case(NAMED_RUNS[name])
    answer = _check(mock, case, caller.call(case))
    error = next(reference(200).iter_errors(answer.parsed.value), None)
    assert error is None or answer.findings


def _case(run_id: int) -> Case[Any]:
    return _OPERATION.Case(path_parameters={"run_id": run_id})


@pytest.mark.parametrize("body", [{}, {"data": {"id": 5, "type": "runs", "attributes": {}}}, []], ids=json.dumps)
def test_a_bad_body_is_noticed(body: Any) -> None:
    """The canary of this file: were the references of the contract not followed, any body would pass."""
    request = requests.Request("GET", f"http://127.0.0.1{RUN_PATH.format(run_id=1)}").prepare()
    content = json.dumps(body).encode()
    response = Response(
        200, {"content-type": ["application/json"]}, content, request, elapsed=0.1, verify=True, encoding="utf-8"
    )
    with pytest.raises(FailureGroup):
        _case(1).validate_response(response)
