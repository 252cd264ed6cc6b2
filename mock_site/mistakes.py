"""Mistakes of whoever uses the mock: one exception, one way of saying what is known."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


_FEW = 10


class MockUsageError(ValueError):
    """The user asked the mock for something it cannot do; the text is one line for a person."""


def unknown(given: str, kind: str, known: Iterable[str]) -> MockUsageError:
    """Return the error for a name that is in no table, with the nearest known name, and all where they are few.

    Without a near one, all are listed however many there are.
    """
    names = list(known)
    lower = {name.lower(): name for name in names}
    near = get_close_matches(given.lower(), lower, n=1)
    hint = f"; did you mean {lower[near[0]]}?" if near else "."
    listed = "" if near and len(names) > _FEW else f" Known: {', '.join(names) or 'none'}."
    return MockUsageError(f"unknown {kind} {given!r}{hint}{listed}")


def seconds(what: str, text: str, *, lowest: float, highest: float) -> float:
    """Return a number of seconds written by a person; raises `MockUsageError` for one that is out of bounds."""
    try:
        number = float(text)
    except ValueError:
        number = float("nan")
    if not lowest <= number <= highest:
        message = f"{what} must be a number of seconds from {lowest:g} to {highest:g}, not {text!r}."
        raise MockUsageError(message)
    return number
