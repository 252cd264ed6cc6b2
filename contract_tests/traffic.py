"""Every request the suite sends, counted; and, if asked for, kept as an HTTP archive (HAR 1.2) without keys."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from monitors import __version__

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from contract_tests.reporting import Mask
    from monitors.model import Observation

_MASKED = "***"


@dataclass(slots=True)
class Traffic:
    """What was sent: how many requests to which sites, and their archive entries where `keep` is true."""

    mask: Mask
    keep: bool = False
    requests: int = 0
    sites: set[str] = field(default_factory=set)
    entries: list[dict[str, Any]] = field(default_factory=list)

    def note(self, seen: Observation) -> None:
        """Count one request."""
        self.requests += 1
        if seen.site:
            self.sites.add(seen.site)
        if self.keep:
            self.entries.append(entry(seen, self.mask))

    def packed(self) -> dict[str, Any]:
        """Return plain values that another process can take in with `add`."""
        return {"requests": self.requests, "sites": sorted(self.sites), "entries": json.dumps(self.entries)}

    def add(self, packed: Mapping[str, Any]) -> None:
        """Take in what another process sent."""
        self.requests += packed["requests"]
        self.sites.update(packed["sites"])
        self.entries += json.loads(packed["entries"])

    def write(self, path: Path) -> None:
        """Write the archive, entries in the order of time."""
        log = {
            "version": "1.2",
            "creator": {"name": "model-lab-monitor contract tests", "version": __version__},
            "entries": sorted(self.entries, key=lambda item: item["startedDateTime"]),
        }
        path.write_text(json.dumps({"log": log}, indent=1, ensure_ascii=True) + "\n", encoding="ascii")


def entry(seen: Observation, mask: Mask) -> dict[str, Any]:
    """Return an observation as an entry of an HTTP archive; names of key headers stay, their values do not."""
    keys = {"DD-API-KEY": _MASKED, "DD-APPLICATION-KEY": _MASKED} if seen.with_keys else {}
    phases = seen.phases
    timings = {
        "dns": phases.resolve_s,
        "connect": phases.connect_s,
        "ssl": phases.tls_s,
        "wait": phases.first_byte_s,
        "receive": phases.transfer_s,
    }
    milliseconds = {name: round(spent_s * 1000, 3) for name, spent_s in timings.items() if spent_s is not None}
    return {
        "startedDateTime": seen.at.isoformat() if seen.at else "",
        "time": round(phases.total_s * 1000, 3),
        "request": {
            "method": seen.method,
            "url": mask(seen.url),
            "httpVersion": "HTTP/1.1",
            "cookies": [],
            "headers": _pairs(keys.items(), mask),
            "queryString": [],
            "headersSize": -1,
            "bodySize": 0,
        },
        "response": {
            "status": seen.status or 0,
            "statusText": _phrase(seen.status),
            "httpVersion": seen.http_version or "HTTP/1.1",
            "cookies": [],
            "headers": _pairs(seen.headers, mask),
            "content": _content(seen, mask),
            "redirectURL": "",
            "headersSize": -1,
            "bodySize": -1 if seen.wire_size is None else seen.wire_size,
            **({"_error": mask(seen.failure.message)} if seen.failure else {}),
        },
        "cache": {},
        "timings": {"send": 0, "wait": 0, "receive": 0, **milliseconds},
        "serverIPAddress": seen.address or "",
        "comment": f"{seen.site or ''} {seen.check or ''}".strip(),
    }


def _pairs(headers: Iterable[tuple[str, str]], mask: Mask) -> list[dict[str, str]]:
    return [{"name": mask(name), "value": mask(value)} for name, value in headers]


def _phrase(status: int | None) -> str:
    try:
        return HTTPStatus(status or 0).phrase
    except ValueError:
        return ""


def _content(seen: Observation, mask: Mask) -> dict[str, Any]:
    content = {"size": len(seen.body), "mimeType": mask(seen.header("content-type") or "")}
    try:
        return {**content, "text": mask(seen.body.decode())}
    except UnicodeDecodeError:
        masked = mask(seen.body.decode("latin-1")).encode("latin-1")
        return {**content, "text": base64.b64encode(masked).decode(), "encoding": "base64"}
