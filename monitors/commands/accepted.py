"""The option `--accepted`, and what it makes of a report."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from monitors.acceptance.applying import applied, remarks
from monitors.acceptance.book import FILE_NAME, read

if TYPE_CHECKING:
    from collections.abc import Callable

    from monitors.acceptance.book import Entry
    from monitors.report import Report

F = TypeVar("F", bound="Callable[..., Any]")
FILE_VARIABLE = "MODEL_LAB_ACCEPTED"

accepted_option = click.option(
    "--accepted",
    type=click.Path(path_type=Path),
    envvar=FILE_VARIABLE,
    metavar="FILE",
    help=f"Accepted findings; they are shown and count for nothing.  [default: {FILE_NAME}, if it is here]",
)


def entries_of(path: Path | None) -> tuple[Entry, ...]:
    """Return the entries of the file that is named, or else of the one in the working directory, if there is one.

    Raises `UsageError` for a file that is named and missing, or that cannot be used.
    """
    if path is None:
        path = Path(FILE_NAME)
        if not path.exists():
            return ()
    return read(path)[1]


def with_accepted(report: Report, entries: tuple[Entry, ...]) -> Report:
    """Return the report with accepted findings marked, and with what there is to say about the entries."""
    if not entries:
        return report
    today = datetime.now(UTC).date()
    said = remarks(report.findings, report.observations, entries, today)
    return replace(report, findings=applied(report.findings, entries, today), remarks=(*report.remarks, *said))
