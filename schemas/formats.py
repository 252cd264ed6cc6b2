"""The one format that asserts, checked exactly: jsonschema-rs 0.60 takes `2026-05-18T15:0-:36Z` for a date-time."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_DATE_TIME = re.compile(
    r"""(?P<year>[0-9]{4})-(?P<month>0[1-9]|1[0-2])-(?P<day>0[1-9]|[12][0-9]|3[01])
        [Tt](?P<time>(?:[01][0-9]|2[0-3]):[0-5][0-9]:(?:[0-5][0-9]|(?P<leap>60)))(?:\.[0-9]+)?
        (?:[Zz]|(?P<sign>[+-])(?P<hours>[01][0-9]|2[0-3]):(?P<minutes>[0-5][0-9]))""",
    re.VERBOSE,
)
_DAYS = {"02": 29, "04": 30, "06": 30, "09": 30, "11": 30}
_MINUTES_OF_DAY = 24 * 60
_LAST_MINUTE = _MINUTES_OF_DAY - 1


def is_date_time(text: str) -> bool:
    """Return whether the text is an RFC 3339 date-time: any digits after the second, Z or an offset, real days only.

    A 60th second is one only at the end of a UTC day (RFC 3339, appendix D); the year 0000 is a year.
    """
    match = _DATE_TIME.fullmatch(text)
    if match is None:
        return False
    month, day = match["month"], int(match["day"])
    if day > _DAYS.get(month, 31) or (month == "02" and day == _DAYS[month] and not _is_leap_year(int(match["year"]))):
        return False
    return match["leap"] is None or _utc_minute(match) == _LAST_MINUTE


def _is_leap_year(year: int) -> bool:
    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)


def _utc_minute(match: re.Match[str]) -> int:
    local = int(match["time"][:2]) * 60 + int(match["time"][3:5])
    if match["sign"] is None:
        return local
    offset = int(match["hours"]) * 60 + int(match["minutes"])
    return (local - offset if match["sign"] == "+" else local + offset) % _MINUTES_OF_DAY


FORMATS: Mapping[str, Callable[[str], bool]] = {"date-time": is_date_time}
"""For `jsonschema_rs.validator_for(schema, validate_formats=True, formats=dict(FORMATS))`; both are needed."""
