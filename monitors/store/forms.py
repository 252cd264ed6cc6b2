"""How values are written down in columns: integers for times, ASCII JSON for whatever may come off the wire."""

from __future__ import annotations

import hashlib
import json
import zlib
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from monitors.incidents.model import Acknowledgement, Incident, Spell, Track, TrackKey
from monitors.model import Acceptance, Finding, Kind, Level

if TYPE_CHECKING:
    from collections.abc import Mapping

    from monitors.model import JSON

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND, _MILLISECOND = timedelta(microseconds=1), timedelta(milliseconds=1)
_FIELDS = ("rule", "message", "location", "base", "revision", "site", "check", "source", "discriminator")


def micros(at: datetime) -> int:
    """Return microseconds since 1970, exactly."""
    return (at - EPOCH) // _MICROSECOND


def from_micros(number: int) -> datetime:
    """Return the time `micros` wrote down, in UTC."""
    return EPOCH + timedelta(microseconds=number)


def maybe_micros(at: datetime | None) -> int | None:
    """Return microseconds since 1970; None stays None."""
    return None if at is None else micros(at)


def maybe_from_micros(number: int | None) -> datetime | None:
    """Return the time `maybe_micros` wrote down; None stays None."""
    return None if number is None else from_micros(number)


def millis(at: datetime) -> int:
    """Return whole milliseconds since 1970, rounded down."""
    return (at - EPOCH) // _MILLISECOND


def from_millis(number: int) -> datetime:
    """Return the time `millis` wrote down, in UTC."""
    return EPOCH + timedelta(milliseconds=number)


def dumped(value: Any) -> str:
    """Return JSON that any database takes: ASCII alone, so neither NUL nor half a surrogate pair; equal for equals."""
    return json.dumps(value, ensure_ascii=True, separators=(",", ":"), sort_keys=True)


def loaded(text: str) -> Any:
    """Return what `dumped` wrote."""
    return json.loads(text)


def packed(document: Any) -> bytes:
    """Return JSON compressed."""
    return zlib.compress(json.dumps(document, ensure_ascii=True, separators=(",", ":")).encode(), 1)


def unpacked(content: bytes) -> Any:
    """Return what `packed` compressed."""
    return json.loads(zlib.decompress(content))


def finding_json(finding: Finding, *, timed: bool = True) -> dict[str, JSON]:
    """Return a finding as JSON without what is empty; `timed` tells whether its time belongs to it."""
    written: dict[str, JSON] = {"level": str(finding.level), "kind": str(finding.kind)}
    for name in _FIELDS:
        value = getattr(finding, name)
        if value is not None and value != "":
            written[name] = value
    if timed and finding.at is not None:
        written["at_us"] = micros(finding.at)
    if finding.accepted is not None:
        said = finding.accepted
        expires = said.expires.isoformat() if said.expires else None
        written["accepted"] = {"reason": said.reason, "by": said.by, "expires": expires}
    return written


def finding_from(raw: Mapping[str, Any], at: datetime | None = None) -> Finding:
    """Return the finding in its JSON; `at` is its time where none was written."""
    accepted = raw.get("accepted")
    told = {name: raw[name] for name in _FIELDS if name in raw and name not in {"rule", "message"}}
    return Finding(
        rule=raw["rule"],
        level=Level[raw["level"].upper()],
        kind=Kind(raw["kind"]),
        message=raw.get("message", ""),
        at=from_micros(raw["at_us"]) if "at_us" in raw else at,
        accepted=_acceptance(accepted) if accepted else None,
        **told,
    )


def _acceptance(raw: Mapping[str, Any]) -> Acceptance:
    expires = raw.get("expires")
    day = datetime.fromisoformat(expires).date() if expires else None
    return Acceptance(raw["reason"], raw["by"], day)


def digest(text: str) -> str:
    """Return the name of a text by its content: 32 hex digits."""
    return hashlib.sha256(text.encode()).hexdigest()[:32]


# --- incidents -------------------------------------------------------------------------------------------------------


def track_row(track: Track) -> tuple[Any, ...]:
    """Return a track as the columns of its table."""
    return (
        *track.key,
        dumped(finding_json(track.finding)),
        track.window,
        micros(track.first),
        micros(track.last),
        track.relapses,
        maybe_micros(track.opened),
    )


def track_from(row: Any) -> Track:
    """Return the track in a row of its table."""
    problem, site, check, finding, window, first, last, relapses, opened = row
    return Track(
        TrackKey(problem, site, check),
        finding_from(loaded(finding)),
        window,
        from_micros(first),
        from_micros(last),
        relapses,
        maybe_from_micros(opened),
    )


def incident_row(incident: Incident, *, in_book: bool) -> tuple[Any, ...]:
    """Return an incident as the columns of its table."""
    said = incident.acknowledged
    return (
        incident.id,
        incident.problem,
        dumped(finding_json(incident.finding)),
        int(incident.level),
        incident.finding.rule,
        incident.finding.check or "",
        micros(incident.since),
        micros(incident.opened),
        maybe_micros(incident.resolved),
        incident.why_resolved,
        dumped([said.by, micros(said.at), said.reason]) if said else None,
        dumped([_spell_json(spell) for spell in incident.spells]),
        int(in_book),
    )


def incident_from(row: Any) -> Incident:
    """Return the incident in a row of its table."""
    number, problem, finding, level, _, _, since, opened, resolved, why, said, spells, _ = row
    return Incident(
        id=number,
        problem=problem,
        finding=finding_from(loaded(finding)),
        level=Level(level),
        since=from_micros(since),
        opened=from_micros(opened),
        spells=tuple(_spell_from(raw) for raw in loaded(spells)),
        resolved=maybe_from_micros(resolved),
        why_resolved=why,
        acknowledged=_acknowledgement(loaded(said)) if said else None,
    )


def _acknowledgement(raw: Any) -> Acknowledgement:
    by, at, reason = raw
    return Acknowledgement(by, from_micros(at), reason)


def _spell_json(spell: Spell) -> list[JSON]:
    return [
        spell.site,
        micros(spell.since),
        maybe_micros(spell.until),
        str(spell.level),
        spell.rule,
        spell.message,
    ]


def _spell_from(raw: Any) -> Spell:
    site, since, until, level, rule, message = raw
    return Spell(site, from_micros(since), Level[level.upper()], rule, message, maybe_from_micros(until))
