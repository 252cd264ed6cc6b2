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


@dataclass(frozen=True, slots=True)
class Found:
    """What was asked for: incidents, newest first, tracks that are pending, and the silences in force.

    `open`, `resolved` and `pending` are those that are listed, `more` how many incidents are left out for there are too
    many. `all_open` are those that are open and fit, listed or not, `resolved_count` counts those resolved likewise.
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
    all_open: tuple[Incident, ...] = ()
    resolved_count: int = 0
    more: int = 0


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
    all_open = tuple(store.incidents(IncidentFilter(state=State.OPEN, sites=sites, since=since)))
    open_ = all_open if state in {"all", "open"} else ()
    over = IncidentFilter(state=State.RESOLVED, sites=sites, since=since)
    resolved = tuple(store.incidents(over)) if state in {"all", "resolved"} else ()
    pending = tuple(
        track
        for track in book.tracks.values()
        if track.opened is None and state in {"all", "pending"} and (not sites or track.key.site in sites)
    )
    return Found(
        open_[:limit],
        resolved[: max(limit - len(open_), 0)],
        pending,
        _in_force(book),
        state,
        all_open=all_open,
        resolved_count=len(resolved),
        more=max(len(open_) + len(resolved) - limit, 0),
    )


def _in_force(book: Book) -> tuple[Silence, ...]:
    """Return the silences that can still act: none that is past, which the book keeps for a while."""
    now = datetime.now(UTC)
    # One of an incident that is over tells nobody anything any more.
    going_on = {None, *(number for number, incident in book.incidents.items() if incident.state is State.OPEN)}
    return tuple(silence for silence in book.silences if silence.until > now and silence.incident in going_on)


def life_of(store: Store, number: int) -> Life | None:
    """Return the life of an incident, None where there is none of that number."""
    incident = store.incident(number)
    if incident is None:
        return None
    acting = _in_force(store.book()) if incident.state is State.OPEN else ()
    silences = tuple(entry for entry in acting if covers(entry, incident))
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
    return tuple((site, str(pages.said(site))) for site in dict.fromkeys(sites))
