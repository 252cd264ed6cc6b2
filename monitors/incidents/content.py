"""What a notice says, as the JSON object that schemas/notification.json describes and every sink renders."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from monitors import PROGRAM, __version__

if TYPE_CHECKING:
    from collections.abc import Mapping

    from monitors.incidents.model import Acknowledgement, Incident, NoticeKind, Spell, Told
    from monitors.model import JSON


def stamp(at: datetime | None) -> str | None:
    """Return a time as RFC 3339 in UTC, to the second."""
    return None if at is None else at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def frame(*, kind: NoticeKind, key: str, at: datetime, installation: str, vantage: str) -> dict[str, JSON]:
    """Return the members every notice has, whatever it is about."""
    return {
        "kind": str(kind),
        "key": key,
        "at": stamp(at),
        "installation": installation,
        "monitor": f"{PROGRAM}/{__version__}",
        "vantage": vantage,
    }


def content(
    incident: Incident,
    *,
    kind: NoticeKind,
    key: str,
    at: datetime,
    installation: str,
    vantage: str,
    watched: int,
    last: Told | None,
    urls: Mapping[tuple[str, str], str],
) -> dict[str, JSON]:
    """Return what is told of an incident, and what changed since `last`, the sink's word before this one."""
    return {
        **frame(kind=kind, key=key, at=at, installation=installation, vantage=vantage),
        "incident": incident_json(incident, watched=watched),
        "change": _change(incident, last),
        "request": _request(incident, urls),
    }


def incident_json(incident: Incident, *, watched: int = 0) -> dict[str, JSON]:
    """Return an incident as it stands; `watched` is how many sites are watched in all, 0 where nobody knows."""
    finding = incident.finding
    return {
        "id": incident.id,
        "problem": incident.problem,
        "state": str(incident.state),
        "kind": str(finding.kind),
        "level": str(incident.level),
        "rule": finding.rule,
        "check": finding.check,
        "location": finding.location,
        "message": finding.message,
        "base": finding.base,
        "revision": finding.revision,
        "since": stamp(incident.since),
        "opened": stamp(incident.opened),
        "resolved": stamp(incident.resolved),
        "why_resolved": incident.why_resolved,
        "sites": list(incident.sites),
        "all_sites": list(incident.all_sites),
        "watched": watched,
        "spells": [_spell_json(spell) for spell in incident.spells],
        "acknowledged": None if incident.acknowledged is None else _acknowledged_json(incident.acknowledged),
    }


def _spell_json(spell: Spell) -> dict[str, JSON]:
    return {
        "site": spell.site,
        "since": stamp(spell.since),
        "until": stamp(spell.until),
        "level": str(spell.level),
        "rule": spell.rule,
        "message": spell.message,
    }


def _acknowledged_json(by: Acknowledgement) -> dict[str, JSON]:
    return {"by": by.by, "at": stamp(by.at), "reason": by.reason}


def _change(incident: Incident, last: Told | None) -> dict[str, JSON]:
    if last is None:
        return {"spread_to": [], "gone_from": [], "worsened_from": None}
    worse = incident.level > last.level
    return {
        "spread_to": [site for site in incident.sites if site not in last.sites],
        "gone_from": [site for site in last.sites if site not in incident.sites],
        "worsened_from": str(last.level) if worse else None,
    }


def _request(incident: Incident, urls: Mapping[tuple[str, str], str]) -> JSON:
    """Return the request that shows it, of the site that had it first; None for the monitor's own troubles."""
    sites = incident.sites or incident.all_sites
    check = incident.finding.check
    for site in sites:
        if url := urls.get((site, check or "run")):
            return {"site": site, "check": check or "run", "url": url, "with_keys": check != "unauthenticated"}
    return None
