"""What a reader of the log wants to know that no round of ours did: what people did, and what was planned."""

from __future__ import annotations

from typing import TYPE_CHECKING

from monitors.incidents.deciding import BY_HAND
from monitors.incidents.maintenance import in_force
from monitors.incidents.model import EventKind, State
from monitors.report.text import utc

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from datetime import datetime

    from monitors.config.alerting import Maintenance
    from monitors.incidents.maintenance import Opening
    from monitors.incidents.model import Book, Event, Incident
    from monitors.watching.keeper import Kept

    Said = tuple[str, dict[str, object]]
    Life = Callable[[int], Sequence[Event]]


class Happenings:
    """Compares each book with the one before it, and the windows that are open with those that were."""

    def __init__(self) -> None:
        """Begin with the first book that is seen: what happened before nobody asks for."""
        self._book: Book | None = None
        self._at: datetime | None = None
        self._open: dict[str, Opening] = {}

    def of(self, done: Kept, life: Life) -> Iterator[Said]:
        """Yield what people did since the batch before, as events of the log; `life` gives the events of an incident.

        What `life` raises is raised, and then this batch is as if it had been looked at.
        """
        before, self._book = self._book, done.book
        before_at, self._at = self._at, done.batch.at
        if before is not None and before_at is not None:
            yield from _acknowledged(before, done.book)
            yield from _silences(before, done.book, before_at, done.batch.at)
            yield from _resolved(before, done, life)

    def planned(self, windows: Iterable[Maintenance], at: datetime) -> Iterator[Said]:
        """Yield which windows of maintenance have begun or are over since the last look."""
        before, self._open = self._open, {opening.name: opening for opening in in_force(windows, at)}
        for name, opening in before.items():
            now = self._open.get(name)
            if now is None or now.start != opening.start:
                yield "maintenance is over", {"window": name, "sites": opening.sites}
        for name, opening in self._open.items():
            was = before.get(name)
            if was is None or was.start != opening.start:
                yield "in maintenance", {"window": name, "sites": opening.sites, "until": _until(opening.end)}


def _acknowledged(before: Book, after: Book) -> Iterator[Said]:
    for number, incident in after.incidents.items():
        taken, known = incident.acknowledged, before.incidents.get(number)
        if taken is not None and (known is None or known.acknowledged != taken):
            yield (
                "incident acknowledged",
                {"incident": number, "sites": incident.sites, "by": taken.by, "reason": taken.reason},
            )


def _silences(before: Book, after: Book, before_at: datetime, at: datetime) -> Iterator[Said]:
    known = {silence.id: silence for silence in before.silences}
    for made in after.silences:
        was = known.get(made.id)
        about: dict[str, object] = {"silence": made.id, "incident": made.incident}
        about.update(sites=made.sites, rule=made.rule)
        if made.until > at and was != made:
            yield "silenced", {**about, "until": _until(made.until), "by": made.by, "reason": made.reason}
        elif was is not None and made.until <= at and was.until > before_at:
            yield ("silence is over" if was == made else "silence ended by hand"), about


def _resolved(before: Book, done: Kept, life: Life) -> Iterator[Said]:
    ours = {event.incident for event in done.events if event.kind is EventKind.RESOLVED}
    for number, incident in before.incidents.items():
        if incident.state is State.RESOLVED or number in ours or _is_open(done.book.incidents.get(number)):
            continue
        # A book that lacks it may also be one that was lost: only what its timeline says is told.
        ends = [
            event for event in life(number) if event.kind is EventKind.RESOLVED and event.message.startswith(BY_HAND)
        ]
        for event in ends[-1:]:
            yield (
                "incident resolved",
                {"incident": number, "sites": incident.sites, "by": event.by, "message": event.message},
            )


def _is_open(incident: Incident | None) -> bool:
    return incident is not None and incident.state is State.OPEN


def _until(moment: datetime) -> str | None:
    """Return a time as a person reads it: nothing ends within a second."""
    return utc(moment.replace(microsecond=0))
