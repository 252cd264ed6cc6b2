"""The vendor's own Python client, pointed at the mock, reads every run and raises its own exceptions.

Runs in a tox environment of its own (`tox run -e official-client`): the client is a large package nobody else needs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

import schemas
from mock_site.catalogue import NAMED_RUNS, run_document
from mock_site.server import MockSites

pytestmark = [
    pytest.mark.official_client,
    # The client warns on each call of a preview operation; that it does is its own affair.
    pytest.mark.filterwarnings("ignore:Using unstable operation:UserWarning"),
]

datadog_api_client = pytest.importorskip("datadog_api_client", reason="needs tox run -e official-client")

if TYPE_CHECKING:
    from collections.abc import Iterator

STATUSES = {400: "ApiException", 401: "UnauthorizedException", 403: "ForbiddenException", 404: "NotFoundException",
            429: "ApiException", 500: "ServiceException"}  # fmt: skip


@pytest.fixture(scope="module")
def mock() -> Iterator[MockSites]:
    """The mock sites, one for all tests."""
    with MockSites() as sites:
        yield sites


def api(mock: MockSites, *, api_key: str = "mock-api-key", **headers: str) -> Any:
    from datadog_api_client.v2.api.model_lab_api_api import ModelLabAPIApi  # noqa: PLC0415  # only in this environment

    host = f"http://127.0.0.1:{mock.port}"
    configuration = datadog_api_client.Configuration(
        host=host, api_key={"apiKeyAuth": api_key, "appKeyAuth": "mock-app-key"}
    )
    # A preview operation: the client keeps it switched off by default.
    configuration.unstable_operations["get_model_lab_run"] = True
    client = datadog_api_client.ApiClient(configuration)
    client.default_headers.update(headers)
    return ModelLabAPIApi(client)


def assert_parsed(model: Any) -> None:
    """Assert that the client understood every part: what it cannot read it keeps, silently, as unparsed."""
    assert not getattr(model, "_unparsed", False), model
    for value in getattr(model, "_data_store", {}).values():
        for part in value if isinstance(value, list) else [value]:
            assert_parsed(part)


@pytest.mark.parametrize("name", NAMED_RUNS)
def test_every_named_run_is_read(mock: MockSites, name: str) -> None:
    """Each interesting run of the catalogue becomes the client's own model, with the same values."""
    run_id = NAMED_RUNS[name]
    response = api(mock).get_model_lab_run(run_id)
    assert_parsed(response)
    expected = run_document("US1", run_id)["data"]
    assert response.data.id == expected["id"]
    assert str(response.data.attributes.status) == expected["attributes"]["status"]
    assert len(response.data.attributes.metric_summaries) == len(expected["attributes"]["metric_summaries"])


def test_runs_of_the_catalogue_are_read(mock: MockSites) -> None:
    """Two hundred runs spread over the catalogue are understood without exception."""
    client = api(mock)
    for run_id in range(1, 10_000, 50):
        assert_parsed(client.get_model_lab_run(run_id))


@pytest.mark.parametrize("status", STATUSES)
def test_each_error_raises_the_clients_own_exception(mock: MockSites, status: int) -> None:
    """Every documented error, and the auth overlay, is an exception of the client with status and parsed errors."""
    client = api(mock, Prefer=f"code={status}")
    expected = getattr(datadog_api_client.exceptions, STATUSES[status])
    with pytest.raises(expected) as caught:
        client.get_model_lab_run(42)
    assert caught.value.status == status
    assert caught.value.body["errors"]


def test_an_unknown_run_and_a_wrong_key_raise(mock: MockSites) -> None:
    """The mock's own 404 and 403 are the client's."""
    with pytest.raises(datadog_api_client.exceptions.NotFoundException):
        api(mock).get_model_lab_run(2**63 - 1)
    with pytest.raises(datadog_api_client.exceptions.ForbiddenException):
        api(mock, api_key="wrong").get_model_lab_run(42)


def test_the_client_and_the_contract_name_the_same_members() -> None:
    """Members and nullability the client was generated with are the contract's: neither knows more."""
    from datadog_api_client.v2.model.model_lab_metric_summary import (  # noqa: PLC0415  # only in this environment
        ModelLabMetricSummary,
    )
    from datadog_api_client.v2.model.model_lab_run_attributes import (  # noqa: PLC0415  # only in this environment
        ModelLabRunAttributes,
    )

    run = schemas.document("run")
    for model, place in ((ModelLabRunAttributes, "attributes"), (ModelLabMetricSummary, "metric_summary")):
        types = model.openapi_types
        ours = _properties(run, place)
        assert set(types) == set(ours)
        assert {name for name, kinds in types.items() if type(None) in kinds} == {
            name for name, schema in ours.items() if "null" in schema.get("type", ())
        }


def _properties(run: dict[str, Any], place: str) -> dict[str, Any]:
    attributes = run["properties"]["data"]["properties"]["attributes"]
    attributes = _resolved(run, attributes)
    if place == "attributes":
        return {name: _resolved(run, schema) for name, schema in attributes["properties"].items()}
    items = _resolved(run, _resolved(run, attributes["properties"]["metric_summaries"])["items"])
    return {name: _resolved(run, schema) for name, schema in items["properties"].items()}


def _resolved(run: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    reference = schema.get("$ref")
    return run["$defs"][reference.removeprefix("#/$defs/")] if reference else schema
