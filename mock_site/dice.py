"""Reproducible chance: the same seed gives the same throws on every Python version and machine."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Sequence

T = TypeVar("T")


class Dice:
    """Throws from a seed. Built on `random()` alone: it is the one method Python promises never to change."""

    __slots__ = ("_random",)

    def __init__(self, seed: str) -> None:
        """Seed with any text."""
        self._random = random.Random(seed).random  # noqa: S311  # made-up data, no secret

    def chance(self, share: float) -> bool:
        """Return True in this share of all throws."""
        return self._random() < share

    def between(self, low: int, high: int) -> int:
        """Return a whole number from low to high, both included."""
        return low + int(self._random() * (high - low + 1))

    def amount(self, low: float, high: float) -> float:
        """Return a number from low up to high."""
        return low + self._random() * (high - low)

    def pick(self, options: Sequence[T]) -> T:
        """Return one of the options."""
        return options[int(self._random() * len(options))]

    def hexadecimal(self, digits: int) -> str:
        """Return so many hex digits."""
        return "".join(self.pick("0123456789abcdef") for _ in range(digits))
