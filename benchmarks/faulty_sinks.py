"""Sinks that fail, hang, answer 500 after they took a notice, or restart: nothing is lost, and no other sink waits.

A real courier over a real store; the receivers are servers on loopback in this process. The incidents come from the
monitor's own decisions, a round every quarter of a second: each opens, spreads to another site, and is resolved.
"""

from __future__ import annotations

import json
import os
import random
import socket
import tempfile
import threading
import time
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from statistics import median, quantiles
from typing import TYPE_CHECKING, Any

from measure import Row

from monitors.config.alerting import SinkSettings, Thresholds
from monitors.cycle import Result
from monitors.model import Finding, Kind, Level, Observation
from monitors.notify.delivery import Courier
from monitors.notify.sinks import build
from monitors.sites import SITES
from monitors.store import IncidentFilter, open_store, sqlite_url
from monitors.watching.current import Current
from monitors.watching.keeper import Batch, Keeper, Rules

if TYPE_CHECKING:
    from collections.abc import Iterator

INCIDENTS = int(os.environ.get("INCIDENTS", "240"))
ROUND_S = 0.25
A_SECOND = 4  # incidents that begin in a second
TROUBLE_S = (6.0, 26.0)
SETTLE_S = 90.0
TIMEOUT_S = 1.0
HEALTHY = "healthy"
BROKEN = ("fails", "hangs", "takes-then-500", "restarted")


@dataclass(frozen=True)
class Taken:
    """A notice as a receiver took it, at a time of the monotonic clock."""

    key: str
    number: int
    incident: int
    kind: str
    at_s: float


@dataclass
class Receiver:
    """A service that takes notices, in the manner its name says; `trouble` begins and ends what is wrong with it."""

    name: str
    taken: list[Taken] = field(default_factory=list)
    tried: int = 0
    port: int = 0
    in_trouble: bool = False
    lock: threading.Lock = field(default_factory=threading.Lock)
    dice: random.Random = field(default_factory=lambda: random.Random(3))  # noqa: S311 - repeatable on purpose
    released: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        """Listen."""
        self.open()

    def open(self) -> None:
        """Listen, on the port of before where there was one."""
        self.server = _Server(("127.0.0.1", self.port), _Handler)
        self.server.receiver = self
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def close(self) -> None:
        """Stop listening, and hang up on whoever waits."""
        self.released.set()
        self.server.shutdown()
        self.server.server_close()

    def trouble(self, *, begins: bool) -> None:
        """Begin or end what is wrong."""
        self.in_trouble = begins
        if self.name == "restarted":
            (self.close if begins else self.open)()
        if not begins:
            self.released.set()

    def answer(self, said: dict[str, Any]) -> int | None:
        """Return the status to answer with, None to hang up without one."""
        with self.lock:
            self.tried += 1
            if self.in_trouble and self.name == "fails":
                return 503
            hang = self.in_trouble and self.name == "hangs"
            if not hang:
                number, incident = int(said["key"].split("-")[2]), said["incident"]["id"]
                self.taken.append(Taken(said["key"], number, incident, said["kind"], time.monotonic()))
            # Not for ever: what fails again and again is asked again ever later, and the benchmark has an end.
            again = sum(each.key == said["key"] for each in self.taken[-500:])
            refuse = self.name == "takes-then-500" and again <= 3 and self.dice.random() < 0.3
        if hang:
            self.released.wait(120)
            return None
        return 500 if refuse else 200


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    allow_reuse_address = True
    receiver: Receiver

    def handle_error(self, *_: object) -> None:
        """Say nothing of clients that went away."""


class _Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        receiver: Receiver = self.server.receiver  # type: ignore[attr-defined]
        body = self.rfile.read(int(self.headers["Content-Length"]))
        status = receiver.answer(json.loads(body))
        if status is None:
            self.connection.shutdown(socket.SHUT_RDWR)
            return
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@dataclass(frozen=True)
class Problem:
    """One incident of the script: rounds at which it begins, is on a second site too, and is over."""

    number: int
    begin: int
    spread: int
    end: int
    sites: tuple[str, str]

    def shows(self, site: str, tick: int) -> bool:
        """Tell whether it is seen on a site in a round."""
        first, second = self.sites
        return (site == first and self.begin <= tick < self.end) or (site == second and self.spread <= tick < self.end)

    def finding(self) -> Finding:
        """Return what a probe shows of it."""
        where = f"$.data.attributes.member_{self.number}"
        rule = "response-property-became-nullable"
        return Finding(rule, Level.BREAKING, Kind.CONTRACT, "is null", where, "string", "null", check="run")


def script(count: int) -> list[Problem]:
    """Return so many problems, one after the other."""
    dice = random.Random(11)  # noqa: S311 - repeatable on purpose
    problems = []
    for number in range(count):
        begin = int(number / A_SECOND / ROUND_S)
        spread = begin + dice.randrange(2, 20)
        sites = dice.sample(list(SITES), 2)
        problems.append(Problem(number, begin, spread, spread + dice.randrange(2, 20), (sites[0], sites[1])))
    return problems


def batch(problems: list[Problem], tick: int) -> Batch:
    """Return what a round of probes of all sites shows."""
    at = datetime.now(UTC)
    active = [problem for problem in problems if problem.begin <= tick < problem.end]
    results = []
    for site in SITES:
        seen = Observation(site, "run", at, "GET", "/api/v2/model-lab-api/runs/42", "42", True, status=200, body=b"{}")
        results.append(Result(seen, tuple(each.finding() for each in active if each.shows(site, tick))))
    return Batch(at, tuple(results))


@dataclass
class Played:
    """What came of a script: the incidents, when each notice was committed, and what each receiver took."""

    incidents: list[Any]
    keys: dict[str, dict[str, float]]
    receivers: dict[str, Receiver]
    left: int

    def delays_s(self, name: str) -> list[float]:
        """Return the seconds from the commit of each notice until the receiver first had it."""
        queued, seen = self.keys[name], dict[str, float]()
        for each in self.receivers[name].taken:
            seen.setdefault(each.key, each.at_s)
        return [seen[key] - at for key, at in queued.items() if key in seen]


def play(count: int, names: tuple[str, ...]) -> Played:
    """Live through a script with some sinks, and wait until all of it is told."""
    problems = script(count)
    receivers = {name: Receiver(name) for name in names}
    settings = tuple(
        SinkSettings(
            name,
            "webhook",
            timeout_s=TIMEOUT_S,
            options={"url": f"http://127.0.0.1:{receiver.port}/"},
            secrets={"secret": "secret-of-the-benchmark"},
        )
        for name, receiver in receivers.items()
    )
    rules = Rules(
        Thresholds(confirm_count=1, success_threshold=1, update_interval_s=0),
        sinks=settings,
        watched=frozenset((site, "run") for site in SITES),
    )
    keys: dict[str, dict[str, float]] = defaultdict(dict)
    with tempfile.TemporaryDirectory() as folder, open_store(sqlite_url(Path(folder) / "monitor.sqlite")) as store:
        keeper = Keeper(Current(store), rules, lambda findings: findings)
        courier = Courier(Current(store), [build(each) for each in settings])
        courier.start()
        started_s = time.monotonic()
        ahead = _troubles(receivers)
        trouble = next(ahead, None)
        for tick in range(max(problem.end for problem in problems) + 1):
            time.sleep(max(started_s + tick * ROUND_S - time.monotonic(), 0))
            while trouble is not None and time.monotonic() - started_s >= trouble[0]:
                trouble[1].trouble(begins=trouble[2])
                trouble = next(ahead, None)
            done = keeper.keep(batch(problems, tick))
            now_s = time.monotonic()
            for notice in done.notices:
                keys[notice.sink][notice.key] = now_s
            if done.notices:
                courier.wake()
        _settle(store)
        courier.stop(5)
        incidents, left = store.incidents(IncidentFilter()), len(store.undelivered())
    for receiver in receivers.values():
        receiver.close()
    return Played(incidents, keys, receivers, left)


def _troubles(receivers: dict[str, Receiver]) -> Iterator[tuple[float, Receiver, bool]]:
    """Yield when which receiver gets into trouble, and out of it."""
    for number, begins in enumerate((True, False)):
        yield from ((TROUBLE_S[number], receiver, begins) for name, receiver in receivers.items() if name in BROKEN)


def _settle(store: Any) -> None:
    deadline = time.monotonic() + SETTLE_S
    while store.undelivered() and time.monotonic() < deadline:
        time.sleep(0.25)


def told(taken: list[Taken], incidents: list[Any]) -> tuple[int, int, int, int]:
    """Return how many notices are lost, out of order, told twice, and told twice under another key."""
    heard: dict[int, list[Taken]] = defaultdict(list)
    kinds: dict[str, str] = {}
    twice = others = 0
    for each in taken:
        if each.key in kinds:
            twice += 1
            others += kinds[each.key] != each.kind
            continue
        kinds[each.key] = each.kind
        once = each.kind in {"opened", "resolved"}
        others += once and any(each.kind == before.kind for before in heard[each.incident])
        heard[each.incident].append(each)
    lost = disordered = 0
    for incident in incidents:
        numbers = [each.number for each in heard[incident.id]]
        said = [each.kind for each in heard[incident.id]]
        disordered += numbers != sorted(numbers)
        lost += len({"opened", "resolved"} - set(said)) + len(set(range(1, max(numbers, default=0) + 1)) - set(numbers))
    return lost, disordered, twice, others


def rows() -> list[Row]:
    """Live through the script with the healthy sink alone, then beside the broken ones."""
    alone = play(INCIDENTS // 2, (HEALTHY,))
    beside = play(INCIDENTS, (HEALTHY, *BROKEN))
    found = []
    for name in (*BROKEN, HEALTHY):
        lost, disordered, twice, others = told(beside.receivers[name].taken, beside.incidents)
        right = not (lost or disordered or others or beside.left) and len(beside.incidents) == INCIDENTS
        notices, tried = len(beside.keys[name]), beside.receivers[name].tried
        found.append(
            Row(
                f"a sink that {_WORDS[name]}: lost, out of order, under another key",
                f"{lost}, {disordered}, {others}",
                f"{notices} notices of {len(beside.incidents)} incidents; {tried} tries got there, {twice} told twice",
                "",
                "0, 0, 0",
                right,
            )
        )
    for word, of in (("median", median), ("95 %", lambda values: quantiles(values, n=20)[-1])):
        ours, theirs = of(beside.delays_s(HEALTHY)), of(alone.delays_s(HEALTHY))
        found.append(
            Row(
                f"delay of the healthy sink beside the broken four, {word}",
                f"{ours * 1000:.0f} ms",
                f"alone {theirs * 1000:.0f} ms",
                f"{ours / theirs:.1f} ×",
                "< 0.5 s more",
                ours - theirs < 0.5,
            )
        )
    return found


_WORDS = {
    "fails": "answers 503 for 20 s",
    "hangs": "hangs for 20 s",
    "takes-then-500": "takes three in ten and answers 500",
    "restarted": "is gone for 20 s",
    HEALTHY: "is well",
}


if __name__ == "__main__":
    from measure import markdown

    print(markdown(rows()))
