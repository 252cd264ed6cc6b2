"""What the formats hand on: exchanges as recorded, and entries that are left aside."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

Headers = tuple[tuple[str, str], ...]


class Aside(enum.StrEnum):
    """Why an entry was not judged."""

    OTHER_OPERATION = "other-operation"
    OTHER_METHOD = "other-method"
    NOT_HTTP = "not-http"
    NO_ANSWER = "no-answer"
    UNREADABLE = "unreadable"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class LeftAside:
    """`count` entries of one file (or files of one directory) that were not judged, and why; `reason` holds no ids.

    `exact` is false where a cassette that cannot hold ours was counted by its lines and not parsed.
    """

    source: str
    reason: str
    count: int = 1
    kind: Aside = Aside.UNKNOWN
    exact: bool = True


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request with its answer as a recording holds it, nothing decoded yet.

    `url` is None where the recording holds the answer alone, and a bare path where it does not name the host.
    `status` is None where no answer came. Headers are in whatever form the format has; `headers_of` reads them all.
    `read_body` raises `UnreadableError`.
    """

    method: str
    url: str | None
    status: int | None
    read_body: Callable[[], bytes]
    request_headers: Any = None
    headers: Any = None
    at: datetime | None = None
    http_version: str | None = None


class UnreadableError(Exception):
    """One entry cannot be used; the text says why, and the entry is left aside."""


class BrokenError(Exception):
    """The file is a recording, but a damaged one; the text says where."""


def text_of(value: Any) -> str | None:
    """Return a recorded text, whether it was kept as text or as bytes; None for anything else."""
    if isinstance(value, bytes):
        return value.decode("latin-1")
    return value if isinstance(value, str) else None


def whole_number(value: Any) -> int | None:
    """Return the status in `200`, `"200"` or `"200 OK"`; None for anything that is no three-digit status."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value if 100 <= value <= 999 else None  # noqa: PLR2004 - the range of a status line
    head = (text_of(value) or "")[:4].strip()
    return int(head) if len(head) == 3 and head.isascii() and head.isdigit() else None  # noqa: PLR2004 - three digits


def headers_of(raw: Any) -> Headers:
    """Return headers, names in lower case, from any of the forms in use.

    Forms: an object of texts or of lists of texts, a list of `{name, value}`, of `{name, values}`, or of pairs.
    """
    return tuple((name.lower(), value) for name, value in _pairs(raw) if name)


def _pairs(raw: Any) -> Iterator[tuple[str, str]]:
    if isinstance(raw, dict):
        items: list[tuple[Any, Any]] = list(raw.items())
    elif isinstance(raw, list):
        items = [pair for item in raw if (pair := _pair(item)) is not None]
    else:
        return
    for key, given in items:
        name = text_of(key)
        for value in given if isinstance(given, list) else [given]:
            text = str(value) if type(value) in (int, float) else text_of(value)
            if name is not None and text is not None:
                yield name, text


def _pair(item: Any) -> tuple[Any, Any] | None:
    if isinstance(item, dict):
        return item.get("name"), item.get("values", item.get("value"))
    if isinstance(item, list) and len(item) == 2:  # noqa: PLR2004 - a pair
        return item[0], item[1]
    return None


def moment(value: Any) -> datetime | None:
    """Return the time (UTC) in an ISO 8601 or HTTP date, None where there is none; without an offset it is UTC."""
    text = (text_of(value) or "").strip().strip('"')
    if not text:
        return None
    try:
        read = datetime.fromisoformat(text.removesuffix(" GMT").removesuffix(" UTC"))
    except ValueError:
        try:
            read = parsedate_to_datetime(text)
        except (ValueError, TypeError, IndexError, OverflowError):
            return None
    try:
        return read.replace(tzinfo=UTC) if read.tzinfo is None else read.astimezone(UTC)
    except OverflowError:
        return None


def http_version_of(value: Any) -> str | None:
    """Return `1.1`, `2`, … from the spellings in use, None where it is not recorded."""
    text = (text_of(value) or "").strip().upper().removeprefix("HTTP/").removeprefix("H").removesuffix(".0")
    return {"1": "1.0", "1.1": "1.1", "2": "2", "3": "3"}.get(text)
