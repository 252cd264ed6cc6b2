"""The file of `config init` is accepted as it is, and line by line as somebody takes the `#` away."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from monitors.config import FILE_NAME, SECTIONS, Settings, Thresholds, WatchSettings, load
from monitors.config.example import example

SETTING = re.compile(r"^#(?=[\[a-z])", re.MULTILINE)
VARIABLES = (
    "US5_READER_API_KEY",
    "US5_READER_APP_KEY",
    "OPS_SLACK_URL",
    "OPS_WEBHOOK_URL",
    "OPS_WEBHOOK_SECRET",
    "GITHUB_TOKEN",
    "ACCOUNT_API_KEY",
)
ENVIRON = dict.fromkeys(VARIABLES, "value") | {"MODEL_LAB_STORE_URL": "sqlite:///x"}


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def without(text: str, *names: str) -> str:
    return re.sub(rf"^({'|'.join(names)}) = .*\n", "", text, flags=re.MULTILINE)


def keys(tree: dict[str, object], path: tuple[str, ...] = ()) -> set[str]:
    """Return the names of the page's tables that a document has, such as `sites.SITE.run_id`."""
    found: set[str] = set()
    for name, value in tree.items():
        if isinstance(value, dict) and "[" not in name:
            found |= keys(value, (*path, name))
        else:
            whole = ".".join((*path, name))
            for pattern, placeholder in ((r"(sites)\.US5", "SITE"), (r"(checks)\.run", "CHECK"),
                                         (r"(maintenance|sinks)\.[a-z-]+", "NAME")):  # fmt: skip
                whole = re.sub(pattern, rf"\1.{placeholder}", whole)
            found.add(whole)
    return found


def test_the_file_as_it_is_changes_nothing() -> None:
    Path(FILE_NAME).write_text(example())
    assert load(None, {}, []) == Settings(sites=load(None, {}, []).sites, path=Path(FILE_NAME))
    assert tomllib.loads(example()) == {}


def test_every_key_of_the_page_stands_in_the_file() -> None:
    documented = {row.name for section, rows in SECTIONS.items() if section != "environment" for row in rows}
    assert keys(tomllib.loads(SETTING.sub("", example()))) == documented


@pytest.mark.parametrize("others", [r"url|\w+_file", r"url|\w+_env", r"\w+_file"], ids=["variables", "files", "url"])
def test_with_every_line_in_force_it_is_a_configuration(others: str) -> None:
    """Of the ways a secret is given, one can be in force: the `others` stay commented out."""
    text = without(SETTING.sub("", example()), others)
    # Where a URL may stand in the file, its variable stays commented out if it does.
    text = re.sub(r"^(url = .*\n(?:#.*\n)*)url_env = .*\n", r"\1", text, flags=re.MULTILINE)
    found = load_text(text, files=others == r"url|\w+_env")
    types = ["apprise", "webhook", "github-issues", "github-actions", "datadog", "stdout"]
    assert [sink.type for sink in found.sinks] == types
    assert [window.name for window in found.maintenance] == ["weekly", "move"]
    assert (found.store_url or "").startswith("sqlite:///")


def load_text(text: str, *, files: bool = False) -> Settings:
    Path(FILE_NAME).write_text(text)
    Path("keys").mkdir(exist_ok=True)
    for name in re.findall(r'"keys/([\w-]+)"', text) if files else ():
        Path("keys", name).write_text("sqlite:///x\n")
    return load(None, ENVIRON, ["US5"])


def test_defaults_stand_there_as_they_are() -> None:
    """What is shown as a default, and not as an example, changes nothing when it is put in force."""
    examples = ("interval_s", "digest_cron")
    lines = SETTING.sub("", example()).split("\n")
    watch = lines[lines.index("[watch]") : lines.index("[checks.run]")]
    incidents = lines[lines.index("[incidents]") : lines.index("[maintenance.weekly]")]
    found = load_text(without("\n".join([*watch, *incidents]), *examples))
    assert (found.watch, found.thresholds) == (WatchSettings(), Thresholds())


def test_no_line_is_too_wide() -> None:
    assert max(map(len, example().splitlines())) <= 120
