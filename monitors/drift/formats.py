"""Forms of text that answers use, recognised strictly: what is recognised is valid for JSON Schema's format too."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from functools import lru_cache

_DATE = re.compile(r"(\d{4})-(\d\d)-(\d\d)\Z", re.ASCII)
_MOMENT = re.compile(r"(\d{4}-\d\d-\d\d)([Tt ])(\d\d:\d\d:\d\d)(?:\.(\d+))?\s?([Zz]|[+-]\d\d:?\d\d|UTC)?\Z", re.ASCII)
_UUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\Z", re.ASCII)
_HTTP_DATE = re.compile(r"[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT\Z", re.ASCII)
_NUMBER = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?\Z", re.ASCII)
_LONGEST = 64
_SHORTEST = 8


@dataclass(frozen=True, slots=True)
class Moment:
    """A point in time as written: the instant in whole seconds, its fraction digits, and the style of writing.

    The style names everything a parser may stumble over but the number of fraction digits: `T` or space, and `Z`, an
    offset (`+00:00`) or nothing.
    """

    instant: datetime
    fraction: str
    style: str


@lru_cache(maxsize=8192)
def moment(text: str) -> Moment | None:
    """Read a point in time in ISO 8601 or the HTTP form; None for any other text."""
    if not _SHORTEST < len(text) <= _LONGEST:
        return None
    found = _MOMENT.match(text)
    try:
        if found is None:
            return _http_date(text)
        day, separator, clock, fraction, zone = found.groups()
        instant = datetime.fromisoformat(f"{day}T{clock}").replace(tzinfo=_zone(zone))
    except (ValueError, OverflowError):
        return None
    return Moment(instant, (fraction or "").rstrip("0"), separator.upper() + _zone_style(zone))


def _http_date(text: str) -> Moment | None:
    if not _HTTP_DATE.match(text):
        return None
    instant = datetime.strptime(text, "%a, %d %b %Y %H:%M:%S GMT").replace(tzinfo=UTC)
    return Moment(instant, "", "HTTP date")


def _zone(zone: str | None) -> timezone:
    if zone is None or zone in "Zz" or zone == "UTC":
        return UTC
    hours, minutes = int(zone[1:3]), int(zone[-2:])
    offset = timedelta(hours=hours, minutes=minutes)
    return timezone(-offset if zone[0] == "-" else offset)


def _zone_style(zone: str | None) -> str:
    if zone is None:
        return "no zone"
    return zone.upper() if zone in "Zz" or zone == "UTC" else f"offset of {len(zone)} characters"


@lru_cache(maxsize=8192)
def format_of(text: str) -> str | None:
    """Return `date-time`, `date` or `uuid` for a text of that format (RFC 3339, RFC 9562), else None."""
    length = len(text)
    if length == 10:  # noqa: PLR2004  # 2026-05-18
        return "date" if _is_date(text) else None
    if not 20 <= length <= _LONGEST:  # noqa: PLR2004  # the shortest date-time is 2026-05-18T15:55:36Z
        return None
    if length == 36 and _UUID.match(text):  # noqa: PLR2004  # 32 hex digits and 4 hyphens
        return "uuid"
    read = moment(text)
    return "date-time" if read is not None and read.style in {"TZ", "Toffset of 6 characters"} else None


def _is_date(text: str) -> bool:
    if not _DATE.match(text):
        return False
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return True


def number_in(text: str) -> float | None:
    """Return the number a text spells as JSON would, else None."""
    if len(text) > _LONGEST or not _NUMBER.match(text):
        return None
    return float(text) if any(c in text for c in ".eE") else int(text)
