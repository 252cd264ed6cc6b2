"""`diff` and `check --schema`: the engine from the command line."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

import schemas
from monitors.cli import run

if TYPE_CHECKING:
    from pathlib import Path

BASE = {"type": "object", "properties": {"userName": {"type": "string"}, "n": {"type": "integer"}}}
REVISION = {"type": "object", "properties": {"user_name": {"type": "string"}, "n": {"type": "integer"}}}


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Write a few contracts and bodies into an empty working directory."""
    monkeypatch.chdir(tmp_path)
    documents: dict[str, Any] = {
        "base.json": BASE,
        "revision.json": REVISION,
        "before.json": {"userName": "some name", "n": 1},
        "after.json": {"user_name": "some name", "n": 1},
        "lacking.json": {"userName": "other"},
    }
    for name, document in documents.items():
        (tmp_path / name).write_text(json.dumps(document))
    return tmp_path


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["diff", "base.json", "base.json"], 0, "No difference (base.json, base.json)."),
        (["diff", "base.json", "revision.json"], 1, "`userName` is now called `user_name`"),
        (["diff", "base.json", "revision.json", "--fail-on", "never"], 0, "1 breaking change"),
        (["diff", "base.json", "revision.json", "--format", "markdown"], 1, "### Contracts compared: breaking"),
        (["diff", str(schemas.OPENAPI_PATH), str(schemas.OPENAPI_PATH)], 0, "No difference"),
        (["check", "--schema", "base.json", "before.json"], 0, "1 judged"),
        (["check", "--baseline", "before.json", "after.json"], 1, "response-property-renamed"),
        (["check", "--schema", "base.json", "--sample", "before.json", "lacking.json"], 0, "1 judged"),
    ],
)
def test_what_is_said_and_the_exit_code(
    files: Path, capfd: pytest.CaptureFixture[str], arguments: list[str], code: int, said: str
) -> None:
    """The verdict decides the exit code, and a person reads what changed."""
    assert files.is_dir()
    assert run(arguments) == code
    assert said in capfd.readouterr().out


def test_the_json_of_diff(files: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """One object with verdict, summary and changes."""
    assert files.is_dir()
    run(["diff", "base.json", "revision.json", "--format", "json"])
    printed = json.loads(capfd.readouterr().out)
    assert (printed["verdict"], printed["command"]) == ("breaking", "diff")
    assert [change["rule"] for change in printed["changes"]] == ["response-property-renamed"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["diff", "base.json", "nowhere.json"], "error: nowhere.json: cannot be read: no such file or directory"),
        (["diff", "base.json", "before.json"], "error: before.json: is none of what can be compared"),
        (["check", "--baseline", "nowhere.json", "after.json"], "error: nowhere.json: cannot be read"),
        (["check", "--baseline", "odd.json", "after.json"], "error: odd.json: not JSON"),
        (["check", "--schema", "sting.json", "after.json"], "error: the schema is no usable JSON Schema"),
    ],
)
def test_mistakes_are_one_line(files: Path, capfd: pytest.CaptureFixture[str], arguments: list[str], said: str) -> None:
    """A file that cannot be used is exit code 2 and names the file."""
    (files / "odd.json").write_text("{")
    (files / "sting.json").write_text('{"type": "sting"}')
    assert run(arguments) == 2
    error = capfd.readouterr().err
    assert said in error
    assert error.count("\n") == 1


def test_our_own_description_judges_our_own_examples(files: Path) -> None:
    """An OpenAPI document with references to neighbours judges bodies by its only success."""
    body = next(example.body for example in schemas.examples() if example.valid and example.status == 200)
    (files / "run.json").write_text(json.dumps(body))
    assert run(["check", "--schema", str(schemas.OPENAPI_PATH), "--baseline", "run.json", "run.json"]) == 0
