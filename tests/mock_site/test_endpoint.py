"""The endpoint answers as the real one does: statuses, bodies, content types, headers."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import jsonschema_rs
import pytest
from hypothesis import given
from hypothesis import strategies as st

import schemas
from mock_site.answers import canned
from mock_site.endpoint import RUN_PREFIX, Request, answer, target_of
from mock_site.state import Keys, MockState

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx

RATE_HEADERS = {f"x-ratelimit-{name}" for name in ("limit", "period", "remaining", "reset", "name")}
RUN = "/api/v2/model-lab-api/runs/42"


def rate_headers(response: httpx.Response) -> set[str]:
    return RATE_HEADERS & set(response.headers)


def test_a_run_is_served_as_json_with_the_id_asked_for(client: Any, run_contract: Any) -> None:
    response = client.run(42)
    assert response.status_code == 200
    assert response.headers["content-type"] == "application/json"
    assert response.json()["data"]["id"] == "42"
    assert run_contract.is_valid(response.json())
    assert rate_headers(response) == RATE_HEADERS


def test_head_has_the_headers_of_get_and_no_body(client: Any) -> None:
    got, head = client.run(), client.send("HEAD", RUN, client.keys)
    assert head.status_code == 200
    assert head.content == b""
    assert head.headers["content-length"] == got.headers["content-length"] == str(len(got.content))


@pytest.mark.parametrize(
    ("keys", "status", "body"),
    [
        ({}, 401, {"errors": ["Unauthorized"]}),
        ({"DD-API-KEY": "mock-api-key"}, 401, {"errors": ["Unauthorized"]}),
        ({"DD-APPLICATION-KEY": "mock-app-key"}, 401, {"errors": ["Unauthorized"]}),
        ({"DD-API-KEY": "mock-api-key", "DD-APPLICATION-KEY": "x"}, 403, {"errors": ["Forbidden"]}),
        ({"DD-API-KEY": "x", "DD-APPLICATION-KEY": "mock-app-key"}, 403, {"errors": ["Forbidden"]}),
    ],
    ids=["none", "no-app-key", "no-api-key", "wrong-app-key", "wrong-api-key"],
)
def test_keys_are_checked_before_anything_else_and_carry_no_rate_limit(
    client: Any, keys: dict[str, str], status: int, body: Any
) -> None:
    for run_id in ("42", "not-a-number", "0"):
        response = client.send("GET", f"/api/v2/model-lab-api/runs/{run_id}", keys)
        assert (response.status_code, response.json()) == (status, body)
        assert not rate_headers(response)


def test_keys_of_another_site_are_forbidden(make_client: Callable[..., Any]) -> None:
    client = make_client(keys={"EU1": Keys("eu-api", "eu-app")})
    assert client.run(site="EU1").status_code == 403
    assert client.run(site="US1").status_code == 200
    client.keys = {"DD-API-KEY": "eu-api", "DD-APPLICATION-KEY": "eu-app"}
    assert client.run(site="EU1").status_code == 200
    assert client.run(site="US1").status_code == 403


def test_keys_do_not_show_when_printed() -> None:
    assert "secret" not in repr(Keys("secret", "secret"))


@pytest.mark.parametrize("run_id", ["not-an-integer", "1.0", "1e3", "9223372036854775808", "-9223372036854775809",
                                    "%00", "4%2F2", "٤٢", "0x10", "1_000", "+", "%20" + "1", "9" * 5000])  # fmt: skip
def test_an_id_that_is_no_int64_is_a_bad_request(client: Any, run_id: str) -> None:
    response = client.run(run_id)
    assert response.status_code == 400
    assert response.headers["content-type"] == "application/vnd.api+json"
    detail = 'invalid parameter "run_id" in "path"; expected type "int64"'
    assert response.json() == {"errors": [{"status": "400", "title": "Invalid Parameter", "detail": detail}]}
    assert rate_headers(response) == RATE_HEADERS


@pytest.mark.parametrize(("written", "meant"), [("007", "7"), ("+7", "7"), ("%37", "7"), ("0" * 3000 + "7", "7")])
def test_an_id_is_read_as_a_go_server_reads_it(client: Any, written: str, meant: str) -> None:
    assert client.run(written).json()["data"]["id"] == meant


@pytest.mark.parametrize("run_id", ["0", "-1", "-0", "1000001", "9223372036854775807", "-9223372036854775808"])
def test_a_run_that_does_not_exist_is_not_found_as_objects(client: Any, run_id: str) -> None:
    response = client.run(run_id)
    assert response.status_code == 404
    assert response.headers["content-type"] == "application/json"
    assert response.content == b'{"errors":[{"title":"Generic Error","detail":"run not found"}]}'
    assert rate_headers(response) == RATE_HEADERS


@pytest.mark.parametrize("path", ["/", "/api/v2/model-lab-api/runs", "/api/v2/model-lab-api/runs/", RUN + "/",
                                  RUN + "/x", "/api/v1/model-lab-api/runs/42", "/__mock", RUN.upper()])  # fmt: skip
def test_an_unknown_route_is_not_found_as_strings_whatever_the_method(client: Any, path: str) -> None:
    for method in ("GET", "POST", "DELETE"):
        response = client.send(method, path, client.keys)
        assert response.status_code == 404
        assert response.json() == {"errors": ["Not found"]}
        assert not rate_headers(response)


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "get"])
def test_another_method_on_the_run_is_refused_with_what_is_allowed(client: Any, method: str) -> None:
    response = client.send(method, RUN)
    if method == "get":  # httpx writes methods in capitals
        assert response.status_code == 401
    else:
        assert response.status_code == 405
        assert response.headers["allow"] == "GET, HEAD"


def test_a_query_changes_nothing(client: Any) -> None:
    assert client.run("42?x=1&y=%2F").json()["data"]["id"] == "42"


@pytest.mark.parametrize(
    ("host", "key"),
    [
        ("", "US1"), ("127.0.0.1", "US1"), ("127.0.0.1:8080", "US1"), ("127.8.9.1:1", "US1"), ("localhost:80", "US1"),
        ("[::1]", "US1"), ("[::1]:8443", "US1"), ("::1", "US1"), ("api.datadoghq.com", "US1"),
        ("API.us5.DATADOGHQ.com:8443", "US5"), ("api.datadoghq.eu.", "EU1"), ("api.us2.ddog-gov.com", "US2-FED"),
    ],
)  # fmt: skip
def test_the_host_header_picks_the_site(client: Any, host: str, key: str) -> None:
    assert client.state.site_for_host(host).row.key == key


@pytest.mark.parametrize("host", ["api.datadoghq.org", "10.0.0.1", "127.evil.example", "[", "a:b:c"])
def test_a_host_of_no_site_is_misdirected(client: Any, host: str) -> None:
    response = client.send("GET", RUN, {**client.keys, "Host": host})
    assert response.status_code == 421
    assert "one of the nine API hosts" in response.json()["errors"][0]


def test_every_site_has_runs_of_its_own(client: Any) -> None:
    bodies = {site: client.run(site=site).content for site in client.state.sites}
    assert len(bodies) == len(set(bodies.values())) == 9


@pytest.mark.parametrize("name", [*canned(None), "429"])
def test_every_canned_answer_of_a_documented_status_keeps_the_contract(client: Any, name: str) -> None:
    status = 429 if name == "429" else canned(None)[name].status
    body = client.run(prefer="code=429").content if name == "429" else canned(None)[name].body
    schema = schemas.schema_for(status)
    if schema is None or name in {"route", "edge-html"}:
        assert name in {"route", "edge-html", "edge-502", "edge-503", "edge-504"}
    else:
        assert jsonschema_rs.Draft202012Validator(schema).is_valid(json.loads(body))


def test_the_edge_names_the_status_page_of_its_site(client: Any) -> None:
    client.state.set_scenario(None, "outage:503")
    body = client.run(site="EU1").json()
    assert body["statuspage"] == "http://status.datadoghq.eu"
    assert (body["code"], body["status"], body["errors"]) == (503, "error", ["Service Unavailable"])
    assert client.run(site="UK1").json()["statuspage"]


@given(st.binary(max_size=60), st.sampled_from([b"", RUN_PREFIX]), st.binary(max_size=40))
def test_no_path_and_no_host_whatsoever_crashes_the_endpoint(tail: bytes, prefix: bytes, host: bytes) -> None:
    headers = [
        (b"host", host or b"localhost"),
        (b"dd-api-key", b"mock-api-key"),
        (b"dd-application-key", b"mock-app-key"),
    ]
    said, delay_s = answer(MockState(), Request("GET", prefix + tail, headers))
    assert said.status in {200, 400, 404, 421}
    assert delay_s == 0
    json.loads(said.body)


def test_a_path_means_the_same_percent_encoded() -> None:
    assert target_of(b"/api/v2/model%2Dlab-api/%72uns/4%32") == target_of(RUN_PREFIX + b"42")
    assert target_of(b"/api%2Fv2/model-lab-api/runs/42") is None


@given(st.integers())
def test_exactly_the_int64_numbers_are_ids(number: int) -> None:
    target = target_of(RUN_PREFIX + b"%d" % number)
    assert target is not None
    assert target.run_id == (number if -(2**63) <= number < 2**63 else None)


def test_blanks_around_a_key_are_no_part_of_it(client: Any) -> None:
    keys = {name: f" {key} \t" for name, key in client.keys.items()}
    assert client.send("GET", RUN, keys).status_code == 200
