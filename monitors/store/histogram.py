"""A histogram of durations that merges by adding: buckets as wide as 1/64 of what they hold, so at most 1 % off.

Counts by bucket stand in a plain dictionary. A day's worth of a site takes some hundred bytes.
"""

from __future__ import annotations

import sys
from array import array
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

Histogram = dict[int, int]
"""Counts by the number of the bucket."""

_BITS = 6
_BUCKETS = 1 << _BITS
_CODES = {1: "B", 2: "H", 4: "I", 8: "Q"}


def bucket(value: int) -> int:
    """Return the bucket of a whole number, 0 or more; below 128 each number has its own."""
    shift = value.bit_length() - _BITS - 1
    return value if shift <= 0 else (shift << _BITS) + (value >> shift)


def middle(number: int) -> float:
    """Return the middle of a bucket: within 1 % of every number in it."""
    shift = (number >> _BITS) - 1
    if shift <= 0:
        return float(number)
    lowest = ((number & (_BUCKETS - 1)) + _BUCKETS) << shift
    return lowest + ((1 << shift) - 1) / 2


def percentile(counts: Mapping[int, int], share: float) -> float | None:
    """Return the number below or at which a share (0 to 1) of all lies, by nearest rank; None where there are none."""
    total = sum(counts.values())
    if not total:
        return None
    rank, seen = max(1, -int(-share * total // 1)), 0
    for number in sorted(counts):
        seen += counts[number]
        if seen >= rank:
            return middle(number)
    raise AssertionError


def packed(counts: Mapping[int, int]) -> bytes:
    """Return a histogram as bytes, equal for equal ones: the width of a count, all buckets, all counts."""
    if not counts:
        return b""
    numbers = sorted(counts)
    most = max(counts.values())
    width = next(width for width in _CODES if most < 1 << 8 * width)
    return bytes([width]) + _bytes("H", numbers) + _bytes(_CODES[width], [counts[number] for number in numbers])


def add(counts: Histogram, content: bytes) -> None:
    """Add what `packed` wrote to a histogram; raises `ValueError` for other bytes."""
    if not content:
        return
    width = content[0]
    size, odd = divmod(len(content) - 1, 2 + width)
    if width not in _CODES or odd:
        message = "no histogram"
        raise ValueError(message)
    numbers = _array("H", content[1 : 1 + 2 * size])
    for number, count in zip(numbers, _array(_CODES[width], content[1 + 2 * size :]), strict=True):
        counts[number] = counts.get(number, 0) + count


def _bytes(code: str, values: list[int]) -> bytes:
    written = array(code, values)
    if sys.byteorder == "big":
        written.byteswap()
    return written.tobytes()


def _array(code: str, content: bytes) -> array[int]:
    read: array[int] = array(code)
    read.frombytes(content)
    if sys.byteorder == "big":
        read.byteswap()
    return read
