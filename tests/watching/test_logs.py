from __future__ import annotations

import io
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitors.watching.logs import FORMATS, LEVELS, chosen_format, logger

HOSTILE = "\x1b[2J\u202eevil\n::error::x\r\N{BELL}\x07"


def logged(format_: str, **values: object) -> str:
    stream = io.StringIO()
    logger(format_, "debug", stream)("warning", "a thing", **values)
    return stream.getvalue()


def test_a_line_of_json_says_when_how_bad_and_what() -> None:
    line = json.loads(logged("json", site="US5", ms=1.5, sites=("US5", "EU1"), none=None))
    assert line.pop("timestamp").endswith("Z")
    assert line == {
        "level": "warning", "event": "a thing", "site": "US5", "ms": 1.5, "sites": ["US5", "EU1"], "none": None,
    }  # fmt: skip


def test_a_line_of_logfmt_begins_with_when_how_bad_and_what() -> None:
    words = logged("logfmt", site="US5", reason="no way").split(" ", 2)
    assert words[0].startswith("timestamp=20")
    assert words[1:] == ["level=warning", 'event="a thing" site=US5 reason="no way"\n']


def test_a_line_for_people_says_what_happened_where_and_in_which_words() -> None:
    line = logged("progress", incident=7, sites=("US5", "EU1"), message="503", reason="", ms=1.5, rule=None)
    time, _, rest = line.partition(" ")
    assert len(time) == len("12:00:00")
    assert rest == " a thing #7 US5 EU1  503  ms 1.5\n"
    stream = io.StringIO()
    logger("progress", "debug", stream)("error", "watching", sites=9, error="no way")
    assert stream.getvalue().partition(" ")[2] == " watching (error)  no way  sites 9\n"


@pytest.mark.parametrize("format_", ["json", "logfmt", "progress"])
def test_no_text_moves_a_terminal_ends_a_line_or_commands_a_runner(format_: str) -> None:
    line = logged(format_, reason=HOSTILE, sites=[HOSTILE])
    assert line.count("\n") == 1
    assert line.removesuffix("\n").isprintable()
    assert "::error" not in line


@given(st.text(), st.lists(st.text()))
def test_any_text_stays_one_printable_line_that_can_be_read_back(text: str, texts: list[str]) -> None:
    for format_ in ("json", "logfmt", "progress"):
        line = logged(format_, reason=text, sites=texts)
        assert line.removesuffix("\n").isprintable()
        assert line.endswith("\n")
    assert json.loads(logged("json", reason=text)).keys() == {"timestamp", "level", "event", "reason"}


def test_endless_text_is_cut() -> None:
    assert len(json.loads(logged("json", reason="x" * 10**6))["reason"]) == 1000


@pytest.mark.parametrize(("level", "shown"), list(zip(LEVELS, (4, 3, 2, 1), strict=True)))
def test_what_is_below_the_level_is_left_out(level: str, shown: int) -> None:
    stream = io.StringIO()
    say = logger("json", level, stream)
    for each in LEVELS:
        say(each, "x")
    assert [json.loads(line)["level"] for line in stream.getvalue().splitlines()] == list(LEVELS[-shown:])


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_auto_is_a_moving_line_on_a_terminal_and_json_elsewhere(capfd: Any) -> None:
    assert chosen_format("auto", Terminal()) == "progress"
    assert chosen_format("auto", io.StringIO()) == "json"
    assert chosen_format("auto") == "json"
    assert [chosen_format(name, Terminal()) for name in FORMATS[1:]] == list(FORMATS[1:])
    del capfd
