"""Values compared with earlier ones of the same resource: the same thing in another form."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from monitors.drift.deltas import Delta, brief, quoted
from monitors.drift.formats import Moment, format_of, moment, number_in
from monitors.drift.likeness import PLAUSIBLE, STRONG, UNLIKE, overlap
from monitors.drift.names import spelled
from monitors.drift.plain import canonical, double, type_name

if TYPE_CHECKING:
    from collections.abc import Iterator

_UNITS = {1000.0: 2, 1e6: 2, 1e9: 2, 60.0: 3, 3600.0: 3, 1024.0: 3, 100.0: 3}
"""Factors between common units, with how many digits a number needs for such a factor to be no chance."""
_TELLING_TEXT = 4
_TELLING_NUMBER = 1000
_FINE_DIGITS = 6
_LOST_DIGITS = 3
_KEPT_DIGITS = 2
_EXACT = 1e-12


@dataclass(frozen=True, slots=True)
class Seen:
    """A value that went or came, as evidence for a rename."""

    value: Any

    @property
    def kind(self) -> str:
        """Its JSON type, `number` for integers too."""
        name = type_name(self.value)
        return "number" if name == "integer" else name

    @property
    def mark(self) -> str | None:
        """Its text, where it is particular enough not to stand in two places by chance."""
        value = self.value
        if isinstance(value, str):
            telling = len(value) >= _TELLING_TEXT
        elif isinstance(value, dict | list):
            telling = bool(value)
        else:
            telling = isinstance(value, int | float) and not isinstance(value, bool) and abs(value) >= _TELLING_NUMBER
        return canonical(value) if telling else None

    def alike(self, other: Seen) -> int:
        """Return how much speaks for this being the other value under another name: the value itself does."""
        if self.kind != other.kind:
            return UNLIKE
        if canonical(self.value) == canonical(other.value):
            return PLAUSIBLE if self.mark is None else STRONG
        if isinstance(self.value, dict):
            return overlap(frozenset(self.value), frozenset(other.value))
        if isinstance(self.value, list):
            return Seen(self.value[0]).alike(Seen(other.value[0])) if self.value and other.value else PLAUSIBLE
        return UNLIKE


def form_changes(old: Any, new: Any) -> Iterator[Delta]:
    """Yield how a value differs in form from the earlier one; a value that merely changed yields nothing."""
    if isinstance(old, str) and isinstance(new, str):
        yield from _text(old, new)
    elif _is_number(old) and _is_number(new):
        yield from _number(old, new)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _text(old: str, new: str) -> Iterator[Delta]:
    if old == new:
        return
    before, after = moment(old), moment(new)
    if before is not None:
        yield from _moments(before, after, old, new)
    elif format_of(old) == "uuid" and new and format_of(new) != "uuid":
        yield Delta("text-reformatted", (), brief(old), brief(new), f"was a UUID, now {quoted(new)}")
    elif len(old) >= _TELLING_TEXT and spelled(old) == spelled(new) and _letters(old) == _letters(new):
        message = f"{quoted(old)} is now written {quoted(new)}"
        yield Delta("text-reformatted", (), brief(old), brief(new), message)


def _letters(text: str) -> str:
    return "".join(c for c in text.casefold() if c.isalnum())


def _moments(before: Moment, after: Moment | None, old: str, new: str) -> Iterator[Delta]:
    if after is None:
        if new and (format_of(new) == "date" or number_in(new) is not None):
            message = f"the point in time {quoted(old)} is now written {quoted(new)}"
            yield Delta("timestamp-reformatted", (), brief(old), brief(new), message)
        elif new:
            message = f"was a point in time, now {quoted(new)}"
            yield Delta("text-reformatted", (), brief(old), brief(new), message)
    elif before.style != after.style:
        message = f"points in time were written like {quoted(old)}, now like {quoted(new)}"
        yield Delta("timestamp-reformatted", (), brief(old), brief(new), message)
    elif (
        before.instant == after.instant and after.fraction == before.fraction[: len(after.fraction)] != before.fraction
    ):
        yield Delta("precision-lost", (), brief(old), brief(new), f"{quoted(old)} lost digits: {quoted(new)}")


def _number(old: float, new: float) -> Iterator[Delta]:
    before, after = double(old), double(new)
    if old == new or not (math.isfinite(before) and math.isfinite(after)):
        return
    factor = unit_factor(before, after)
    if factor is not None:
        yield Delta("unit-changed", (), old, new, f"was {old}, now {new}: {factor:g} times as much")
    elif _lost_digits(before, after):
        yield Delta("precision-lost", (), old, new, f"was {old}, now only {new}")


def unit_factor(old: float, new: float) -> float | None:
    """Return the factor between two numbers if it is one between common units and no likely chance, else None."""
    if old == 0 or new == 0:
        return None
    for factor, digits in _UNITS.items():
        for one, other, times in ((old, new, factor), (new, old, 1 / factor)):
            if abs(one * factor - other) <= abs(other) * _EXACT and _digits(one) >= digits:
                return times
    return None


def _digits(number: float) -> int:
    """Return how many significant digits a number is written with."""
    mantissa = f"{abs(number):.15e}".split("e")[0].replace(".", "").rstrip("0")
    return len(mantissa)


def _lost_digits(old: float, new: float) -> bool:
    before, after = _digits(old), _digits(new)
    if new.is_integer() or before < _FINE_DIGITS or after < _KEPT_DIGITS or before - after < _LOST_DIGITS:
        return False
    rounded = float(f"{old:.{after - 1}e}")
    unit = 10.0 ** (math.floor(math.log10(abs(new))) - after + 1)
    return rounded == new or abs(old - new) < unit
