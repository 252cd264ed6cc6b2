"""`check`: recorded answers judged offline."""

from __future__ import annotations

from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from monitors import __version__
from monitors.commands.accepted import accepted_option, entries_of, with_accepted
from monitors.commands.options import Int64, report_options
from monitors.commands.output import destination, note, publish
from monitors.commands.progress import progress
from monitors.commands.samples import Against, judged, sample_options
from monitors.errors import UsageError
from monitors.exit_codes import ExitCode, exit_code, threshold
from monitors.jsonbody import parse
from monitors.model import Finding, Level, Observation
from monitors.report.text import listed

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from monitors.recordings import LeftAside
    from monitors.report import Report

_OK = 200
_HEAD_BYTES = 4096
_SHOWN_FILES = 3


@click.command("check", short_help="Judge recorded answers offline.")
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path, allow_dash=True), metavar="FILE|DIR…")
@click.option(
    "--status",
    type=click.IntRange(100, 599),
    metavar="STATUS",
    help="HTTP status that raw JSON bodies came with.  [default: 200]",
)
@click.option(
    "--run-id", type=Int64(), metavar="ID", help="Run id that answers recorded without their URL were asked for."
)
@sample_options
@report_options
@accepted_option
def command(
    *,
    paths: tuple[Path, ...],
    status: int | None,
    run_id: int | None,
    schema: Path | None,
    baseline: tuple[Path, ...],
    samples: tuple[Path, ...],
    format_: str,
    output: Path | None,
    accepted: Path | None,
    fail_on: str | None,
    verbose: bool,
    quiet: bool,
) -> int:
    """Judge recorded answers offline: raw JSON bodies, HAR, VCR cassettes (YAML or JSON), directories of them.

    Answers of other operations are counted and left aside. - reads standard input. A file that cannot be read, or
    nothing of this operation in any of them, is exit code 2.

    With --schema, --baseline or --sample, raw bodies of any API are judged: what they break of the schema, and how
    they drifted from earlier bodies of the same resource, or from those of others.
    """
    from monitors.recordings import count_files  # noqa: PLC0415 - brings YAML

    entries = entries_of(accepted)
    against = Against(schema, baseline, samples)
    with ExitStack() as stack:
        write = stack.enter_context(destination(output))
        if against.anything:
            level = threshold(fail_on) if fail_on else Level.BREAKING
            report = with_accepted(judged(paths, against, level), entries)
            publish(report, write, format_, verbose=verbose, quiet=quiet)
            return exit_code(report.findings, report.fail_on)
        reading = _Reading(status, None if run_id is None else str(run_id))
        with progress("reading", count_files(paths), quiet=quiet) as step:
            reading.read_all(paths, lambda path: step(path.name))
        report = with_accepted(reading.report(threshold(fail_on) if fail_on else Level.BREAKING), entries)
        if report.observations or not reading.mistakes:
            publish(report, write, format_, verbose=verbose, quiet=quiet)
    if not quiet:
        reading.hint()
    return reading.code(report)


class _Reading:
    """What the recordings hold, judged as it is read, so that no body is kept."""

    def __init__(self, status: int | None, run_id: str | None) -> None:
        self.status, self.run_id = status, run_id
        self.observations: list[Observation] = []
        self.findings: list[Finding] = []
        self.left_aside: list[LeftAside] = []
        self.mistakes: list[UsageError] = []
        self.like_errors: list[str] = []

    def read_all(self, paths: Sequence[Path], on_file: Callable[[Path], None]) -> None:
        from monitors.contract import judge  # noqa: PLC0415 - brings the validator
        from monitors.recordings import read  # noqa: PLC0415 - brings YAML

        for path in paths:
            try:
                for entry in read(path, status=self.status, run_id=self.run_id, on_file=on_file):
                    if isinstance(entry, Observation):
                        self.findings += judge(entry)
                        if self.status is None and _looks_like_an_error(entry):
                            self.like_errors.append(entry.source or "")
                        self.observations.append(entry.without_body())
                    else:
                        self.left_aside.append(entry)
            except UsageError as error:
                self.mistakes.append(error)

    def report(self, fail_on: Level | None) -> Report:
        from monitors.report import Report  # noqa: PLC0415 - beside its only use

        return Report(
            command="check",
            version=__version__,
            at=datetime.now(UTC),
            observations=tuple(self.observations),
            findings=tuple(self.findings),
            left_aside=tuple(self.left_aside),
            fail_on=fail_on,
        )

    def hint(self) -> None:
        """Say on stderr which bodies are likely to have come with another status than the one taken for granted."""
        if self.like_errors:
            looks = "looks like an error" if len(self.like_errors) == 1 else "look like errors"
            note(
                f"note: {listed(self.like_errors, _SHOWN_FILES)} {looks}, but no status was given, so 200 was taken; "
                "give the one it came with, e.g. --status 404"
            )

    def code(self, report: Report) -> int:
        """Say on stderr what could not be judged, and return the exit code."""
        for mistake in self.mistakes:
            note(f"error: {mistake}")
        if self.mistakes:
            return ExitCode.USAGE
        if not self.observations:
            none = "none of the recorded answers is one of this operation"
            note(
                f"error: nothing to judge: {none if self.left_aside else 'no answer was found; is the file complete?'}"
            )
            return ExitCode.USAGE
        return exit_code(report.findings, report.fail_on)


def _looks_like_an_error(seen: Observation) -> bool:
    """Tell whether a raw body, which nobody gave a status, has the form of the API's errors."""
    if seen.url or seen.headers or seen.status != _OK:
        return False
    document = parse(seen.body).value if b'"errors"' in seen.body[:_HEAD_BYTES] else None
    return isinstance(document, dict) and isinstance(document.get("errors"), list) and "data" not in document
