"""The store fails while the monitor runs: a full disk, a lock of 60 s, a damaged file, a server stopped hard.

A real loop against mock sites, one child process for each fault, all at the same time. In each, two sites really go
down: US5 from before the fault until within it, EU1 from within it until after it. Nothing else may be told of a site.
"""

from __future__ import annotations

import json
import os
import random
import resource
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any

from configuration import write_configuration
from measure import Row

from mock_site.app import create_app
from mock_site.server import MockSites
from monitors.commands.targets import Wiring
from monitors.commands.watch_settings import Asked
from monitors.commands.watching import Bench
from monitors.errors import MonitorError
from monitors.model import Observation, Phases
from monitors.sites import SITES
from monitors.store import Filter, IncidentFilter, Probed, open_store, sqlite_url
from monitors.watching.logs import logger

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

FAULTS: dict[str, tuple[str, float]] = {
    "full": ("disk full for 25 s", 25.0),
    "locked": ("database locked for 60 s", 60.0),
    "overwritten": ("file overwritten with random bytes in its middle", 0.0),
    "truncated": ("file cut to half its length", 0.0),
    "emptied": ("file cut to nothing", 0.0),
    "server": ("PostgreSQL stopped hard, back after 20 s", 20.0),
}
INTERVAL_S = 1.0
STEADY_S, DOWN_S, SETTLE_S = 8.0, 6.0, 75.0
OWN = "monitor-store-failed"
REAL = {("outage", "US5"), ("outage", "EU1")}
CHANGES = (("resolved", ["US5"]), ("opened", ["EU1"]))
"""What sites do while the store takes nothing: an outage ends, another begins."""
LONG_S = 10.0
OLD_PROBES = 60_000


@dataclass
class Outcome:
    """What came of one fault; times are seconds after it began, counts of what should not be."""

    fault: str
    began: float = 0.0
    ended: float = 0.0
    real: int = 0
    false_sites: list[str] = field(default_factory=list)
    own: list[str] = field(default_factory=list)
    own_spells: int = 0
    own_told_after_s: float | None = None
    told_meanwhile: int = 0
    untold: list[str] = field(default_factory=list)
    still_open: int = 0
    undelivered: int = 0
    forgotten: list[str] = field(default_factory=list)
    asked: int = 0
    kept: int = 0
    old_kept: int = 0
    dropped: int = 0
    told_twice: int = 0
    recovered_after_s: float | None = None
    problems: list[str] = field(default_factory=list)


# --- the world of one fault ------------------------------------------------------------------------------------------


class Receiver(ThreadingHTTPServer):
    """Takes notices, and writes down when."""

    daemon_threads = True

    def __init__(self) -> None:
        """Listen on a port the system chooses."""
        super().__init__(("127.0.0.1", 0), _Taking)
        self.taken: list[tuple[float, dict[str, Any]]] = []
        threading.Thread(target=self.serve_forever, daemon=True).start()


class _Taking(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        server: Any = self.server
        server.taken.append((time.monotonic(), json.loads(body)))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def child(fault: str) -> Outcome:
    """Live through one fault."""
    outcome, asked_at = Outcome(fault), list[float]()
    os.environ.update(MOCK_API_KEY="mock-api-key", MOCK_APP_KEY="mock-app-key", HOOK_SECRET="secret-of-the-benchmark")  # noqa: S106 - made up

    def counted(state: Any) -> Any:
        app = create_app(state)

        async def counting(scope: Any, receive: Any, send: Any) -> None:
            if scope["type"] == "http":
                asked_at.append(time.monotonic())
            await app(scope, receive, send)

        return counting

    with ExitStack() as stack:
        # A socket's path must be short.
        home = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="store-", dir="/tmp")))
        receiver = Receiver()
        world = stack.enter_context(_WORLDS[fault](home))
        fill(world.url)
        mock = stack.enter_context(MockSites(app=counted))
        config = write_configuration(home, receiver.server_address[1], ["hook"], "min_free_mb = 0\njitter_s = 0")
        wiring = Wiring(None, (), (f"::127.0.0.1:{mock.tls_port}",), Path(mock.ca_file))
        log = stack.enter_context((home / "log").open("w"))
        bench = stack.enter_context(
            Bench(
                Asked((), ("run",), config, (), 5.0, INTERVAL_S, None, wiring),
                logger("json", "info", log),
                lambda _line: None,
                lambda _settings: open_store(world.url),
            )
        )
        bench.courier.start()
        loop = threading.Thread(target=bench.watch.run)
        loop.start()
        try:
            before = _live(mock, world, bench, receiver, outcome)
        finally:
            bench.watch.stop()
            loop.join(60)
            bench.courier.stop(10)
        _judge(bench, receiver, outcome, before, asked_at)
        log.flush()
        if os.environ.get("SHOW_LOG"):
            sys.stderr.write((home / "log").read_text())
    return outcome


def fill(url: str) -> None:
    """Put a week's probes into a store, so that its file is much larger than what SQLite keeps of it in memory."""
    first = datetime.now(UTC) - timedelta(days=7)
    with open_store(url) as store:
        for start in range(0, OLD_PROBES, 5_000):
            with store.writing() as tx:
                tx.add_probes("here", [_probed(first, number) for number in range(start, start + 5_000)])


def _probed(first: datetime, number: int) -> Probed:
    site, at = list(SITES)[number % len(SITES)], first + timedelta(seconds=number)
    seen = Observation(
        site, "run", at, "GET", "/", "42", True, status=200, body=b"", phases=Phases(0.01, 0.01, 0.02, 0.05, 0.001)
    )
    return Probed(seen, (), "none", available=True, keep_body=False)


def _live(mock: Any, world: World, bench: Any, receiver: Receiver, outcome: Outcome) -> list[dict[str, Any]]:
    """Play the script; returns what had been told when the fault began."""
    time.sleep(STEADY_S)
    mock.set_scenario("US5", "outage:503")
    time.sleep(DOWN_S)
    with suppress(Exception):
        bench.upkeep(datetime.now(UTC), bench.settings.retention)
    time.sleep(2)
    before = [said for _, said in receiver.taken]
    outcome.began = time.monotonic()
    world.begin()
    time.sleep(world.length_s / 3 + 2)
    if not world.length_s:
        # As it comes by itself every hour, and meets damage that nobody else has met.
        with suppress(MonitorError):
            bench.upkeep(datetime.now(UTC), bench.settings.retention)
    mock.set_scenario("US5", "healthy")
    if world.length_s:
        time.sleep(world.length_s / 3)
    else:
        _wait(lambda: _resolved(receiver, "US5"))
    mock.set_scenario("EU1", "outage:503")
    time.sleep(max(outcome.began + world.length_s - time.monotonic(), 0))
    world.end()
    outcome.ended = time.monotonic() if world.length_s else outcome.began
    time.sleep(DOWN_S)
    # How long an outage lasts is not known to us either: this one ends once it has been told.
    _wait(lambda: any(said["incident"]["sites"] == ["EU1"] for _, said in receiver.taken))
    mock.set_scenario("EU1", "healthy")
    _wait(lambda: _is_over(bench, receiver))
    return before


def _wait(until: Callable[[], bool]) -> None:
    deadline = time.monotonic() + SETTLE_S
    while time.monotonic() < deadline and not until():
        time.sleep(0.5)


def _resolved(receiver: Receiver, site: str) -> bool:
    return any(said["kind"] == "resolved" and site in said["incident"]["all_sites"] for _, said in receiver.taken)


def _is_over(bench: Any, receiver: Receiver) -> bool:
    resolved = {said["incident"]["id"] for _, said in receiver.taken if said["kind"] == "resolved"}
    return (
        bench.watch.parts.vault.trouble is None
        and {said["incident"]["id"] for _, said in receiver.taken} <= resolved
        and len(resolved) >= 3
    )


def _judge(
    bench: Any, receiver: Receiver, outcome: Outcome, before: list[dict[str, Any]], asked_at: list[float]
) -> None:
    vault, store = bench.watch.parts.vault, bench.current.store
    incidents = store.incidents(IncidentFilter())
    heard: dict[int, list[dict[str, Any]]] = {}
    for _, said in receiver.taken:
        heard.setdefault(said["incident"]["id"], []).append(said)
    for incident in incidents:
        name = f"{incident.problem} {','.join(incident.all_sites)}"
        if incident.problem.startswith("monitor-"):
            outcome.own.append(incident.problem)
            outcome.own_spells += incident.problem == OWN
        elif len(incident.all_sites) == 1 and (incident.problem, incident.all_sites[0]) in REAL:
            outcome.real += 1
        else:
            outcome.false_sites.append(name)
        kinds = [said["kind"] for said in heard.get(incident.id, [])]
        order = [kind for number, kind in enumerate(kinds) if kind not in kinds[:number]]
        if order[:1] != ["opened"] or order[-1:] != ["resolved"]:
            outcome.untold.append(f"{name}: {kinds}")
        events = Counter(str(event.kind) for event in store.events(incident.id))
        if events["opened"] != 1 or events["resolved"] != 1:
            outcome.problems.append(f"{name}: {dict(events)}")
    outcome.still_open = sum(incident.resolved is None for incident in incidents) + len(store.book().incidents)
    outcome.undelivered = len(store.undelivered())
    outcome.told_meanwhile = sum(
        (said["kind"], said["incident"]["all_sites"]) in CHANGES and outcome.began < at < outcome.ended
        for at, said in receiver.taken
    )
    states = {row.notice.key: row.state for incident in incidents for row in store.notices(incident.id)}
    outcome.forgotten = [said["key"] for said in before if states.get(said["key"]) != "delivered"]
    keys = Counter((said["key"], said["kind"]) for _, said in receiver.taken)
    outcome.told_twice = sum(keys.values()) - len(keys)
    if len({key for key, _ in keys}) != len(keys):
        outcome.problems.append("one key, two notices")
    own = [at for at, said in receiver.taken if said["incident"]["rule"] == OWN]
    outcome.own_told_after_s = own[0] - outcome.began if own else None
    outcome.recovered_after_s = own[-1] - outcome.ended if own else None
    outcome.asked, outcome.dropped = len(asked_at), vault.dropped
    started = datetime.now(UTC) - timedelta(hours=1)
    outcome.kept = sum(1 for _ in store.probes(Filter(since=started)))
    outcome.old_kept = sum(1 for _ in store.probes(Filter(until=started)))
    outcome.problems += store.check()


# --- the faults ------------------------------------------------------------------------------------------------------


@dataclass
class World:
    """A store, and what goes wrong with it."""

    url: str
    length_s: float
    begin: Callable[[], None]
    end: Callable[[], None] = lambda: None


def _path(home: Path) -> Path:
    return home / "state" / "monitor.sqlite"


def _url(path: Path) -> str:
    return sqlite_url(path)


@contextmanager
def full(home: Path) -> Iterator[World]:
    """Give a store on a disk of its own that is filled up; where none can be made, files may grow no further."""
    state = home / "disk"
    state.mkdir()
    length_s, filler = FAULTS["full"][1], state / "filler"
    mount = ["mount", "-t", "tmpfs", "-o", "size=40m", "tmpfs", str(state)]
    if shutil.which("mount") is None or subprocess.run(mount, check=False, capture_output=True).returncode:
        limits = resource.getrlimit(resource.RLIMIT_FSIZE)

        def limit() -> None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (1, limits[1]))

        yield World(
            _url(state / "monitor.sqlite"),
            length_s,
            limit,
            lambda: resource.setrlimit(resource.RLIMIT_FSIZE, limits),
        )
        return

    def fill_up() -> None:
        with filler.open("wb", buffering=0) as file, suppress(OSError):
            while True:
                file.write(bytes(4096))

    try:
        yield World(_url(state / "monitor.sqlite"), length_s, fill_up, filler.unlink)
    finally:
        subprocess.run(["umount", "-l", str(state)], check=True)


@contextmanager
def locked(home: Path) -> Iterator[World]:
    """Give a store that another process locks for itself."""
    path, length_s = _path(home), FAULTS["locked"][1]
    code = (
        "import sqlite3, sys, time; c = sqlite3.connect(sys.argv[1], isolation_level=None, timeout=30);"
        "c.execute('BEGIN EXCLUSIVE'); time.sleep(float(sys.argv[2]))"
    )
    others: list[subprocess.Popen[bytes]] = []
    yield World(
        _url(path),
        length_s,
        lambda: others.append(subprocess.Popen([sys.executable, "-c", code, str(path), str(length_s)])),
        lambda: others[0].wait() and None,
    )


def _damaging(damage: Callable[[Path], None]) -> Callable[[Path], Any]:
    @contextmanager
    def damaged(home: Path) -> Iterator[World]:
        path = _path(home)
        yield World(_url(path), 0.0, lambda: damage(path))

    return damaged


def _at_rest(path: Path) -> None:
    """Have everything in the file itself: what still stands in the log beside it would outlive the damage."""
    with closing(sqlite3.connect(path, timeout=30)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").close()


def overwrite(path: Path) -> None:
    """Put random bytes over a tenth of a file, in its middle."""
    _at_rest(path)
    size = path.stat().st_size
    with path.open("r+b") as file:
        file.seek(size // 2)
        file.write(random.Random(5).randbytes(size // 10))  # noqa: S311 - repeatable on purpose


def truncate(path: Path) -> None:
    """Cut a file to half its length."""
    _at_rest(path)
    os.truncate(path, path.stat().st_size // 2)


def empty(path: Path) -> None:
    """Cut a file to nothing, and what SQLite keeps beside it."""
    for part in path.parent.glob(f"{path.name}*"):
        if part.name in {path.name, f"{path.name}-wal"}:
            os.truncate(part, 0)


@contextmanager
def server(home: Path) -> Iterator[World]:
    """Give a store on a PostgreSQL server of its own."""
    programs = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    if not programs:
        sys.exit("needs PostgreSQL: apt-get install postgresql")
    as_postgres = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"] if os.geteuid() == 0 else []
    home.chmod(0o755)
    base, data = home / "pg", home / "pg" / "data"
    base.mkdir()
    if as_postgres:
        shutil.chown(base, "postgres")

    def run(program: str, *arguments: str) -> None:
        subprocess.run(
            [*as_postgres, str(programs[0] / program), *arguments],
            check=True, cwd="/", stdout=subprocess.DEVNULL, stderr=subprocess.STDOUT,
        )  # fmt: skip

    def start() -> None:
        options = f"-c listen_addresses='' -c unix_socket_directories={base}"
        run("pg_ctl", "start", "--wait", "-D", str(data), "-o", options, "-l", str(base / "log"))

    def stop() -> None:
        run("pg_ctl", "stop", "--wait", "-D", str(data), "-m", "immediate")

    run("initdb", "--auth=trust", "--username=tester", "--no-sync", "--encoding=UTF8", "--locale=C", str(data))
    start()
    try:
        yield World(f"postgresql://tester@/postgres?host={base}", FAULTS["server"][1], stop, start)
    finally:
        stop()


_WORLDS: dict[str, Callable[[Path], Any]] = {
    "full": full,
    "locked": locked,
    "overwritten": _damaging(overwrite),
    "truncated": _damaging(truncate),
    "emptied": _damaging(empty),
    "server": server,
}


# --- figures ---------------------------------------------------------------------------------------------------------


def rows() -> list[Row]:
    """Live through all faults at once, and return a row for each."""
    children = {
        fault: subprocess.Popen([sys.executable, __file__, fault], stdout=subprocess.PIPE, text=True)
        for fault in os.environ.get("FAULTS", " ".join(FAULTS)).split()
    }
    return [row(Outcome(**json.loads(running.communicate()[0]))) for running in children.values()]


def row(outcome: Outcome) -> Row:
    """Return the figure of one fault."""
    name, length_s = FAULTS[outcome.fault]
    damaged = not length_s
    lost = outcome.asked - outcome.kept - outcome.dropped
    told_s = outcome.own_told_after_s
    right = (
        outcome.real == len(REAL)
        and not outcome.false_sites
        and outcome.own_spells == 1
        and set(outcome.own) == {OWN}
        and not outcome.untold
        and not outcome.still_open
        and not outcome.undelivered
        and not outcome.problems
        and not outcome.forgotten
        and (damaged or (not lost and outcome.old_kept == OLD_PROBES))
        and told_s is not None
        and (told_s < length_s or length_s <= LONG_S)
        and (damaged or length_s <= LONG_S or outcome.told_meanwhile == len(CHANGES))
    )
    if not right:
        print(json.dumps(asdict(outcome)), flush=True)
    return Row(
        f"{name}: other incidents of sites, notices lost, new probes lost",
        f"{len(outcome.false_sites)}, {len(outcome.untold) + outcome.undelivered}, {lost}",
        f"{outcome.real} real outages, {outcome.own_spells} of the monitor's own, {outcome.asked} probes, "
        f"{outcome.old_kept:,} of {OLD_PROBES:,} older ones",
        f"told after {told_s or 0:.0f} s, over {outcome.recovered_after_s or 0:.0f} s after its end"
        + ("" if damaged else f", {outcome.told_meanwhile} of {len(CHANGES)} changes of sites told meanwhile"),
        # What stood in the part of the file that is gone, and in no backup, nobody can give back.
        "0, 0, 0" if not damaged else "0, 0, –",
        right,
    )


if __name__ == "__main__":
    from measure import markdown

    if len(sys.argv) > 1:
        print(json.dumps(asdict(child(sys.argv[1]))))
    else:
        print(markdown(rows()))
