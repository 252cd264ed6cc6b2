"""One JSON object on each line: observations, findings, and the summary last."""

from __future__ import annotations

from typing import TYPE_CHECKING

from monitors.report.json_object import finding_json, head, observation_json
from monitors.report.text import dumps

if TYPE_CHECKING:
    from collections.abc import Iterator

    from monitors.model import JSON
    from monitors.report.value import Layout, Report


def render(report: Report, layout: Layout) -> str:  # noqa: ARG001 - every renderer has one signature
    """Return lines whose member `type` says what each one is: `observation`, `finding` or `summary`."""
    return "".join(dumps(line) + "\n" for line in _lines(report))


def _lines(report: Report) -> Iterator[dict[str, JSON]]:
    if report.command == "probe":
        for seen in report.observations:
            yield {"type": "observation", **observation_json(seen)}
    for finding in report.findings:
        yield {"type": "finding", **finding_json(finding)}
    yield {"type": "summary", **head(report)}
