"""What a report has to say beside its findings: checks not made, entries left aside, the file of accepted findings."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

from monitors.report.grouping import problems
from monitors.report.text import counted, listed

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from monitors.model import Skipped
    from monitors.report.value import Report

_SHOWN_REASONS = 4


def notes(report: Report) -> list[str]:
    """Return one line of raw text for each reason to skip, what is left aside, pending drifts, remarks."""
    return [*_skipped(report), *_left_aside(report), *_pending(report), *report.remarks]


def _skipped(report: Report) -> Iterator[str]:
    for checks, sites, reason in gathered(report.skipped):
        yield f"Not made: {listed(checks)} on {listed(sites)}: {reason}"


def gathered(skipped: Iterable[Skipped]) -> Iterator[tuple[list[str], list[str], str]]:
    """Yield checks, sites and reason of what was skipped: most sites lack the same checks for the same reason."""
    by_reason: dict[str, dict[str, list[Skipped]]] = {}
    for entry in skipped:
        by_reason.setdefault(_general(entry), {}).setdefault(entry.site, []).append(entry)
    for general, sites in by_reason.items():
        alike: dict[tuple[str, ...], list[Skipped]] = {}
        for entries in sites.values():
            alike.setdefault(tuple(entry.check for entry in entries), []).append(entries[0])
        for checks, firsts in alike.items():
            reason = f"{general}{_example(firsts[0])}" if len(firsts) > 1 else firsts[0].reason
            yield [*checks], [first.site for first in firsts], reason


def _example(entry: Skipped) -> str:
    """Return the first variable a reason names as it is really written, for whoever would set one called `SITE`."""
    variable = re.search(rf"\b[A-Z_]+_{re.escape(entry.site.replace('-', '_'))}\b", entry.reason)
    return f", e.g. {variable[0]}" if variable else ""


def _general(entry: Skipped) -> str:
    """Return the reason with the site's key as `SITE`, as the documentation writes names of variables."""
    names = (entry.site, entry.site.replace("-", "_"))
    words = re.split(r"(\W+)", entry.reason)
    return "".join(re.sub(rf"(?<![A-Z0-9])({'|'.join(map(re.escape, names))})\Z", "SITE", word) for word in words)


def _pending(report: Report) -> Iterator[str]:
    for problem in problems(finding for finding, _ in report.pending):
        seen = max(count for finding, count in report.pending if finding.fingerprint == problem.first.fingerprint)
        times = "once" if seen == 1 else f"{seen} times"
        where, rule = listed(list(problem.sites)), problem.first.rule
        place, message = problem.first.location, problem.first.message
        yield f"Seen {times}, not confirmed yet: {rule} on {where} at {place}: {message}"


def _left_aside(report: Report) -> Iterator[str]:
    if not report.left_aside:
        return
    by_reason: Counter[str] = Counter()
    for entry in report.left_aside:
        by_reason[entry.reason] += entry.count
    words = [f"{count:,} {reason}" for reason, count in by_reason.most_common()]
    yield f"Left aside: {counted(by_reason.total(), 'entry', 'entries')} ({listed(words, _SHOWN_REASONS)})"
