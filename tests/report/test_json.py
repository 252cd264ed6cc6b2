from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest

import schemas
from monitors.report import RENDERERS

if TYPE_CHECKING:
    from collections.abc import Callable

    from monitors.model import Finding
    from monitors.report import Report

VALIDATOR = jsonschema.Draft202012Validator(
    schemas.document("report"), format_checker=jsonschema.Draft202012Validator.FORMAT_CHECKER
)


@pytest.mark.parametrize("name", ["mixed", "checked"])
def test_the_object_is_what_the_published_schema_says(name: str, request: pytest.FixtureRequest) -> None:
    VALIDATOR.validate(json.loads(RENDERERS["json"](request.getfixturevalue(name))))


def test_a_probe_lists_its_observations_without_bodies(mixed: Report) -> None:
    document = json.loads(RENDERERS["json"](mixed))
    assert document["verdict"] == "breaking"
    assert document["summary"]["sites"] == 9
    assert document["summary"]["findings"] == {"breaking": 6, "warning": 1, "info": 1}
    assert len(document["observations"]) == 27
    assert document["observations"][0]["phases"] == {
        "resolve_s": 0.001,
        "connect_s": 0.012,
        "tls_s": 0.024,
        "first_byte_s": 0.161,
        "transfer_s": 0.0004,
    }
    refused = next(seen for seen in document["observations"] if seen["site"] == "EU1")
    assert refused["failure"] == {
        "rule": "connection-refused",
        "phase": "connect",
        "message": "127.0.0.1 refused the connection",
    }


def test_a_check_lists_findings_alone_and_counts_what_it_left_aside(checked: Report) -> None:
    document = json.loads(RENDERERS["json"](checked))
    assert "observations" not in document
    assert document["summary"]["observations"] == 3
    assert document["summary"]["left_aside"][0] == {
        "source": "session.har",
        "reason": "another operation",
        "count": 12,
    }
    assert document["findings"][0]["source"] == "session.har#4"


def test_failures_of_the_monitor_itself_are_in_the_summary(report: Callable[..., Report]) -> None:
    document = json.loads(RENDERERS["json"](report(harness_failures=("the disk is full",))))
    VALIDATOR.validate(document)
    assert document["summary"]["harness_failures"] == ["the disk is full"]
    assert document["verdict"] == "none"


@pytest.mark.parametrize(
    ("value", "printed"),
    [
        pytest.param(float("nan"), "nan", id="nan"),
        pytest.param(float("-inf"), "-inf", id="infinity"),
        pytest.param(10**5000, "an integer of 16610 bits", id="endless-integer"),
        pytest.param(2**64, 2**64, id="large-integer"),
        pytest.param("half a pair: \ud83d", "half a pair: ?", id="lone-surrogate"),
        pytest.param({"\udc00": [True, None]}, {"?": [True, None]}, id="lone-surrogate-in-a-name"),
    ],
)
def test_values_no_parser_accepts_are_replaced(
    report: Callable[..., Report], finding: Callable[..., Finding], value: Any, printed: Any
) -> None:
    text = RENDERERS["json"](report(findings=(finding(base=value),)))
    assert text.isascii()
    assert json.loads(text, parse_constant=pytest.fail)["findings"][0]["base"] == printed


def test_endless_nesting_is_cut(report: Callable[..., Report], finding: Callable[..., Finding]) -> None:
    value: Any = {}
    for _ in range(100_000):
        value = [value]
    base = json.loads(RENDERERS["json"](report(findings=(finding(base=value),))))["findings"][0]["base"]
    for _ in range(32):
        (base,) = base
    assert base == "…"


@pytest.mark.parametrize("name", ["mixed", "checked"])
def test_lines_hold_the_same_as_the_object_each_with_its_type(name: str, request: pytest.FixtureRequest) -> None:
    report = request.getfixturevalue(name)
    whole = json.loads(RENDERERS["json"](report))
    lines = [json.loads(line) for line in RENDERERS["ndjson"](report).splitlines()]
    types = [line.pop("type") for line in lines]
    assert types == sorted(types, key=["observation", "finding", "summary"].index)
    assert [line for line, type_ in zip(lines, types, strict=True) if type_ == "finding"] == whole["findings"]
    seen = [line for line, type_ in zip(lines, types, strict=True) if type_ == "observation"]
    assert seen == whole.get("observations", [])
    assert {**lines[-1], "findings": whole["findings"]} == {
        name: value for name, value in whole.items() if name != "observations"
    }
