"""What single cells of the vendor's tables say: a name with its marks, a type, allowed values, a method and URL."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from monitors.upstream.markdown import plain

_MARK = re.compile(
    r"(?P<before>.*?)(?:\s*[\[(]\s*[*_`]*(?P<bracketed>required|optional|deprecated|read-?only|write-?only|nullable)"
    r"[*_`]*\s*[\])]|\s+[*_`]+(?P<emphasised>[A-Za-z][\w -]*)[*_`]+|\s+\[[*_]+(?P<other>[^\]]*?)[*_]+\])\Z",
    re.IGNORECASE,
)
_ALLOWED = re.compile(
    r"allowed\s+(?:enum\s+)?values?\s*(?:are\s*)?:?\s*((?:`[^`]*`[\s,]*(?:and\s+|or\s+)?)+)", re.IGNORECASE
)
_DEPRECATED = re.compile(r"(?:\A\W{0,8}|[*_]{2}\s?)deprecated\b", re.IGNORECASE)
_ENDPOINT = re.compile(
    r"[*_`]*\b(?P<method>GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS|TRACE)\b[*_`]*\s+[<\[`]*(?P<url>https?://[^\s>\]`]+)"
)
_UNSUPPORTED = re.compile(r"\bnot\s+(?:yet\s+)?(?:supported|available)\b", re.IGNORECASE)

_TYPES: dict[str, dict[str, Any]] = {
    "string": {"type": "string"},
    "boolean": {"type": "boolean"},
    "bool": {"type": "boolean"},
    "integer": {"type": "integer"},
    "number": {"type": "number"},
    "object": {"type": "object"},
    "array": {"type": "array"},
    "null": {"type": "null"},
    "enum": {},
    "any": {},
    "any type": {},
    "int32": {"type": "integer", "format": "int32"},
    "int64": {"type": "integer", "format": "int64"},
    "double": {"type": "number", "format": "double"},
    "float": {"type": "number", "format": "float"},
}
"""Words of the type column. The vendor prints the format where there is one, else the type."""

_FORMAT = re.compile(r"[a-z][a-z0-9]*(?:[-_][a-z0-9]+)*\Z")
_UNION = re.compile(r"<?\s*(oneof|anyof)\s*>?\Z", re.IGNORECASE)
_LIST = re.compile(r"\[(?P<a>.*)\]\Z|(?:array|list)\s*<(?P<b>.*)>\Z|(?P<c>.*)\[\]\Z", re.IGNORECASE)
_MAX_LISTS = 8
_LONGEST = 300
"""Characters in a cell that holds a name or a type; a longer one is prose, and not searched for marks."""


@dataclass(frozen=True, slots=True)
class Name:
    """A name and the marks behind it, in lower case."""

    text: str
    marks: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Type:
    """What the type column says: `schema` of one value, how many lists it is wrapped in, and whether it has parts.

    `union` is `oneOf` or `anyOf` where the value is one of several variants.
    """

    written: str
    schema: dict[str, Any]
    lists: int = 0
    union: str | None = None

    @property
    def holds_fields(self) -> bool:
        """Tell whether further rows may describe what is inside."""
        return self.union is not None or self.schema.get("type") == "object" or not self.schema

    @property
    def is_enum(self) -> bool:
        """Tell whether the column promises a list of allowed values."""
        return "enum" in self.written.lower()


def name(cell: str) -> Name:
    """Return the name a cell holds, without the marks behind it: `id [*required*]`."""
    text, marks = plain(cell), set[str]()
    while len(text) <= _LONGEST and (match := _MARK.match(text)):
        if not match["before"].strip():
            break
        word = match["bracketed"] or match["emphasised"] or match["other"] or ""
        marks.add(word.strip(" *_`").lower().replace("readonly", "read-only"))
        text = match["before"].rstrip()
    return Name(_bare(text), frozenset(marks))


def _bare(text: str) -> str:
    text = text.strip()
    for mark in ("**", "`"):
        if text.startswith(mark) and text.endswith(mark) and len(text) > 2 * len(mark):
            return text[len(mark) : -len(mark)].strip()
    return text


def type_(cell: str) -> Type | None:
    """Return the type a cell names, or None for text that names none."""
    written = _bare(plain(cell))
    if len(written) > _LONGEST:
        return None
    inner, lists = written, 0
    while match := _LIST.match(inner):
        inner, lists = next(part for part in match.groups() if part is not None).strip(), lists + 1
        if lists > _MAX_LISTS:
            return None
    union = _UNION.match(inner)
    if union:
        return Type(written, {}, lists, "anyOf" if union[1].lower() == "anyof" else "oneOf")
    known = _TYPES.get(inner.lower())
    if known is None and not _FORMAT.match(inner):
        return None
    return Type(written, known if known is not None else {"type": "string", "format": inner}, lists)


def allowed_values(cell: str) -> tuple[str, ...]:
    """Return the values a description lists as the only ones, in its order, each once."""
    found = _ALLOWED.search(html_code(cell))
    if not found:
        return ()
    listed = [value.strip() for chunk in re.findall(r"`([^`]*)`", found[1]) for value in chunk.split(",")]
    return tuple(dict.fromkeys(value for value in listed if value))


def html_code(cell: str) -> str:
    """Return a description with entities undone and HTML's code marks as backticks."""
    return re.sub(r"</?code>", "`", plain(cell.replace("\\`", "`")))


def is_deprecated(cell: str) -> bool:
    """Tell whether a description says that what it describes is deprecated."""
    return _DEPRECATED.search(plain(cell)) is not None


def endpoint(cell: str) -> tuple[str, str] | None:
    """Return method and URL of a cell such as `GET https://host/path`, or None."""
    found = _ENDPOINT.search(plain(cell))
    return (found["method"], found["url"].rstrip(").,")) if found else None


def is_unsupported(cell: str) -> bool:
    """Tell whether a cell says in words that a site does not serve the operation."""
    return _UNSUPPORTED.search(cell) is not None
