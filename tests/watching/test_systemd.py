from __future__ import annotations

import os
import socket
from typing import TYPE_CHECKING

import pytest

from monitors.watching.systemd import Systemd

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(params=["path", "abstract"])
def manager(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[str, socket.socket]]:
    """Listen as the service manager does; gives its address as the environment has it."""
    address = str(tmp_path / "notify") if request.param == "path" else f"@model-lab-{os.getpid()}-{tmp_path.name}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.settimeout(10)
        listening.bind("\0" + address[1:] if address.startswith("@") else address)
        yield address, listening


def test_the_manager_is_told_what_the_service_does(manager: tuple[str, socket.socket]) -> None:
    address, listening = manager
    service = Systemd.of({"NOTIFY_SOCKET": address})
    heard = []
    for say in (lambda: service.ready("9 sites"), service.reloading, service.stopping, lambda: service.alive("fine")):
        say()
        heard.append(listening.recv(4096).decode().split("\n"))
    assert heard[0] == ["READY=1", "STATUS=9 sites"]
    assert heard[1][0] == "RELOADING=1"
    assert heard[1][1].removeprefix("MONOTONIC_USEC=").isdecimal()
    assert heard[2:] == [["STOPPING=1"], ["WATCHDOG=1", "STATUS=fine"]]


def test_a_status_stays_one_line(manager: tuple[str, socket.socket]) -> None:
    address, listening = manager
    Systemd(address).alive("fine\nREADY=0\r\n  really")
    assert listening.recv(4096) == b"WATCHDOG=1\nSTATUS=fine READY=0 really"


@pytest.mark.parametrize("address", ["", "relative", "vsock:2:1234", "/nobody/listens/here"])
def test_without_a_manager_nothing_happens(address: str) -> None:
    service = Systemd.of({"NOTIFY_SOCKET": address})
    service.ready("fine")
    service.stopping()


def test_a_manager_that_does_not_listen_any_more_does_no_harm(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(str(tmp_path / "notify"))
    Systemd(str(tmp_path / "notify")).alive("fine")


MINE = str(os.getpid())


@pytest.mark.parametrize(
    ("environ", "seconds"),
    [
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": MINE}, 30),
        ({"WATCHDOG_USEC": "30000000"}, 30),
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "1"}, 0),
        ({"WATCHDOG_USEC": "soon"}, 0),
        ({"WATCHDOG_USEC": "-1"}, 0),
        ({"WATCHDOG_USEC": "9" * 16}, 0),
        ({}, 0),
    ],
)
def test_the_watchdog_is_minded_where_it_is_meant_for_this_process(environ: dict[str, str], seconds: float) -> None:
    assert Systemd.of({"NOTIFY_SOCKET": "/run/notify", **environ}).watchdog_s == seconds
    assert Systemd.of(environ).watchdog_s == 0
