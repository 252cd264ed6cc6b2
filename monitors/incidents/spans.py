"""Spans of time in words, and words read as spans of time."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

_UNITS = (("d", 86_400), ("h", 3_600), ("min", 60))
_SECONDS = {"s": 1, "m": 60, "min": 60, "h": 3_600, "d": 86_400, "w": 604_800}
_PART = re.compile(r"([0-9]{1,6}(?:\.[0-9]{1,3})?)\s*(min|[smhdw])")
_WHOLE = re.compile(rf"(?:{_PART.pattern}\s*)+")
_MAX_PARTS = 2


def span(length: timedelta) -> str:
    """Return a span in at most two units, such as `2 h 5 min`; what is negative is none."""
    left = max(int(length.total_seconds()), 0)
    if left < _SECONDS["min"]:
        return f"{left} s"
    parts: list[tuple[int, str]] = []
    for name, unit_s in _UNITS:
        count, left = divmod(left, unit_s)
        if count or parts:
            parts.append((count, name))
    return " ".join(f"{count} {name}" for count, name in parts[:_MAX_PARTS] if count)


def read_span(text: str) -> timedelta:
    """Return the span a person writes: `30m`, `2h`, `1d 12h`, `90s`, `1w`. Raises `ValueError` with what fits."""
    stripped = text.strip().lower()
    if not _WHOLE.fullmatch(stripped):
        message = "a span of time such as 90s, 30m, 2h, 1d or 1d 12h"
        raise ValueError(message)
    return timedelta(seconds=sum(float(count) * _SECONDS[unit] for count, unit in _PART.findall(stripped)))


def read_moment(text: str, now: datetime, *, ahead: bool) -> datetime:
    """Return the time a person means: a span from now (ahead or back), a date, or a date and time, UTC unless it says.

    Raises `ValueError` with what fits.
    """
    try:
        return _moment(text.strip(), now, ahead=ahead)
    except OverflowError as error:
        message = "a span of time that fits into the calendar"
        raise ValueError(message) from error


def _moment(text: str, now: datetime, *, ahead: bool) -> datetime:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        length = read_span(text)
        return now + length if ahead else now - length
    return (found if found.tzinfo is not None else found.replace(tzinfo=UTC)).astimezone(UTC)
