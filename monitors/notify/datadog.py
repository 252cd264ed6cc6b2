"""Events, service checks and metrics in an account of the user's on Datadog, through its public API.

Only the three addresses below are ever posted to. What may be sent twice without harm goes first, the event last.
Sources: https://docs.datadoghq.com/api/latest/events/, …/service-checks/ and …/metrics/.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from monitors.incidents.model import NoticeKind
from monitors.model import Level
from monitors.notify.content import about, members, number, rows, text
from monitors.notify.escaping import defused, shortened
from monitors.notify.http import Service
from monitors.notify.measures import Measure
from monitors.notify.message import Tone
from monitors.notify.sinks import secret
from monitors.report.text import plain
from monitors.sites import SITES, find_site

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from datetime import datetime

    from monitors.config.alerting import SinkSettings
    from monitors.incidents.model import Notice
    from monitors.model import JSON
    from monitors.notify.content import About
    from monitors.notify.message import Message
    from monitors.notify.sinks import Around
    from monitors.notify.standing import Standing

EVENTS, CHECKS, SERIES = "/api/v1/events", "/api/v1/check_run", "/api/v2/series"
_ONLY = frozenset({("POST", EVENTS), ("POST", CHECKS), ("POST", SERIES)})
CHECK, OPEN = "model_lab.site", "model_lab.incident.open"
_GAUGE = 3
_SOURCE = "model-lab-monitor"
_ALERT_TYPES = {Tone.FAILURE: "error", Tone.WARNING: "warning", Tone.INFO: "info", Tone.SUCCESS: "success"}
_OK, _WARNING, _CRITICAL = 0, 1, 2
# Service checks may lie ten minutes back, events eighteen hours; titles, texts and messages are cut beyond these.
_CHECK_AGE_S, _EVENT_AGE_S = 540, 17 * 3_600
_TITLE_CHARS, _TEXT_CHARS, _MESSAGE_CHARS, _KEY_CHARS, _TAG_CHARS = 100, 3_900, 500, 100, 200


@dataclass(frozen=True, slots=True)
class Datadog:
    """Posts each notice as an event, and how it leaves each site as service checks and metrics."""

    settings: SinkSettings
    service: Service
    now: Callable[[], datetime]

    def send(self, message: Message, notice: Notice) -> None:
        """Post one notice. Raises `SinkError` where one of the three is not taken; then all are sent again."""
        with self.service.attempt():
            self._send(message, notice)

    def measure(self, measures: Iterable[Measure], host: str, at: datetime, standing: Iterable[Standing] = ()) -> None:
        """Post metrics of a cycle, and how things stand; nothing is kept where that fails. Raises `SinkError`."""
        with self.service.attempt():
            found = list(standing)
            self._series([*measures, *map(_open, found)], host, at)
            if found:
                checks = [_check(each, host or _SOURCE, at) for each in found]
                self.service.request("POST", CHECKS, body=checks)

    def _send(self, message: Message, notice: Notice) -> None:
        host = text(message.content.get("vantage")) or _SOURCE
        incident = about(message.content)
        if incident is not None:
            self._series(_standing(incident), host, self.now())
            if checks := list(self._checks(incident, message, notice, host)):
                self.service.request("POST", CHECKS, body=checks)
        elif notice.kind is NoticeKind.DIGEST:
            self._series(_shares(message.content), host, self.now())
        self.service.request("POST", EVENTS, body=self._event(message, notice, host, incident))

    def _series(self, measures: Iterable[Measure], host: str, at: datetime) -> None:
        series = [
            {
                "metric": measure.metric,
                "type": _GAUGE,
                "points": [{"timestamp": int(at.timestamp()), "value": measure.value}],
                "tags": [_tag(name, value) for name, value in measure.tags],
                "resources": [{"type": "host", "name": host or _SOURCE}],
            }
            for measure in measures
        ]
        if series:
            self.service.request("POST", SERIES, body={"series": series})

    def _checks(self, incident: About, message: Message, notice: Notice, host: str) -> Iterator[dict[str, JSON]]:
        """Yield how the problem stands on each site it was ever seen on."""
        now = self.now()
        at = notice.at if 0 <= (now - notice.at).total_seconds() <= _CHECK_AGE_S else now
        for site in incident.all_sites or ("",):
            failing = notice.kind is not NoticeKind.RESOLVED and (site in incident.sites or incident.is_monitors_own)
            status = (_CRITICAL if message.tone is Tone.FAILURE else _WARNING) if failing else _OK
            check: dict[str, JSON] = {
                "check": CHECK,
                "host_name": host,
                "status": status,
                "timestamp": int(at.timestamp()),
                # Two problems of one site are two statuses: one that ends does not cover the other.
                "tags": [_tag(name, value) for name, value in _of_problem(incident, site)],
            }
            if failing:
                check["message"] = shortened(defused(message.fields["message"]), _MESSAGE_CHARS)
            yield check

    def _event(self, message: Message, notice: Notice, host: str, incident: About | None) -> dict[str, JSON]:
        tags = [] if incident is None else [("level", str(incident.level)), *_of_problem(incident, "")]
        tags += [] if incident is None else [("site", site) for site in (incident.sites or incident.all_sites)]
        subject = f"{message.content.get('installation')}-{notice.incident}" if notice.incident else notice.key
        event: dict[str, JSON] = {
            "title": shortened(message.chat_title, _TITLE_CHARS),
            "text": message.chat(_TEXT_CHARS),
            "alert_type": _ALERT_TYPES[message.tone],
            "priority": "normal" if message.tone in {Tone.FAILURE, Tone.WARNING} else "low",
            "aggregation_key": f"model-lab-{subject}"[:_KEY_CHARS],
            "host": host,
            "tags": [_tag(name, value) for name, value in [("source", _SOURCE), ("event", str(notice.kind)), *tags]],
        }
        if 0 <= (self.now() - notice.at).total_seconds() <= _EVENT_AGE_S:
            event["date_happened"] = int(notice.at.timestamp())
        return event


def _check(standing: Standing, host: str, at: datetime) -> dict[str, JSON]:
    """Return a problem on one site as the service check that a notice of it makes too."""
    check: dict[str, JSON] = {
        "check": CHECK,
        "host_name": host,
        "status": (_CRITICAL if standing.level is Level.BREAKING else _WARNING) if standing.failing else _OK,
        "timestamp": int(at.timestamp()),
        "tags": [_tag(name, value) for name, value in _of_problem(standing, standing.site)],
    }
    if standing.failing:
        check["message"] = shortened(defused(plain(standing.message)), _MESSAGE_CHARS)
    return check


def _open(standing: Standing) -> Measure:
    return Measure(OPEN, float(standing.failing), tuple(_of_problem(standing, standing.site)))


def _of_problem(incident: About | Standing, site: str) -> Iterator[tuple[str, str]]:
    """Yield what names a problem for as long as it lasts: no level, which may change."""
    if site:
        yield "site", site
    yield "kind", incident.kind
    yield "problem", incident.problem


def _tag(name: str, value: str) -> str:
    return f"{name}:{value.lower()}"[:_TAG_CHARS]


def _standing(incident: About) -> Iterator[Measure]:
    """Yield whether the incident is open on each of its sites."""
    for site in incident.all_sites:
        still = site in incident.sites and incident.resolved is None
        yield Measure(OPEN, float(still), tuple(_of_problem(incident, site)))


def _shares(content: Mapping[str, JSON]) -> Iterator[Measure]:
    for row in rows(members(content.get("digest")).get("uptime")):
        tags = tuple((name, text(row.get(name))) for name in ("site", "check") if row.get(name))
        if (share := number(row.get("uptime"))) is not None:
            yield Measure("model_lab.site.uptime", share, tags)
        if (p95 := number(row.get("p95_ms"))) is not None:
            yield Measure("model_lab.site.p95_ms", p95, tags)


def build(settings: SinkSettings, around: Around) -> Datadog:
    """Return the sink."""
    key = secret(settings, "api_key")
    site = settings.options.get("site", "")
    base_url = settings.options.get("base_url") or f"https://{(find_site(site) if site else SITES['US1']).api_host}"
    service = Service(base_url, timeout_s=settings.timeout_s, headers={"DD-API-KEY": key}, secrets=(key,), only=_ONLY)
    return Datadog(settings, service, around.now)
