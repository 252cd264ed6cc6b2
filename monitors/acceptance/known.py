"""The problems people decide on: those of a printed report, or of answers judged just now, each once."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import datetime
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from monitors.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from monitors.model import JSON, Finding, Observation

_SHOWN = 5
_NEAR = 0.7


@dataclass(frozen=True, slots=True)
class Known:
    """One problem: what its findings share, and where and since when it was seen.

    `statuses` are those of the answers it was found in, empty where the report does not tell. `sources` are files.
    """

    fingerprint: str
    rule: str
    kind: str
    level: str
    location: str | None
    message: str
    base: JSON
    revision: JSON
    check: str | None = None
    sites: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    statuses: tuple[int, ...] = ()
    first_seen: datetime | None = None

    @property
    def words(self) -> str:
        """Rule and location in one line."""
        return f"{self.rule} at {self.location}" if self.location else self.rule


def read_report(text: str, name: str) -> list[Known]:
    """Return the problems of a report as `probe` or `check` print it with `--format json`.

    Raises `UsageError` for anything else; `name` says which file it was.
    """
    try:
        report = json.loads(text)
    except (ValueError, RecursionError):
        report = None
    if not is_report(report):
        message = f"{name}: no report; write one with --format json, or with --save"
        raise UsageError(message)
    try:
        statuses = {
            (seen.get("site"), seen.get("check")): seen.get("status") for seen in report.get("observations", [])
        }
        found = [_of_json(entry, statuses) for entry in report["findings"]]
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        message = f"{name}: no report as schemas/report.json describes it"
        raise UsageError(message) from error
    return merged(found)


def is_report(document: Any) -> bool:
    """Tell whether a JSON document is a report of `probe` or `check`."""
    return isinstance(document, dict) and "verdict" in document and isinstance(document.get("findings"), list)


def _of_json(entry: Mapping[str, Any], statuses: Mapping[tuple[Any, Any], Any]) -> Known:
    site, check, source, at = (entry.get(name) for name in ("site", "check", "source", "at"))
    status = statuses.get((site, check))
    texts = [entry["fingerprint"], entry["rule"], entry["message"], entry["location"] or "", check or ""]
    if not all(isinstance(text, str) for text in texts):
        raise TypeError
    return Known(
        fingerprint=entry["fingerprint"],
        rule=entry["rule"],
        kind=str(entry["kind"]),
        level=str(entry["level"]),
        location=entry["location"],
        message=entry["message"],
        base=entry["base"],
        revision=entry["revision"],
        check=check,
        sites=() if site is None else (str(site),),
        sources=() if source is None else (_file(source),),
        statuses=(status,) if isinstance(status, int) else (),
        first_seen=None if at is None else datetime.fromisoformat(at),
    )


def of_answer(seen: Observation, findings: Iterable[Finding]) -> list[Known]:
    """Return the problems of one judged answer."""
    return [
        Known(
            fingerprint=finding.fingerprint,
            rule=finding.rule,
            kind=str(finding.kind),
            level=str(finding.level),
            location=finding.location,
            message=finding.message,
            base=finding.base,
            revision=finding.revision,
            check=finding.check,
            sites=() if finding.site is None else (finding.site,),
            sources=() if finding.source is None else (_file(finding.source),),
            statuses=() if seen.status is None else (seen.status,),
            first_seen=finding.at,
        )
        for finding in findings
    ]


def _file(source: str) -> str:
    return source.rsplit("#", 1)[0]


def merged(found: Iterable[Known]) -> list[Known]:
    """Return each problem once, in the order first met, with everything that is known of where it was seen."""
    known: dict[str, Known] = {}
    for one in found:
        other = known.get(one.fingerprint)
        known[one.fingerprint] = one if other is None else _joined(other, one)
    return list(known.values())


def _joined(one: Known, other: Known) -> Known:
    moments = [moment for moment in (one.first_seen, other.first_seen) if moment is not None]
    return replace(
        one,
        sites=tuple(dict.fromkeys((*one.sites, *other.sites))),
        sources=tuple(dict.fromkeys((*one.sources, *other.sources))),
        statuses=tuple(dict.fromkeys((*one.statuses, *other.statuses))),
        first_seen=min(moments, default=None),
    )


def chosen(known: Sequence[Known], fingerprints: Iterable[str]) -> list[Known]:
    """Return the problems with these fingerprints, each once, in the order asked for.

    Raises `UsageError` for a fingerprint that is not among them, with the nearest one that is.
    """
    by_fingerprint = {one.fingerprint: one for one in known}
    wanted = list(dict.fromkeys(text.strip().lower() for text in fingerprints))
    for text in wanted:
        if text not in by_fingerprint:
            raise UsageError(_unknown(text, by_fingerprint))
    return [by_fingerprint[text] for text in wanted]


def _unknown(text: str, known: Mapping[str, Known]) -> str:
    if not known:
        return f"{text!r}: the report has no findings"
    near = get_close_matches(text, known, n=1, cutoff=_NEAR)
    if near:
        return f"{text!r} is not in the report; did you mean {near[0]} ({known[near[0]].words})?"
    shown = [f"{one.fingerprint} ({one.words})" for one in known.values()][:_SHOWN]
    more = f" and {len(known) - len(shown)} more" if len(known) > len(shown) else ""
    return f"{text!r} is not in the report. It has {', '.join(shown)}{more}."
