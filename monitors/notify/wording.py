"""How a notice of an incident is worded: short, for a phone; what is new comes first."""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING, NamedTuple

from monitors.incidents.model import NoticeKind
from monitors.incidents.problems import OUTAGE
from monitors.incidents.spans import span
from monitors.model import Level
from monitors.notify.content import change, listed_sites, moment, text
from monitors.notify.own_troubles import in_short
from monitors.report.text import dumps, plain

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from monitors.model import JSON
    from monitors.notify.content import About

SIGNS = {Level.BREAKING: "🔴", Level.WARNING: "🟡", Level.INFO: "🔵"}
OVER, TAKEN = "🟢", "👤"
_MESSAGE_CHARS, _TITLE_MESSAGE_CHARS, _VALUE_CHARS, _LOCATION_CHARS = 300, 70, 60, 120
# The monitor itself has no sites, so more of a title is left.
_OWN_CHARS = 95
_SHORTENED = ("$.data.attributes.", "$.data.", "$.")
_NAMED_SITES = 2
_ENDINGS = {"by hand": "closed by hand", "no longer watched": "no longer watched"}


class Form(enum.Enum):
    """What a row holds: text from anywhere, or a link or a command of ours."""

    TEXT = "text"
    LINK = "link"
    CODE = "code"


class Row(NamedTuple):
    """One detail with its label."""

    label: str
    text: str
    form: Form = Form.TEXT


class Wording:
    """The words for one notice of one incident; each method gives a part, printable and on one line."""

    def __init__(self, kind: NoticeKind, incident: About, content: Mapping[str, JSON]) -> None:
        """Take the notice apart; `content` is completed."""
        self._kind = kind
        self._incident = incident
        self._content = content
        self._ways = incident.ways
        self._change = change(content)
        self._at = moment(content.get("at"))

    def title(self) -> str:
        """Return what a person sees on a locked phone: a sign, what happened, where, what."""
        incident, where = self._incident, self._who()
        what = self._what()
        sign = SIGNS[incident.level]
        lasted = f" after {length}" if (length := self._lasted()) else ""
        if self._kind is NoticeKind.RESOLVED:
            if self._is_down() and incident.why_resolved not in _ENDINGS:
                return f"{OVER} {where} {self._be()} up again{lasted} ({what})"
            return f"{OVER} {where}: {_ENDINGS.get(incident.why_resolved, 'over')}{lasted}: {what}"
        down = f"{where} {self._be()} down" if self._is_down() else where
        if self._kind is NoticeKind.ACKNOWLEDGED:
            return f"{TAKEN} {self._who_took_it()} is on it: {down}: {what}"
        if self._kind is NoticeKind.REMINDER:
            still = f"{where} {self._be()} still down{lasted}" if self._is_down() else f"{where}: still{lasted}"
            return f"{sign} {still}: {what}"
        if self._kind is NoticeKind.UPDATED and (news := self.news()):
            return f"{sign} {news[0].upper()}{news[1:]} ({self._count() or where}{' down' * self._is_down()}): {what}"
        return f"{sign} {down}: {what}"

    def news(self) -> str:
        """Return what is new since the last notice: `now also EU1`; empty where nothing is."""
        told = self._change
        parts = []
        if told.worsened_from:
            parts.append(f"{plain(told.worsened_from, 20)} became {self._incident.level}")
        if told.spread_to and self._kind is not NoticeKind.OPENED:
            parts.append(f"now also {listed_sites(told.spread_to)}")
        if told.gone_from and self._kind is not NoticeKind.RESOLVED:
            parts.append(f"no longer {listed_sites(told.gone_from)}")
        return plain(", ".join(parts), _MESSAGE_CHARS)

    def lines(self) -> tuple[str, ...]:
        """Return what is wrong and how bad it is; what is not the same on all sites stands in the rows."""
        incident = self._incident
        rules = dict.fromkeys(rule for _, rule, _ in incident.seen if rule) if len(self._ways) > 1 else {}
        level = f"was {incident.level}" if self._kind is NoticeKind.RESOLVED else str(incident.level)
        bad = f"{level} · {plain(', '.join(rules) or incident.rule, _LOCATION_CHARS)}"
        return (bad,) if len(self._ways) > 1 else (self._message(), bad)

    def rows(self) -> tuple[Row, ...]:
        """Return the details, those that decide first; what there is nothing to say of is left out."""
        return tuple(row for row in self._rows() if row.text)

    def _rows(self) -> Iterator[Row]:
        incident = self._incident
        resolved = self._kind is NoticeKind.RESOLVED
        if news := self.news():
            yield Row("New", news)
        yield Row("Where", self.where())
        if len(self._ways) > 1:
            for message, sites in self._ways.items():
                yield Row(plain(listed_sites(sites), _MESSAGE_CHARS), plain(message, _MESSAGE_CHARS))
        yield Row("Since", self._since())
        if resolved:
            yield Row("Over", self._over())
        yield Row("Place", plain(incident.location, _LOCATION_CHARS))
        yield Row("Was → is", self._moved())
        if incident.acknowledged_by:
            because = f": {incident.acknowledged_because}" if incident.acknowledged_because else ""
            yield Row("Taken by", plain(f"{incident.acknowledged_by}{because}", _MESSAGE_CHARS))
        yield Row("Vendor says", plain(text(self._content.get("known")), _MESSAGE_CHARS))
        if not resolved:
            yield Row("To do", text(self._content.get("advice")))
            yield Row("See it", text(self._content.get("curl")), Form.CODE)
            yield Row("More", text(self._content.get("link")), Form.LINK)
        yield Row("Incident", self._number())

    def fields(self) -> dict[str, str]:
        """Return the values of a template, by its names."""
        incident = self._incident
        return {
            "message": "; ".join(self._each()) or incident.message,
            "change": self.news(),
            "sites": ", ".join(incident.sites or incident.all_sites),
            "where": self.where(),
            "since": clock(incident.since),
            "duration": self._lasted(),
            "incident": str(incident.id),
            "state": incident.state,
            "kind": incident.kind,
            "rule": incident.rule,
            "check": incident.check,
            "location": incident.location,
            "known": text(self._content.get("known")),
            "advice": text(self._content.get("advice")),
            "link": text(self._content.get("link")),
            "curl": text(self._content.get("curl")),
            "vantage": text(self._content.get("vantage")),
            "at": clock(self._at),
        }

    def where(self) -> str:
        """Return the sites in words: `2 of 9 sites: US5 (first, 10:02 UTC), EU1 (new)`."""
        incident = self._incident
        if incident.is_monitors_own:
            return plain(text(self._content.get("vantage")), _VALUE_CHARS)
        sites = incident.sites or incident.all_sites
        if len(sites) < _NAMED_SITES:
            named = listed_sites(sites)
            return f"{named}, 1 of {incident.watched} sites" if named and incident.watched > 1 else named
        first = incident.all_sites[0] if incident.all_sites else ""
        remarks = dict.fromkeys(self._change.spread_to if self._kind is not NoticeKind.OPENED else (), "new")
        if incident.first is not None:
            remarks[first] = f"first, {self._clock(incident.first)}"
        named = ", ".join(f"{site} ({remarks[site]})" if site in remarks else site for site in sites)
        return f"{self._count()}: {named}"

    def _who(self) -> str:
        incident = self._incident
        if incident.is_monitors_own:
            return "The monitor itself"
        sites = incident.sites or incident.all_sites
        return (listed_sites(sites) or "Model Lab") if len(sites) <= _NAMED_SITES else self._count()

    def _count(self) -> str:
        """Return how many sites have it; empty for a single one, which is better named."""
        number, watched = len(self._incident.sites or self._incident.all_sites), self._incident.watched
        if number < _NAMED_SITES:
            return ""
        return f"{number} of {watched} sites" if watched else f"{number} sites"

    def _is_down(self) -> bool:
        return self._incident.problem == OUTAGE

    def _be(self) -> str:
        return "is" if len(self._incident.sites or self._incident.all_sites) < _NAMED_SITES else "are"

    def _message(self) -> str:
        """Return what is seen, of the site that has it first."""
        incident = self._incident
        return plain(next(iter(self._ways), incident.message) or incident.rule, _MESSAGE_CHARS)

    def _each(self) -> list[str]:
        """Return what is seen where, if it is not the same everywhere."""
        ways = self._ways
        return [f"{listed_sites(sites)}: {message}" for message, sites in ways.items()] if len(ways) > 1 else []

    def _what(self) -> str:
        """Return what is seen in a few words, of one site and how many others say something else."""
        incident = self._incident
        if incident.is_monitors_own:
            return plain(in_short(incident.rule, self._message()), _OWN_CHARS)
        if (others := len(self._ways) - 1) > 0:
            more = f", and {others} other message{'s' * (others > 1)}"
            return f"{plain(self._message(), _TITLE_MESSAGE_CHARS - len(more))}{more}"
        message = plain(self._message(), _TITLE_MESSAGE_CHARS)
        place = next((incident.location[len(head) :] for head in _SHORTENED if incident.location.startswith(head)), "")
        return f"{message} ({plain(place, _VALUE_CHARS)})" if place else message

    def _who_took_it(self) -> str:
        return plain(self._incident.acknowledged_by or "somebody", _VALUE_CHARS)

    def _lasted(self) -> str:
        incident = self._incident
        until = incident.resolved or self._at
        return span(until - incident.since) if until is not None and incident.since is not None else ""

    def _since(self) -> str:
        since = self._incident.since
        if since is None:
            return ""
        ago = "" if self._kind is NoticeKind.RESOLVED else f" ({self._lasted()})"
        return f"{self._clock(since)}{ago}"

    def _over(self) -> str:
        incident = self._incident
        if incident.resolved is None:
            return ""
        how = f", {_ENDINGS[incident.why_resolved]}" if incident.why_resolved in _ENDINGS else ""
        return f"{self._clock(incident.resolved)}, after {self._lasted()}{how}"

    def _moved(self) -> str:
        incident = self._incident
        if incident.base is None or incident.revision is None or not incident.location:
            return ""
        return f"{dumps_short(incident.base)} → {dumps_short(incident.revision)}"

    def _number(self) -> str:
        vantage = plain(text(self._content.get("vantage")), _VALUE_CHARS)
        seen_from = f", seen from {vantage}" if vantage and not self._incident.is_monitors_own else ""
        return f"{self._incident.id}{seen_from}"

    def _clock(self, at: datetime) -> str:
        """Return a time as short as it can be told on the notice's day."""
        if self._at is not None and at.date() == self._at.date():
            return f"{at:%H:%M} UTC"
        return clock(at)


def clock(at: datetime | None) -> str:
    """Return `26 Nov 10:02 UTC`; empty for no time."""
    return "" if at is None else f"{at.day} {at:%b %H:%M} UTC"


def dumps_short(value: JSON) -> str:
    """Return a value of a finding in a few characters; a string as it is."""
    return plain(value, _VALUE_CHARS) if isinstance(value, str) else plain(dumps(value), _VALUE_CHARS)
