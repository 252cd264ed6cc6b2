"""The OpenAPI document says what the vendor's page says, and marks what it says beyond that."""

from __future__ import annotations

import json
from typing import Any

import pytest
from openapi_spec_validator import validate

import schemas
from monitors.checks import RUN_PATH

JSON_API = "application/vnd.api+json"
OPERATION = schemas.OPENAPI["paths"][RUN_PATH]["get"]
RESPONSES = OPERATION["responses"]


def test_it_is_valid_openapi_3_1() -> None:
    assert schemas.OPENAPI["openapi"].startswith("3.1.")
    validate(schemas.OPENAPI, base_uri=schemas.OPENAPI_PATH.as_uri())


def test_it_holds_one_operation_and_no_other_method() -> None:
    assert schemas.OPENAPI["paths"].keys() == {RUN_PATH}
    assert schemas.OPENAPI["paths"][RUN_PATH].keys() == {"get"}
    assert OPERATION["operationId"] == "GetModelLabRun"


def test_its_servers_are_the_sites_in_their_order() -> None:
    sites = json.loads(schemas.OPENAPI_PATH.with_name("sites.json").read_bytes())["sites"]
    servers = schemas.OPENAPI["servers"]
    assert [(server["x-site"], server["url"]) for server in servers] == [
        (site["key"], f"https://{site['api_host']}") for site in sites
    ]
    assert [("x-overlay" in server) for server in servers] == [not site["on_reference_page"] for site in sites]


def test_both_keys_are_required_together() -> None:
    schemes = schemas.OPENAPI["components"]["securitySchemes"]
    [together] = schemas.OPENAPI["security"]
    assert "security" not in OPERATION
    assert {(schemes[name]["type"], schemes[name]["in"], schemes[name]["name"]) for name in together} == {
        ("apiKey", "header", "DD-API-KEY"),
        ("apiKey", "header", "DD-APPLICATION-KEY"),
    }


def test_the_run_id_is_an_int64_in_the_path() -> None:
    [parameter] = OPERATION["parameters"]
    assert (parameter["name"], parameter["in"], parameter["required"]) == ("run_id", "path", True)
    assert parameter["schema"] == {"type": "integer", "format": "int64", "minimum": -(2**63), "maximum": 2**63 - 1}


@pytest.mark.parametrize(
    ("status", "documented", "overlaid", "schema"),
    [
        ("200", {"application/json"}, set(), "run.json"),
        ("400", {"application/json"}, {JSON_API}, "jsonapi-error.json"),
        ("401", {"application/json"}, {JSON_API}, "#/components/schemas/AuthError"),
        ("403", {"application/json"}, {JSON_API, "text/plain"}, "#/components/schemas/AuthError"),
        ("404", {"application/json"}, {JSON_API}, "jsonapi-error.json"),
        ("429", {"application/json"}, set(), "rate-limit-error.json"),
        ("500", {"application/json"}, {JSON_API}, "jsonapi-error.json"),
    ],
)
def test_a_response_has_its_media_types_and_schema(
    status: str, documented: set[str], overlaid: set[str], schema: str
) -> None:
    content = RESPONSES[status]["content"]
    assert {name for name, media in content.items() if "x-overlay" not in media} == documented
    assert {name for name, media in content.items() if "x-overlay" in media} == overlaid
    assert [media["schema"] for media in content.values()] == [{"$ref": schema}] * len(content)


def test_only_the_auth_responses_are_an_overlay() -> None:
    assert RESPONSES.keys() == {"200", "400", "401", "403", "404", "429", "500"}
    assert {status for status, response in RESPONSES.items() if "x-overlay" in response} == {"401", "403"}


def test_a_429_may_carry_the_five_rate_limit_headers() -> None:
    headers = schemas.OPENAPI["components"]["headers"]
    count = {"type": "integer", "minimum": 0}
    assert {name: header["schema"] for name, header in headers.items()} == {
        "X-RateLimit-Limit": count,
        "X-RateLimit-Period": count,
        "X-RateLimit-Remaining": count,
        "X-RateLimit-Reset": count,
        "X-RateLimit-Name": {"type": "string"},
    }
    assert not any(header["required"] for header in headers.values())
    assert all("x-overlay" in header for header in headers.values())
    assert RESPONSES["429"]["headers"] == {name: {"$ref": f"#/components/headers/{name}"} for name in headers}


def test_references_between_files_start_here_only() -> None:
    def references(node: Any) -> list[str]:
        if isinstance(node, dict):
            own = [node["$ref"]] if isinstance(node.get("$ref"), str) else []
            return own + [found for child in node.values() for found in references(child)]
        return [found for child in node for found in references(child)] if isinstance(node, list) else []

    for name in ("run", "jsonapi-error", "rate-limit-error", "string-list-error", "report"):
        assert all(reference.startswith("#/$defs/") for reference in references(schemas.document(name)))
