"""What this process still knows of a store that lost some of it: decided here, so it is the latest there is."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from monitors.incidents.deciding import RECOVERED
from monitors.incidents.model import EventKind
from monitors.store.keys import INSTALLATION

if TYPE_CHECKING:
    from datetime import datetime

    from monitors.incidents.model import Book, Event, Incident, Notice
    from monitors.watching.keeper import Keeper, Kept

_NOTICES, _EVENTS, _ENDED = 500, 2_000, 500


@dataclass(slots=True)
class Recent:
    """What was kept lately: the book as it is, and of what is no longer in it the latest notices, events and ends."""

    book: Book | None = None
    notices: deque[Notice] = field(default_factory=lambda: deque(maxlen=_NOTICES))
    events: deque[Event] = field(default_factory=lambda: deque(maxlen=_EVENTS))
    ended: deque[Incident] = field(default_factory=lambda: deque(maxlen=_ENDED))

    def note(self, kept: Kept) -> None:
        """Take note of a batch that is in the store."""
        self.notices.extend(kept.notices)
        self.events.extend(kept.events)
        if self.book is not None:
            ends = {event.incident: event for event in kept.events if event.kind is EventKind.RESOLVED}
            gone = self.book.incidents.keys() - kept.book.incidents.keys()
            self.ended.extend(_ended(self.book.incidents[number], ends.get(number), kept.batch.at) for number in gone)
        self.book = kept.book


def _ended(incident: Incident, event: Event | None, at: datetime) -> Incident:
    """Return an incident as it left the book: over since its last event, by which it ended, unless it was before."""
    if incident.resolved is not None:
        return incident
    over = at if event is None else event.at
    spells = tuple(spell if spell.until is not None else replace(spell, until=over) for spell in incident.spells)
    why = RECOVERED if event is None else event.message.partition(" after ")[0]
    return replace(incident, spells=spells, resolved=over, why_resolved=why)


def restore(keeper: Keeper, recent: Recent, at: datetime) -> None:
    """Give a mended store back what this process knows of its latest state; raises `StoreError`.

    A notice that was delivered, and whose delivery the store lost, is not sent again as long as that is known here.
    """
    known = recent.book
    if known is None:
        keeper.forget()
        return
    store = keeper.store
    with store.using() as mended:
        told = {event.incident: mended.events(event.incident) for event in recent.events}
    missing = [event for event in recent.events if event not in told[event.incident]]
    with store.writing() as tx:
        found = tx.book()
        if found.installation != known.installation:
            # The keys of notices begin with it: another word would make new problems of those that are told.
            tx.put_meta(INSTALLATION, known.installation)
            found = replace(found, installation=known.installation)
        after = newest(found, known)
        ends = {
            number: _ended(incident, None, at)
            for number, incident in found.incidents.items()
            if number not in after.incidents
        }
        ends.update({incident.id: incident for incident in recent.ended})
        # In two steps: what is over leaves the book with its end.
        whole = replace(after, incidents={**ends, **after.incidents})
        tx.put_book(found, whole, missing)
        tx.put_book(whole, after)
        tx.queue(list(recent.notices), store.delivered)
        keeper.restore(tx)
    for row in store.undelivered():
        if (row.notice.key, row.notice.sink) in store.delivered:
            store.mark_delivered(row.id, at)


def newest(found: Book, known: Book) -> Book:
    """Return the book of a mended store as this process knows it, which alone decides: what it dropped is over.

    What people did from elsewhere since the last batch stands in `found` only, and is kept: they acknowledge, silence,
    and resolve by hand.
    """
    incidents = {
        number: _by_hand(incident, found.incidents.get(number)) for number, incident in known.incidents.items()
    }
    ended = {
        incident.problem
        for number, incident in incidents.items()
        if incident.resolved is not None and known.incidents[number].resolved is None
    }
    silences = {entry.id: entry for entry in (*known.silences, *found.silences)}
    return replace(
        known,
        tracks={key: track for key, track in known.tracks.items() if key.problem not in ended},
        incidents=incidents,
        silences=tuple(silences[number] for number in sorted(silences)),
        # A mended store counts on from well ahead; here it is known how far things went.
        next_id=max(known.next_id, *(number + 1 for number in found.incidents), 1),
    )


def _by_hand(known: Incident, found: Incident | None) -> Incident:
    if found is None or known.resolved is not None:
        return known
    if found.resolved is not None:
        return found
    return known if known.acknowledged is not None else replace(known, acknowledged=found.acknowledged)
