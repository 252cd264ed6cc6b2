"""The monitor killed at 500 random moments while nine sites change state: nothing is lost, nothing is told wrongly.

A real loop over real connections: mock sites and the webhook's receiver live in this process, the monitor in children
that are forked from a process which has everything imported, and killed with SIGKILL.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sys
import tempfile
import threading
import time
from collections import defaultdict
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, TextIO

from configuration import write_configuration
from measure import Row, markdown

import monitors.notify.webhook  # noqa: F401 - children start with everything there
from mock_site.server import MockSites
from monitors.commands.targets import Wiring
from monitors.commands.watch_settings import Asked
from monitors.commands.watching import Bench
from monitors.sites import SITES
from monitors.store import IncidentFilter, open_store, sqlite_url
from monitors.watching.logs import logger

if TYPE_CHECKING:
    from collections.abc import Iterator

    from monitors.incidents.model import Incident
    from monitors.store import Store

KILLS = int(os.environ.get("KILLS", "500"))
INTERVAL_S = 0.05
LONGEST_LIFE_S = 1.5
SINKS = ("one", "two")
MEMBERS = ("name", "status", "tags", "metric_summaries", "project_id", "created_at")
SCENARIOS = ("healthy", "healthy", "outage:503", *(f"drifted:nulled@$.data.attributes.{name}" for name in MEMBERS))


class Receiver(ThreadingHTTPServer):
    """Takes notices and writes them down; drops one in ten after it took it, so that the sender must ask again."""

    daemon_threads = True

    def __init__(self) -> None:
        """Listen on loopback, on a port of the system's choice."""
        super().__init__(("127.0.0.1", 0), _Taking)
        self.taken: list[tuple[str, dict[str, Any]]] = []
        self.lock = threading.Lock()
        self.dice = random.Random(1)  # noqa: S311 - the same every time


class _Taking(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        length = int(self.headers["Content-Length"])
        body = self.rfile.read(length)
        if len(body) < length:
            return  # killed while it was sending: nothing was taken
        server: Any = self.server
        with server.lock:
            server.taken.append((self.path.strip("/"), json.loads(body)))
            refused = server.dice.random() < 0.1
        self.send_response(500 if refused else 200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def monitor(folder: str, tls_port: int, ca_file: str) -> None:
    """Watch until killed: the monitor's own parts, on intervals no configuration allows."""
    config = Path(folder) / "monitor.toml"
    wiring = Wiring(None, (), (f"::127.0.0.1:{tls_port}",), Path(ca_file))
    asked = Asked((), ("run",), config, (), None, INTERVAL_S, None, wiring)
    with Bench(asked, logger("json", "error", sys.stderr), lambda _line: None, lambda _s: opened(folder)) as bench:
        bench.forever()


def opened(folder: str) -> Store:
    """Return the store of the benchmark."""
    return open_store(sqlite_url(Path(folder) / "monitor.sqlite"))


def zygote(arguments: tuple[str, int, str], orders: TextIO, answers: TextIO) -> None:
    """Fork a monitor at each order, and say which process it is; nothing but importing happens here."""
    for line in orders:
        if line.strip() == "end":
            return
        pid = os.fork()
        if pid == 0:
            try:
                monitor(*arguments)
            finally:
                os._exit(0)
        answers.write(f"{pid}\n")
        answers.flush()
        os.waitpid(pid, 0)
        answers.write("gone\n")
        answers.flush()


def rows() -> list[Row]:
    """Kill, settle, and count."""
    dice = random.Random(7)  # noqa: S311 - the same every time
    receiver = Receiver()
    threading.Thread(target=receiver.serve_forever, daemon=True).start()
    with tempfile.TemporaryDirectory() as folder, MockSites() as mock:
        write_configuration(Path(folder), receiver.server_address[1], SINKS)
        os.environ.update(MOCK_API_KEY="mock-api-key", MOCK_APP_KEY="mock-app-key", HOOK_SECRET="benchmark")  # noqa: S106 - a receiver of our own
        with Children(folder, mock.tls_port, str(mock.ca_file)) as children:
            wrong = list(play(children, mock, folder, dice))
            settle(children, mock, folder)
        book, incidents = outcome(folder)
    receiver.shutdown()
    lost, out_of_order, other_keys, twice = told(receiver.taken, incidents)
    notices = len({(sink, said["key"]) for sink, said in receiver.taken})
    about = f"{notices:,} of {len(incidents):,} incidents"
    kills = f"{KILLS} kills"
    return [
        Row("killed with SIGKILL: notices lost", f"{lost}", about, "", "none", not lost),
        Row("the same told under another key", f"{other_keys}", f"{twice} under the same", "", "none", not other_keys),
        Row("told out of order within an incident", f"{out_of_order}", kills, "", "none", not out_of_order),
        Row("books in a wrong state after a kill", f"{len(wrong)}", kills, "", "none", not wrong),
        Row("still open once all sites are well", f"{len(book)}", about, "", "none", not book),
    ]


class Children:
    """The process that forks monitors, and the one that runs."""

    def __init__(self, *arguments: str | int) -> None:
        """Take what a monitor needs to know."""
        self.arguments = arguments

    def __enter__(self) -> Self:
        """Start the process that forks."""
        order_r, order_w = os.pipe()
        answer_r, answer_w = os.pipe()
        # A fresh interpreter: this process has threads, and forks of it would inherit their locks.
        code = "import sys, os, killed; killed.zygote(eval(sys.argv[1]), os.fdopen(%d), os.fdopen(%d, 'w'))"
        self.pid = os.posix_spawn(
            sys.executable,
            [sys.executable, "-c", code % (order_r, answer_w), repr(self.arguments)],
            {**os.environ, "PYTHONPATH": str(Path(__file__).parent)},
            file_actions=[(os.POSIX_SPAWN_DUP2, fd, fd) for fd in (order_r, answer_w)],
        )
        os.close(order_r)
        os.close(answer_w)
        self.orders, self.answers = os.fdopen(order_w, "w"), os.fdopen(answer_r)
        return self

    def start(self) -> int:
        """Fork a monitor; returns its process id."""
        self.orders.write("start\n")
        self.orders.flush()
        return int(self.answers.readline())

    def kill(self, pid: int, number: int = signal.SIGKILL) -> None:
        """End a monitor and wait until it is gone."""
        os.kill(pid, number)
        self.answers.readline()

    def __exit__(self, *_: object) -> None:
        """End the process that forks."""
        self.orders.write("end\n")
        self.orders.flush()
        os.waitpid(self.pid, 0)


def play(children: Children, mock: Any, folder: str, dice: random.Random) -> Iterator[str]:
    """Kill monitors at random moments while sites go and come; yields what is wrong with the book after a kill."""
    for number in range(KILLS):
        if number % 4 == 0:
            # Now and then all are well, so that incidents end and others begin.
            for site in SITES:
                mock.set_scenario(site, "healthy")
        pid = children.start()
        until = time.monotonic() + dice.uniform(0.02, LONGEST_LIFE_S)
        while time.monotonic() < until:
            mock.set_scenario(dice.choice(list(SITES)), dice.choice(SCENARIOS))
            time.sleep(dice.uniform(0.01, 0.2))
        children.kill(pid)
        yield from flaws(folder)
        if (number + 1) % 50 == 0:
            print(f"  {number + 1} kills", flush=True)


def settle(children: Children, mock: Any, folder: str) -> None:
    """Let all sites be well until everything is over and told."""
    for site in SITES:
        mock.set_scenario(site, "healthy")
    pid = children.start()
    until = time.monotonic() + 120
    while time.monotonic() < until:
        time.sleep(1)
        with opened(folder) as store:
            if not store.undelivered() and not store.book().incidents:
                break
    children.kill(pid, signal.SIGTERM)


def flaws(folder: str) -> Iterator[str]:
    """Yield what contradicts itself in the store."""
    with opened(folder) as store:
        book = store.book()
        open_ = {entry.problem for entry in book.incidents.values() if entry.resolved is None}
        believed = {key.problem for key, track in book.tracks.items() if track.opened is not None}
        if open_ != believed:
            yield f"open {open_}, believed {believed}"
        for (incident, sink), word in book.told.items():
            numbers = {row.notice.number for row in store.notices(incident) if row.notice.sink == sink}
            if numbers != set(range(1, word.number + 1)):
                yield f"told {word.number} times, outbox has {numbers}"
        for entry in book.incidents.values():
            kinds = [str(event.kind) for event in store.events(entry.id)]
            if kinds.count("opened") != 1 or kinds.count("resolved") != (entry.resolved is not None):
                yield f"incident {entry.id}: {kinds}"


def outcome(folder: str) -> tuple[list[Incident], list[Incident]]:
    """Return the incidents that are still in the book, and all there ever were."""
    with opened(folder) as store:
        return list(store.book().incidents.values()), store.incidents(IncidentFilter())


def told(taken: list[tuple[str, dict[str, Any]]], incidents: list[Any]) -> tuple[int, int, int, int]:
    """Return how many notices are lost, out of order, the same under another key, and told twice."""
    heard: dict[tuple[str, int], list[dict[str, Any]]] = defaultdict(list)
    keys: dict[tuple[str, str], str] = {}
    twice = other = 0
    for sink, said in taken:
        number = said["incident"]["id"]
        if (sink, said["key"]) in keys:
            twice += 1
            other += keys[sink, said["key"]] != said["kind"]
            continue
        keys[sink, said["key"]] = said["kind"]
        if said["kind"] in {"opened", "resolved"}:
            other += sum(said["kind"] == each["kind"] for each in heard[sink, number])
        heard[sink, number].append(said)
    lost = out_of_order = 0
    for incident in incidents:
        for sink in SINKS:
            kinds = [said["kind"] for said in heard[sink, incident.id]]
            lost += ("opened" not in kinds) + ("resolved" not in kinds)
            numbers = [int(said["key"].split("-")[-2]) for said in heard[sink, incident.id]]
            out_of_order += numbers != sorted(numbers)
            lost += numbers != [] and set(range(1, max(numbers) + 1)) != set(numbers)
    return lost, out_of_order, other, twice


if __name__ == "__main__":
    print(markdown(rows()))
