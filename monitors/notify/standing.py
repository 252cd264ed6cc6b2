"""How things stand for a sink now, beside what it was told when they changed: for who alerts on what there is."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

from monitors.incidents.model import NoticeKind, State
from monitors.incidents.planning import seen_by
from monitors.notify.measures import Measure

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from monitors.config.alerting import SinkSettings
    from monitors.incidents.model import Book, Incident
    from monitors.model import Level

MAX_STANDING = 100
"""So many problems of sites are told at a time, the worst and then the oldest first."""


class Standing(NamedTuple):
    """One problem on one site, or of the monitor itself (site empty), for as long as its incident is open.

    `failing` is false where the site had it and has it no more; `message` is what was seen there last.
    """

    site: str
    kind: str
    problem: str
    level: Level
    failing: bool
    message: str


def standing(book: Book, sink: SinkSettings) -> list[Standing]:
    """Return how each open incident stands that the sink has been told of, site by site: its end is told by a notice.

    So what the sink does not want, and what is kept from it by a silence, is not here either.
    """
    told = [seen for incident in book.incidents.values() if (seen := _told(book, sink, incident)) is not None]
    told.sort(key=lambda incident: (-incident.level, incident.since, incident.id))
    return list(islice((each for incident in told for each in _sites(incident)), MAX_STANDING))


def counts(found: Iterable[Standing], sites: Iterable[str]) -> Iterator[Measure]:
    """Yield how many problems are open on each of some sites."""
    failing = [each.site for each in found if each.failing]
    for site in sites:
        yield Measure("model_lab.site.incidents", float(failing.count(site)), (("site", site),))


def _told(book: Book, sink: SinkSettings, incident: Incident) -> Incident | None:
    """Return an incident as the sink sees it, if it was told of it and it is open there."""
    last = book.told.get((incident.id, sink.name))
    if last is None or last.kind is NoticeKind.RESOLVED:
        return None
    seen = seen_by(sink, incident) or incident
    return seen if seen.state is State.OPEN else None


def _sites(incident: Incident) -> Iterator[Standing]:
    latest = {spell.site: spell for spell in incident.spells}
    for site, spell in latest.items():
        kind = str(incident.finding.kind)
        yield Standing(site, kind, incident.problem, incident.level, spell.until is None, spell.message)
