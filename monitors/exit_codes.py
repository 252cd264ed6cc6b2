"""What the exit code of every command means, as data, and the one decision behind it."""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING

from monitors.model import Kind, Level

if TYPE_CHECKING:
    from collections.abc import Iterable

    from monitors.model import Finding


class ExitCode(enum.IntEnum):
    """What the shell is told."""

    OK = 0
    CONTRACT = 1
    USAGE = 2
    UNAVAILABLE = 3
    HARNESS = 4
    INTERRUPTED = 130


MEANINGS = {
    ExitCode.OK: "Nothing was found at or above `--fail-on`.",
    ExitCode.CONTRACT: "The contract is broken, or an answer drifted.",
    ExitCode.USAGE: "The command line, the configuration or an input file is wrong; nothing was judged, or not all.",
    ExitCode.UNAVAILABLE: "A site is unavailable, and no contract is broken.",
    ExitCode.HARNESS: "The monitor itself failed, which says nothing about any site.",
    ExitCode.INTERRUPTED: "Interrupted with Ctrl-C.",
}
"""One sentence for each exit code, as docs/exit-codes.md prints them."""

FAIL_ON = ("breaking", "warning", "info", "never")
"""The words `--fail-on` takes, strictest last but for `never`."""


def threshold(word: str) -> Level | None:
    """Return the level a word of `FAIL_ON` stands for; None for `never`."""
    return None if word == "never" else Level[word.upper()]


def exit_code(findings: Iterable[Finding], fail_on: Level | None, *, harness_failed: bool = False) -> ExitCode:
    """Return the exit code for what was found; `fail_on` None never fails for a finding, nor does an accepted one.

    When several hold: the harness's own failure, then a broken contract or drift, then an unavailable site.
    """
    if harness_failed:
        return ExitCode.HARNESS
    counting = [finding for finding in findings if finding.accepted is None]
    kinds = {finding.kind for finding in counting if fail_on is not None and finding.level >= fail_on}
    if kinds - {Kind.AVAILABILITY}:
        return ExitCode.CONTRACT
    return ExitCode.UNAVAILABLE if kinds else ExitCode.OK
