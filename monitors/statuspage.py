"""What a site's status page says: quoted beside an incident, never trusted to hide one.

The pages speak Statuspage's v2 JSON. None has a component for the API watched, so a green page proves nothing.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING, Any

from monitors.errors import HarnessError, MonitorError
from monitors.report.text import plain
from monitors.sites import SITES
from monitors.transport import Sealed, SiteClient

if TYPE_CHECKING:
    from collections.abc import Iterator

    from monitors.sites import Site

PATH = "/api/v2/summary.json"
MAX_BYTES = 1 << 20
FRESH_S = 60.0
_TIMEOUT_S = 5.0
_OK = 200
_NAME_CHARS, _LINE_CHARS, _REASON_CHARS, _MAX_NAMES = 80, 240, 120, 3
_TROUBLE = ("minor", "major", "critical", "maintenance")
_OVER = ("resolved", "postmortem", "completed")

NOTHING = "nothing"

Fetch = Callable[[str], bytes]
"""Returns the body of the summary on a host; raises `MonitorError` with the reason where there is none."""


@dataclass(frozen=True, slots=True)
class Said:
    """What a site's status page says: `line` is what it tells of, None for nothing; `unread` why nobody could read it.

    As text it is for a person: a page that tells of nothing, one that could not be read, and none at all differ.
    """

    line: str | None = None
    unread: str = ""
    has_page: bool = True

    def __str__(self) -> str:
        """Return it in words."""
        if not self.has_page:
            return "has no page"
        return f"could not be read: {self.unread}" if self.unread else self.quoted or NOTHING

    @property
    def quoted(self) -> str | None:
        """What a notice quotes of it: `nothing` where the page tells of nothing, None where nobody knows."""
        return None if self.unread or not self.has_page else self.line or NOTHING


def fetch(host: str, base_url: str = "") -> bytes:
    """Return the summary of the status page on a host: one GET without keys, no redirects, within five seconds.

    `base_url` is where to ask in its place. Raises `MonitorError` with the reason for any answer but 200.
    """
    client = SiteClient(base_url or f"https://{host}", site_host=host, timeout_s=_TIMEOUT_S, max_body_bytes=MAX_BYTES)
    seen = client.exchange("GET", PATH, {"Accept": "application/json"}, Sealed(None))
    if seen.failure is not None:
        raise HarnessError(seen.failure.message)
    if seen.status != _OK:
        message = f"answered {seen.status}"
        raise HarnessError(message)
    return seen.body


class StatusPages:
    """Asks status pages, each at most once a minute. `clock` counts seconds; any thread may ask."""

    def __init__(self, fetch: Fetch = fetch, clock: Callable[[], float] = time.monotonic) -> None:
        """Prepare; nothing is asked yet."""
        self._fetch, self._clock = fetch, clock
        self._lock = Lock()
        self._said: dict[str, tuple[float, Said]] = {}

    def known(self, site: str) -> str | None:
        """Return what a notice quotes of a site's page, by the site's key, in one line. Never raises."""
        return self.said(site).quoted

    def said(self, site: str) -> Said:
        """Return what the vendor says of a site, by its key. Never raises."""
        if site not in SITES:
            return Said(has_page=False)
        now = self._clock()
        with self._lock:
            at, said = self._said.get(site, (now - FRESH_S, Said()))
        if now - at < FRESH_S:
            return said
        said = said_of(SITES[site], self._fetch)
        with self._lock:
            self._said[site] = (now, said)
        return said


def said_of(site: Site, fetch: Fetch = fetch) -> Said:
    """Return what the status page of a site tells of: `known incident: API errors (major)`.

    Never raises, whatever the page answers.
    """
    if site.status_host is None:
        return Said(has_page=False)
    try:
        raw = fetch(site.status_host)
    except (MonitorError, OSError) as error:
        return Said(unread=plain(str(error) or type(error).__name__, _REASON_CHARS))
    try:
        summary = json.loads(raw)
    except (ValueError, RecursionError):
        return Said(unread="what it answered is no JSON")
    if not isinstance(summary, dict) or not ("incidents" in summary or "status" in summary):
        return Said(unread="what it answered is no summary of a status page")
    return Said(_line(summary))


def _line(summary: dict[str, Any]) -> str | None:
    incidents = [_named(entry) for entry in _entries(summary, "incidents")]
    works = [_named(entry) for entry in _entries(summary, "scheduled_maintenances") if _under_way(entry)]
    parts = [
        f"{what}: {', '.join(names[:_MAX_NAMES])}{f' and {len(names) - _MAX_NAMES} more' if names[_MAX_NAMES:] else ''}"
        for what, names in (("known incident", incidents), ("maintenance", works))
        if names
    ]
    if not parts:
        status = summary.get("status")
        indicator = status.get("indicator") if isinstance(status, dict) else None
        if indicator not in _TROUBLE:
            return None
        described = status.get("description") if isinstance(status, dict) else None
        parts = [f"{indicator}: {plain(described, _NAME_CHARS)}" if isinstance(described, str) else str(indicator)]
    return plain("; ".join(parts), _LINE_CHARS)


def _entries(summary: dict[str, Any], member: str) -> Iterator[dict[str, Any]]:
    """Yield what is listed and not over."""
    listed = summary.get(member)
    for entry in listed if isinstance(listed, list) else ():
        if isinstance(entry, dict) and isinstance(entry.get("name"), str) and entry.get("status") not in _OVER:
            yield entry


def _under_way(entry: dict[str, Any]) -> bool:
    return entry.get("status") in ("in_progress", "verifying")


def _named(entry: dict[str, Any]) -> str:
    name = plain(entry["name"], _NAME_CHARS)
    impact = entry.get("impact")
    return f"{name} ({impact})" if impact in _TROUBLE else name
