from __future__ import annotations

import fcntl
import io
import os
import pty
import struct
import termios
import threading

import pytest

from monitors.watching.statusline import StatusLine, columns

CLEAR = "\r\x1b[2K"


def test_log_lines_go_above_the_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    stream = io.StringIO()
    with StatusLine(stream, shown=True) as line:
        line.write("before there is a line\n")
        line.show("9 sites")
        assert line.write("a log line\n") == 11
        line.flush()
        line.show("8 sites")
    assert stream.getvalue() == (
        f"before there is a line\n{CLEAR}9 sites{CLEAR}a log line\n9 sites{CLEAR}8 sites{CLEAR}"
    )


def test_an_empty_line_after_a_text_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    stream = io.StringIO()
    line = StatusLine(stream, shown=True)
    line.show("9 sites")
    line.write("a notice\n  of two lines\n\n")
    line.write("no end")
    assert stream.getvalue() == f"{CLEAR}9 sites{CLEAR}a notice\n  of two lines\n\n9 sites{CLEAR}no end\n9 sites"


def test_without_a_terminal_there_is_no_line_and_nothing_to_clear() -> None:
    stream = io.StringIO()
    with StatusLine(stream, shown=False) as line:
        line.show("9 sites")
        line.write("a log line\n")
    assert stream.getvalue() == "a log line\n"


@pytest.mark.parametrize(("columns", "width"), [("20", 19), ("3", 10)])
def test_the_line_fits_the_terminal_and_nothing_in_it_moves_the_cursor(
    columns: str, width: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    stream = io.StringIO()
    StatusLine(stream, shown=True).show("\x1b[2J" + "x" * 100)
    shown = stream.getvalue().removeprefix(CLEAR)
    assert shown.isprintable()
    assert shown.startswith("\\x1b[2J"[:width])


def test_threads_do_not_write_into_each_others_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    stream = io.StringIO()
    with StatusLine(stream, shown=True) as line:
        line.show("status")
        threads = [threading.Thread(target=lambda n=n: [line.write(f"{n}-{i}\n") for i in range(50)]) for n in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    parts = stream.getvalue().split(CLEAR)
    written = [part.removesuffix("\nstatus") for part in parts if part.endswith("\nstatus")]
    assert sorted(written) == sorted(f"{n}-{i}" for n in range(4) for i in range(50))


def test_a_line_that_is_followed_moves_by_itself_and_stops_at_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    stream, moved, widths = io.StringIO(), threading.Event(), list[int]()

    def line(width: int) -> str:
        widths.append(width)
        if len(widths) == 3:
            moved.set()
        return f"look {len(widths)}"

    with StatusLine(stream, shown=True) as status, status.following(line, 0.001):
        assert moved.wait(10)
    assert stream.getvalue().startswith(f"{CLEAR}look 1{CLEAR}look 2{CLEAR}look 3")
    assert stream.getvalue().endswith(CLEAR)
    assert set(widths) == {39}
    assert not [thread for thread in threading.enumerate() if thread.name == "status"]


def test_where_no_line_is_shown_nobody_follows_it() -> None:
    stream = io.StringIO()
    with StatusLine(stream, shown=False) as status, status.following(lambda _: "never", 0.001):
        assert not [thread for thread in threading.enumerate() if thread.name == "status"]
    assert stream.getvalue() == ""


def test_a_machine_without_a_thread_to_spare_follows_no_line(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_self: threading.Thread) -> None:
        message = "can't start new thread"
        raise RuntimeError(message)

    monkeypatch.setattr(threading.Thread, "start", refuse)
    with StatusLine(io.StringIO(), shown=True) as status, status.following(lambda _: "never", 0.001):
        pass


@pytest.mark.parametrize(("given", "width"), [("120", 120), ("", 80), ("0", 80), ("x", 80)])
def test_the_width_is_what_is_said_else_the_terminals(given: str, width: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", given)
    assert columns(io.StringIO()) == width


def test_the_width_is_that_of_the_terminal_written_to_whatever_the_others_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)
    other, terminal = pty.openpty()
    try:
        fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 61, 0, 0))
        with open(terminal, "w", closefd=False) as stream:
            assert columns(stream) == 61
    finally:
        os.close(other)
        os.close(terminal)
