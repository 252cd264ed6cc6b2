"""JSON documents: read fast, and the text of a member as it was written."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import orjson

from monitors.recordings.entry import BrokenError

if TYPE_CHECKING:
    from collections.abc import Iterator

_BOM = b"\xef\xbb\xbf"
_HEAD_BYTES = 4096
_RECORDING = re.compile(rb'"log"\s*:\s*\{|"(?:http_)?interactions"\s*:\s*\[|"httpRequest"\s*:\s*\{')
_SPACE = re.compile(r"[ \t\r\n]*")

# Numbers stay text: a recording is looked at, its bodies are judged elsewhere, and Python refuses very long integers.
_LENIENT = json.JSONDecoder(parse_float=str, parse_int=str, parse_constant=str, strict=False)


class NotJsonError(Exception):
    """The bytes are no JSON, and nothing in them says that they want to be a recording."""


def document(data: bytes) -> Any:
    """Return a JSON document; raises `NotJsonError`, or `BrokenError` with line and column for a broken recording.

    Numbers may come as text. Names given twice keep the last value: no body is read from the document unless it
    stands there as text, see `Written`.
    """
    try:
        return orjson.loads(data.removeprefix(_BOM))
    except ValueError:
        pass
    try:
        return _LENIENT.decode(_text(data))
    except (json.JSONDecodeError, RecursionError) as error:
        if not _RECORDING.search(data[:_HEAD_BYTES]):
            raise NotJsonError from None
        if isinstance(error, RecursionError):
            message = "it nests too deep to be a recording"
            raise BrokenError(message) from None
        message = f"line {error.lineno}, column {error.colno}: {error.msg}"
        raise BrokenError(message) from None


def _text(data: bytes) -> str:
    # Bytes that are no UTF-8 come back as they were when the text is encoded the same way.
    return data.removeprefix(_BOM).decode("utf-8", "surrogateescape")


class Written:
    """A document's own text, to take members from it exactly as written: digits, order, names given twice, NaN."""

    def __init__(self, data: bytes) -> None:
        """Keep the document; it must be one `document` has read."""
        self._data = data
        self._items: dict[int, int] | None = None
        self._cached: str | None = None

    @property
    def _document(self) -> str:
        if self._cached is None:
            self._cached = _text(self._data)
        return self._cached

    def member(self, *names: str, item: int | None = None) -> bytes:
        """Return the text of the member reached by `names` from the root, or from the root list's `item`.

        The member must exist. Raises `RecursionError` where it nests too deep.
        """
        at = self._skip(0) if item is None else self._item(item)
        for name in names:
            found = [start for key, start in self._members(at) if key == name]
            at = found[-1]
        _, end = _LENIENT.raw_decode(self._document, at)
        return self._document[at:end].encode("utf-8", "surrogateescape")

    def _skip(self, at: int) -> int:
        match = _SPACE.match(self._document, at)
        assert match is not None
        return match.end()

    def _item(self, index: int) -> int:
        if self._items is None:
            self._items = dict(enumerate(self._starts(self._skip(0), named=False)))
        return self._items[index]

    def _members(self, at: int) -> Iterator[tuple[str, int]]:
        for start in self._starts(at, named=True):
            name, end = _LENIENT.raw_decode(self._document, start)
            yield name, self._skip(self._skip(end) + 1)

    def _starts(self, at: int, *, named: bool) -> Iterator[int]:
        """Yield where each item, or the name of each member, of the collection at `at` starts."""
        closer = "}" if named else "]"
        at = self._skip(at + 1)
        while self._document[at] != closer:
            yield at
            _, end = _LENIENT.raw_decode(self._document, at)
            if named:
                _, end = _LENIENT.raw_decode(self._document, self._skip(self._skip(end) + 1))
            at = self._skip(end)
            if self._document[at] == ",":
                at = self._skip(at + 1)
