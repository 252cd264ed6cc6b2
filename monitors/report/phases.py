"""Where the time went: the phases of each probe, and of each site."""

from __future__ import annotations

from dataclasses import astuple
from statistics import median
from typing import TYPE_CHECKING

from monitors.report.text import milliseconds

if TYPE_CHECKING:
    from collections.abc import Iterator

    from monitors.model import Observation
    from monitors.report.value import Report

PHASES = ("resolve", "connect", "tls", "first byte", "transfer")
"""Headings of the phases, in the order of `Phases`."""

PHASE_HEAD = ("site", "check", *PHASES, "size", "certificate")
"""Headings of `phase_rows`."""


def median_phases(report: Report, site: str) -> list[str]:
    """Return the median of each phase over the site's probes, for a person."""
    columns: list[list[float]] = [[] for _ in PHASES]
    for seen in report.observations:
        if seen.site == site:
            for column, phase_s in zip(columns, astuple(seen.phases), strict=True):
                if phase_s is not None:
                    column.append(phase_s)
    return [milliseconds(median(column)) if column else "" for column in columns]


def phase_rows(report: Report) -> Iterator[list[str]]:
    """Yield a row for each probe: site, check, phases, size of the body, days left of the certificate."""
    for seen in report.observations:
        phases = [milliseconds(phase_s) for phase_s in astuple(seen.phases)]
        yield [seen.site or "", seen.check or "", *phases, _size(seen.body_size), _certificate(seen)]


def _size(number: int | None) -> str:
    if number is None:
        return ""
    if number < 1000:  # noqa: PLR2004 - bytes are few enough to count
        return f"{number} B"
    return f"{number / 1000:.1f} kB" if number < 1_000_000 else f"{number / 1_000_000:.1f} MB"  # noqa: PLR2004


def _certificate(seen: Observation) -> str:
    if seen.tls is None or seen.tls.not_after is None or seen.at is None:
        return ""
    return f"{(seen.tls.not_after - seen.at).days} d"
