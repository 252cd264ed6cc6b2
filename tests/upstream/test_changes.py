"""What the page says differently from the contract is found, and nothing else is."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

import schemas
from monitors.drift.resolve import Home
from monitors.errors import UsageError
from monitors.model import Finding, Kind, Level
from monitors.rules import RULES
from monitors.upstream.comparing import compare
from monitors.upstream.parsing import parse

if TYPE_CHECKING:
    from collections.abc import Callable

PATH = "/api/v2/model-lab-api/runs/{run_id}"


def seen(text: str) -> list[tuple[str, str | None]]:
    return sorted((finding.rule, finding.location) for finding in compare(parse(text)))


def test_a_page_that_says_what_the_contract_says_is_no_difference(page_text: str) -> None:
    """Null, bounds, media types, 401 and 403, and the ninth site are beyond what the page says."""
    assert seen(page_text) == []


def listing(text: str, site: str) -> str:
    """Return the page with one more site."""
    row = f"| {site}.datadoghq.com | GET https://api.{site}.datadoghq.com{PATH} |\n"
    return text.replace("| us5.datadoghq.com", f"{row}| us5.datadoghq.com", 1)


def arguments(text: str, title: str, name: str, kind: str) -> str:
    """Return the page with one more table of arguments."""
    table = f"#### {title}\n\n| Name | Type |\n|--|--|\n| {name} | {kind} |\n\n"
    return text.replace("### Response", f"{table}### Response")


HARMLESS: dict[str, Callable[[str], str]] = {
    "line on top": lambda text: "# Source: https://example.com/page.md\n\n" + text,
    "Windows line ends": lambda text: text.replace("\n", "\r\n"),
    "byte order mark aside, trailing blanks": lambda text: text.replace("|\n", "|  \n"),
    "narrow columns": lambda text: re.sub(r" {2,}", " ", text),
    "UK1 listed": lambda text: listing(text, "uk1"),
    "escaped names": lambda text: text.replace("mlflow_artifact_location", r"mlflow\_artifact\_location").replace(
        "| [object]", r"| \[object\]"
    ),
    "entities": lambda text: text.replace("[*required*]", "&#91;*required*&#93;"),
    "other marks": lambda text: text.replace("[*required*]", "[_required_]"),
    "bold names": lambda text: text.replace("| owner_id ", "| **owner_id** "),
    "names as code": lambda text: text.replace("| owner_id ", "| `owner_id` "),
    "a mark nobody knows": lambda text: text.replace("| owner_id ", "| owner_id [*new*] "),
    "tables without outer bars": lambda text: re.sub(r"(?m)^\| (\S.*?) \|$", r"\1", text),
    "links": lambda text: re.sub(r"GET(\*\*)? (https://\S+)", r"GET\1 <\2>", text),
    "another section": lambda text: text.replace("### Response", "### Permissions\n\nNone.\n\n### Response"),
    "path named otherwise": lambda text: text.replace("{run_id}", "{id}").replace("run_id [", "id ["),
    "two tables for one response": lambda text: text.replace(
        "Says 429", "| Header | Meaning |\n| --- | --- |\n| a | b |\n\nSays 429"
    ),
}


@pytest.mark.parametrize("change", HARMLESS.values(), ids=HARMLESS)
def test_form_alone_is_no_difference(page_text: str, change: Callable[[str], str]) -> None:
    """Widths, escapes, marks, line ends, lines in between and the order of tabs do not matter."""
    assert seen(change(page_text)) == []


def test_the_order_of_responses_and_rows_does_not_matter(first_page: str) -> None:
    """Tabs may come in any order, and rows before the row of their parent."""
    start, end = first_page.index('{% tab title="200"'), first_page.index('{% tab title="400"')
    last = first_page.index("### Code Example")
    moved = first_page[:start] + first_page[end:last] + first_page[start:end] + first_page[last:]
    lines = moved.splitlines()
    inner = [at for at, line in enumerate(lines) if line.startswith("| tags ")]
    rows = [lines.pop(at) for at in reversed(inner)]
    top = next(at for at, line in enumerate(lines) if "data [*required*]" in line)
    lines[top + 1 : top + 1] = rows
    assert seen("\n".join(lines)) == []


A = "$.data.attributes"
BREAKING, WARNING, INFO = Level.BREAKING, Level.WARNING, Level.INFO

FOUND: dict[str, tuple[Callable[[str], str], tuple[str, str]]] = {
    "site added": (
        lambda text: listing(text, "us9"),
        ("site-added", "$.servers"),
    ),
    "site removed": (lambda text: re.sub(r"(?m)^\| us5.*\n", "", text), ("site-removed", "$.servers")),
    "site no longer served": (
        lambda text: re.sub(r"(?m)^(\| us5\S*\s*\|).*$", r"\1 Not supported in the US5 region |", text),
        ("site-removed", "$.servers"),
    ),
    "host changed": (lambda text: text.replace("api.us5.", "edge.us5."), ("site-endpoint-changed", "$.servers")),
    "path of one site changed": (
        lambda text: text.replace("api.us5.datadoghq.com/api/v2", "api.us5.datadoghq.com/api/v3"),
        ("site-endpoint-changed", "$.servers"),
    ),
    "path changed": (lambda text: text.replace("/api/v2/", "/api/v3/"), ("endpoint-path-changed", "$")),
    "path lost its infix": (lambda text: text.replace("model-lab-api", "model-lab"), ("endpoint-path-changed", "$")),
    "preview ended": (lambda text: re.sub(r"(?m)^.*in preview.*\n", "", text), ("preview-ended", "$")),
    "preview said to have ended": (
        lambda text: text.replace("is in preview and", "is no longer in preview and"),
        ("preview-ended", "$"),
    ),
    "deprecated": (
        lambda text: text.replace("Fetch it.", "**Note**: This endpoint is deprecated. Use another."),
        ("operation-deprecated", "$"),
    ),
    "query parameter": (
        lambda text: arguments(text, "Query Strings", "page[size]", "int64"),
        ("new-optional-request-parameter", "$.parameters['page[size]']"),
    ),
    "required header": (
        lambda text: arguments(text, "Header Parameters", "X-A [*required*]", "string"),
        ("new-required-request-parameter", "$.parameters['X-A']"),
    ),
    "type of the run id": (
        lambda text: re.sub(r"(run_id \[\*required\*\]\s*\|\s*)integer", r"\1string ", text),
        ("request-parameter-type-changed", "$.parameters['run_id']"),
    ),
    "response added": (
        lambda text: re.sub(
            r'(\{% tab \w+=")404(" %\})', r"\g<1>402\g<2>\nPay\n{% /tab %}\n\g<1>404\g<2>", text, count=1
        ),
        ("response-non-success-status-added", "$.responses['402']"),
    ),
    "field added": (
        lambda text: re.sub(r"(?m)^(\| attributes *\| owner_id)", r"| attributes | priority | int64 | x |\n\1", text),
        ("response-optional-property-added", f"{A}.priority"),
    ),
    "required field added at the end": (
        lambda text: re.sub(
            r"(?m)^(\| data *\| type.*)$", r"\1\n| attributes | priority [*required*] | int64 | x |", text
        ),
        ("response-required-property-added", f"{A}.priority"),
    ),
    "required field removed": (
        lambda text: re.sub(r"(?m)^\| attributes *\| is_pinned.*\n", "", text),
        ("response-required-property-removed", f"{A}.is_pinned"),
    ),
    "optional field removed": (
        lambda text: re.sub(r"(?m)^\| attributes *\| owner_id.*\n", "", text),
        ("response-optional-property-removed", f"{A}.owner_id"),
    ),
    "mark gone": (
        lambda text: text.replace("is_pinned [*required*]", "is_pinned"),
        ("response-property-became-optional", f"{A}.is_pinned"),
    ),
    "mark added": (
        lambda text: text.replace("| owner_id ", "| owner_id [*required*] "),
        ("response-property-became-required", f"{A}.owner_id"),
    ),
    "retyped": (
        lambda text: re.sub(r"(project_id \[\*required\*\] *\| )int64", r"\1string", text),
        ("response-property-type-changed", f"{A}.project_id"),
    ),
    "list no more": (
        lambda text: re.sub(r"(tags \[\*required\*\] *\| )\[object\]", r"\1object", text),
        ("response-property-type-changed", f"{A}.tags"),
    ),
    "value added": (
        lambda text: text.replace("killed,", "killed,archived,"),
        ("response-property-enum-value-added", f"{A}.status"),
    ),
    "value removed": (
        lambda text: text.replace(",killed", ""),
        ("response-property-enum-value-removed", f"{A}.status"),
    ),
    "field deprecated": (
        lambda text: text.replace("About owner_id.", "**Deprecated**. About it."),
        ("response-property-deprecated", f"{A}.owner_id"),
    ),
}


@pytest.mark.parametrize(("change", "expected"), FOUND.values(), ids=FOUND)
def test_a_change_of_content_is_found_and_nothing_else(
    page_text: str, change: Callable[[str], str], expected: tuple[str, str]
) -> None:
    """One change on the page is one finding, at its place."""
    changed = change(page_text)
    assert changed != page_text
    assert seen(changed) == [expected]


def test_a_response_that_is_gone_is_found(first_page: str) -> None:
    """The tab of a status vanished."""
    start, end = first_page.index('{% tab title="404"'), first_page.index('{% tab title="429"')
    assert seen(first_page[:start] + first_page[end:]) == [
        ("response-non-success-status-removed", "$.responses['404']")
    ]


def test_a_form_we_know_of_403_is_no_news(first_page: str) -> None:
    """The contract names every form seen; that the vendor documents one of them changes nothing."""
    start, end = first_page.index('{% tab title="404"'), first_page.index('{% tab title="429"')
    documented = first_page[start:end].replace("404", "403")
    assert seen(first_page[:end] + documented + first_page[end:]) == []


def test_findings_are_drift_with_source_site_and_check(first_page: str) -> None:
    """A finding of the page has the kind, and for a body the fingerprint, a live answer would have."""
    text = first_page.replace("api.us5.", "edge.us5.").replace("killed,", "killed,archived,")
    found = {finding.rule: finding for finding in compare(parse(text), source="page.md")}
    assert {finding.kind for finding in found.values()} == {Kind.DRIFT}
    assert {finding.source for finding in found.values()} == {"page.md"}
    assert found["site-endpoint-changed"].site == "US5"
    assert found["response-property-enum-value-added"].check == "run"
    live = Finding(
        "response-property-enum-value-added", Level.WARNING, Kind.DRIFT, "", f"{A}.status",
        check="run", discriminator="archived",
    )  # fmt: skip
    assert found["response-property-enum-value-added"].fingerprint == live.fingerprint


def test_one_change_in_two_responses_has_two_fingerprints(first_page: str) -> None:
    """429 and 500 belong to no check, and are told apart."""
    changed = first_page.replace("| title ", "| headline ")
    found = [finding for finding in compare(parse(changed)) if finding.level > Level.INFO]
    assert len({finding.fingerprint for finding in found}) == len(found) == 3
    assert all("(response " in finding.message for finding in found)


def test_every_rule_of_a_page_is_in_the_table() -> None:
    """Levels are those of the table."""
    assert RULES["site-added"].level is INFO
    assert RULES["site-removed"].level is RULES["operation-deprecated"].level is WARNING
    assert RULES["endpoint-path-changed"].level is RULES["site-endpoint-changed"].level is BREAKING


def openapi(**operation: object) -> Home:
    return Home({"openapi": "3.1.0", "paths": {PATH: {"get": operation}}})


def test_an_openapi_document_can_say_null() -> None:
    """Where a document speaks of null, a difference in null counts, in the words of 3.0 and of 3.1."""
    body = {
        "type": "object",
        "required": ["errors"],
        "properties": {"errors": {"type": "array", "items": {"type": "string"}}},
    }
    answers = {"429": {"description": "", "content": {"application/json": {"schema": body}}}}
    document = openapi(responses=answers).root
    document["openapi"] = "3.0.3"
    body["properties"]["errors"]["nullable"] = True  # type: ignore[index]
    found = [finding.rule for finding in compare(Home(document)) if finding.location == "$.errors"]
    assert found == ["response-property-became-nullable"]


def test_our_own_document_is_no_difference() -> None:
    """Bounds that repeat int64 and our overlays are on both sides."""
    bundled = {
        name: schemas.document(name) for name in ("run", "jsonapi-error", "rate-limit-error", "string-list-error")
    }

    def inline(node: object) -> object:
        if isinstance(node, dict):
            name = str(node.get("$ref", "")).removesuffix(".json")
            return bundled[name] if name in bundled else {key: inline(value) for key, value in node.items()}
        return [inline(part) for part in node] if isinstance(node, list) else node

    assert compare(Home(inline(schemas.OPENAPI))) == []


def test_servers_with_variables_are_spelled_out() -> None:
    """Each value of a variable is a site; a document that lists only itself says nothing about sites."""
    site = {"default": "datadoghq.com", "enum": ["datadoghq.com", "us9.datadoghq.com"]}
    listed = [
        {"url": "https://{sub}.{site}/", "variables": {"sub": {"default": "api"}, "site": site}},
        {"url": "/"},
        "x",
    ]
    found = [f for f in compare(openapi(servers=listed)) if f.rule.startswith("site")]
    assert [f.revision for f in found if f.rule == "site-added"] == ["https://api.us9.datadoghq.com"]
    assert len([f for f in found if f.rule == "site-removed"]) == 7
    assert not [f for f in compare(openapi(servers=[{"url": "http://localhost"}])) if f.rule.startswith("site")]


def test_parameters_of_a_document_are_compared() -> None:
    """Required, values and references of parameters count."""
    base = {"in": "query", "name": "sort", "schema": {"type": "string", "enum": ["a", "b"]}}
    later = {"in": "query", "name": "sort", "required": True, "schema": {"type": "string", "enum": ["b", "c"]}}
    from monitors.upstream.comparing import findings  # noqa: PLC0415 - of this test alone
    from monitors.upstream.view import view  # noqa: PLC0415 - likewise

    old = openapi(parameters=[base, {"in": "query", "name": "gone", "schema": {"type": "string"}}])
    new = openapi(parameters=[{"$ref": "#/components/parameters/sort"}, {"in": "odd"}])
    new.root["components"] = {"parameters": {"sort": later}}
    rules = [f.rule for f in findings(view(old, PATH, "get"), view(new, PATH, "get"), from_page=False)]
    back = [f.rule for f in findings(view(new, PATH, "get"), view(old, PATH, "get"), from_page=False)]
    assert rules == [
        "request-parameter-became-required",
        "request-parameter-enum-value-removed",
        "request-parameter-enum-value-added",
        "request-parameter-removed",
    ]
    assert "request-parameter-became-optional" in back


def test_a_document_without_the_operation_says_it_was_removed() -> None:
    """A whole description that no longer has the operation is a break; something else is refused."""
    (found,) = compare(Home({"openapi": "3.1.0", "paths": {"/api/v2/other": {"get": {}}}}))
    assert (found.rule, found.level) == ("operation-removed", Level.BREAKING)
    with pytest.raises(UsageError, match="neither a page"):
        compare(Home({"type": "object"}))
