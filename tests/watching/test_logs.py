from __future__ import annotations

import errno
import io
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitors.report import Layout
from monitors.watching.logs import FORMATS, LEVELS, chosen_format, logger
from monitors.watching.statusline import StatusLine

HOSTILE = "\x1b[2J\u202eevil\n::error::x\r\N{BELL}\x07"


def logged(format_: str, **values: object) -> str:
    stream = io.StringIO()
    logger(format_, "debug", stream)("warning", "a thing", **values)
    return stream.getvalue()


def test_a_line_of_json_says_when_how_bad_and_what() -> None:
    line = json.loads(logged("json", site="US5", ms=1.5, sites=("US5", "EU1"), none=None))
    assert line.pop("timestamp").endswith("Z")
    assert line == {"level": "warning", "event": "a thing", "site": "US5", "ms": 1.5, "sites": ["US5", "EU1"]}


@pytest.mark.parametrize("format_", ["json", "logfmt", "progress"])
def test_names_that_nothing_is_said_of_are_left_out(format_: str) -> None:
    line = logged(format_, rule=None, sites=(), others=[], reason="", zero=0, no=False)
    assert not any(name in line for name in ("rule", "sites", "others", "reason"))
    assert "zero" in line
    assert "no" in line


def test_a_line_of_logfmt_joins_what_is_several() -> None:
    assert logged("logfmt", sites=("US5", "EU1"), sinks=["a b", "c"]).endswith(' sites=US5,EU1 sinks="a b,c"\n')


def test_a_line_for_people_names_no_key_and_no_first_attempt() -> None:
    line = logged("progress", sink="team", incident=3, key="53adc45e3d59-10-1-team", attempts=1)
    assert line.partition(" ")[2] == "▲ a thing #3  sink team\n"
    line = logged("progress", sinks=["team", "ops"], key="53adc45e3d59-10-1-team", attempts=2)
    assert line.partition(" ")[2] == "▲ a thing  sinks team, ops  attempts 2\n"


def test_a_line_of_logfmt_begins_with_when_how_bad_and_what() -> None:
    words = logged("logfmt", site="US5", reason="no way").split(" ", 2)
    assert words[0].startswith("timestamp=20")
    assert words[1:] == ["level=warning", 'event="a thing" site=US5 reason="no way"\n']


def test_a_line_for_people_says_what_happened_where_and_in_which_words() -> None:
    line = logged("progress", incident=7, sites=("US5", "EU1"), message="503", reason="", ms=1.5, rule=None)
    time, _, rest = line.partition(" ")
    assert len(time) == len("12:00:00")
    assert rest == "▲ a thing #7 US5 EU1  503  ms 1.5\n"
    stream = io.StringIO()
    logger("progress", "debug", stream)("error", "watching", sites=9, error="no way")
    assert stream.getvalue().partition(" ")[2] == "✗ watching  no way  sites 9\n"


def people(layout: Layout, level: str, event: str, **values: object) -> str:
    stream = io.StringIO()
    logger("progress", "debug", stream, lambda: layout)(level, event, **values)
    return stream.getvalue()


def test_a_line_for_people_is_broken_between_words_and_goes_on_below_itself() -> None:
    reason = "keys are named in the configuration and not set: DD_API_KEY_US5 and DD_APP_KEY_US5"
    lines = people(Layout(40), "info", "checks left out", sites=["US5"], reason=reason).splitlines()
    assert len(lines) > 2
    assert all(len(line) <= 40 for line in lines)
    assert all(line.startswith(" " * 11) and line[11] != " " for line in lines[1:])
    said = " ".join(line[11:] for line in lines)
    assert " ".join(said.split()) == f"checks left out US5 {reason}"


def test_the_level_has_a_sign_and_colour_where_the_terminal_has_any() -> None:
    assert "\x1b" not in people(Layout(80), "warning", "x")
    assert "\x1b[33m▲\x1b[0m" in people(Layout(80, colour=True), "warning", "x")
    assert "\x1b[31m✗\x1b[0m" in people(Layout(80, colour=True), "error", "x")
    signs = [people(Layout(80, unicode=False), level, "x")[9] for level in LEVELS]
    assert signs == ["-", "i", "!", "x"]


def test_the_reason_that_a_person_gave_comes_last_and_is_called_so() -> None:
    silenced = people(Layout(200), "info", "silenced", reason="moving", sites=["US5"], until="2h", by="ada")
    assert silenced.partition(" ")[2] == "• silenced US5  until 2h  by ada  reason moving\n"


def test_a_site_and_its_check_stand_beside_what_happened_to_them() -> None:
    line = people(Layout(200), "info", "held back", site="US5", reason="it answered 429", for_s=3000)
    assert line.partition(" ")[2] == "• held back US5  it answered 429  for 3,000 s\n"
    line = people(Layout(200), "debug", "probed", site="US5", check="run", status=200)
    assert line.partition(" ")[2] == "· probed US5 run  status 200\n"


def test_batches_are_called_so() -> None:
    line = people(Layout(200), "info", "the store is back", kept=3, dropped=1)
    assert line.partition(" ")[2] == "• the store is back  kept 3 batches  dropped 1 batch\n"


class Full(io.StringIO):
    """A stream that takes nothing for a while."""

    full = True

    def write(self, text: str) -> int:
        if self.full:
            raise OSError(errno.ENOSPC, "no space left on device")
        return super().write(text)


@pytest.mark.parametrize("shown", [True, False])
def test_a_stream_that_takes_nothing_ends_nothing_and_what_was_lost_is_counted(*, shown: bool) -> None:
    stream = Full()
    line = StatusLine(stream, shown=shown)
    for say in (logger("progress", "info", stream), logger("progress", "info", line)):
        stream.full = True
        for _ in range(3):
            say("info", "lost")
            line.show("9 sites")
        stream.full = False
        say("info", "back")
        assert "✗ 3 lines of the log were lost\n" in stream.getvalue()
        assert "• back\n" in stream.getvalue()
        stream.seek(0)
        stream.truncate()
    stream.close()
    say("info", "nobody hears it")


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
    assert json.loads(logged("json", reason=f"{text}.")).keys() == {"timestamp", "level", "event", "reason"}


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
