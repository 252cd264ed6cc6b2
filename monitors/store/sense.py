"""Whether a row makes sense: each of its columns within its bounds, and what is written in it read as it will be."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import Integer, LargeBinary, SmallInteger

from monitors.incidents.model import EventKind, NoticeKind
from monitors.model import Kind, Level
from monitors.store import bodies, histogram, tables
from monitors.store.forms import loaded, micros, millis, unpacked
from monitors.store.keys import (
    ABANDONED,
    DAY,
    DAY_MS,
    DELIVERED,
    DIGEST,
    FIRST_NOTICE,
    GENERATION,
    HOUR,
    HOUR_MS,
    HOURS_FROM,
    INSTALLATION,
    MARK,
    NEXT_INCIDENT,
    QUEUED,
    REVISION,
    SUCCESSES_FROM,
)
from monitors.store.values import VERDICTS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy import Table

Read = Callable[[Any], object]

_MANY = 2**53
"""What is counted stays below: sums of it fit into any column."""
_IDS = 2**62
_EARLIEST, _LATEST = datetime(1900, 1, 1, tzinfo=UTC), datetime(3000, 1, 1, tzinfo=UTC)
_LAST = datetime(9999, 12, 31, tzinfo=UTC)
_BUCKETS = histogram.bucket(_MANY) + 1
_WORDS = frozenset(map(str, Level))
_KINDS, _EVENTS, _NOTICES = frozenset(map(str, Kind)), frozenset(map(str, EventKind)), frozenset(map(str, NoticeKind))
_STATES = frozenset({QUEUED, DELIVERED, ABANDONED})
_FLAG, _LEVEL = (0, 1), (min(Level).value, max(Level).value)
_BOUNDS: Mapping[str, tuple[int, int]] = {
    "probes.status": (-(2**15) + 1, 2**15 - 1),
    "probes.verdict": (0, len(VERDICTS) - 1),
    "probes.available": _FLAG,
    "probes.again": _FLAG,
    "series.rolled_available": _FLAG,
    "rollups.period": (HOUR, DAY),
    "incidents.level": _LEVEL,
    "incidents.in_book": _FLAG,
    "told.level": _LEVEL,
    "told.acknowledged": _FLAG,
    "events.incident": (0, _IDS),
    "outbox.incident": (0, _IDS),
    "told.incident": (1, _IDS),
    "silences.until_us": (micros(_EARLIEST), micros(_LAST)),
    "outbox.next_at_us": (micros(_EARLIEST), micros(_LAST)),
}
_NUMBERS = {NEXT_INCIDENT: 1, FIRST_NOTICE: 1, REVISION: 0, MARK: 0, GENERATION: 0}


class _Column(NamedTuple):
    name: str
    nullable: bool
    kind: type
    low: int
    high: int


def _column(table: Table, column: Any) -> _Column:
    kind = int if isinstance(column.type, Integer) else bytes if isinstance(column.type, LargeBinary) else str
    low, high = 0, _MANY
    if (named := f"{table.name}.{column.name}") in _BOUNDS:
        low, high = _BOUNDS[named]
    elif table is tables.probes and column.name.endswith("_us") and column.nullable:
        # One phase of several may come out of a clock that is read twice as less than nothing.
        low = -_MANY
    elif column.primary_key or column.foreign_keys:
        low, high = (0, 2**15 - 1) if isinstance(column.type, SmallInteger) else (1, _IDS)
    elif isinstance(column.type, SmallInteger):
        high = 2**15 - 1
    elif column.name.endswith("_us") and table is not tables.probes:
        low, high = micros(_EARLIEST), micros(_LATEST)
    if column.name.endswith("_ms"):
        low, high = millis(_EARLIEST), millis(_LATEST)
    return _Column(column.name, bool(column.nullable), kind, low, high)


def typed(table: Table, without: tuple[str, ...] = ()) -> Read:
    """Return what raises `ValueError` for a value that is not what its column holds, in a row of all but some."""
    columns = [_column(table, column) for column in table.columns if column.name not in without]

    def read(row: Any) -> None:
        for (name, nullable, kind, low, high), value in zip(columns, row, strict=True):
            if value is None and nullable:
                continue
            if type(value) is not kind:
                _refuse(name, {int: "an integer", str: "text", bytes: "bytes"}[kind])
            if kind is int:
                if not low <= value <= high:
                    _refuse(name, f"an integer from {low} to {high}")
            elif kind is str and not value.isascii():
                try:
                    value.encode()
                except UnicodeEncodeError:
                    _refuse(name, "text")

    return read


def _refuse(name: str, what: str) -> None:
    message = f'"{name}" must be {what}'
    raise ValueError(message)


def _hold(truth: bool, what: str = "a row that makes sense") -> None:  # noqa: FBT001 - it is what the sentence is about
    if not truth:
        raise ValueError(what)


def _within(name: str, what: str, read: Callable[[], bool]) -> None:
    """Hold that a column reads as it should, by a function that tells so, or raises where it cannot."""
    try:
        fits = read()
    except Exception:  # noqa: BLE001 - whatever is written there
        fits = False
    if not fits:
        _refuse(name, what)


# --- what is written in JSON -----------------------------------------------------------------------------------------


def _is_time(value: Any) -> bool:
    return type(value) is int and micros(_EARLIEST) <= value <= micros(_LATEST)


def _are_texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(each, str) for each in value)


def is_finding(text: str) -> bool:
    """Tell whether a text is a finding; raises whatever comes of one that is not even like it."""
    raw = loaded(text)
    texts = all(isinstance(raw.get(name, ""), str) for name in ("message", "discriminator"))
    maybe = all(isinstance(raw.get(name), str | None) for name in ("location", "site", "check", "source"))
    said = raw.get("accepted")
    if said is not None:
        expires = said.get("expires")
        told = isinstance(said["reason"], str) and isinstance(said["by"], str)
        maybe = maybe and told and (expires is None or isinstance(date.fromisoformat(expires[:10]), date))
    return (
        isinstance(raw["rule"], str)
        and raw["level"] in _WORDS
        and raw["kind"] in _KINDS
        and texts
        and maybe
        and ("at_us" not in raw or _is_time(raw["at_us"]))
    )


def _is_spell(raw: Any) -> bool:
    site, since, until, level, rule, message = raw
    texts = all(isinstance(each, str) for each in (site, rule, message))
    return texts and _is_time(since) and (until is None or _is_time(until)) and level in _WORDS


def _is_acknowledgement(raw: Any) -> bool:
    by, at, reason = raw
    return isinstance(by, str) and _is_time(at) and isinstance(reason, str)


def _is_silence(raw: Any) -> bool:
    reason, by, incident, rule, sites = raw
    texts = all(isinstance(each, str) for each in (reason, by, rule))
    return texts and (incident is None or (type(incident) is int and 0 < incident < _IDS)) and _are_texts(sites)


# --- tables ----------------------------------------------------------------------------------------------------------


def _meta(row: Any) -> None:
    key, value = row
    if key in _NUMBERS:
        fits = value.isascii() and value.isdecimal() and str(int(value[:20])) == value
        _hold(fits and _NUMBERS[key] <= int(value) < _IDS, f'"{key}" must be an integer from {_NUMBERS[key]}')
    elif key in {HOURS_FROM, SUCCESSES_FROM}:
        digits = value.removeprefix("-")
        fits = digits.isascii() and digits.isdecimal() and str(int(value[:20])) == value
        _hold(fits and millis(_EARLIEST) <= int(value) <= millis(_LATEST), f'"{key}" must be milliseconds')
    elif key == DIGEST:
        _within(key, "a time with its zone", lambda: datetime.fromisoformat(value).tzinfo is not None)
    elif key == INSTALLATION:
        word = value.isascii() and value.replace("-", "").replace("_", "").isalnum()
        _hold(word and len(value) <= 64, f'"{key}" must be a word of at most 64 letters and digits')  # noqa: PLR2004 - said beside it


def _body(row: Any) -> None:
    _, name, first, last, _, content = row
    _within("content", "a compressed body", lambda: isinstance(bodies.content(content), bytes))
    _hold(hashlib.sha256(bodies.content(content)).hexdigest() == name, "is another body than it says")
    _hold(first <= last)


def _rollup(row: Any) -> None:
    period, start, _, probes, available, unavailable, outages, *verdicts, latencies = row
    counts: histogram.Histogram = {}
    histogram.add(counts, latencies)
    _hold(sum(counts.values()) == available, "holds another number of probes than it says")
    _hold(all(number < _BUCKETS for number in counts))
    _hold(start % (HOUR_MS if period == HOUR else DAY_MS) == 0)
    _hold(available + unavailable <= probes and outages <= unavailable and sum(verdicts) <= probes)


def _track(row: Any) -> None:
    _, _, _, finding, results, *_ = row
    _within("finding", "a finding", lambda: is_finding(finding))
    _hold(set(results) <= {"x", "."}, '"results" must be of x and . alone')


def _incident(row: Any) -> None:
    finding, acknowledged, spells = row[2], row[10], row[11]
    _within("finding", "a finding", lambda: is_finding(finding))
    _within(
        "acknowledged", "who, when and why", lambda: acknowledged is None or _is_acknowledgement(loaded(acknowledged))
    )
    _within(
        "spells", "a list of spells", lambda: isinstance(loaded(spells), list) and all(map(_is_spell, loaded(spells)))
    )


def _event(row: Any) -> None:
    _, _, _, kind, message, sites, by = row
    _hold(kind in _EVENTS, f'"kind" must be one of {", ".join(sorted(_EVENTS))}')
    _within("message", "text in JSON", lambda: isinstance(loaded(message), str))
    _within("sites", "a list of sites", lambda: _are_texts(loaded(sites)))
    _within("by_whom", "text in JSON", lambda: isinstance(loaded(by), str))


def _told(row: Any) -> None:
    _hold(row[3] in _NOTICES, f'"kind" must be one of {", ".join(sorted(_NOTICES))}')
    _within("sites", "a list of sites", lambda: _are_texts(loaded(row[5])))


def _outbox(row: Any) -> None:
    _, _, _, _, kind, _, _, content, state, _, _, _, error, _ = row
    _hold(kind in _NOTICES, f'"kind" must be one of {", ".join(sorted(_NOTICES))}')
    _hold(state in _STATES, f'"state" must be one of {", ".join(sorted(_STATES))}')
    _within("content", "an object", lambda: isinstance(loaded(content), dict))
    _within("error", "text in JSON", lambda: isinstance(loaded(error), str))


def _memory(row: Any) -> None:
    from monitors.memory.written import memory_from  # noqa: PLC0415 - takes as long as the database

    memory_from(unpacked(row[3]) or {}, "content")


def _baseline(row: Any) -> None:
    from monitors.memory.written import baseline_from  # noqa: PLC0415 - likewise

    baseline_from(unpacked(row[2]) or {}, "content")


_FURTHER: Mapping[str, Read] = {
    "meta": _meta,
    "findings": lambda row: _within("content", "a finding", lambda: is_finding(row[2])),
    "bodies": _body,
    "rollups": _rollup,
    "tracks": _track,
    "incidents": _incident,
    "events": _event,
    "told": _told,
    "silences": lambda row: _within("content", "what a silence is", lambda: _is_silence(loaded(row[3]))),
    "outbox": _outbox,
    "memory": _memory,
    "baselines": _baseline,
}


def _reader(table: Table) -> Read:
    further, plain = _FURTHER.get(table.name), TYPED[table.name]

    def read(row: Any) -> None:
        plain(row)
        if further is not None:
            try:
                further(row)
            except ValueError:
                raise
            except Exception as error:
                # Damage and mischief come in any form.
                message = f"does not read: {str(error) or type(error).__name__}"
                raise ValueError(message) from error

    return read


TYPED: Mapping[str, Read] = {name: typed(table) for name, table in tables.metadata.tables.items()}
"""What raises `ValueError` for a row of a table one of whose values is not what its column holds."""
READS: Mapping[str, Read] = {name: _reader(table) for name, table in tables.metadata.tables.items()}
"""What raises `ValueError` for a row of a table, given as all of its columns, that makes no sense."""
