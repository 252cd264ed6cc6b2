"""Two contracts in files, of which at least one is a page."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

import schemas
from monitors.errors import UsageError
from monitors.model import Kind
from monitors.upstream.documents import diff
from monitors.upstream.openapi import to_openapi
from monitors.upstream.page import PageError
from monitors.upstream.parsing import parse

if TYPE_CHECKING:
    from pathlib import Path

RUN = schemas.OPENAPI_PATH.with_name("run.json")


@pytest.fixture
def page(tmp_path: Path, page_text: str) -> Path:
    path = tmp_path / "page.md"
    path.write_text(page_text, "utf-8")
    return path


def test_a_page_against_our_document_either_way(page: Path) -> None:
    """Our overlays and what the page has no words for are no difference in either direction."""
    assert diff(schemas.OPENAPI_PATH, page) == []
    assert diff(page, schemas.OPENAPI_PATH) == []


def test_two_pages(page: Path, tmp_path: Path, second_page: str) -> None:
    """The form of a page is no difference; a new value and a new operation are, with the operation as source."""
    other = tmp_path / "later.md"
    other.write_text(second_page, "utf-8")
    assert diff(page, other) == []
    later = second_page.replace("killed`", "killed,archived`").replace("killed,", "killed,archived,")
    more = later.replace("/runs/{run_id}", "/projects/{run_id}")
    other.write_text(later + "\n" + more, "utf-8")
    rules = {finding.rule: finding for finding in diff(page, other)}
    assert set(rules) == {"response-property-enum-value-added", "operation-added"}
    assert rules["response-property-enum-value-added"].source == "GET /api/v2/model-lab-api/runs/{run_id}"
    assert {finding.kind for finding in rules.values()} == {Kind.DRIFT}
    assert [finding.rule for finding in diff(other, page)] == [
        "operation-removed",
        "response-property-enum-value-removed",
    ]


def test_a_page_against_the_schema_of_one_body(page: Path, tmp_path: Path) -> None:
    """The only success of the page is compared with it."""
    assert diff(RUN, page) == []
    narrow = tmp_path / "narrow.json"
    run = json.loads(RUN.read_text("utf-8"))
    del run["properties"]["data"]["properties"]["attributes"]["properties"]["owner_id"]
    narrow.write_text(json.dumps(run), "utf-8")
    assert [finding.rule for finding in diff(page, narrow)] == ["response-optional-property-removed"]


def test_a_schema_that_holds_itself_is_compared_as_far_as_a_page_goes(page: Path, tmp_path: Path) -> None:
    """References are followed, a circle once; null in a union or in a list of values is no difference."""
    document = to_openapi(parse(page.read_text("utf-8")))
    operation = document["paths"]["/api/v2/model-lab-api/runs/{run_id}"]["get"]
    body = operation["responses"]["200"]["content"]["application/json"]
    attributes = body["schema"]["properties"]["data"]["properties"]["attributes"]["properties"]
    attributes["owner_id"] = {"anyOf": [attributes["owner_id"], {"type": "null"}]}
    attributes["status"]["enum"].append(None)
    attributes["parent"] = {"$ref": "#/components/schemas/Run"}
    document["components"] = {
        "schemas": {"Run": {"type": "object", "properties": {"parent": {"$ref": "#/components/schemas/Run"}}}}
    }
    path = tmp_path / "document.json"
    path.write_text(json.dumps(document), "utf-8")
    assert [finding.location for finding in diff(page, path)] == ["$.data.attributes.parent"]


def test_no_page_at_all_is_left_to_the_diff_of_documents(tmp_path: Path) -> None:
    """Two schemas are compared as schemas, null included."""
    other = tmp_path / "other.json"
    other.write_text(RUN.read_text("utf-8").replace('"boolean"', '["boolean", "null"]', 1), "utf-8")
    assert [finding.rule for finding in diff(RUN, other)] == ["response-property-became-nullable"]


def test_what_cannot_be_compared_is_refused(page: Path, tmp_path: Path) -> None:
    """A page that cannot be read is named; several successes are no single body."""
    broken = tmp_path / "broken.md"
    broken.write_text("<html>", "utf-8")
    with pytest.raises(PageError, match=r"broken\.md: cannot read the page: it is HTML"):
        diff(page, broken)
    text = page.read_text("utf-8")
    broken.write_text(text.replace('="404"', '="202"'), "utf-8")
    with pytest.raises(UsageError, match="several successes"):
        diff(broken, RUN)
