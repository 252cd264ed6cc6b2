"""Every mistake of one pass over file and environment, in the order a person mends them."""

from __future__ import annotations

from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from monitors.config.document import Document

_LISTED, _HINT_CHARS = 50, 80


@dataclass(slots=True)
class Mistakes:
    """Collects mistakes instead of stopping at the first; those of the file come first, by their line."""

    document: Document
    _of_file: list[tuple[int, str]] = field(default_factory=list)
    _others: list[str] = field(default_factory=list)

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self._of_file) + len(self._others)

    def wrong(self, path: tuple[str, ...], message: str) -> None:
        """Note what is wrong with a key or table of the file."""
        self._of_file.append((self.document.line(path), f"{self.document.place(path)}: {message}"))

    def add(self, message: str) -> None:
        """Note what is wrong elsewhere; the message names its place itself."""
        self._others.append(message)

    def hint(self, name: str, known: Iterable[str]) -> str:
        """Return the end of a sentence on an unknown name: the nearest known one, or all of them.

        Once more is wrong than is listed, nothing: looking for the nearest of a hundred thousand names takes minutes.
        """
        return "" if len(self._of_file) >= _LISTED else nearest(name, known)

    def listed(self) -> list[str]:
        """Return each mistake in a line."""
        return [message for _, message in sorted(self._of_file, key=lambda row: row[0])] + self._others

    def text(self) -> str | None:
        """Return the mistakes as one message, None where there is none; a long list is cut, and says so."""
        found = self.listed()
        if len(found) < 2:  # noqa: PLR2004 - nothing to list
            return "".join(found) or None
        left = [f"and {len(found) - _LISTED} more"] if len(found) > _LISTED else []
        return "\n  ".join([f"{len(found)} mistakes in the configuration:", *found[:_LISTED], *left])


def in_a_line(text: str) -> str:
    """Return what `Mistakes.text` says on one line, for a log: `2 mistakes in the configuration: this; that`."""
    head, *rest = (" ".join(line.split()) for line in text.split("\n"))
    return " ".join(filter(None, (head, "; ".join(rest))))


def nearest(name: str, known: Iterable[str]) -> str:
    """Return `; did you mean …?`, or `. Known: ….` where nothing is near."""
    names = list(known)
    near = get_close_matches(name[:_HINT_CHARS], names, n=1)
    return f"; did you mean {near[0]}?" if near else f". Known: {', '.join(names)}."
