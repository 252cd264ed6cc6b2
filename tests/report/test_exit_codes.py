from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from monitors.exit_codes import FAIL_ON, MEANINGS, ExitCode, exit_code, threshold
from monitors.model import Kind, Level

if TYPE_CHECKING:
    from collections.abc import Callable

    from monitors.model import Finding

OK, CONTRACT, UNAVAILABLE, HARNESS = ExitCode.OK, ExitCode.CONTRACT, ExitCode.UNAVAILABLE, ExitCode.HARNESS
BROKEN, DRIFTED, DOWN = (Kind.CONTRACT, Level.BREAKING), (Kind.DRIFT, Level.INFO), (Kind.AVAILABILITY, Level.BREAKING)
ODD, BUSY = (Kind.CONTRACT, Level.WARNING), (Kind.AVAILABILITY, Level.WARNING)


@pytest.mark.parametrize(
    ("found", "fail_on", "harness_failed", "code"),
    [
        ((), "breaking", False, OK),
        ((), "info", True, HARNESS),
        ((BROKEN, DOWN), "breaking", True, HARNESS),
        ((BROKEN,), "breaking", False, CONTRACT),
        ((BROKEN, DOWN), "breaking", False, CONTRACT),
        ((DOWN,), "breaking", False, UNAVAILABLE),
        ((ODD, BUSY, DRIFTED), "breaking", False, OK),
        ((ODD, BUSY), "warning", False, CONTRACT),
        ((BUSY,), "warning", False, UNAVAILABLE),
        ((DRIFTED,), "warning", False, OK),
        ((DRIFTED,), "info", False, CONTRACT),
        ((ODD, DOWN), "breaking", False, UNAVAILABLE),
        ((BROKEN, DOWN), "never", False, OK),
        ((BROKEN, DOWN), "never", True, HARNESS),
    ],
)
def test_the_exit_code_follows_from_what_was_found(
    finding: Callable[..., Finding],
    found: tuple[tuple[Kind, Level], ...],
    fail_on: str,
    harness_failed: bool,  # noqa: FBT001 - a column of the table
    code: ExitCode,
) -> None:
    findings = [finding(kind=kind, level=level) for kind, level in found]
    assert exit_code(findings, threshold(fail_on), harness_failed=harness_failed) == code


def test_every_word_of_fail_on_has_its_threshold() -> None:
    assert [threshold(word) for word in FAIL_ON] == [Level.BREAKING, Level.WARNING, Level.INFO, None]


def test_every_exit_code_has_a_meaning() -> None:
    assert list(MEANINGS) == list(ExitCode)
