"""Every format gives the same observation: what was on the wire, byte for byte."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from monitors.recordings import Aside

if TYPE_CHECKING:
    from collections.abc import Callable

FORMATS = Path(__file__).parent / "data" / "formats"
FILES = sorted(path for path in FORMATS.rglob("*") if path.is_file() and path.name != "frozen.json")
BODY = (
    '{"data":{"type":"runs","id":"101","attributes":{"name":"naïve ☃","min":0,"max":1E+3,"small":5.15e-07}}}'
).encode()


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(FORMATS)))
def test_every_format_gives_the_body_as_it_was_on_the_wire(path: Path, reading: Callable[..., Any]) -> None:
    observation = reading(path).one
    assert observation.body == BODY
    assert (observation.site, observation.run_id, observation.status, observation.method) == ("US5", "101", 200, "GET")
    assert observation.header("content-type") == "application/json"
    assert observation.url == "https://api.us5.datadoghq.com/api/v2/model-lab-api/runs/101"
    assert observation.failure is None
    assert observation.with_keys
    assert observation.check is None
    assert observation.body_size == len(BODY)
    assert (observation.source or "").startswith(f"{path}#")


@pytest.mark.parametrize("name", ["rvcr.json", "ruby.yml", "betamax.json", "r.yml", "vcrpy.yaml", "answer-text.json"])
def test_the_time_is_read_from_wherever_the_format_keeps_it(name: str, reading: Callable[..., Any]) -> None:
    assert reading(FORMATS / name).one.at == datetime(2026, 5, 18, 15, 55, 50, tzinfo=UTC)


def test_a_frozen_clock_beside_a_recording_gives_its_time(reading: Callable[..., Any]) -> None:
    assert reading(FORMATS / "polly").one.at == datetime(2026, 5, 18, 15, 55, 50, 387000, tzinfo=UTC)


def test_a_clock_file_of_the_same_name_gives_the_time(
    tmp_path: Path, reading_bytes: Callable[..., Any], cassette: Callable[..., Any]
) -> None:
    (tmp_path / "a.frozen").write_text("no time")
    (tmp_path / "a.freeze").write_text("2026-05-18T17:55:50.387+02:00\n")
    assert reading_bytes(cassette(), "a.json").one.at == datetime(2026, 5, 18, 15, 55, 50, 387000, tzinfo=UTC)


def test_the_whole_folder_is_read_in_order(reading: Callable[..., Any]) -> None:
    seen = reading(FORMATS)
    assert len(seen.observations) == len(FILES)
    sources = [(observation.source or "").partition("#")[0] for observation in seen.observations]
    assert sources == sorted(sources, key=lambda source: Path(source).parts)


def test_neighbours_in_a_cassette_are_counted_with_their_operation(reading: Callable[..., Any]) -> None:
    assert reading(FORMATS / "vcrpy.yaml").reasons == {
        "other method on the run's path: DELETE /api/v2/model-lab-api/runs/{run_id}": 1,
        "other operation: GET /api/v2/monitor/{id}": 1,
    }


def test_an_archive_of_a_browser_leaves_aside_what_it_does_not_hold(reading: Callable[..., Any]) -> None:
    seen = reading(FORMATS / "browser.har")
    assert {aside.kind for aside in seen.aside} == {
        Aside.NOT_HTTP,
        Aside.UNREADABLE,
        Aside.NO_ANSWER,
        Aside.OTHER_OPERATION,
    }


def test_a_raw_body_takes_status_and_run_id_from_the_user(reading_bytes: Callable[..., Any]) -> None:
    plain = reading_bytes(b'{"errors": []}').one
    assert (plain.status, plain.run_id, plain.headers, plain.site, plain.url) == (200, "", (), None, "")
    told = reading_bytes(b'{"errors": []}', status=404, run_id="7").one
    assert (told.status, told.run_id) == (404, "7")


@pytest.mark.parametrize(
    "body",
    [
        b'{"data": ',
        b"\xff\xfe{\x00}\x00",
        b"<html>",
        b"\xef\xbb\xbf{}",
        b'{"a":1,"a":NaN}',
        b"[" * 100_000,
        b"plain text",
        b'{"log": 1}',
        b'{"interactions": "none"}',
        b'{"status": "error", "code": 502, "body": 1}',
        b"9" * 10_000,
        b"[" + b"9" * 10_000 + b"]",
    ],
    ids=repr,
)
def test_bytes_of_no_known_form_are_a_raw_body_untouched(body: bytes, reading_bytes: Callable[..., Any]) -> None:
    assert reading_bytes(body, "body.txt").one.body == body


@pytest.mark.parametrize(
    "wrap",
    [
        lambda body: f'[{{"httpRequest":{{"path":"/api/v2/model-lab-api/runs/1"}},"httpResponse":{{"body":{body}}}}}]',
        lambda body: f'{{"httpRequest":{{"path":"/api/v2/model-lab-api/runs/1"}},"httpResponse":{{"body":{body}}}}}',
        lambda body: (
            '[{"httpRequest": {}}, {"httpRequest":{"path":"/api/v2/model-lab-api/runs/1"},'
            f' "httpResponse":{{"body":{{"type":"JSON", "json" : {body} }} }} }}, 2]'
        ),
        lambda body: f'{{"status": 200, "body": {body}}}',
        lambda body: f' {{"body": [], "status": 200, "body" : {body} , "x": []}} ',
    ],
    ids=["expectations", "expectation", "typed", "answer", "answer-twice"],
)
@pytest.mark.parametrize(
    "body",
    [
        '{"a": 1, "a": 2}',
        '{"n": NaN, "i": -Infinity}',
        '{"n": 123456789012345678901234567890, "d": 5.150e-07}',
        '{ "s" : "\\u00e9\\ud800" }',
        "[ ]",
        "{ }",
        '[1, {"b": [2, {}]}, "]"]',
    ],
)
def test_a_body_kept_as_json_is_never_written_anew(
    wrap: Callable[[str], str], body: str, reading_bytes: Callable[..., Any]
) -> None:
    assert reading_bytes(wrap(body)).one.body == body.encode()


def test_each_expectation_gets_its_own_body(reading_bytes: Callable[..., Any], expectation: Callable[..., Any]) -> None:
    seen = reading_bytes(expectation({"a": 1}) + expectation("text") + expectation([2]))
    assert [observation.body for observation in seen.observations] == [b'{"a": 1}', b"text", b"[2]"]


def test_a_body_with_bytes_that_are_no_text_comes_back_as_it_was(reading_bytes: Callable[..., Any]) -> None:
    assert reading_bytes(b'{"status": 200, "body": {"a": "\xff"}}').one.body == b'{"a": "\xff"}'
    assert reading_bytes(b'{"status": 200, "body": "a\xff"}').one.body == b"a\xff"


def test_an_answer_may_hold_its_body_in_base64_or_not_at_all(reading_bytes: Callable[..., Any]) -> None:
    assert reading_bytes({"status": 200, "encoding": "base64", "body": "e30="}).one.body == b"{}"
    assert reading_bytes({"status": 204, "body": None}).one.body == b""


def test_the_bodies_of_our_own_examples_are_json_whatever_their_type(reading_bytes: Callable[..., Any]) -> None:
    assert reading_bytes({"status": 403, "note": "n", "body": "text"}).one.body == b'"text"'
    assert reading_bytes({"status": 403, "note": "n", "body": None}).one.body == b"null"


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_what_curl_prints_with_its_headers_is_read(newline: str, reading_bytes: Callable[..., Any]) -> None:
    lines = ["HTTP/1.1 100 Continue", "", "HTTP/2 404", "Content-Type: application/json", "X-Odd", "", '{"a":1}']
    seen = reading_bytes(newline.join(lines), "answer.http").one
    assert (seen.status, seen.body, seen.http_version) == (404, b'{"a":1}', "2")
    assert seen.header("content-type") == "application/json"


def test_an_answer_that_ends_after_its_headers_has_an_empty_body(reading_bytes: Callable[..., Any]) -> None:
    seen = reading_bytes("HTTP/1.1 204 No Content\r\nX-A: b\r\n", "answer.http").one
    assert (seen.status, seen.body, seen.headers) == (204, b"", (("x-a", "b"),))


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (None, b""),
        ("text", b"text"),
        ({"type": "STRING", "string": "é"}, "é".encode()),
        ({"type": "XML", "xml": "<a/>"}, b"<a/>"),
        ({"string": "s", "contentType": "text/plain"}, b"s"),
        ({"string": "a run may have this member", "data": {}}, None),
        ({"type": "runs", "json": 1}, None),
        ({"type": "JSON", "json": 5}, b"5"),
        ({"type": "JSON", "json": "[5]"}, b"[5]"),
    ],
)
def test_the_forms_of_a_mockserver_body(
    body: Any, expected: bytes | None, reading_bytes: Callable[..., Any], expectation: Callable[..., Any]
) -> None:
    # None: a body that only looks like a wrapper is the body itself.
    assert reading_bytes(expectation(body)).one.body == (json.dumps(body).encode() if expected is None else expected)


def test_an_expectation_without_an_answer_is_left_aside(reading_bytes: Callable[..., Any]) -> None:
    forward = {"httpRequest": {"path": "/api/v2/model-lab-api/runs/1"}, "httpForward": {}}
    assert reading_bytes([forward]).reasons == {"no answer recorded": 1}


@pytest.mark.parametrize("entry", [1, {}, {"request": 1}, {"request": {"method": "GET"}}, {"httpRequest": {}}])
def test_an_entry_without_a_request_is_left_aside(entry: Any, reading_bytes: Callable[..., Any]) -> None:
    whole = {"request": {"method": "GET", "uri": "https://h/x"}, "response": {}}
    expected = {"unreadable entry: no request in it": 1}
    cassette = reading_bytes({"interactions": [whole, entry]})
    assert cassette.reasons == expected | {"other operation: GET /x": 1}
    assert reading_bytes({"log": {"entries": [entry]}}).reasons == expected
    expectations = reading_bytes([{"httpRequest": {"path": "/x"}}, entry])
    assert expectations.reasons == expected | {"other operation: GET /x": 1}


@pytest.mark.parametrize("response", [None, {}, {"status": "error"}, {"status": True}, {"status": {"code": 12}}])
def test_an_interaction_without_a_status_has_no_answer(
    response: Any, reading_bytes: Callable[..., Any], cassette: Callable[..., Any]
) -> None:
    document = cassette()
    document["interactions"][0]["response"] = response
    assert reading_bytes(document).reasons == {"no answer recorded": 1}


def test_an_entry_of_an_archive_without_a_response_has_no_answer(reading_bytes: Callable[..., Any]) -> None:
    request = {"method": "GET", "url": "https://h/api/v2/model-lab-api/runs/1"}
    assert reading_bytes({"log": {"entries": [{"request": request}]}}).reasons == {"no answer recorded": 1}


@pytest.mark.parametrize(
    ("content", "response", "expected"),
    [
        ({"size": 0}, {"bodySize": 0}, b""),
        ({"size": 0, "text": ""}, {}, b""),
        ({"size": 5}, {"bodySize": 0}, None),
        (None, {}, None),
        ({"text": "[no list", "encoding": "base64"}, {}, None),
        ({"text": "zz", "_isBinary": True}, {}, None),
        ({"text": 5, "encoding": "hex"}, {}, None),
        ({"text": 5}, {}, None),
        ({"text": "7b7d", "encoding": "hex"}, {}, b"{}"),
        ({"text": '["e30="]', "encoding": "base64"}, {}, b"{}"),
        ({"text": '["a"]'}, {}, b'["a"]'),
        ({"text": "{}"}, {"status": 304}, None),
    ],
)
def test_the_forms_of_a_body_in_an_archive(
    content: Any,
    response: Any,
    expected: bytes | None,
    reading_bytes: Callable[..., Any],
    archive: Callable[..., Any],
) -> None:
    seen = reading_bytes(archive(content, **response))
    assert [observation.body for observation in seen.observations] == ([] if expected is None else [expected])
    assert [aside.kind for aside in seen.aside] == ([Aside.UNREADABLE] if expected is None else [])


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({}, b""),
        (None, b""),
        ({"string": "é", "encoding": "ISO-8859-1"}, b"\xe9"),
        ({"string": "☃", "encoding": "ISO-8859-1"}, "☃".encode()),
        ({"string": "\ud800"}, b"\xed\xa0\x80"),
        ({"base64_string": base64.encodebytes(b"{}" * 100).decode()}, b"{}" * 100),
        ({"base64_string": "***"}, None),
        ({"file": "elsewhere"}, None),
        ({"string": 5}, None),
    ],
)
def test_the_forms_of_a_body_in_a_cassette(
    body: Any, expected: bytes | None, reading_bytes: Callable[..., Any], cassette: Callable[..., Any]
) -> None:
    seen = reading_bytes(cassette(body=body))
    assert [observation.body for observation in seen.observations] == ([] if expected is None else [expected])


@pytest.mark.parametrize(
    "headers",
    [
        {"A": "1", "B": ["2", "3"]},
        [{"name": "A", "value": "1"}, {"name": "B", "values": ["2", 3]}],
        [["A", "1"], ["B", "2"], ["B", "3"], ["no pair"], 5, [None, "x"]],
        {"A": 1, "B": ["2", 3, None], "C": None, "D": {}},
    ],
)
def test_the_forms_of_headers(headers: Any, reading_bytes: Callable[..., Any], cassette: Callable[..., Any]) -> None:
    assert reading_bytes(cassette(headers=headers)).one.headers == (("a", "1"), ("b", "2"), ("b", "3"))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-05-18T15:55:50", datetime(2026, 5, 18, 15, 55, 50, tzinfo=UTC)),
        ("2026-05-18 15:55:50 GMT", datetime(2026, 5, 18, 15, 55, 50, tzinfo=UTC)),
        ("2026-05-18T15:55:50.123456789Z", datetime(2026, 5, 18, 15, 55, 50, 123456, tzinfo=UTC)),
        ("0001-01-01T00:00:00+14:00", None),
        ("Mon, 99 Foo", None),
        ("yesterday", None),
        (5, None),
    ],
)
def test_the_forms_of_a_time(
    text: Any, expected: datetime | None, reading_bytes: Callable[..., Any], cassette: Callable[..., Any]
) -> None:
    document = cassette()
    document["interactions"][0]["recorded_at"] = text
    assert reading_bytes(document).one.at == expected
