"""Servers a benchmark measures, each a process of its own on loopback, ended when the block ends."""

from __future__ import annotations

import contextlib
import os
import re
import socket
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

KEYS = ("mock-api-key", "mock-app-key")
START_S = 60


@dataclass(frozen=True)
class Mock:
    """A mock in a process of its own: its ports and the file of its CA."""

    port: int
    tls_port: int
    ca_file: str
    process: subprocess.Popen[bytes]

    def set_scenario(self, site: str, scenario: str) -> int:
        """Put a scenario on a site and return the TLS port it is found at from now on."""
        stdin, stdout = self.process.stdin, self.process.stdout
        assert stdin is not None
        assert stdout is not None
        stdin.write(f"{site} {scenario}\n".encode())
        stdin.flush()
        return int(stdout.readline())


def free_port() -> int:
    """Return a port nobody listens on right now."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


def wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    """Wait until something listens on the port; raises `RuntimeError` where the process ends or a minute passes."""
    end = time.monotonic() + START_S
    while time.monotonic() < end and process.poll() is None:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.05)
    message = f"{process.args!r} does not listen on {port}"
    raise RuntimeError(message)


@contextlib.contextmanager
def started(command: Sequence[str], port: int) -> Iterator[subprocess.Popen[bytes]]:
    """Run a server until the block ends."""
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)
        try:
            wait_for(port, process)
            yield process
        finally:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


_PARENT = """
import sys
from mock_site.server import MockSites
with MockSites(**eval(sys.argv[1])) as mock:
    print(mock.port, mock.tls_port, mock.ca_file, flush=True)
    for line in sys.stdin:
        site, scenario = line.split(maxsplit=1)
        mock.set_scenario(site, scenario.strip())
        print(mock.address(site, tls=True).port, flush=True)
"""


@contextlib.contextmanager
def mock_sites(**options: object) -> Iterator[Mock]:
    """Run the mock sites in a process of their own; options as of `mock_site.server.MockSites`."""
    process = subprocess.Popen(
        [sys.executable, "-c", _PARENT, repr(options)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        port, tls_port, ca_file = process.stdout.readline().decode().split()
        yield Mock(int(port), int(tls_port), ca_file, process)
    finally:
        process.stdin.close()
        process.stdout.close()
        process.wait(20)


def npm_tool(package: str, binary: str) -> str:
    """Return the path of a command from npm, installed once below the user's cache folder."""
    folder = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "model-lab-monitor-benchmarks"
    command = folder / "node_modules" / ".bin" / binary
    if not command.exists():
        folder.mkdir(parents=True, exist_ok=True)
        subprocess.run(["npm", "install", "--no-audit", "--no-fund", "--prefix", str(folder), package], check=True)
    return str(command)


@dataclass(frozen=True)
class Load:
    """What wrk says of one run: requests per second, 99th percentile in ms, answers that were no 2xx."""

    per_s: float
    p99_ms: float
    failed: int


_UNITS_MS = {"us": 0.001, "ms": 1.0, "s": 1000.0}


def wrk(url: str, *, seconds: int, connections: int, headers: Sequence[str]) -> Load:
    """Load a URL with wrk on one thread; bounded in time and connections."""
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--latency"]
    for header in headers:
        command += ["-H", header]
    text = subprocess.run([*command, url], check=True, capture_output=True, text=True).stdout
    rate, tail = re.search(r"Requests/sec:\s+([\d.]+)", text), re.search(r"99%\s+([\d.]+)(us|ms|s)", text)
    assert rate, text
    assert tail, text
    failed = re.search(r"Non-2xx or 3xx responses: (\d+)", text)
    return Load(float(rate[1]), float(tail[1]) * _UNITS_MS[tail[2]], int(failed[1]) if failed else 0)
