"""One setting as data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True, slots=True)
class Row:
    """One setting: its name, what it takes, its default as the docs write it, its meaning.

    `read` turns the file's value into the setting's and raises `ValueError` with the words after "must be". `example`
    is a TOML value to show where there is no default.
    """

    name: str
    takes: str
    default: str
    meaning: str
    read: Callable[[Any], Any] = str
    example: str = ""


def rows(*given: tuple[Any, ...]) -> dict[str, Row]:
    """Return rows by name, in the order given."""
    return {row.name: row for row in (Row(*parts) for parts in given)}
