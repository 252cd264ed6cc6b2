"""What `incidents` asks the store for: a list of incidents with all around them, and the life of one."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from monitors.commands.maintenance_views import Planned, planned
from monitors.incidents.model import State
from monitors.incidents.planning import covers

if TYPE_CHECKING:
    from collections.abc import Iterable

    from monitors.config.alerting import Maintenance
    from monitors.incidents.model import Book, Event, Incident, Silence, Track
    from monitors.store import OutboxRow, Store

_NOTHING_KNOWN = "nothing"


@dataclass(frozen=True, slots=True)
class Found:
    """What was asked for: incidents, newest first, tracks that are pending, and the silences in force.

    `known` is what the vendor's status pages say of the sites, where they were asked; `planned` is maintenance.
    """

    open: tuple[Incident, ...] = ()
    resolved: tuple[Incident, ...] = ()
    pending: tuple[Track, ...] = ()
    silences: tuple[Silence, ...] = ()
    state: str = "open"
    kept: bool = True
    known: tuple[tuple[str, str], ...] = ()
    planned: Planned = field(default_factory=Planned)
    at: datetime = field(default_factory=lambda: datetime.now(UTC))


@dataclass(frozen=True, slots=True)
class Life:
    """One incident from its beginning, and `known`: what the vendor's status page says of its sites."""

    incident: Incident
    events: tuple[Event, ...]
    notices: tuple[OutboxRow, ...]
    silences: tuple[Silence, ...] = ()
    known: tuple[tuple[str, str], ...] = ()
    planned: Planned = field(default_factory=Planned)
    at: datetime = field(default_factory=lambda: datetime.now(UTC))


def wanted(store: Store | None, *, state: str, sites: tuple[str, ...], since: datetime | None, limit: int) -> Found:
    """Return what is asked for; nothing where there is no store yet."""
    from monitors.store import IncidentFilter  # noqa: PLC0415 - the store is there already when this runs

    if store is None:
        return Found(state=state, kept=False)
    book = store.book()
    open_, resolved = (
        tuple(store.incidents(IncidentFilter(state=one, sites=sites, since=since, limit=limit)))
        if state in {"all", str(one)}
        else ()
        for one in (State.OPEN, State.RESOLVED)
    )
    pending = tuple(
        track
        for track in book.tracks.values()
        if track.opened is None and state in {"all", "pending"} and (not sites or track.key.site in sites)
    )
    return Found(open_, resolved[: max(limit - len(open_), 0)], pending, _in_force(book), state)


def _in_force(book: Book) -> tuple[Silence, ...]:
    """Return the silences that hold: those of the past stay in the book until the next round."""
    now = datetime.now(UTC)
    return tuple(silence for silence in book.silences if silence.until > now)


def life_of(store: Store, number: int) -> Life | None:
    """Return the life of an incident, None where there is none of that number."""
    incident = store.incident(number)
    if incident is None:
        return None
    silences = tuple(entry for entry in _in_force(store.book()) if covers(entry, incident))
    return Life(incident, tuple(store.events(number)), tuple(store.notices(number)), silences)


def with_planned(found: Found, windows: Iterable[Maintenance], sites: tuple[str, ...]) -> Found:
    """Return what was asked for with the maintenance that is planned for its sites."""
    return replace(found, planned=planned(windows, found.at, sites))


def life_with_planned(life: Life, windows: Iterable[Maintenance]) -> Life:
    """Return the life with the maintenance that its sites are in now, if it is not over."""
    sites = life.incident.sites
    return replace(life, planned=Planned(planned(windows, life.at, sites).open)) if sites else life


def with_known(found: Found) -> Found:
    """Return what was asked for with what the vendor says of the sites that have something open."""
    return replace(found, known=_known(site for incident in found.open for site in incident.sites))


def life_with_known(life: Life) -> Life:
    """Return the life with what the vendor says of the sites."""
    return replace(life, known=_known(life.incident.all_sites))


def _known(sites: Iterable[str]) -> tuple[tuple[str, str], ...]:
    from monitors.statuspage import StatusPages  # noqa: PLC0415 - only where it is asked for

    pages = StatusPages()
    return tuple((site, pages.known(site) or _NOTHING_KNOWN) for site in dict.fromkeys(sites))
