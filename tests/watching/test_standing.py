"""The line on a terminal: what helps most comes first, and a monitor that hangs looks like one."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitors.watching.clock import SimulatedClock
from monitors.watching.standing import Standing


def standing(**values: Any) -> Standing:
    told = {"sites": 9, "open": 1, "probes": 1204, "answered_s": 997.0, "next_s": 1012.0, **values}
    return Standing(SimulatedClock(seconds=1_000.0), **told)


@pytest.mark.parametrize(
    ("columns", "line"),
    [
        (60, "9 sites, 1 open; 1,204 probes, 3 s ago; next in 12 s"),
        (80, "9 sites, 1 open incident; 1,204 probes, last answer 3 s ago; next in 12 s"),
        (120, "9 sites, 1 open incident; 1,204 probes, last answer 3 s ago; next in 12 s"),
    ],
)
def test_probes_the_last_answer_and_the_next_probe_are_told_at_any_width(columns: int, line: str) -> None:
    assert standing().line(columns - 1) == line


@pytest.mark.parametrize(
    ("columns", "line"),
    [
        (60, "9 sites, none open; 1,204 probes, 3 s ago; 2 held back"),
        (80, "9 sites, no open incident; 1,204 probes, 3 s ago; 2 held back; next in 12 s"),
    ],
)
def test_what_is_held_back_comes_before_what_is_next(columns: int, line: str) -> None:
    assert standing(held=2, open=0).line(columns - 1) == line


def test_all_there_is_to_say_fits_a_wide_terminal() -> None:
    line = standing(held=2, maintained=1, silences=1).line(119)
    assert line == (
        "9 sites, 1 open incident; 1,204 probes, last answer 3 s ago; 2 held back, 1 in maintenance, 1 silence; "
        "next in 12 s"
    )


def test_a_monitor_that_hangs_looks_like_one() -> None:
    found = standing()
    found.clock.advance(600)  # type: ignore[attr-defined]
    assert found.line(119) == "9 sites, 1 open incident; 1,204 probes, last answer 10 min ago; next is 10 min late"


def test_before_the_first_answer_that_is_said() -> None:
    line = standing(open=None, probes=0, answered_s=-math.inf, next_s=math.inf, troubles=("the store takes nothing",))
    assert line.line(119) == "9 sites; the store takes nothing; 0 probes, no answer yet"


@given(st.integers(0, 200), st.integers(0, 10**6), st.integers(0, 99), st.floats(0, 1e6))
def test_what_is_longest_of_what_fits_is_shown(width: int, probes: int, held: int, ago_s: float) -> None:
    found = standing(probes=probes, held=held, answered_s=1_000 - ago_s)
    line = found.line(width)
    assert len(line) <= width or line == min((found.line(each) for each in range(200)), key=len)
    assert len(found.line(width + 1)) >= len(line)
