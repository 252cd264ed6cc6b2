"""One observation judged: availability, contract, harmless drift."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import perf_counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import schemas
from monitors.contract import Policy, contract_for, judge
from monitors.model import Kind, Level, Observation, Phase, TlsInfo, TransportFailure, verdict
from monitors.reconciling import reconcile

AT = datetime(2026, 11, 23, 12, tzinfo=UTC)
BODIES = {body["id"]: body for body in json.loads((Path(__file__).parent / "data/error_bodies.json").read_text())}


def said(findings: Any) -> list[tuple[str, str]]:
    return [(finding.rule, str(finding.level)) for finding in findings]


def test_a_valid_run_has_no_finding(observe: Any) -> None:
    """A real, valid answer raises nothing at all."""
    assert judge(observe()) == []
    assert judge(observe(check=None, content_type=None)) == []


@pytest.mark.parametrize("example", list(schemas.examples()), ids=lambda example: example.name)
def test_examples_of_the_contract_are_judged_as_they_say(observe: Any, example: schemas.Example) -> None:
    """Valid examples raise nothing that breaks; an invalid one raises its rule at its location."""
    body = json.dumps(example.body).encode()
    findings = judge(observe(body, example.status, None, run_id=""))
    if example.valid:
        assert verdict(findings) in {"none", "info", "warning"}
        warned = {finding.rule for finding in findings if finding.level is Level.WARNING}
        assert warned <= {"throttled", "run-invariant-broken"}
    elif example.status == 404 and example.rule == "response-error-form-changed":
        # The one exception: on a 404 the strings say that the route does not exist.
        assert [finding.rule for finding in findings] == ["endpoint-not-deployed"]
    else:
        assert (example.rule, example.location) in {(finding.rule, finding.location) for finding in findings}


FORM = ("response-error-form-changed", "warning")
EXPECTED_OF_RECORDINGS = {
    "ml-404": [],
    "v2-400-int64": [],
    "v2-401-nokeys": [],
    "v2-403-badkeys": [],
    "403-edge-json": [("edge-answer", "warning")],
    "403-jsonapi-text": [],
    "403-edge-html": [("edge-answer", "warning")],
    "403-html-page": [("edge-answer", "warning")],
    "400-edge-html": [("edge-answer", "warning")],
    "404-route": [("endpoint-not-deployed", "warning")],
    "429-list": [("throttled", "warning")],
    "429-edge-json": [("throttled", "warning"), ("response-error-form-changed", "warning")],
    "429-html": [("throttled", "warning")],
    "502-edge-json": [("edge-answer", "warning")],
    "500-empty": [("response-error-form-changed", "warning")],
    "429-headers": [("throttled", "warning"), ("response-error-form-changed", "warning")],
}


@pytest.mark.parametrize("name", BODIES)
def test_error_bodies_seen_in_public_break_nothing_when_recorded(observe: Any, name: str) -> None:
    """Each error body others have seen is recognised; none is called a break of the contract."""
    body = BODIES[name]
    raw = (body["body"] or "").encode()
    findings = judge(observe(raw, body["status"], None, content_type=body["content_type"]))
    assert said(findings) == EXPECTED_OF_RECORDINGS[name]


@pytest.mark.parametrize(
    ("check", "status", "body", "expected"),
    [
        ("not-found", 404, {"errors": [{"title": "Generic Error", "detail": "run not found"}]}, []),
        ("bad-request", 400, {"errors": [{"status": "400", "title": "Invalid Parameter"}]}, []),
        ("unauthenticated", 401, {"errors": ["Unauthorized"]}, []),
        ("unauthenticated", 403, {"errors": ["Forbidden"]}, []),
        ("run", 404, {"errors": [{"detail": "run not found"}]}, [("run-not-found", "breaking")]),
        ("run", 404, {"errors": ["Not found"]}, [("endpoint-not-deployed", "breaking")]),
        ("unauthenticated", 404, {"errors": ["Not found"]}, [("endpoint-not-deployed", "warning")]),
        ("run", 401, {"errors": ["Unauthorized"]}, [("key-rejected", "breaking")]),
        ("run", 403, {"errors": ["Forbidden"]}, [("key-rejected", "breaking")]),
        ("run", 403, {"errors": [{"title": "Forbidden"}]}, [("key-lacks-permission", "breaking")]),
        ("run", 429, {"errors": ["Rate limit"]}, [("throttled", "warning")]),
        ("run", 500, {"errors": [{"title": "oops"}]}, [("server-error", "breaking")]),
        ("run", 503, b"upstream connect error", [("edge-answer", "breaking")]),
        ("run", 200, b"<!DOCTYPE html><html>", [("edge-answer", "breaking")]),
        ("run", 200, b"", [("response-body-empty", "breaking")]),
        ("run", 200, b'{"data":', [("response-body-not-json", "breaking")]),
        ("run", 204, b"", [("unexpected-status", "breaking")]),
        ("run", 418, {"errors": ["teapot"]}, [("unexpected-status", "breaking")]),
        ("run", 400, {"errors": ["bad"]}, [("unexpected-status", "breaking"), FORM]),
        ("unauthenticated", 200, None, [("answered-without-keys", "breaking")]),
        ("not-found", 404, {"errors": [{"title": 5}]}, [("response-property-type-changed", "breaking")]),
        ("not-found", 404, {"errors": [{"title": "x", "code": "7"}]}, [("response-optional-property-added", "info")]),
        ("not-found", 404, {"message": "x"}, [("response-required-property-removed", "breaking"),
                                             ("response-optional-property-added", "info")]),
        ("run", 429, {"errors": [{"title": "x"}]}, [("throttled", "warning"), FORM]),
        ("run", 302, b"", [("redirected", "breaking")]),
        ("run", 304, b"", [("unexpected-status", "breaking")]),
    ],
)  # fmt: skip
def test_the_particular_cases(observe: Any, check: str, status: int, body: Any, expected: Any) -> None:
    """Each answer of a live site is told apart: outage, throttle, keys, route, edge, form."""
    assert said(judge(observe(body, status, check, run_id="42"))) == expected


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (200, b"<html>", [("edge-answer", "breaking")]),
        (202, {"x": 1}, [("response-status-undocumented", "warning")]),
        (503, {"errors": ["x"]}, [("server-error", "warning")]),
        (500, {"errors": [{"title": "x"}]}, []),
    ],
)
def test_a_recording_is_held_to_what_is_documented(observe: Any, status: int, body: Any, expected: Any) -> None:
    """What a recording shows of availability is history: a warning. A page taken for a run breaks its reader."""
    assert said(judge(observe(body, status, None))) == expected


@pytest.mark.parametrize(
    ("content_type", "status", "check", "expected"),
    [
        ("application/json; charset=utf-8", 200, "run", []),
        ("APPLICATION/JSON", 200, "run", []),
        ("application/vnd.api+json", 200, "run", [("response-media-type-name-changed", "info")]),
        ("text/html", 200, "run", [("response-media-type-removed", "breaking")]),
        (None, 200, "run", [("response-media-type-removed", "breaking")]),
        (None, 200, None, []),
        ("application/vnd.api+json", 404, "not-found", []),
        ("application/problem+json", 404, "not-found", [("response-media-type-name-changed", "info")]),
        ("text/plain", 404, "not-found", [("response-media-type-added", "info")]),
        ("text/plain; charset=utf-8", 403, "unauthenticated", []),
    ],
)
def test_media_types(observe: Any, content_type: Any, status: int, check: Any, expected: Any) -> None:
    """JSON must be labelled as JSON where a run is read; on errors the vendor's own mislabelling is known."""
    body = None if status == 200 else {"errors": [{"title": "x"}]}
    assert said(judge(observe(body, status, check, content_type=content_type))) == expected


@pytest.mark.parametrize(
    ("target", "words"),
    [
        ("/elsewhere?secret=1", "the same host"),
        ("https://evil.example/?secret=1", "https://evil.example"),
        ("http://api.us5.datadoghq.com/x", "http on the same host"),
        ("//evil.example/x", "https://evil.example"),
        ("https://[bad", "an address that does not parse"),
        (None, "nowhere"),
    ],
)
def test_a_redirect_says_where_to_and_nothing_of_the_path(observe: Any, target: str | None, words: str) -> None:
    """The message names host and scheme only, since a path or query may hold anything."""
    headers = [("location", target)] if target else []
    (finding,) = judge(observe(b"", 302, headers=headers))
    assert words in finding.message
    assert "secret" not in finding.message


def test_another_run_than_asked_for_is_a_break(observe: Any) -> None:
    """`data.id` must be the id asked for, leading zeros aside."""
    assert said(judge(observe(run_id="43"))) == [("run-id-mismatch", "breaking")]
    assert judge(observe(run_id="042")) == []
    assert judge(observe(run_id="", check=None)) == []


def test_a_failure_is_a_finding_with_its_phase(observe: Any) -> None:
    """What the transport saw is told as it is, whatever came before it."""
    failure = TransportFailure("timeout", Phase.TRANSFER, "no end of the body within 10 s")
    (finding,) = judge(observe(b"{", failure=failure))
    assert (finding.rule, finding.revision, finding.kind) == ("timeout", "transfer", Kind.AVAILABILITY)
    (lenient,) = judge(observe(b"{", failure=failure), Policy(availability=Level.WARNING))
    assert lenient.level is Level.WARNING
    assert judge(observe(b"", status=None)) == []


def test_a_certificate_about_to_expire_is_a_warning(observe: Any) -> None:
    """A verified certificate near its end is told ahead; one that failed is told by its failure."""
    tls = TlsInfo("TLSv1.3", None, verified=True, not_after=AT + timedelta(days=5))
    assert said(judge(observe(tls=tls))) == [("tls-certificate-expires-soon", "warning")]
    assert judge(observe(tls=tls), Policy(certificate_warning_days=3)) == []
    assert judge(observe(tls=replace(tls, verified=False))) == []
    assert judge(observe(tls=replace(tls, not_after=None))) == []


@pytest.mark.parametrize("text", ["2026-05-18T15:0-:36Z", "2026-05-18 15:55:36Z", "2026-05-18T15:55:36", "1779119736"])
def test_a_timestamp_that_is_none_breaks(observe: Any, run: Any, text: str) -> None:
    """What only looks like a date-time is found, whatever the fast validator thinks of it."""
    (finding,) = judge(observe(run(created_at=text)))
    assert (finding.rule, finding.location) == ("response-property-type-changed", "$.data.attributes.created_at")


def test_a_head_answer_has_no_body_to_judge(observe: Any) -> None:
    """HEAD is judged by its status alone."""
    assert judge(observe(b"", 200, method="HEAD")) == []
    assert said(judge(observe(b"", 500, method="HEAD"))) == [("server-error", "breaking")]


def test_integers_beyond_64_bits_are_explained_exactly(observe: Any, run: Any) -> None:
    """The number in the finding is the number in the body."""
    (finding,) = judge(observe(run(project_id=2**70)))
    assert (finding.rule, finding.revision) == ("response-property-max-increased", 2**70)


def test_depth_hidden_in_a_free_form_member_is_told(observe: Any) -> None:
    """An error's `meta` may hold anything, but not a nesting no reader survives."""
    body = b'{"errors":[{"meta":' + b'{"a":' * 300 + b"1" + b"}" * 300 + b"}]}"
    assert said(judge(observe(body, 404, "not-found"))) == [("response-body-nesting-too-deep", "breaking")]


@pytest.mark.parametrize(
    ("body", "rule"),
    [
        (b'{"data":1,"data":2}', "response-body-duplicate-member"),
        (b"\xef\xbb\xbf{}", "response-body-byte-order-mark"),
        (b'{"a":NaN}', "response-body-number-not-finite"),
        (b"[" * 100_000, "response-body-nesting-too-deep"),
        (b"null", "response-body-became-nullable"),
        (b"[]", "response-body-type-changed"),
    ],
)
def test_flawed_bodies_of_a_success_break(observe: Any, body: bytes, rule: str) -> None:
    """Each flaw of the bytes is found in a success."""
    findings = judge(observe(body))
    assert rule in {finding.rule for finding in findings}
    assert verdict(findings) == "breaking"


@given(
    body=st.binary(max_size=60)
    | st.recursive(st.none() | st.text(max_size=3), st.lists).map(lambda v: json.dumps(v).encode()),
    status=st.integers(100, 999),
    check=st.sampled_from([None, "run", "not-found", "bad-request", "unauthenticated"]),
    content_type=st.none() | st.text(max_size=20),
)
def test_anything_is_judged(body: bytes, status: int, check: str | None, content_type: str | None) -> None:
    """Any status, label and bytes give findings, never an exception, and the same ones each time."""
    headers = () if content_type is None else (("content-type", content_type),)
    seen = Observation("US5", check, None, "GET", "https://h/p", "42", True, status, headers, body)
    findings = judge(seen)
    assert findings == judge(seen)
    assert [finding.level for finding in findings] == sorted((f.level for f in findings), reverse=True)
    if check and status != 200:
        assert findings or status in {400, 401, 403, 404}


def test_fingerprints_are_stable_and_leave_out_what_varies(observe: Any, run: Any) -> None:
    """Another site, run, time or list index is the same problem; another value, place or check is not."""
    (one,) = judge(observe(run(status="on fire")))
    (two,) = judge(replace(observe(run(status="on fire")), site="EU1", at=AT + timedelta(days=1)))
    (three,) = judge(observe(run(status="melted")))
    assert one.fingerprint == two.fingerprint != three.fingerprint
    assert len(one.fingerprint) == 16
    (down,) = judge(observe(b"", 302))
    (also,) = judge(observe(b"", 302, "not-found"))
    assert down.fingerprint == also.fingerprint


def test_keys_accepted_elsewhere_belong_there(observe: Any) -> None:
    """The same keys taken by EU1 and refused by US5 are EU1's."""
    refused = observe({"errors": ["Forbidden"]}, 403, credential="c1")
    taken = replace(observe(credential="c1"), site="EU1")
    seen = [refused, taken, observe({"errors": ["Forbidden"]}, 403, credential="c2")]
    first, second, third = reconcile(seen, [judge(one) for one in seen])
    assert said(first) == [("key-of-other-site", "breaking")]
    assert "EU1" in first[0].message
    assert second == []
    assert said(third) == [("key-rejected", "breaking")]


@pytest.mark.parametrize("order", [["US1", "US3", "EU1", "XX9"], ["XX9", "EU1", "US3", "US1"]])
def test_whose_keys_they_are_is_told_in_one_order_whichever_site_answers_first(order: list[str], observe: Any) -> None:
    refused = observe({"errors": ["Forbidden"]}, 403, credential="c1")
    seen = [refused, *(replace(observe(credential="c1"), site=site) for site in order)]
    [[finding], *_] = reconcile(seen, [judge(one) for one in seen])
    assert finding.message == "these keys belong to US1, US3, EU1, XX9, not to US5: each site has its own"


def test_a_site_that_serves_the_endpoint_does_not_lack_it(observe: Any) -> None:
    """A route 404 beside a served run is a broken check, not a missing endpoint."""
    seen = [observe(), observe({"errors": ["Not found"]}, 404, "bad-request")]
    assert said(reconcile(seen, [judge(one) for one in seen])[1]) == [("unexpected-status", "breaking")]
    alone = [seen[1]]
    assert said(reconcile(alone, [judge(one) for one in alone])[0]) == [("endpoint-not-deployed", "breaking")]


def test_contracts_are_compiled_once() -> None:
    """The schema of a status is compiled once and None for what is undocumented."""
    assert contract_for(200) is contract_for(200)
    assert contract_for(418) is None


def _sized(run: Any, **changed: Any) -> bytes:
    return json.dumps(run(**changed), separators=(",", ":")).encode()


def test_a_body_of_millions_of_values_is_refused_unread(observe: Any) -> None:
    """Ten megabytes of brackets would become a gigabyte of lists."""
    (finding,) = judge(observe(b"[" + b"[]," * 1_000_000 + b"[]]"))
    assert (finding.rule, finding.message) == (
        "response-body-too-large",
        "the body holds more than 1,000,000 JSON values",
    )


def test_punctuation_in_a_text_counts_as_no_value(observe: Any, run: Any) -> None:
    assert judge(observe(_sized(run, description='[{,\\"' * 500_000))) == []


def test_a_list_broken_throughout_is_judged_in_parts(observe: Any, run: Any) -> None:
    """Asked at once, the validator would take half a minute and a gigabyte for these."""
    start = perf_counter()
    (finding,) = judge(observe(_sized(run, metric_summaries=[1] * 400_000)))
    assert perf_counter() - start < 10
    assert finding.location == "$.data.attributes.metric_summaries[*]"
    assert finding.message == "integer where object is promised (20000 times, first at [0])"


def test_deep_nesting_is_told_of_a_broken_body_too(observe: Any, run: Any) -> None:
    nested = b'{"a":' * 120 + b"1" + b"}" * 120
    body = _sized(run, status=None).replace(b'"description":""', b'"extra":' + nested)
    assert ("response-body-nesting-too-deep", "breaking") in said(judge(observe(body)))


def test_one_change_stands_for_all_beyond_five_hundred(observe: Any, run: Any) -> None:
    findings = judge(observe(_sized(run, **{f"new_{number}": 1 for number in range(700)})))
    assert len(findings) == 500
    assert findings[-1].message == "`new_499` (integer) is not in the contract; 200 more follow"
