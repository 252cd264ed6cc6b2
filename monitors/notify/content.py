"""The documented content of a notice, read back into values, and completed with what only the sinks' side knows.

Notices wait in the outbox across upgrades, so whatever a member lacks is taken as empty.
"""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from monitors.incidents.model import NoticeKind
from monitors.model import Level
from monitors.notify.advice import advice, link
from monitors.report.text import plain, scrubbed
from monitors.sites import SITES

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from monitors.model import JSON

_MONITOR = "monitor"
_NAME_CHARS = 40
# No text of ours is nearly as long; one that came over the wire may be.
_TEXT_CHARS = 4_000
_MAX_DEPTH = 32
_PRINTABLE = range(0x21, 0x7F)


@dataclass(frozen=True, slots=True)
class About:
    """The incident a notice tells of, as it stood then; times are UTC. `first` is when the first site got it.

    `seen` is what each site has, or had last where none has it any more: site, rule, message.
    """

    id: int
    state: str
    kind: str
    level: Level
    rule: str
    check: str
    location: str
    message: str
    base: JSON
    revision: JSON
    since: datetime | None
    resolved: datetime | None
    why_resolved: str
    problem: str
    sites: tuple[str, ...]
    all_sites: tuple[str, ...]
    watched: int
    first: datetime | None
    seen: tuple[tuple[str, str, str], ...]
    acknowledged_by: str
    acknowledged_because: str

    @property
    def is_monitors_own(self) -> bool:
        """Tell whether it is the monitor that is in trouble, and no site."""
        return self.kind == _MONITOR

    @property
    def ways(self) -> dict[str, list[str]]:
        """What is seen, each message with the sites that have it, in the order they got it."""
        found: dict[str, list[str]] = {}
        for site, _, message in self.seen:
            found.setdefault(message, []).append(site)
        return found


@dataclass(frozen=True, slots=True)
class Change:
    """What is new since the sink's last notice of the incident."""

    spread_to: tuple[str, ...] = ()
    gone_from: tuple[str, ...] = ()
    worsened_from: str = ""


def members(value: JSON) -> Mapping[str, JSON]:
    """Return an object's members; none for what is no object."""
    return value if isinstance(value, dict) else {}


def rows(value: JSON) -> list[Mapping[str, JSON]]:
    """Return a list's objects."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def text(value: JSON) -> str:
    """Return a string; empty for anything else."""
    return value if isinstance(value, str) else ""


def words(value: JSON) -> tuple[str, ...]:
    """Return a list's strings, printable and short: they name sites."""
    return tuple(plain(item, _NAME_CHARS) for item in value if isinstance(item, str)) if isinstance(value, list) else ()


def whole(value: JSON) -> int:
    """Return an integer; 0 for anything else."""
    return value if isinstance(value, int) and not isinstance(value, bool) else 0


def number(value: JSON) -> float | None:
    """Return a number; None for anything else."""
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def level(value: JSON) -> Level:
    """Return a level by its word; what nobody knows is taken seriously."""
    return next((known for known in Level if str(known) == value), Level.BREAKING)


def moment(value: JSON) -> datetime | None:
    """Return a time in UTC; None for anything that is none."""
    try:
        return datetime.fromisoformat(text(value)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def about(content: Mapping[str, JSON], member: str = "incident") -> About | None:
    """Return the incident of a notice; None for a digest or a test."""
    found = content.get(member)
    return about_incident(found) if isinstance(found, dict) else None


def about_incident(found: Mapping[str, JSON]) -> About:
    """Return an incident of a notice or a digest."""
    acknowledged = members(found.get("acknowledged"))
    spells = [spell for spell in rows(found.get("spells")) if text(spell.get("site"))]
    return About(
        id=whole(found.get("id")),
        state=text(found.get("state")),
        kind=text(found.get("kind")),
        level=level(found.get("level")),
        rule=text(found.get("rule")),
        check=text(found.get("check")),
        location=text(found.get("location")),
        message=text(found.get("message")),
        base=found.get("base"),
        revision=found.get("revision"),
        since=moment(found.get("since")),
        resolved=moment(found.get("resolved")),
        why_resolved=text(found.get("why_resolved")),
        problem=text(found.get("problem")),
        sites=words(found.get("sites")),
        all_sites=words(found.get("all_sites")),
        watched=whole(found.get("watched")),
        first=moment(spells[0].get("since")) if spells else None,
        seen=_seen(spells),
        acknowledged_by=text(acknowledged.get("by")),
        acknowledged_because=text(acknowledged.get("reason")),
    )


def _seen(spells: list[Mapping[str, JSON]]) -> tuple[tuple[str, str, str], ...]:
    latest: dict[str, tuple[str, str]] = {}
    for spell in [spell for spell in spells if not text(spell.get("until"))] or spells:
        latest[plain(text(spell.get("site")), _NAME_CHARS)] = text(spell.get("rule")), text(spell.get("message"))
    return tuple((site, rule, message) for site, (rule, message) in latest.items() if message)


def change(content: Mapping[str, JSON]) -> Change:
    """Return what is new in a notice."""
    found = members(content.get("change"))
    return Change(words(found.get("spread_to")), words(found.get("gone_from")), text(found.get("worsened_from")))


def completed(content: Mapping[str, JSON], known: str | None = None) -> dict[str, JSON]:
    """Return the content as sinks send it: harmless JSON, with what to do, where to read on, and how to see it.

    Every text in it, a member's name too, is as `plain` makes it, and cut at 4,000 characters; all else keeps its type.
    `known` is what the vendor's status page says of the site.
    """
    whole_content = {name: _harmless(member) for name, member in content.items()}
    incident = about(content)
    if incident is None:
        return whole_content
    first = next(iter(incident.sites or incident.all_sites), None)
    return {
        **whole_content,
        "known": plain(known, _TEXT_CHARS) if known else None,
        "advice": "" if content.get("kind") == NoticeKind.RESOLVED else advice(incident.rule, incident.kind),
        "link": link(incident.rule, incident.kind, first),
        "curl": curl(members(content.get("request"))),
    }


def _harmless(value: JSON, depth: int = 0) -> JSON:
    """Return a JSON value whose texts are printable; reading JSON undoes its own escapes, so those do not suffice."""
    if isinstance(value, str):
        return plain(value, _TEXT_CHARS)
    if isinstance(value, list) and depth < _MAX_DEPTH:
        return [_harmless(item, depth + 1) for item in value]
    if isinstance(value, dict) and depth < _MAX_DEPTH:
        return {plain(name, _TEXT_CHARS): _harmless(member, depth + 1) for name, member in value.items()}
    return scrubbed(value, depth)


def curl(request: Mapping[str, JSON]) -> str | None:
    """Return a command that makes the request of the probe, the keys named by their variables; None without one."""
    url = text(request.get("url"))
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    if parts.scheme not in {"http", "https"} or not all(ord(character) in _PRINTABLE for character in url):
        return None
    command = ["curl", "-i", shlex.quote(url)]
    if request.get("with_keys") is not False:
        # Named for the site: in whatever shell it is pasted, no site gets the keys of another.
        site = SITES.get(text(request.get("site")))
        of = "" if site is None else f"_{site.env_suffix}"
        command += [f'-H "DD-API-KEY: $DD_API_KEY{of}"', f'-H "DD-APPLICATION-KEY: $DD_APP_KEY{of}"']
    return " ".join(command)


def listed_sites(sites: Iterable[str]) -> str:
    """Return keys of sites as a list in words: `US5`, `US5 and EU1`, `US5, US3 and EU1`."""
    *before, last = [*sites] or [""]
    return f"{', '.join(before)} and {last}" if before else last
