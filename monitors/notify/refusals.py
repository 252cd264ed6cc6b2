"""What a service says where it does not take a request: why, and how long it wants to be left alone."""

from __future__ import annotations

import json
import re
import time
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

from monitors.report.text import plain

if TYPE_CHECKING:
    from collections.abc import Mapping

MAX_RETRY_AFTER_S = 3_600.0
_SHOWN_CHARS = 160
LATER = frozenset({408, 409, 423, 425, 429})
"""Client errors that may pass by themselves."""

_FORBIDDEN = 403
_SECONDS = re.compile(r"[0-9]{1,12}(\.[0-9]{1,9})?")
# What services give as their reason, in the order it is looked for.
_REASONS = ("message", "error", "errors", "detail", "title")


def said(raw: bytes) -> str:
    """Return the reason in the body of an error, as far as it is JSON that says one."""
    try:
        found = json.loads(raw)
    except (ValueError, RecursionError):
        return ""
    while isinstance(found, dict):
        found = next((found[name] for name in _REASONS if found.get(name)), None)
    while isinstance(found, list):
        found = found[0] if found else None
        if isinstance(found, dict):
            found = next((found[name] for name in _REASONS if isinstance(found.get(name), str)), None)
    return plain(found, _SHOWN_CHARS) if isinstance(found, str) else ""


def retry_after_s(status: int, headers: Mapping[str, str]) -> float | None:
    """Return how long a service asks to be left alone, from `Retry-After` or a used up rate limit; None for no word.

    `X-RateLimit-Reset` is a point in time to GitHub and a number of seconds to Datadog; no limit lasts a year.
    """
    if status not in {*LATER, _FORBIDDEN, 503}:
        return None
    given = headers.get("retry-after", "").strip()
    if _SECONDS.fullmatch(given):
        return min(float(given), MAX_RETRY_AFTER_S)
    if given:
        try:
            wait_s = (parsedate_to_datetime(given) - datetime.now(UTC)).total_seconds()
        except (ValueError, TypeError):
            return None
        return min(max(wait_s, 0.0), MAX_RETRY_AFTER_S)
    reset = headers.get("x-ratelimit-reset", "").strip()
    if headers.get("x-ratelimit-remaining", "0" if status != _FORBIDDEN else "").strip() == "0" and _SECONDS.fullmatch(
        reset
    ):
        year_s = 366 * 86_400
        wait_s = float(reset) if float(reset) < year_s else float(reset) - time.time()
        return min(max(wait_s, 1.0), MAX_RETRY_AFTER_S)
    return None
