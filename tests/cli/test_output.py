from __future__ import annotations

import io
import os
import shutil
import sys
from pathlib import Path

import pytest

from monitors.commands.output import destination, layout, write_stdout
from monitors.commands.progress import progress
from monitors.errors import UsageError


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_file_appears_whole_or_not_at_all(tmp_path: Path) -> None:
    target = tmp_path / "report.json"
    target.write_text("old")
    with pytest.raises(RuntimeError), destination(target):
        raise RuntimeError
    assert target.read_text() == "old"
    with destination(target) as write:
        assert target.read_text() == "old"
        write("new ✓\n")
    assert target.read_bytes() == "new ✓\n".encode()
    assert [path.name for path in tmp_path.iterdir()] == ["report.json"]


def test_a_new_file_gets_the_permissions_the_user_gives_files(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        with destination(tmp_path / "new") as write:
            write("x")
    finally:
        os.umask(before)
    assert (tmp_path / "new").stat().st_mode & 0o777 == 0o640


def test_a_link_keeps_leading_to_the_file_it_names(tmp_path: Path) -> None:
    (tmp_path / "real").write_text("old")
    (tmp_path / "link").symlink_to("real")
    with destination(tmp_path / "link") as write:
        write("new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real").read_text() == "new"


def test_a_device_is_written_to_not_replaced() -> None:
    with destination(Path("/dev/null")) as write:
        write("gone")
    assert Path("/dev/null").is_char_device()


def test_a_full_device_is_an_output_that_cannot_be_written() -> None:
    told = pytest.raises(UsageError, match=r"--output /dev/full: cannot be written: no space left")
    with told, destination(Path("/dev/full")) as write:
        write("x")


@pytest.mark.parametrize("name", ["a\0b", "x" * 300])
def test_a_name_no_file_can_have_is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be written"), destination(tmp_path / name) as write:
        write("x")


def test_a_directory_that_goes_away_meanwhile_is_told(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    with destination(folder / "report") as write:
        shutil.rmtree(folder)
        with pytest.raises(UsageError, match="cannot be written"):
            write("x")


def test_characters_the_terminal_lacks_are_spelled_out(monkeypatch: pytest.MonkeyPatch) -> None:
    raw = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(raw, encoding="ascii"))
    write_stdout("✓ a\n")
    assert raw.getvalue() == b"\\u2713 a\n"


def test_without_standard_output_a_file_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", None)
    with pytest.raises(UsageError, match="name a file with --output"):
        write_stdout("x")


@pytest.mark.parametrize(
    ("tty", "environ", "colour"),
    [
        (True, {}, True),
        (False, {}, False),
        (True, {"NO_COLOR": "1"}, False),
        (True, {"NO_COLOR": ""}, True),
        (True, {"TERM": "dumb"}, False),
        (False, {"FORCE_COLOR": "1"}, True),
        (True, {"NO_COLOR": "1", "FORCE_COLOR": "1"}, False),
    ],
)
def test_colour_follows_terminal_and_environment(tty: bool, environ: dict[str, str], colour: bool) -> None:  # noqa: FBT001
    assert layout(Terminal() if tty else io.StringIO(), environ).colour is colour


@pytest.mark.parametrize(("columns", "width"), [("", 100), ("132", 132), ("x", 100), ("0", 100)])
def test_a_pipe_has_a_fixed_width_unless_told(columns: str, width: int) -> None:
    assert layout(io.StringIO(), {"COLUMNS": columns}).width == width


def test_an_encoding_without_our_signs_gets_ascii() -> None:
    assert not layout(io.TextIOWrapper(io.BytesIO(), encoding="latin-1"), {}).unicode
    assert layout(io.TextIOWrapper(io.BytesIO(), encoding="utf-8"), {}).unicode


def test_progress_is_drawn_on_a_terminal_and_gone_at_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setenv("TERM", "xterm")
    with progress("probing", 2, quiet=False) as step:
        step("US5 [bold]run")
        step("EU1 run")
    assert "probing" in terminal.getvalue()
    assert "2/2" in terminal.getvalue()


@pytest.mark.parametrize(("quiet", "term"), [(True, "xterm"), (False, "dumb")])
def test_progress_is_silent_where_it_is_not_wanted(quiet: bool, term: str, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: FBT001
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setenv("TERM", term)
    with progress("probing", 1, quiet=quiet) as step:
        step("US5 run")
    assert terminal.getvalue() == ""
