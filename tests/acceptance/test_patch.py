"""The patch applies with the usual tools; applied, the same command finds nothing any more, and the tables agree."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import schemas
from monitors.acceptance import history
from monitors.acceptance.tables import with_docs_table, with_field_rows
from monitors.acceptance.tree import Judges, Tree
from monitors.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Problems

    from monitors.acceptance.known import Known
    from monitors.acceptance.proposal import Proposal

ROOT = Path(__file__).parents[2]
WHOLE = ("schemas", "monitors", "mock_site")
FILES = ("docs/contract.md", "docs/contract-history.md", *(f"tests/schemas/fields/{name}.tsv" for name in ("run",)))
CHECK = "import sys; from monitors.cli import main; main(sys.argv[1:])"


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """Copy what a proposal reads and what judges an answer."""
    for name in WHOLE:
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in FILES:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    return tmp_path


def drifted() -> dict[str, Any]:
    body: dict[str, Any] = next(e.body for e in schemas.examples() if e.name == "valid/200/every-member")  # type: ignore[assignment]  # a run
    attributes = body["data"]["attributes"]
    attributes |= {"name": None, "status": "archived", "queue": {"id": 7}, "project_id": 2**63, "created_at": "today"}
    del attributes["tags"]
    attributes["metric_summaries"][0]["count"] = "3"
    del body["data"]["id"]
    return body


def run(*words: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    environ = {**os.environ, "PYTHONPATH": str(cwd), "GIT_CEILING_DIRECTORIES": str(cwd.parent)}
    return subprocess.run(  # noqa: S603 - our own command lines
        [str(word) for word in words], cwd=cwd, env=environ, capture_output=True, text=True, timeout=120, check=False
    )


@pytest.mark.parametrize(
    "tool", [["git", "apply"], ["patch", "-p1", "--no-backup-if-mismatch", "--input"]], ids="".join
)
def test_applied_the_command_finds_nothing_any_more(checkout: Path, tool: list[str]) -> None:
    if shutil.which(tool[0]) is None:
        pytest.skip(f"{tool[0]} is not installed")
    answer = checkout / "answer.json"
    answer.write_text(json.dumps(drifted()))
    check = [sys.executable, "-c", CHECK, "check", answer, "--format", "json"]
    before = run(*check, cwd=checkout)
    assert before.returncode == 1
    made = run(sys.executable, "-c", CHECK, "propose", "--from", answer, "--output", "x.patch", cwd=checkout)
    assert (made.returncode, made.stdout) == (0, "")
    assert run(*tool, "x.patch", cwd=checkout).returncode == 0
    after = run(*check, cwd=checkout)
    assert (after.returncode, json.loads(after.stdout)["findings"]) == (0, [])
    rows = (checkout / "tests/schemas/fields/run.tsv").read_text().splitlines()
    assert "$.data.attributes.name\tstring\t-\trequired\tyes\t-" in rows
    assert (
        "$.data.attributes.project_id\tinteger\t-\trequired\tno\tminimum=-9223372036854775808,maximum=9223372036854775808"
        in rows
    )
    assert history.page(history.read((checkout / history.DATA).read_text())) == (checkout / history.PAGE).read_text()


def test_the_patch_is_what_the_tree_says(proposal: Callable[[], Proposal], known: Callable[..., Known]) -> None:
    making = proposal()
    making.add(known(), reason="announced")
    patch = making.tree.patch()
    assert patch.count("\n+++ ") == 7
    assert '-              "type": "string",\n+              "type": [\n+                "string",\n' in patch
    assert (
        "deleted file mode 100644\n--- a/schemas/examples/invalid/run/null/data.attributes.name-is-null.json" in patch
    )
    assert '+    "reason": "announced"\n' in patch
    assert "| `$.data.attributes.name` | string or null | required |" in patch


def test_a_line_without_its_end_is_marked(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("one\ntwo")
    tree = Tree(tmp_path)
    tree.write("a", "one\nthree\n")
    tree.write("empty", "")
    tree.write("same", None)
    assert tree.patch() == (
        "diff --git a/a b/a\n--- a/a\n+++ b/a\n@@ -1,2 +1,2 @@\n one\n-two\n\\ No newline at end of file\n+three\n"
        "diff --git a/empty b/empty\nnew file mode 100644\n"
    )


def test_what_is_no_checkout_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is this the contract's checkout"):
        Judges(Tree(tmp_path))
    (tmp_path / "schemas").mkdir()
    (tmp_path / "schemas" / "run.json").mkdir()
    with pytest.raises(UsageError, match="cannot read"):
        Tree(tmp_path).read("schemas/run.json")


def test_problems_no_schema_makes_true_are_left_out_with_their_reason(
    proposal: Callable[[], Proposal], known: Callable[..., Known]
) -> None:
    making = proposal()
    making.add(known("timeout", location=None, kind="availability"))
    making.add(known(statuses=(418,)))
    making.add(known("response-optional-property-added", location="$.more", revision="string", statuses=(), check=None))
    whys = [why for _, why in making.left_out]
    assert [why.split(",")[0].split(";")[0] for why in whys] == [
        "it is about the answer as a whole", "its status is not documented",
        "the report does not say which status it came with",
    ]  # fmt: skip
    assert making.tree.patch() == ""


def test_a_check_tells_the_status_where_the_report_does_not(
    proposal: Callable[[], Proposal], known: Callable[..., Known]
) -> None:
    making = proposal()
    making.add(known("response-property-became-nullable", location="$.errors[*].title", statuses=(), check="not-found"))
    assert making.changed == ["$.errors[*].title: may be null"]
    assert making.tree.read("schemas/examples/valid/404/seen-errors.item.title-became-nullable.json")


def test_the_form_a_rejection_has_is_the_one_that_is_widened(
    proposal: Callable[[], Proposal], problems: Problems
) -> None:
    making = proposal()
    [known] = problems(b'{"errors":["Unauthorized"],"trace":"abc"}', 401)
    making.add(known)
    assert making.left_out == []
    assert '"trace"' in (making.tree.read("schemas/string-list-error.json") or "")
    assert '"trace"' not in (making.tree.read("schemas/jsonapi-error.json") or "")


def test_a_recorded_answer_the_change_would_not_fit_is_told(
    proposal: Callable[[], Proposal], known: Callable[..., Known]
) -> None:
    making = proposal()
    making.add(known("response-optional-property-added", location="$.data.extra", revision="string"))
    fine = next(e.body for e in schemas.examples() if e.name == "valid/200/minimal")
    assert isinstance(fine, dict)
    other = {"data": {**fine["data"], "extra": True}}  # type: ignore[dict-item]  # a run
    assert making.newly_wrong([(200, fine), (200, other), (418, None)]) == [
        "response-property-type-changed at $.data.extra"
    ]


def test_the_tables_are_those_of_the_schemas() -> None:
    page = (ROOT / "docs/contract.md").read_text("utf-8")
    for name in ("run", "jsonapi-error", "rate-limit-error", "string-list-error"):
        assert with_docs_table(page, name, schemas.document(name)) == page
        table = (ROOT / f"tests/schemas/fields/{name}.tsv").read_text("utf-8")
        assert with_field_rows(table, schemas.document(name)) == table
    assert with_docs_table(page, "other", {}) == page


def test_the_page_of_the_history_is_its_data() -> None:
    events = history.read((ROOT / history.DATA).read_text("utf-8"))
    assert history.page(events) == (ROOT / history.PAGE).read_text("utf-8")
    printed = run(sys.executable, "-m", "monitors.acceptance", cwd=ROOT)
    assert (printed.returncode, printed.stdout) == (0, history.page(events))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "no JSON"),
        ("{}", "must be a list"),
        ("[{}]", "entry 1: must be an object with change, date,"),
        ({"date": "yesterday"}, "entry 1: date must be a day like 2026-12-31, or null"),
        ({"date": "20261231"}, "entry 1: date must be a day"),
        ({"rule": "no-rule"}, "entry 1: rule must be other than it is"),
        ({"sites": "US5"}, "entry 1: sites must be other than it is"),
        ({"change": ""}, "entry 1: change must be other than it is"),
    ],
)
def test_a_history_that_is_none_is_refused(text: str | dict[str, Any], message: str) -> None:
    event = {
        "date": None,
        "change": "c",
        "location": None,
        "rule": None,
        "first_seen": None,
        "sites": [],
        "reason": "r",
    }
    if isinstance(text, dict):
        text = json.dumps([event | text])
    with pytest.raises(UsageError) as caught:
        history.read(text)
    assert message in str(caught.value)
