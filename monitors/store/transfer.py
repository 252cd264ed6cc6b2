"""The lines of an export: one JSON object for each row, by what it is about and never by one database's numbers."""

from __future__ import annotations

import base64
import json
import zlib
from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import DefaultClause, Integer

from monitors.store import bodies, histogram, tables
from monitors.store.forms import dumped, loaded, packed, unpacked

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from sqlalchemy import Table

KIND = "model-lab-monitor/export"
VERSION = 1
_encode = json.JSONEncoder(separators=(",", ":")).encode
MARK_LINE = "rolled-up"
"""The table of the line after the last probe that is in the sums."""
END_LINE = "end"
"""The table of the last line, which says how many `lines` come before it."""
LEFT_OUT_META = frozenset({"program", "holder", "rolled_up_to", "generation", "last_batches"})
"""What a store knows of itself that is true of that one alone."""


class Codec(NamedTuple):
    """How a column is written in a line and read from it; `reading` raises `ValueError` for what it cannot be."""

    writing: Callable[[Any], Any]
    reading: Callable[[Any], Any]


def line(table: str, values: Mapping[str, Any]) -> str:
    """Return one line, equal for equals, in ASCII."""
    return _encode({"table": table, **values}) + "\n"


def _same(value: Any) -> Any:
    return value


def _integer(value: Any) -> int:
    if type(value) is not int or not -(2**63) <= value < 2**63:
        message = "an integer of 64 bits"
        raise ValueError(message)
    return value


def text(value: Any) -> str:
    """Return what a column of text takes in any database; raises `ValueError` for anything else."""
    if type(value) is not str or "\0" in value or not _encodes(value):
        message = "text"
        raise ValueError(message)
    return value


def _encodes(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _body_json(content: bytes) -> dict[str, str]:
    raw = bodies.content(content)
    try:
        return {"text": raw.decode()}
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(raw).decode()}


def _body_from(value: Any) -> bytes:
    match value:
        case {"text": str(plain)}:
            return bodies.compressed(plain.encode("utf-8", "surrogatepass"))
        case {"base64": str(packed)}:
            return bodies.compressed(base64.b64decode(packed, validate=True))
    message = 'an object with "text" or "base64"'
    raise ValueError(message)


def _histogram_json(content: bytes) -> list[list[int]]:
    counts: histogram.Histogram = {}
    histogram.add(counts, content)
    return [[number, counts[number]] for number in sorted(counts)]


def _histogram_from(value: Any) -> bytes:
    counts = {_integer(number): _integer(count) for number, count in value}
    if any(not 0 <= number < 2**16 or count < 1 for number, count in counts.items()):
        message = "pairs of a bucket and a count"
        raise ValueError(message)
    return histogram.packed(counts)


_JSON = Codec(loaded, dumped)
_PACKED = Codec(unpacked, packed)
_CODECS: Mapping[tuple[str, str], Codec] = {
    ("findings", "content"): _JSON,
    ("tracks", "finding"): _JSON,
    ("incidents", "finding"): _JSON,
    ("incidents", "acknowledged"): _JSON,
    ("incidents", "spells"): _JSON,
    ("events", "message"): _JSON,
    ("events", "sites"): _JSON,
    ("events", "by_whom"): _JSON,
    ("silences", "content"): _JSON,
    ("told", "sites"): _JSON,
    ("outbox", "content"): _JSON,
    ("outbox", "error"): _JSON,
    ("memory", "content"): _PACKED,
    ("baselines", "content"): _PACKED,
    ("bodies", "content"): Codec(_body_json, _body_from),
    ("rollups", "latencies"): Codec(_histogram_json, _histogram_from),
}
_NULLABLE_NUMBER = "null or an integer"


class Form:
    """How the rows of a table are written, but for columns that are numbers of one database."""

    def __init__(self, table: Table, without: tuple[str, ...] = ()) -> None:
        """Prepare the columns; `without` are written in another way, or not at all."""
        self.table = table
        self.columns = [column for column in table.columns if column.name not in without]
        self.names = [column.name for column in self.columns]
        self._codecs = [_CODECS.get((table.name, column.name)) or _plain(column) for column in self.columns]
        self._written = [
            (name, codec.writing)
            for name, codec in zip(self.names, self._codecs, strict=True)
            if codec.writing is not _same
        ]

    def json(self, values: Any) -> dict[str, Any]:
        """Return the columns of a row as JSON."""
        found = dict(zip(self.names, values, strict=True))
        for name, write in self._written:
            if found[name] is not None:
                found[name] = write(found[name])
        return found

    def values(self, raw: Mapping[str, Any]) -> list[Any]:
        """Return the columns in their JSON; raises `ValueError` naming the member that is wrong."""
        found: list[Any] = []
        for column, codec in zip(self.columns, self._codecs, strict=True):
            if column.name not in raw:
                if isinstance(column.server_default, DefaultClause):
                    # It came in a later revision than this export is of.
                    found.append(codec.reading(json.loads(str(column.server_default.arg))))
                    continue
                message = f'"{column.name}" is missing'
                raise ValueError(message)
            value = raw[column.name]
            if value is None:
                if not column.nullable:
                    message = f'"{column.name}" must not be null'
                    raise ValueError(message)
                found.append(None)
                continue
            try:
                found.append(codec.reading(value))
            except (ValueError, TypeError, zlib.error) as error:
                message = f'"{column.name}" must be {error}'
                raise ValueError(message) from error
        return found


def _plain(column: Any) -> Codec:
    return Codec(_same, _integer if isinstance(column.type, Integer) else text)


WHERE = ("site", "check", "vantage")
"""What a series is about, as probes and sums name it."""
FORMS: Mapping[str, Form] = {
    form.table.name: form
    for form in (
        Form(tables.meta),
        Form(tables.series, ("id",)),
        Form(tables.findings, ("id",)),
        Form(tables.bodies, ("id",)),
        Form(tables.rollups, ("series",)),
        Form(tables.probes, ("id", "series", "body", "findings")),
        Form(tables.incidents),
        Form(tables.events, ("id",)),
        Form(tables.tracks),
        Form(tables.told),
        Form(tables.silences),
        Form(tables.outbox, ("id",)),
        Form(tables.memory),
        Form(tables.baselines),
    )
}
"""Every table of an export, in the order of its lines."""
