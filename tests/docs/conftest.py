"""The pages as a Markdown parser sees them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from markdown_it import MarkdownIt

if TYPE_CHECKING:
    from collections.abc import Iterator

    from markdown_it.token import Token

ROOT = Path(__file__).parents[2]
RUNNABLE = {"sh", "console", "crontab", "python"}


@dataclass(frozen=True)
class Block:
    """A fenced block: its language and text, and the line of the page it starts on."""

    language: str
    text: str
    line: int


@dataclass(frozen=True)
class Page:
    """One page of the documentation."""

    path: Path

    @property
    def name(self) -> str:
        return str(self.path.relative_to(ROOT))

    @property
    def tokens(self) -> list[Token]:
        return _parsed(self.path)

    @property
    def blocks(self) -> list[Block]:
        """The fenced blocks, in order."""
        fences = [token for token in self.tokens if token.type == "fence"]
        return [Block(token.info.strip(), token.content, (token.map or [0])[0] + 1) for token in fences]

    @property
    def links(self) -> list[str]:
        """Every target of a link or picture."""
        found = [child.attrs.get("href", child.attrs.get("src")) for child in self._inline()]
        return [str(target) for target in found if target]

    @property
    def anchors(self) -> set[str]:
        """What GitHub calls the headings of the page."""
        found: dict[str, int] = {}
        for before, token in zip(self.tokens, self.tokens[1:], strict=False):
            if before.type == "heading_open":
                words = re.sub(r"[^\w\- ]", "", token.content.lower()).replace(" ", "-")
                found[words] = found.get(words, 0) + 1
        return {f"{words}-{n}" if n else words for words, number in found.items() for n in range(number)}

    @property
    def code_words(self) -> list[str]:
        """Every piece of code within a line."""
        return [child.content for child in self._inline() if child.type == "code_inline"]

    def _inline(self) -> Iterator[Token]:
        for token in self.tokens:
            yield from token.children or ()


@cache
def _parsed(path: Path) -> list[Token]:
    return MarkdownIt("commonmark").enable("table").parse(path.read_text("utf-8"))


PAGES = [Page(ROOT / "README.md"), Page(ROOT / "CHANGELOG.md"), *map(Page, sorted((ROOT / "docs").glob("*.md")))]


@pytest.fixture(scope="session")
def pages() -> list[Page]:
    """Return every page."""
    return PAGES


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Give a test each page in turn, or each guide: a page with something to run."""
    guides = [page for page in PAGES if any(block.language in RUNNABLE for block in page.blocks)]
    for name, chosen in (("page", PAGES), ("guide", guides)):
        if name in metafunc.fixturenames:
            metafunc.parametrize(name, chosen, ids=[page.name for page in chosen])
