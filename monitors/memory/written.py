"""The memory written down: as JSON that reads back the same, with a version."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeVar

from monitors.drift.written import from_json as shape_from
from monitors.drift.written import to_json as shape_json
from monitors.errors import HarnessError
from monitors.memory.confirmation import Record
from monitors.memory.folding import Baseline, Memory
from monitors.memory.ledger import Ledger, Row, Seen
from monitors.memory.traits import Trait
from monitors.model import Finding, Kind, Level

if TYPE_CHECKING:
    from collections.abc import Callable

    from monitors.model import JSON

VERSION = 1
_MEMORY, _BASELINE = "model-lab-monitor/memory", "model-lab-monitor/canary"
_LEVELS = {str(level): level for level in Level}
_SHOWN_CHARS = 60
_T = TypeVar("_T")


def broken(file: str, reason: str) -> HarnessError:
    """Return the error of a file that does not read: nothing is dropped without a person's leave."""
    return HarnessError(f"{file}: {reason}; restore it, or move it away to start afresh")


def _opened(document: Any, kind: str, file: str, read: Callable[[Any], _T]) -> _T:
    if not isinstance(document, dict) or document.get("kind") != kind:
        raise broken(file, f'"kind" is not "{kind}"')
    if document.get("version") != VERSION:
        version = str(document.get("version"))[:_SHOWN_CHARS]
        message = f"{file}: written in version {version}, this program reads {VERSION}; use the program that wrote it"
        raise HarnessError(message)
    try:
        return read(document)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise broken(file, f"damaged: {type(error).__name__}: {str(error)[:_SHOWN_CHARS]}") from error


# --- memory ----------------------------------------------------------------------------------------------------------


def memory_json(memory: Memory) -> dict[str, JSON]:
    """Return the memory as JSON, equal for equal memories."""
    ledger = memory.ledger
    return {
        "kind": _MEMORY,
        "version": VERSION,
        "answers": [[site, check, *_seen_json(seen)] for (site, check), seen in ledger.answers.items()],
        "rows": [
            {"check": row.check, "trait": list(row.trait), "sites": {site: _seen_json(sites[site]) for site in sites}}
            for row, sites in ledger.rows.items()
        ],
        "shapes": [[site, check, shape_json(shape)] for (site, check), shape in memory.shapes.items()],
        "drifts": [[site, check, _record_json(record)] for (site, check, _), record in memory.drifts.items()],
    }


def memory_from(document: Any, file: str) -> Memory:
    """Return the memory in a JSON document, empty for None; raises `HarnessError` naming the file."""
    return Memory() if document is None else _opened(document, _MEMORY, file, _memory)


def _memory(document: dict[str, Any]) -> Memory:
    answers = {(str(site), str(check)): _seen(raw) for site, check, *raw in document["answers"]}
    rows = {
        Row(str(raw["check"]), Trait(*map(str, raw["trait"]))): {
            str(site): _seen(seen) for site, seen in raw["sites"].items()
        }
        for raw in document["rows"]
    }
    if lost := [row for row, sites in rows.items() if any((site, row.check) not in answers for site in sites)]:
        message = f"{lost[0].trait.location} was seen in no answer"
        raise ValueError(message)
    shapes = {(str(site), str(check)): shape_from(raw) for site, check, raw in document["shapes"]}
    records = [(str(site), str(check), _record(raw)) for site, check, raw in document["drifts"]]
    drifts = {(site, check, record.finding.fingerprint): record for site, check, record in records}
    return Memory(Ledger(rows, answers), shapes, drifts)


def _seen_json(seen: Seen) -> list[JSON]:
    return [seen.first.isoformat(), seen.last.isoformat(), seen.count, seen.answer]


def _seen(raw: Any) -> Seen:
    first, last, count, answer = raw
    return Seen(_time(first), _time(last), _count(count), _count(answer))


def _record_json(record: Record) -> dict[str, JSON]:
    finding = record.finding
    return {
        "finding": {
            "rule": finding.rule,
            "level": str(finding.level),
            "kind": str(finding.kind),
            "message": finding.message,
            "location": finding.location,
            "base": finding.base,
            "revision": finding.revision,
            "site": finding.site,
            "check": finding.check,
            "at": _time_json(finding.at),
            "discriminator": finding.discriminator,
        },
        "first": record.first.isoformat(),
        "last": record.last.isoformat(),
        "count": record.count,
        "recent": [at.isoformat() for at in record.recent],
        "run": record.run,
        "away": record.away,
        "declared": _time_json(record.declared),
    }


def _record(raw: Any) -> Record:
    finding = dict(raw["finding"])
    finding["level"], finding["kind"] = _LEVELS[finding["level"]], Kind(finding["kind"])
    finding["at"] = _maybe_time(finding["at"])
    return Record(
        Finding(**finding),
        first=_time(raw["first"]),
        last=_time(raw["last"]),
        count=_count(raw["count"]),
        recent=tuple(map(_time, raw["recent"])),
        run=_count(raw["run"]),
        away=_count(raw["away"]),
        declared=_maybe_time(raw["declared"]),
    )


# --- canary runs -----------------------------------------------------------------------------------------------------


def baseline_json(baseline: Baseline) -> dict[str, JSON]:
    """Return a baseline as JSON."""
    return {
        "kind": _BASELINE,
        "version": VERSION,
        "at": baseline.at.isoformat(),
        "digest": baseline.digest,
        "body": baseline.body,
    }


def baseline_from(document: Any, file: str) -> Baseline | None:
    """Return the baseline in a JSON document, None for None; raises `HarnessError` naming the file."""
    return None if document is None else _opened(document, _BASELINE, file, _baseline)


def _baseline(document: dict[str, Any]) -> Baseline:
    return Baseline(_time(document["at"]), str(document["digest"]), document["body"])


# --- scalars ---------------------------------------------------------------------------------------------------------


def _time(text: Any) -> datetime:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        message = f"{text} has no zone"
        raise ValueError(message)
    return moment


def _maybe_time(text: Any) -> datetime | None:
    return None if text is None else _time(text)


def _time_json(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat()


def _count(raw: Any) -> int:
    if type(raw) is not int or raw < 0:
        message = f"{raw!r} is no count"
        raise ValueError(message)
    return raw
