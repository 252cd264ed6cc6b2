"""Contracts in files: OpenAPI documents, JSON Schemas and saved shapes, compared in any combination."""

from __future__ import annotations

import copy
import json
from typing import TYPE_CHECKING, Any

import pytest

import schemas
from monitors.drift.documents import diff_documents, load
from monitors.drift.shape import learn
from monitors.drift.written import to_json
from monitors.errors import UsageError
from monitors.model import Kind, Level

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

BASE: dict[str, Any] = {
    "openapi": "3.0.3",
    "paths": {
        "/runs/{id}": {
            "get": {
                "responses": {
                    "200": {
                        "headers": {
                            "X-Limit": {"required": True, "schema": {"type": "integer"}},
                            "X-Note": {"schema": {"type": "string", "maxLength": 5}},
                            "X-Wide": {"schema": {"type": "integer"}},
                            "X-Narrow": {"schema": {"type": "number", "nullable": True}},
                            "X-Kept": {"required": True, "schema": {"type": "string"}},
                            "X-Null": {"schema": {"type": "string"}},
                            "Content-Type": {"schema": {"type": "string"}},
                        },
                        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Run"}}},
                    },
                    "201": {"content": {"application/json": {"schema": {"type": "object"}}, "text/csv": {}}},
                    "404": {"$ref": "#/components/responses/NotFound"},
                    "429": {"description": "slow down"},
                }
            },
            "head": {"responses": {}},
        }
    },
    "components": {
        "schemas": {"Run": {"type": "object", "properties": {"id": {"type": "string", "nullable": True}}}},
        "responses": {"NotFound": {"content": {"application/json; charset=utf-8": {"schema": {"type": "object"}}}}},
    },
}


def changed(change: Callable[[dict[str, Any], dict[str, Any]], None]) -> dict[str, Any]:
    """Return the base with a change made to the document, given its responses."""
    document = copy.deepcopy(BASE)
    change(document, document["paths"]["/runs/{id}"]["get"]["responses"])
    return document


@pytest.fixture
def found(tmp_path: Path) -> Callable[[Any, Any], list[tuple[str, str, str | None]]]:
    """Return rule, level and answer of each change between two documents written as JSON."""

    def diff(base: Any, revision: Any) -> list[tuple[str, str, str | None]]:
        paths = [tmp_path / "base.json", tmp_path / "revision.json"]
        for path, document in zip(paths, (base, revision), strict=True):
            path.write_text(json.dumps(document))
        findings = diff_documents(*paths)
        assert all(finding.kind is Kind.DRIFT for finding in findings)
        assert [f.level for f in findings] == sorted((f.level for f in findings), reverse=True)
        return [(finding.rule, str(finding.level), finding.source) for finding in findings]

    return diff


GET = "GET /runs/{id}"


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda _doc, _answers: None, []),
        (lambda _doc, answers: answers.pop("200"), ("response-success-status-removed", "breaking", f"{GET} 200")),
        (lambda _doc, answers: answers.pop("404"), ("response-non-success-status-removed", "info", f"{GET} 404")),
        (lambda _doc, answers: answers.update({"204": {}}), ("response-success-status-added", "info", f"{GET} 204")),
        (lambda _doc, answers: answers.update({"4XX": {}}),
         ("response-non-success-status-added", "info", f"{GET} 4XX")),
        (lambda _doc, answers: answers["200"]["content"].update({"text/csv": {}}),
         ("response-media-type-added", "info", f"{GET} 200")),
        (lambda _doc, answers: answers["201"]["content"].pop("text/csv"),
         ("response-media-type-removed", "breaking", f"{GET} 201")),
        (lambda _doc, answers: answers["200"].update(content={"application/vnd.api+json": {"schema": {}}}),
         ("response-media-type-name-changed", "info", f"{GET} 200")),
        (lambda _doc, answers: answers["201"]["content"]["application/json"].pop("schema"),
         ("response-body-media-type-schema-removed", "warning", f"{GET} 201 application/json")),
        (lambda _doc, answers: answers["201"]["content"].update({"text/csv": {"schema": {"type": "string"}}}),
         ("response-body-media-type-schema-added", "info", f"{GET} 201 text/csv")),
        (lambda _doc, answers: answers["200"]["headers"].pop("X-Limit"),
         ("required-response-header-removed", "breaking", f"{GET} 200")),
        (lambda _doc, answers: answers["200"]["headers"].pop("X-Note"),
         ("optional-response-header-removed", "warning", f"{GET} 200")),
        (lambda _doc, answers: answers["200"]["headers"].update({"X-New": {}}),
         ("response-header-added", "info", f"{GET} 200")),
        (lambda _doc, answers: answers["200"]["headers"]["X-Kept"].pop("required"),
         ("response-header-became-optional", "breaking", f"{GET} 200")),
        (lambda _doc, answers: answers["200"]["headers"]["X-Limit"].update(schema={"type": "string"}),
         ("response-header-type-changed", "breaking", f"{GET} 200")),
        (lambda _doc, answers: answers["200"]["headers"]["X-Wide"].update(schema={"type": "number"}),
         ("response-header-type-generalized", "breaking", f"{GET} 200")),
        (lambda _doc, answers: answers["200"]["headers"]["X-Narrow"]["schema"].update(type="integer"),
         ("response-header-type-specialized", "info", f"{GET} 200")),
        (lambda _doc, answers: answers["200"]["headers"]["X-Narrow"].update(schema={"type": "number"}),
         ("response-header-became-not-nullable", "info", f"{GET} 200")),
        (lambda _doc, answers: answers["200"]["headers"]["X-Null"].update(schema={"type": "string", "nullable": True}),
         ("response-header-became-nullable", "breaking", f"{GET} 200")),
        (lambda _doc, answers: answers["200"]["headers"]["X-Note"].update(schema={"type": "string"}),
         ("response-header-changed", "warning", f"{GET} 200")),
        (lambda doc, _answers: doc["paths"].update({"/new": {"get": {}}}), ("operation-added", "info", "GET /new")),
        (lambda doc, _answers: doc["paths"]["/runs/{id}"].pop("head"),
         ("operation-removed", "breaking", "HEAD /runs/{id}")),
        (lambda doc, _answers: doc["components"]["schemas"]["Run"]["properties"].pop("id"),
         ("response-optional-property-removed", "warning", f"{GET} 200 application/json")),
    ],
)  # fmt: skip
def test_answers_of_two_openapi_documents(found: Any, change: Any, expected: Any) -> None:
    """Statuses, media types, headers and bodies of the operations both describe are compared, answer by answer."""
    told = found(BASE, changed(change))
    assert expected in told if expected else told == []


def test_a_path_parameter_may_be_called_otherwise(found: Any) -> None:
    """The name of a parameter in the path is no part of the operation; another version of OpenAPI no difference."""
    newer = json.loads(json.dumps(BASE).replace("/runs/{id}", "/runs/{run_id}").replace("3.0.3", "3.1.0"))
    newer["components"]["schemas"]["Run"]["properties"]["id"] = {"type": ["string", "null"]}
    newer["paths"]["/runs/{run_id}"]["get"]["responses"]["200"]["headers"]["X-Narrow"]["schema"] = {
        "type": ["number", "null"]
    }
    assert found(BASE, newer) == []


def test_one_change_of_one_place_per_answer(tmp_path: Path) -> None:
    """The same change in two answers is two problems, so their fingerprints differ."""
    wider = changed(
        lambda _doc, answers: answers["201"]["content"].update({"application/json": {"schema": {"type": "array"}}})
    )
    wider["components"]["responses"]["NotFound"]["content"] = {"application/json": {"schema": {"type": "array"}}}
    paths = [tmp_path / "a.json", tmp_path / "b.json"]
    for path, document in zip(paths, (BASE, wider), strict=True):
        path.write_text(json.dumps(document))
    findings = diff_documents(*paths)
    assert [finding.rule for finding in findings] == ["response-body-type-changed"] * 2
    assert len({finding.fingerprint for finding in findings}) == 2


def test_our_own_contract_is_its_own_run_schema(tmp_path: Path) -> None:
    """An OpenAPI document is compared with a schema by its only success, references between files followed."""
    run = schemas.OPENAPI_PATH.with_name("run.json")
    assert diff_documents(schemas.OPENAPI_PATH, run) == []
    assert diff_documents(schemas.OPENAPI_PATH, schemas.OPENAPI_PATH) == []
    shape = tmp_path / "shape.json"
    bodies = [example.body for example in schemas.examples() if example.valid and example.status == 200]
    shape.write_text(json.dumps(to_json(learn(bodies))))
    assert load(shape).kind == "a shape"
    # A shape does not know formats' machine bounds; nothing else of what it saw contradicts the contract.
    bounds = {"response-property-max-increased", "response-property-min-decreased"}
    rest = {"response-property-type-generalized", "response-property-became-optional"}
    assert {f.rule for f in diff_documents(run, shape) if f.level is Level.BREAKING} <= bounds | rest


def test_yaml_is_read_as_json_would_be(tmp_path: Path) -> None:
    """Dates stay text, `on` is no boolean, statuses are names, and anchors are followed."""
    (tmp_path / "a.yaml").write_text(
        "openapi: 3.0.0\npaths:\n  /x:\n    get:\n      responses:\n        200: &ok\n          content:\n"
        "            application/json:\n              schema:\n                enum: [on, 2026-05-18, no, true, null]\n"
        "        201: *ok\n"
    )
    (tmp_path / "b.json").write_text(
        json.dumps(
            {
                "openapi": "3.0.0",
                "paths": {
                    "/x": {
                        "get": {
                            "responses": {
                                status: {
                                    "content": {
                                        "application/json": {"schema": {"enum": ["on", "2026-05-18", "no", True, None]}}
                                    }
                                }
                                for status in ("200", "201")
                            }
                        }
                    }
                },
            }
        )
    )
    assert diff_documents(tmp_path / "a.yaml", tmp_path / "b.json") == []


def test_a_reference_to_another_file_is_followed(tmp_path: Path) -> None:
    """References lead to neighbours, by pointer, anchor or `$id`."""
    (tmp_path / "parts.yaml").write_text("$defs:\n  name: {$anchor: name, type: string}\n  odd/name: {type: string}\n")
    (tmp_path / "a.json").write_text(
        json.dumps({"properties": {"a": {"$ref": "parts.yaml#name"}, "b": {"$ref": "parts.yaml#/$defs/odd~1name"}}})
    )
    (tmp_path / "b.json").write_text(
        json.dumps(
            {
                "$id": "https://example.com/root",
                "properties": {"a": {"$ref": "#/$defs/x"}, "b": {"$ref": "https://example.com/y"}},
                "$defs": {"x": {"type": "string"}, "y": {"$id": "https://example.com/y", "type": "string"}},
            }
        )
    )
    assert diff_documents(tmp_path / "a.json", tmp_path / "b.json") == []


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("a.json", None, "cannot be read: no such file or directory"),
        ("a.json", b"\xff\xfe", "is not UTF-8 text"),
        ("a.json", b"{,}", "not JSON: expecting property name enclosed in double quotes at line 1, column 2"),
        ("a.json", b"[" * 100_000, "nests too deep to be read"),
        ("a.yaml", b"a: [1", "not YAML: expected ',' or ']', but got '<stream end>' at line 1, column 6"),
        ("a.yaml", b"a: \x01", "not YAML: it does not parse"),
        ("a.yaml", b"&a [*a, *a]", "nests too deep to be read"),
        ("a.json", b"[]", "is none of what can be compared"),
        ("a.json", b'{"data": {"id": "1"}}', "is none of what can be compared"),
        ("a.json", b'{"$ref": "#/nowhere"}', "the reference '#/nowhere' leads nowhere; only local files are followed"),
        ("a.json", b'{"allOf": [{"$ref": "https://example.com/x"}]}', "'https://example.com/x' leads nowhere"),
        ("a.json", b'{"$ref": "other.json"}', "other.json.*not JSON"),
        ("a.json", b'{"swagger": "2.0"}', "OpenAPI 2.0 is not read; write the document as OpenAPI 3.0 or 3.1"),
        ("a.json", b'{"kind": "model-lab-monitor/shape"}', "a shape of version None, not 1"),
        ("a.json", b'{"openapi": "3.0.0", "paths": {}}', "describes more than one JSON success, or none"),
    ],
)
def test_a_file_that_cannot_be_compared_says_why(tmp_path: Path, name: str, text: bytes | None, message: str) -> None:
    """One line: the file, what is wrong, and where."""
    path = tmp_path / name
    if text is not None:
        path.write_bytes(text)
    (tmp_path / "other.json").write_text("{")
    (tmp_path / "fine.json").write_text("{}")
    with pytest.raises(UsageError, match=message) as caught:
        diff_documents(path, tmp_path / "fine.json")
    assert str(tmp_path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_flow_style_is_yaml_too(tmp_path: Path) -> None:
    """A YAML file may look like JSON and be none; keys that are no text are names."""
    (tmp_path / "a.yaml").write_text("{type: object, properties: {200: {type: string}, true: {}, null: {}}}")
    written = {"type": "object", "properties": {"200": {"type": "string"}, "true": {}, "null": {}}}
    (tmp_path / "b.json").write_text(json.dumps(written))
    assert diff_documents(tmp_path / "a.yaml", tmp_path / "b.json") == []


def test_anchors_that_multiply_are_refused(tmp_path: Path) -> None:
    """A small file that unfolds to billions of values is refused, not unfolded."""
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 12)]
    path = tmp_path / "bomb.yaml"
    path.write_text("\n".join(lines))
    with pytest.raises(UsageError, match="anchors unfold to more than"):
        load(path)
