"""What a site's status page says: quoted beside an incident, never trusted to hide one.

The pages speak Statuspage's v2 JSON. None has a component for the API watched, so a green page proves nothing.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from threading import Lock
from typing import TYPE_CHECKING, Any

from monitors.errors import MonitorError
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
_NAME_CHARS, _LINE_CHARS, _MAX_NAMES = 80, 240, 3
_TROUBLE = ("minor", "major", "critical", "maintenance")
_OVER = ("resolved", "postmortem", "completed")

Fetch = Callable[[str], bytes | None]
"""Returns the body of the summary on a host, None where there is none; may raise `MonitorError`."""


def fetch(host: str, base_url: str = "") -> bytes | None:
    """Return the summary of the status page on a host: one GET without keys, no redirects, within five seconds.

    `base_url` is where to ask in its place.
    """
    client = SiteClient(base_url or f"https://{host}", site_host=host, timeout_s=_TIMEOUT_S, max_body_bytes=MAX_BYTES)
    seen = client.exchange("GET", PATH, {"Accept": "application/json"}, Sealed(None))
    return seen.body if seen.status == _OK and seen.failure is None else None


class StatusPages:
    """Asks status pages, each at most once a minute. `clock` counts seconds; any thread may ask."""

    def __init__(self, fetch: Fetch = fetch, clock: Callable[[], float] = time.monotonic) -> None:
        """Prepare; nothing is asked yet."""
        self._fetch, self._clock = fetch, clock
        self._lock = Lock()
        self._said: dict[str, tuple[float, str | None]] = {}

    def known(self, site: str) -> str | None:
        """Return what the vendor says of a site, by its key, in one line; None where there is nothing. Never raises."""
        if site not in SITES:
            return None
        now = self._clock()
        with self._lock:
            at, line = self._said.get(site, (now - FRESH_S, None))
        if now - at < FRESH_S:
            return line
        line = known_incident(SITES[site], self._fetch)
        with self._lock:
            self._said[site] = (now, line)
        return line


def known_incident(site: Site, fetch: Fetch = fetch) -> str | None:
    """Return what the status page of a site tells of: `known incident: API errors (major)`; None for nothing.

    Never raises, whatever the page answers.
    """
    if site.status_host is None:
        return None
    try:
        summary = json.loads(fetch(site.status_host) or b"null")
    except (MonitorError, OSError, ValueError, RecursionError):
        return None
    return _line(summary)


def _line(summary: Any) -> str | None:
    if not isinstance(summary, dict):
        return None
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
