"""Moments of made-up runs, in nanoseconds, each written with a precision of its own and still in order."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mock_site.dice import Dice

_NS = 1_000_000_000
_FIRST_S = 1_735_689_600  # 2025-01-01
_SPAN_S = 365 * 86_400
_DIGITS = (0, 2, 3, 4, 5, 5, 6, 6, 6, 6, 7, 8, 9, 9, 9)


@dataclass(frozen=True, slots=True)
class Moment:
    """A moment as it is written: `at_ns` since the epoch is exactly what the fraction digits say."""

    at_ns: int
    digits: int
    fixed_digits: int | None

    @classmethod
    def thrown(cls, dice: Dice, digits: int | None) -> Moment:
        """Throw a moment; `digits` fixes the fraction digits of it and of all later ones."""
        return _cut(dice, (_FIRST_S + dice.between(0, _SPAN_S)) * _NS, digits)

    def later(self, dice: Dice, by_s: float) -> Moment:
        """Return a moment this many seconds later, or up to a second more: at least a full second."""
        whole_s = self.at_ns // _NS + 1 + max(1, int(by_s))
        return _cut(dice, whole_s * _NS, self.fixed_digits)

    @property
    def text(self) -> str:
        """The moment as RFC 3339 in UTC."""
        whole_s, fraction_ns = divmod(self.at_ns, _NS)
        fraction = f".{fraction_ns:09d}"[: self.digits + 1] if self.digits else ""
        return f"{datetime.fromtimestamp(whole_s, UTC):%Y-%m-%dT%H:%M:%S}{fraction}Z"


def _cut(dice: Dice, whole_ns: int, fixed_digits: int | None) -> Moment:
    thrown = dice.pick(_DIGITS)
    digits = thrown if fixed_digits is None else fixed_digits
    fraction = dice.between(1, 10**digits - 1) if digits else 0
    if fraction and fraction % 10 == 0:
        fraction += 1  # the last digit written is never a zero
    return Moment(whole_ns + fraction * 10 ** (9 - digits), digits, fixed_digits)
