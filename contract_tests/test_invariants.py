"""What must hold between the members of one run. Nobody documents it, so a contradiction is a warning."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from contract_tests.judging import Answer


@pytest.mark.checks("run")
def test_the_members_of_the_run_do_not_contradict_each_other(run: Answer) -> None:
    """Times in order, min ≤ mean ≤ max, first step ≤ last step; shown as a warning where it does not hold."""
    run.expect_none_of("invariants")
