"""Pages hang together: links and anchors lead somewhere, named files are there, every block says its language."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

if TYPE_CHECKING:
    from conftest import Page

ROOT = Path(__file__).parents[2]
LANGUAGES = {"sh", "console", "crontab", "python", "toml", "json", "yaml", "text"}
OURS = (
    "schemas/",
    "mock_site/",
    "monitors/",
    "contract_tests/",
    "tests/",
    "benchmarks/",
    "docs/",
    "deploy/",
    ".github/",
)


def test_every_link_leads_somewhere(page: Page, pages: list[Page]) -> None:
    anchors = {other.path: other.anchors for other in pages}
    for target in page.links:
        address = urlsplit(target)
        if address.scheme:
            assert address.scheme == "https", target
            continue
        path = (page.path.parent / address.path).resolve() if address.path else page.path
        assert path.exists(), f"{page.name}: {target}"
        assert not address.fragment or address.fragment in anchors[path], f"{page.name}: {target}"


def test_every_page_is_reached_from_the_readme(pages: list[Page]) -> None:
    linked, reached, waiting = {page.path: page for page in pages}, set(), [ROOT / "README.md"]
    while waiting:
        path = waiting.pop()
        if path in reached or path not in linked:
            continue
        reached.add(path)
        waiting += [(path.parent / urlsplit(target).path).resolve() for target in linked[path].links]
    assert {page.name for page in pages if page.path not in reached} <= {"CHANGELOG.md"}


def test_every_file_named_is_there(page: Page) -> None:
    """Names with a placeholder in them name no file."""
    named = [word for word in page.code_words if word.startswith(OURS) and not re.search(r"[<*…\s]", word)]
    assert [name for name in named if not (ROOT / name).exists()] == []


def test_every_block_says_its_language(page: Page) -> None:
    assert [f"line {block.line}" for block in page.blocks if block.language not in LANGUAGES] == []


@pytest.mark.parametrize(("language", "loads"), [("toml", tomllib.loads), ("json", json.loads)])
def test_data_parses(page: Page, language: str, loads: object) -> None:
    assert callable(loads)
    for block in page.blocks:
        if block.language == language:
            assert loads(block.text)


def test_every_environment_of_tox_that_is_named_exists(page: Page) -> None:
    known = set(re.findall(r"^\[testenv:(\S+)\]$", (ROOT / "tox.ini").read_text("utf-8"), re.MULTILINE))
    known |= {"py311", "py312", "py313"}
    code = [block.text for block in page.blocks] + page.code_words
    named = [env for text in code for envs in re.findall(r"tox run -e (\S+)", text) for env in envs.split(",")]
    assert set(named) <= known
