"""The parts of the suite that are plain functions."""

from __future__ import annotations

import json
import re
import shlex
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import requests
from hypothesis import given, settings
from hypothesis import strategies as st
from schemathesis.core.errors import HookExecutionError

import schemas
from contract_tests import judging, parity, properties, reporting
from contract_tests.polite import Pacer
from contract_tests.traffic import Traffic, entry
from monitors.checks import RUN_PATH
from monitors.config import Credentials
from monitors.contract import Policy
from monitors.errors import RefusedError
from monitors.model import Finding, Kind, Level, Observation, Phase, Phases, TransportFailure
from monitors.rules import RULES

PAIR = Credentials("secret-api-key", "secret-app-key")
MASK = reporting.Mask([PAIR])
SEEN = Observation(
    site="US1-FED",
    check="run",
    at=datetime(2026, 5, 18, 12, 0, 0, tzinfo=UTC),
    method="GET",
    url="https://api.ddog-gov.com/api/v2/model-lab-api/runs/42",
    run_id="42",
    with_keys=True,
    status=200,
    headers=(("content-type", "application/json"),),
    body=b"{}",
    phases=Phases(connect_s=0.01, first_byte_s=0.2),
)
TESTS = Path(judging.__file__).parent

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=10,
)


# --- judging ---------------------------------------------------------------------------------------------------------


def test_every_rule_has_exactly_one_topic() -> None:
    assert sorted(rule for rules in judging.TOPICS.values() for rule in rules) == sorted(RULES)


def test_every_topic_is_tested() -> None:
    source = "".join(path.read_text() for path in TESTS.glob("test_*.py"))
    assert set(re.findall(r'expect_none_of\("([^"]+)"\)', source)) == set(judging.TOPICS)


def test_every_invalid_example_fails_the_topic_of_its_rule() -> None:
    """The contract's own invalid examples, as answers: a breaking one fails, any other is shown as a warning."""
    for example in schemas.examples():
        if example.valid or example.rule is None:
            continue
        run_id = example.body["data"]["id"] if _has_id(example.body) else "42"
        seen = replace(SEEN, check=None, status=example.status, body=json.dumps(example.body).encode(), run_id=run_id)
        answer = judging.answer_of(seen, Policy(), reporting.Route(), MASK)
        topic = judging.topic_of(example.rule)
        if RULES[example.rule].level is Level.BREAKING:
            with pytest.raises(pytest.fail.Exception, match=re.escape(example.rule)):
                answer.expect_none_of(topic)
        else:
            with pytest.warns(reporting.ContractWarning, match=re.escape(example.rule)):
                answer.expect_none_of(topic)


def _has_id(body: Any) -> bool:
    return isinstance(body, dict) and isinstance(body.get("data"), dict) and isinstance(body["data"].get("id"), str)


def test_an_undocumented_status_has_no_reference() -> None:
    assert judging.reference(418) is None
    assert judging.reference(200) is judging.reference(200)


# --- reporting -------------------------------------------------------------------------------------------------------


def test_the_command_repeats_the_request_with_the_keys_by_name() -> None:
    line = reporting.curl(SEEN, reporting.Route(("--cacert", "a b.pem")))
    assert line == (
        "curl -sS --globoff --cacert 'a b.pem' "
        '-H "DD-API-KEY: $DD_API_KEY_US1_FED" -H "DD-APPLICATION-KEY: $DD_APP_KEY_US1_FED" '
        "https://api.ddog-gov.com/api/v2/model-lab-api/runs/42"
    )
    assert "DD-" not in reporting.curl(replace(SEEN, with_keys=False), reporting.Route())
    assert "--head" in shlex.split(reporting.curl(replace(SEEN, method="HEAD"), reporting.Route()))
    assert '"DD-API-KEY: $DD_API_KEY"' in reporting.curl(replace(SEEN, site=None), reporting.Route())


def test_a_failure_without_an_answer_says_so() -> None:
    failed = replace(SEEN, status=None, failure=TransportFailure("timeout", Phase.CONNECT, "10 s passed"))
    finding = Finding("timeout", Level.BREAKING, Kind.AVAILABILITY, "10 s passed", revision="connect")
    assert reporting.failure_text(failed, [finding], reporting.Route()).split("\n")[-1] == "answer:  none"


@given(st.binary(max_size=600))
@settings(max_examples=60)
def test_an_excerpt_is_one_printable_line(body: bytes) -> None:
    shown = reporting.excerpt(body)
    assert shown.isprintable()
    assert len(shown) <= 400 * 10 + 30


def test_an_excerpt_says_how_much_is_left_out() -> None:
    assert reporting.excerpt(b"x" * 401).endswith("x… (1 bytes more)")
    assert reporting.excerpt(b"") == "nothing"
    assert reporting.excerpt("\u202e\x1b[0m\n".encode() + b"\xff") == "\\u202e\\x1b[0m\\n\\xff"


def test_a_warning_names_no_site_so_that_nine_sites_share_one() -> None:
    finding = Finding("run-invariant-broken", Level.WARNING, Kind.CONTRACT, "said", "$.data", site="US5", check="run")
    assert reporting.warning_text(finding) == "run: run-invariant-broken at $.data: said"


def test_the_mask_knows_every_pair() -> None:
    mask = reporting.Mask([PAIR, Credentials("other-api-key", "other-app-key")])
    assert mask("secret-api-key other-app-key plain") == "*** *** plain"
    assert reporting.Mask()("plain") == "plain"


# --- politeness ------------------------------------------------------------------------------------------------------


def test_the_pause_is_kept_for_each_site_by_itself() -> None:
    now, slept = [100.0], []

    def sleep(left_s: float) -> None:
        slept.append((round(left_s, 3), round(now[0], 3)))
        now[0] += left_s

    pacer = Pacer(1.0, clock=lambda: now[0], sleep=sleep)
    pacer.wait("US1")
    pacer.wait("US5")
    now[0] += 0.25
    pacer.wait("US1")
    now[0] += 5
    pacer.wait("US1")
    assert slept == [(0.75, 100.25)]


# --- parity ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("bodies", "found"),
    [
        ({"A": {"a": 1}, "B": {"a": 1.5}}, []),
        ({"A": {"a": None}, "B": {"a": []}}, []),
        ({"A": {"a": 1}, "B": {}}, []),
        ({"A": {"a": 1}, "B": {"a": "1"}, "C": {"a": 2}}, ["$.a: number on A C, string on B"]),
        ({"A": {"a": True}, "B": {"a": 1}}, ["$.a: boolean on A, number on B"]),
        ({"A": {"e": ["x"]}, "B": {"e": [{"t": 1}]}}, ["$.e[*]: string on A, object on B"]),
        ({"A": [1, "x"], "B": ["x"]}, []),
        ({"A": [], "B": {}}, ["$: array on A, object on B"]),
    ],
)
def test_types_conflict_only_where_two_sites_have_none_in_common(bodies: dict[str, Any], found: list[str]) -> None:
    assert list(map(str, parity.conflicts(bodies))) == found


@given(json_values)
@settings(max_examples=60)
def test_a_site_never_contradicts_itself(body: Any) -> None:
    assert parity.conflicts({"A": body, "B": body}) == []


@given(json_values, json_values)
@settings(max_examples=60)
def test_the_order_of_the_sites_does_not_matter(one: Any, other: Any) -> None:
    there = {difference.location for difference in parity.conflicts({"A": one, "B": other})}
    back = {difference.location for difference in parity.conflicts({"B": other, "A": one})}
    assert there == back


def test_a_place_on_some_sites_only_is_uneven() -> None:
    found = parity.uneven({"A": {"$.x", "$.y"}, "B": {"$.y"}, "C": set()})
    assert list(map(str, found)) == ["$.x: there on A, absent on B C", "$.y: there on A B, absent on C"]
    assert parity.uneven({"A": {"$.x"}, "B": {"$.x"}}) == []


# --- traffic ---------------------------------------------------------------------------------------------------------


def test_traffic_survives_the_way_between_processes(tmp_path: Path) -> None:
    later = replace(SEEN, site="EU1", at=datetime(2026, 5, 18, 11, 0, tzinfo=UTC))
    worker, controller = Traffic(MASK, keep=True), Traffic(MASK, keep=True)
    worker.note(SEEN)
    controller.note(later)
    controller.add(json.loads(json.dumps(worker.packed())))
    controller.write(tmp_path / "traffic.har")
    log = json.loads((tmp_path / "traffic.har").read_text())["log"]
    assert (controller.requests, controller.sites) == (2, {"US1-FED", "EU1"})
    assert [item["comment"] for item in log["entries"]] == ["EU1 run", "US1-FED run"]
    assert log["version"] == "1.2"


def test_nothing_is_kept_unless_asked_for() -> None:
    traffic = Traffic(MASK)
    traffic.note(replace(SEEN, site=None))
    assert (traffic.requests, traffic.sites, traffic.entries) == (1, set(), [])


def test_an_entry_holds_no_key_whatever_the_body_is() -> None:
    text = entry(replace(SEEN, body=b'"secret-api-key"'), MASK)
    assert text["response"]["content"] == {"size": 16, "mimeType": "application/json", "text": '"***"'}
    raw = entry(replace(SEEN, body=b"\xffsecret-app-key"), MASK)
    assert raw["response"]["content"]["text"] == "/yoqKg=="
    assert raw["response"]["content"]["encoding"] == "base64"
    assert raw["timings"] == {"send": 0, "wait": 200, "receive": 0, "connect": 10}
    assert {"name": "DD-API-KEY", "value": "***"} in raw["request"]["headers"]
    assert entry(replace(SEEN, with_keys=False), MASK)["request"]["headers"] == []


def test_an_entry_without_an_answer_says_why() -> None:
    failed = replace(SEEN, status=None, at=None, failure=TransportFailure("timeout", Phase.CONNECT, "10 s passed"))
    response = entry(failed, MASK)["response"]
    assert (response["status"], response["_error"]) == (0, "10 s passed")
    assert entry(replace(SEEN, status=599), MASK)["response"]["statusText"] == ""


# --- properties ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "url"),
    [
        ("DELETE", "http://127.0.0.1:9/"),
        ("POST", "http://127.0.0.1:9/"),
        ("GET", "http://192.0.2.1/"),
        ("GET", "https://api.datadoghq.com/"),
        ("GET", "http://127.evil.example/"),
    ],
)
def test_the_last_gate_lets_only_reading_from_loopback_pass(method: str, url: str) -> None:
    with (
        properties.Caller.open("http://127.0.0.1:9", PAIR) as caller,
        pytest.raises(RefusedError, match="is never sent"),
    ):
        caller.session.request(method, url, timeout=1)


@pytest.mark.parametrize("method", ["DELETE", "POST", "PATCH", "PUT"])
def test_schemathesis_refuses_to_send_anything_but_reading(method: str) -> None:
    case = properties.load_schema()[RUN_PATH]["GET"].Case(path_parameters={"run_id": 1}, method=method)
    with properties.Caller.open("http://127.0.0.1:9", PAIR) as caller, pytest.raises(HookExecutionError) as caught:
        caller.call(case)
    assert isinstance(caught.value.__cause__, RefusedError)


def test_the_session_takes_nothing_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://192.0.2.1:3128")
    with (
        properties.Caller.open("http://127.0.0.1:9", PAIR) as caller,
        pytest.raises(requests.ConnectionError, match=r"127\.0\.0\.1"),
    ):
        caller.session.get("http://127.0.0.1:9/", timeout=1)


def test_the_settings_hold_schemathesis_to_get(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(Path(__file__).parent)
    config = properties.load_schema().config
    assert config.phases.coverage.unexpected_methods == set()
    assert config.generation.database == "none"
    assert config.generation.deterministic
    assert config.generation.unique_inputs
