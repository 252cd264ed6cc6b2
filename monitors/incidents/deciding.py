"""The decision: what was seen in a cycle goes in, incidents and the events of their lives come out. Pure."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from monitors.incidents.model import Book, Event, EventKind, Incident, Spell, Track, TrackKey
from monitors.incidents.problems import ACROSS, OUTAGE, blocked_above, problem_of, rank
from monitors.incidents.spans import span
from monitors.incidents.tracking import bar_for, failed, passed
from monitors.model import Kind

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from monitors.config.alerting import Thresholds
    from monitors.model import Finding

RECOVERED, BY_HAND, UNWATCHED = "recovered", "by hand", "no longer watched"
FORGOTTEN_AFTER = timedelta(days=7)
"""What is not watched any more ends after so long without a look at it: until then nobody knows."""


@dataclass(frozen=True, slots=True)
class Result:
    """What one probe came to: everything it showed, and the drift the memory tells of its answer.

    `drift` is None where the answer could not be held against the memory at all.
    """

    site: str
    check: str
    at: datetime
    findings: tuple[Finding, ...] = ()
    drift: tuple[Finding, ...] | None = ()


@dataclass(frozen=True, slots=True)
class Round:
    """Everything one cycle brought, at a time (UTC).

    `across` are the differences between sites, None where nothing is known of them. `own` holds the monitor's own
    troubles by problem, None for one that is over; what is not in it is not known. `watched` are all sites and checks
    that are configured, `maintenance` the sites in a window.
    """

    at: datetime
    results: tuple[Result, ...] = ()
    across: tuple[Finding, ...] | None = None
    own: Mapping[str, Finding | None] = field(default_factory=dict)
    watched: frozenset[tuple[str, str]] = frozenset()
    maintenance: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Decision:
    """The book as it is now, and what happened."""

    book: Book
    events: tuple[Event, ...] = ()


def decide(book: Book, seen: Round, thresholds: Thresholds) -> Decision:
    """Return what one more cycle makes of the past."""
    pages = _Pages(book, seen, thresholds)
    pages.forget_unwatched()
    for result in sorted(seen.results, key=lambda result: result.at):
        pages.weigh(result)
    pages.weigh_across()
    pages.weigh_own()
    if not pages.touched:
        return Decision(book)
    incidents, events, next_id = _incidents(book, pages, seen)
    return Decision(replace(book, tracks=pages.tracks, incidents=incidents, next_id=next_id), tuple(events))


class _Pages:
    """The tracks while they are written on."""

    def __init__(self, book: Book, seen: Round, thresholds: Thresholds) -> None:
        self.seen, self.thresholds = seen, thresholds
        self.tracks: dict[TrackKey, Track] = dict(book.tracks)
        self.touched = False
        self.unwatched: set[str] = set()
        self._by_probe: dict[tuple[str, str], list[TrackKey]] = defaultdict(list)
        for key in book.tracks:
            self._by_probe[key.site, key.check].append(key)

    def forget_unwatched(self) -> None:
        """Drop tracks of what has not been asked for long: a look at some sites says nothing of the others."""
        for key, track in list(self.tracks.items()):
            away = self.seen.at - track.last
            if key.site and (key.site, key.check) not in self.seen.watched and away >= FORGOTTEN_AFTER:
                self._put(key, None)
                self.unwatched.add(key.site)

    def weigh(self, result: Result) -> None:
        """Note how every problem of one site and check went in one result."""
        place = (result.site, result.check)
        drift = result.drift or ()
        if not (result.findings or drift or self._by_probe.get(place)):
            return
        highest = blocked_above(result.findings)
        failing = self._failing(result.findings, confirmed=False) | self._failing(drift, confirmed=True)
        for key in list(self._by_probe[place]):
            track = self.tracks.get(key)
            if track is None or key.problem in failing or track.finding.rule in ACROSS:
                continue
            if rank(track.finding) <= highest and (result.drift is not None or track.finding.kind is not Kind.DRIFT):
                self._pass(key, track, result.at)
        hidden = bool(failing) and self._is_down(result)
        for problem, (finding, confirmed) in failing.items():
            if rank(finding) <= highest and (problem == OUTAGE or not hidden):
                self._fail(TrackKey(problem, *place), finding, result.at, confirmed=confirmed)

    def weigh_across(self) -> None:
        """Note the differences between sites: each site that differs is one the problem is seen on."""
        if self.seen.across is None:
            return
        told: dict[TrackKey, Finding] = {}
        for finding in self.seen.across:
            if finding.level >= self.thresholds.level and finding.accepted is None:
                sites = finding.revision if isinstance(finding.revision, list) else []
                told.update({TrackKey(problem_of(finding), str(site), finding.check or ""): finding for site in sites})
        for key, track in list(self.tracks.items()):
            if track.finding.rule in ACROSS and key not in told:
                self._pass(key, track, self.seen.at)
        for key, finding in told.items():
            if (key.site, key.check) in self.seen.watched:
                self._fail(key, finding, self.seen.at, confirmed=True)

    def weigh_own(self) -> None:
        """Note how the monitor itself is."""
        for problem, finding in self.seen.own.items():
            key = TrackKey(problem, "", "")
            if finding is not None:
                if finding.level >= self.thresholds.level:
                    self._fail(key, finding, finding.at or self.seen.at, confirmed=True)
            elif key in self.tracks:
                self._put(key, None)

    def _failing(self, findings: Iterable[Finding], *, confirmed: bool) -> dict[str, tuple[Finding, bool]]:
        """Return what counts among findings, the worst of each problem."""
        found: dict[str, tuple[Finding, bool]] = {}
        for finding in findings:
            if finding.level < self.thresholds.level or finding.accepted is not None:
                continue
            problem = problem_of(finding)
            if problem not in found or finding.level > found[problem][0].level:
                found[problem] = (finding, confirmed)
        return found

    def _is_down(self, result: Result) -> bool:
        """Tell whether the site is down as far as is known: then whatever else it shows is no news of its own."""
        down = {
            key.check
            for key, track in self.tracks.items()
            if key.problem == OUTAGE and key.site == result.site and track.opened is not None
        }
        others = {check for site, check in self.seen.watched if site == result.site} - {result.check}
        return result.check in down or (bool(others) and others <= down)

    def _pass(self, key: TrackKey, track: Track, at: datetime) -> None:
        """Note a result that passed. An outage that is over on one check is over on those not asked since.

        Checks that are made once an hour would else keep a site down for hours after it is back. Those that still fail
        have failed since the first of the results that passed.
        """
        after = passed(track, bar_for(track.finding.kind, self.thresholds))
        self._put(key, after)
        if after is None and key.problem == OUTAGE and track.opened is not None:
            turn = track.last + (at - track.last) / 2
            for other, stale in list(self.tracks.items()):
                if other.problem == OUTAGE and other.site == key.site and stale.last < turn:
                    self._put(other, None)

    def _fail(self, key: TrackKey, finding: Finding, at: datetime, *, confirmed: bool) -> None:
        track = self.tracks.get(key)
        if key.site in self.seen.maintenance and (track is None or track.opened is None):
            return
        bar = bar_for(finding.kind, self.thresholds, confirmed=confirmed)
        self._put(key, failed(track, key, finding, at, bar))

    def _put(self, key: TrackKey, track: Track | None) -> None:
        self.touched = True
        if track is None:
            self.tracks.pop(key, None)
        else:
            if key not in self.tracks:
                self._by_probe[key.site, key.check].append(key)
            self.tracks[key] = track


def _incidents(book: Book, pages: _Pages, seen: Round) -> tuple[dict[int, Incident], list[Event], int]:
    """Return the incidents that the tracks amount to, what happened to them, and the next id."""
    believed: dict[str, list[Track]] = defaultdict(list)
    for track in pages.tracks.values():
        if track.opened is not None:
            believed[track.key.problem].append(track)
    incidents, events, next_id = dict(book.incidents), list[Event](), book.next_id
    known = {incident.problem for incident in incidents.values() if incident.resolved is None}
    for incident in book.incidents.values():
        if incident.resolved is None:
            after, happened = _followed(incident, believed.get(incident.problem, ()), pages, seen)
            incidents[incident.id] = after
            events += happened
    fresh = [(problem, tracks) for problem, tracks in believed.items() if problem not in known]
    for problem, tracks in sorted(fresh, key=lambda entry: (min(track.first for track in entry[1]), entry[0])):
        incidents[next_id] = opened = _opened(next_id, problem, tracks, seen)
        events.append(Event(next_id, seen.at, EventKind.OPENED, opened.finding.message, opened.sites))
        next_id += 1
    return incidents, events, next_id


def _opened(number: int, problem: str, tracks: Sequence[Track], seen: Round) -> Incident:
    spells = tuple(sorted(_spells(tracks), key=lambda spell: (spell.since, spell.site)))
    first = min(tracks, key=lambda track: (track.first, track.key))
    worst = max(tracks, key=lambda track: track.finding.level)
    finding = first.finding if first.finding.level == worst.finding.level else worst.finding
    return Incident(number, problem, finding, worst.finding.level, first.first, seen.at, spells)


def _spells(tracks: Iterable[Track]) -> list[Spell]:
    """Return each site's part as it is now: since its first sign, as bad as its worst check."""
    by_site: dict[str, list[Track]] = defaultdict(list)
    for track in tracks:
        by_site[track.key.site].append(track)
    return [
        Spell(
            site,
            since=min(track.first for track in here),
            level=(worst := max(here, key=lambda track: (track.finding.level, track.last)).finding).level,
            rule=worst.rule,
            message=worst.message,
        )
        for site, here in by_site.items()
    ]


def _followed(incident: Incident, tracks: Sequence[Track], pages: _Pages, seen: Round) -> tuple[Incident, list[Event]]:
    """Return an open incident after one more cycle, and what happened to it."""
    now = {spell.site: spell for spell in _spells(tracks)}
    before = {spell.site for spell in incident.spells if spell.until is None}
    spells = tuple(_spell_after(spell, now, seen.at) for spell in incident.spells)
    fresh = sorted((now[site] for site in now.keys() - before), key=lambda spell: (spell.since, spell.site))
    after = replace(incident, spells=(*spells, *fresh))
    watched = len({site for site, _ in seen.watched})
    events = []
    if not now:
        gone = sorted(before)
        why = UNWATCHED if before and before <= pages.unwatched else RECOVERED
        after = replace(after, resolved=seen.at, why_resolved=why)
        message = f"{why} after {span(seen.at - incident.since)}"
        return after, [Event(incident.id, seen.at, EventKind.RESOLVED, message, tuple(filter(None, gone)))]
    if gone := sorted(before - now.keys()):
        message = f"over on {', '.join(gone)}; still on {', '.join(after.sites)}"
        events.append(Event(incident.id, seen.at, EventKind.SHRUNK, message, tuple(gone)))
    if fresh:
        names = tuple(spell.site for spell in fresh)
        message = f"now on {', '.join(names)} too: {len(after.sites)} of {watched} sites"
        events.append(Event(incident.id, seen.at, EventKind.SPREAD, message, names))
    level = max(spell.level for spell in now.values())
    if level > incident.level:
        worst = max(tracks, key=lambda track: track.finding.level)
        message = f"now {level}: {worst.finding.message}"
        events.append(Event(incident.id, seen.at, EventKind.WORSENED, message, after.sites))
    return replace(after, level=level), events


def _spell_after(spell: Spell, now: Mapping[str, Spell], at: datetime) -> Spell:
    if spell.until is not None:
        return spell
    current = now.get(spell.site)
    if current is None:
        return replace(spell, until=at)
    return replace(spell, level=current.level, rule=current.rule, message=current.message)
