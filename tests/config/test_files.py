"""Only regular files are read: nothing that blocks, nothing that never ends."""

from __future__ import annotations

import os
import socket
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from monitors.config import FILE_NAME, FILE_VARIABLE, load
from monitors.config.files import read_regular
from monitors.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def listen(path: str) -> None:
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(path)


KINDS: dict[str, tuple[Callable[[str], object], str]] = {
    "pipe": (os.mkfifo, "it is a pipe; only regular files are read"),
    "socket": (listen, "it is a socket; only regular files are read"),
    "device-without-end": (
        lambda path: Path(path).symlink_to("/dev/zero"),
        "it is a device; only regular files are read",
    ),
    "directory": (os.mkdir, "is a directory"),
    "link-to-nowhere": (lambda path: Path(path).symlink_to("nowhere"), "no such file or directory"),
    "link-to-itself": (lambda path: Path(path).symlink_to(path), "too many levels of symbolic links"),
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_configuration_that_is_no_regular_file_is_refused_at_once(kind: str) -> None:
    make, said = KINDS[kind]
    make("odd.toml")
    with pytest.raises(ConfigError) as caught:
        load(Path("odd.toml"), {}, [])
    assert str(caught.value) == f"cannot read the configuration file odd.toml: {said}"
    with pytest.raises(ConfigError) as caught:
        load(None, {FILE_VARIABLE: "odd.toml"}, [])
    assert str(caught.value) == f"cannot read the configuration file odd.toml (named by {FILE_VARIABLE}): {said}"


@pytest.mark.parametrize("kind", KINDS)
def test_a_secret_that_is_no_regular_file_is_a_mistake_with_its_place(kind: str) -> None:
    make, said = KINDS[kind]
    make("odd")
    Path(FILE_NAME).write_text("[sinks.ops]\ntype = 'apprise'\nurl_file = 'odd'\n")
    with pytest.raises(ConfigError) as caught:
        load(None, {"DD_API_KEY_US5_FILE": "odd", "DD_APP_KEY_US5": "b"}, ["US5"])
    assert str(caught.value).split("\n") == [
        "2 mistakes in the configuration:",
        f"  model-lab-monitor.toml:3: url_file of ops: cannot read odd: {said}",
        f"  DD_API_KEY_US5_FILE: cannot read odd: {said}",
    ]


def test_a_pipe_somebody_writes_to_is_refused_too_and_nothing_of_it_is_read() -> None:
    os.mkfifo("odd.toml")
    both = os.open("odd.toml", os.O_RDWR | os.O_NONBLOCK)
    try:
        os.write(both, b"timeout_s = 4\n")
        with pytest.raises(ConfigError, match=r"it is a pipe"):
            load(Path("odd.toml"), {}, [])
        assert os.read(both, 100) == b"timeout_s = 4\n"
    finally:
        os.close(both)


def test_a_pipe_put_in_the_place_of_a_file_just_looked_at_is_refused(tmp_path: Path) -> None:
    class Swapped(type(tmp_path)):  # type: ignore[misc]  # the class of paths of this system
        def stat(self, **_options: object) -> os.stat_result:
            return Path(__file__).stat()

    os.mkfifo("swapped")
    with pytest.raises(OSError, match="it is a pipe; only regular files are read"):
        read_regular(Swapped("swapped"), 10)


def test_a_link_to_a_regular_file_is_read(tmp_path: Path) -> None:
    (tmp_path / "real.toml").write_text("timeout_s = 4\n")
    Path("link.toml").symlink_to(tmp_path / "real.toml")
    assert load(Path("link.toml"), {}, []).timeout_s == 4
    assert read_regular(Path("link.toml"), 7) == b"timeout"
