"""Standard error that is full, or whose reader is gone, changes nothing of what a command does."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from monitors.commands.errorstream import ErrorStream
from monitors.watching.logs import logger
from monitors.watching.statusline import StatusLine

if TYPE_CHECKING:
    from collections.abc import Iterator

FULL = Path("/dev/full")


class Pipe:
    """A pipe that does not block: once it is full, it takes nothing until it is read."""

    def __init__(self) -> None:
        self.reading, self.writing = os.pipe()
        os.set_blocking(self.writing, False)
        os.set_blocking(self.reading, False)
        self.stream = ErrorStream(io.TextIOWrapper(io.FileIO(self.writing, "w", closefd=False)))

    def read(self) -> str:
        found = b""
        while True:
            try:
                found += os.read(self.reading, 1 << 16)
            except BlockingIOError:
                return found.decode()

    def fill(self) -> int:
        """Write lines until some are lost; returns how many were given."""
        count = 0
        while not self.stream.lost:
            self.stream.write(line(count))
            count += 1
        return count

    def close(self) -> None:
        for handle in (self.reading, self.writing):
            os.close(handle)


def line(number: int) -> str:
    return f"{number:>5} {'x' * 5_000}\n"


@pytest.fixture
def pipe() -> Iterator[Pipe]:
    made = Pipe()
    yield made
    made.close()


def test_what_finds_no_room_is_lost_in_whole_lines_and_counted(pipe: Pipe) -> None:
    given = pipe.fill()
    for number in (given, given + 1):
        pipe.stream.write(line(number))
    assert pipe.stream.lost == 3
    found = pipe.read()
    pipe.stream.write("after\n")
    found += pipe.read()
    assert found == "".join(map(line, range(given - 1))) + "after\n"


def test_a_text_of_several_lines_is_cut_between_two(pipe: Pipe) -> None:
    pipe.stream.write("".join(map(line, range(40))))
    lost = pipe.stream.lost
    assert 0 < lost < 40
    found = pipe.read()
    pipe.stream.write("after\n")
    assert found + pipe.read() == "".join(map(line, range(40 - lost))) + "after\n"


def test_the_log_goes_on_with_how_many_lines_were_lost(pipe: Pipe) -> None:
    pipe.fill()
    with StatusLine(pipe.stream, shown=False) as status:
        say = logger("logfmt", "info", status)
        for number in range(3):
            say("info", "lost", number=number)
        say("debug", "not shown at all")
        pipe.read()
        say("info", "back")
        say("info", "as before")
    lines = [text.split(" ", 1)[1] for text in pipe.read().splitlines() if text.startswith("timestamp")]
    assert lines == [
        'level=error event="lines of the log were lost" lines=3',
        "level=info event=back",
        'level=info event="as before"',
    ]


def test_a_stream_whose_reader_is_gone_or_that_is_closed_is_written_to_in_vain() -> None:
    reading, writing = os.pipe()
    stream = ErrorStream(io.TextIOWrapper(io.FileIO(writing, "w", closefd=False)))
    os.close(reading)
    stream.write("one\ntwo\n")
    os.close(writing)
    stream.write("three\n")
    assert stream.lost == 3
    assert not stream.isatty()
    say = logger("json", "info", stream)
    stream.close()
    say("error", "nobody hears it")


@contextmanager
def ended(*arguments: str, folder: Path, err: int) -> Iterator[subprocess.Popen[bytes]]:
    command = [sys.executable, "-c", "from monitors.cli import main; main()", *arguments]
    clean = {name: text for name, text in os.environ.items() if not name.startswith(("DD_", "MODEL_LAB_"))}
    environ = {**clean, "PYTHONPATH": str(Path(__file__).parents[2])}
    with subprocess.Popen(command, cwd=folder, env=environ, stdout=subprocess.PIPE, stderr=err) as process:  # noqa: S603 - our own interpreter
        try:
            yield process
        finally:
            process.kill()


@pytest.mark.skipif(not FULL.exists(), reason="there is no device that is always full")
@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("watch", "--once", "--mock", "US5=outage:503", "--site", "US5", "--state-dir", "s", "--log-level", "debug",
          "--config", "watch.toml"), 3, "US5 is unavailable"),
        (("probe", "--mock", "US5=outage:503", "--site", "US5", "--output", "x"), 3, ""),
        (("config", "init"), 0, ""),
        (("nothing",), 2, ""),
        ((), 2, ""),
    ],
)  # fmt: skip
def test_a_full_standard_error_changes_no_report_and_no_exit_code(
    arguments: tuple[str, ...], code: int, said: str, tmp_path: Path
) -> None:
    (tmp_path / "watch.toml").write_text("[watch]\nconfirm_pause_s = 0\nconnectivity = []\nmin_free_mb = 0\n", "utf-8")
    with FULL.open("w") as full, ended(*arguments, folder=tmp_path, err=full.fileno()) as process:
        out, _ = process.communicate(timeout=60)
    assert process.returncode == code
    assert said in out.decode()


@pytest.mark.skipif(not FULL.exists(), reason="there is no device that is always full")
def test_a_report_that_finds_no_room_is_an_error(tmp_path: Path) -> None:
    command = [sys.executable, "-c", "from monitors.cli import main; main()", "rules"]
    with FULL.open("w") as full:
        ran = subprocess.run(  # noqa: S603 - our own interpreter
            command, cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
            stdout=full, stderr=subprocess.PIPE, timeout=60, check=False,
        )  # fmt: skip
    assert (ran.returncode, ran.stderr) == (4, b"error: this machine failed: no space left on device\n")
