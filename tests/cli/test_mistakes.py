"""Every mistake of the user's is one clear line, exit 2, and no traceback."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click
import pytest

from monitors.cli import COMMANDS, group, main, run

if TYPE_CHECKING:
    from conftest import Cli

HERE = Path(__file__).parent
MISTAKES = [case.split("\n") for case in HERE.joinpath("mistakes.txt").read_text("utf-8").strip().split("\n\n")]


@pytest.mark.parametrize(("line", "said"), MISTAKES, ids=[case[0] for case in MISTAKES])
def test_a_mistake_is_one_line(line: str, said: str, cli: Cli) -> None:
    ran = cli(*line.removeprefix("$ model-lab-monitor ").split())
    assert (ran.code, ran.out, ran.err) == (2, "", f"{said}\n")


def test_an_option_that_does_not_exist_names_the_nearest(cli: Cli) -> None:
    ran = cli("probe", "--sit", "US1")
    assert ran.code == 2
    assert re.fullmatch(r"error: no such option '?--sit'?.*--site.*\n", ran.err)


def test_half_a_pair_of_keys_is_a_mistake(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DD_API_KEY", "not-to-be-printed")
    ran = cli("probe")
    assert ran.code == 2
    assert ran.err == "error: US1: there is an API key but no application key; set DD_APP_KEY, or give neither\n"


def test_a_check_by_name_needs_its_run_id(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DD_API_KEY_US1_FED", "a")
    monkeypatch.setenv("DD_APP_KEY_US1_FED", "b")
    ran = cli("probe", "--site", "US1-FED", "--check", "run")
    assert ran.err == ("error: US1-FED: the check run cannot be made: no canary run: set MODEL_LAB_RUN_ID_US1_FED\n")


def test_an_unwritable_output_is_refused_before_anything_is_probed(cli: Cli, tmp_path: Path) -> None:
    locked = tmp_path / "locked.json"
    locked.write_text("kept")
    ran = cli("probe", "--mock", "fault:nonsense", "--output", tmp_path)
    assert ran.err == f"error: --output {tmp_path}: is a directory; name a file in it\n"
    assert locked.read_text() == "kept"


def test_what_a_name_brings_in_cannot_steer_the_terminal(cli: Cli) -> None:
    ran = cli("probe", "--ca-file", "a\x1b[2J\u202eb.pem")
    assert ran.err == "error: --ca-file: cannot read a\\x1b[2J\\u202eb.pem: no such file or directory\n"


@pytest.mark.parametrize("name", COMMANDS)
def test_keys_are_never_taken_from_the_command_line(name: str) -> None:
    command = group.get_command(click.Context(group), name)
    assert command is not None
    assert not [option for parameter in command.params for option in parameter.opts if "key" in option]


@click.command("bug")
def bug() -> None:
    secret = {}
    secret["dd-api-key-value"]


@click.command("full")
def full() -> None:
    raise OSError(28, "No space left on device", "/somewhere")


@click.command("stop")
def stop() -> None:
    raise KeyboardInterrupt


@click.command("pipe")
def pipe() -> None:
    raise BrokenPipeError


@pytest.fixture
def extra(monkeypatch: pytest.MonkeyPatch) -> None:
    for command in (bug, full, stop, pipe):
        monkeypatch.setitem(COMMANDS, str(command.name), "For a test.")
        monkeypatch.setitem(sys.modules, f"monitors.commands.{command.name}", type("Module", (), {"command": command}))


@pytest.mark.usefixtures("extra")
def test_a_bug_is_one_line_that_quotes_nothing(cli: Cli) -> None:
    ran = cli("bug")
    assert ran.code == 4
    assert re.fullmatch(
        r"error: KeyError at test_mistakes\.py:\d+: this is a bug in model-lab-monitor; "
        r"--debug before the command shows more\n",
        ran.err,
    )


@pytest.mark.usefixtures("extra")
def test_debug_shows_where_a_bug_came_from(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(KeyError):
        cli("--debug", "bug")
    monkeypatch.setenv("MODEL_LAB_MONITOR_DEBUG", "1")
    with pytest.raises(KeyError):
        cli("bug")


@pytest.mark.usefixtures("extra")
@pytest.mark.parametrize(
    ("command", "code", "said"),
    [
        ("full", 4, "error: this machine failed: no space left on device (/somewhere)\n"),
        ("stop", 130, ""),
        ("pipe", 2, "error: standard output was closed before everything was written\n"),
    ],
)
def test_what_is_nobodys_bug_is_told_as_what_it_is(command: str, code: int, said: str, cli: Cli) -> None:
    ran = cli(command)
    assert (ran.code, ran.out, ran.err) == (code, "", said)


def started(tmp_path: Path, *arguments: str, **streams: int) -> subprocess.Popen[bytes]:
    # Whoever runs the tests under nohup, or in the background of a script, has handed down ignored signals.
    signals = "import signal; [signal.signal(n, signal.SIG_DFL) for n in (signal.SIGHUP, signal.SIGTERM)]"
    fresh_int = "signal.signal(signal.SIGINT, signal.default_int_handler)"
    run = f"import sys; sys.path[:0] = {sys.path!r}; from monitors.cli import main; main({list(arguments)!r})"
    script = f"{signals}; {fresh_int}; {run}"
    return subprocess.Popen([sys.executable, "-c", script], cwd=tmp_path, **streams)  # type: ignore[call-overload,no-any-return]  # noqa: S603 - our own interpreter


def test_ctrl_c_ends_a_probe_quietly_at_once(tmp_path: Path) -> None:
    out = tmp_path / "report.json"
    process = started(
        tmp_path, "probe", "--mock", "slow:50", "--timeout", "60", "--output", str(out),
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    deadline = time.monotonic() + 20
    while not list(tmp_path.glob(".report.json.*")) and time.monotonic() < deadline:
        time.sleep(0.05)
    time.sleep(0.7)
    process.send_signal(signal.SIGINT)
    said = process.communicate(timeout=20)
    assert (process.returncode, *said) == (130, b"", b"")
    assert list(tmp_path.iterdir()) == []


def test_a_pipe_that_is_closed_early_gives_one_line_and_no_traceback(tmp_path: Path) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    process = started(tmp_path, "rules", stdout=writer, stderr=subprocess.PIPE)
    os.close(writer)
    _, err = process.communicate(timeout=20)
    assert process.returncode == 2
    assert err == b"error: standard output was closed before everything was written\n"


def test_the_process_leaves_with_the_code_of_its_command(tmp_path: Path) -> None:
    process = started(tmp_path, "probe", "--site", "US9", stderr=subprocess.PIPE)
    process.communicate(timeout=20)
    assert process.returncode == 2


@pytest.mark.parametrize(
    ("words", "number", "completed"),
    [
        ("model-lab-monitor probe --site US5,ap", "3", "plain,US5,AP1\nplain,US5,AP2\n"),
        ("model-lab-monitor s", "1", "plain,sites\n"),
    ],
)
def test_completion_is_asked_for_by_the_environment(
    words: str, number: str, completed: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("_MODEL_LAB_MONITOR_COMPLETE", "bash_complete")
    monkeypatch.setenv("COMP_WORDS", words)
    monkeypatch.setenv("COMP_CWORD", number)
    with pytest.raises(SystemExit):
        run([])
    assert capfd.readouterr().out == completed


@pytest.mark.parametrize(("arguments", "code"), [(["--version"], 0), (["nonsense"], 2)])
def test_the_entry_point_exits_with_the_code(arguments: list[str], code: int) -> None:
    with pytest.raises(SystemExit) as left:
        main(arguments)
    assert left.value.code == code


@pytest.mark.parametrize(
    ("command", "code", "said"),
    [
        ("sites 2>&-", 0, b""),
        ("check - <&-", 2, b"error: standard input is closed; name a file\n"),
        ("probe --site US9 2>&- <&-", 2, b""),
    ],
)
def test_a_stream_the_shell_closed_is_no_bug(command: str, code: int, said: bytes, tmp_path: Path) -> None:
    arguments, redirection = command.rsplit(" ", command.count("&-"))[0], " ".join(re.findall(r"\S+&-", command))
    script = f'exec "$0" -c "from monitors.cli import main; main()" {arguments} {redirection}'
    environ = {**os.environ, "PYTHONPATH": str(HERE.parents[1])}
    ran = subprocess.run(  # noqa: S603 - our own interpreter
        ["/bin/sh", "-c", script, sys.executable], cwd=tmp_path, capture_output=True, check=False, env=environ
    )
    assert (ran.returncode, ran.stderr) == (code, said)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_probe_that_is_ended_leaves_no_draft_behind(number: int, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        silent.settimeout(20)
        arguments = ("probe", "--site", "US5", "--check", "unauthenticated", "--output", "report.json", "--connect-to")
        process = started(tmp_path, *arguments, f"::127.0.0.1:{silent.getsockname()[1]}", stderr=subprocess.PIPE)
        connection, _ = silent.accept()
        with connection:
            process.send_signal(number)
            try:
                _, err = process.communicate(timeout=10)
            finally:
                process.kill()
    assert (process.returncode, err) == (128 + number, b"")
    assert list(tmp_path.iterdir()) == []
