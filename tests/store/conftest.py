from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import uuid
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from monitors.incidents.model import (
    Acknowledgement,
    Event,
    EventKind,
    Incident,
    Notice,
    NoticeKind,
    Silence,
    Spell,
    Told,
    Track,
    TrackKey,
)
from monitors.model import Finding, Kind, Level, Observation, Phases
from monitors.store import Probed, Store, open_store, sqlite_url

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

START = datetime(2026, 6, 1, 12, 0, 0, 123_456, tzinfo=UTC)
BACKENDS = ("sqlite", "postgresql")
AS_POSTGRES = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"]


class Server:
    """A PostgreSQL server of this test session's own, on a socket in its own directory and on no port."""

    def __init__(self, home: Path) -> None:
        self.home, self.data = home, home / "data"
        # Its programs refuse to run as root.
        self._prefix = AS_POSTGRES if os.geteuid() == 0 else []
        if self._prefix:
            shutil.chown(home, "postgres")
        self._run(
            "initdb", "--auth=trust", "--username=tester", "--no-sync", "--encoding=UTF8", "--locale=C", str(self.data)
        )
        self.start()

    def _run(self, program: str, *arguments: str) -> None:
        found = find_program(program)
        assert found is not None
        ran = subprocess.run(  # noqa: S603 - programs of PostgreSQL
            [*self._prefix, found, *arguments],
            check=False,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd="/",
        )
        assert ran.returncode == 0, ran.stdout

    def start(self) -> None:
        options = f"-c listen_addresses='' -c unix_socket_directories={self.home} -c fsync=off -c max_connections=50"
        self._run("pg_ctl", "start", "--wait", "-D", str(self.data), "-o", options, "-l", str(self.home / "log"))

    @contextmanager
    def hanging(self) -> Iterator[None]:
        """Have every process of the server stopped, as one is whose disk does not answer."""
        postmaster = int((self.data / "postmaster.pid").read_text("utf-8").split()[0])
        # The postmaster stops first and goes on last: meanwhile nobody reaps its dead, and every number stays its own.
        os.kill(postmaster, signal.SIGSTOP)
        children = Path(f"/proc/{postmaster}/task/{postmaster}/children").read_text("utf-8").split()
        stopped = [*map(int, children), postmaster]
        try:
            for number in stopped:
                send(number, signal.SIGSTOP)
            yield
        finally:
            for number in stopped:
                send(number, signal.SIGCONT)

    def stop(self) -> None:
        self._run("pg_ctl", "stop", "--wait", "-D", str(self.data), "-m", "immediate")

    def url(self, database: str = "postgres", **extra: str) -> str:
        more = "".join(f"&{name}={value}" for name, value in extra.items())
        return f"postgresql://tester@/{database}?host={self.home}{more}"

    def make_database(self) -> str:
        import psycopg  # noqa: PLC0415 - installed where there is a server to test on

        name = f"t{uuid.uuid4().hex}"
        with psycopg.connect(f"host={self.home} user=tester dbname=postgres", autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name} STRATEGY FILE_COPY")
        return self.url(name)


def send(number: int, what: signal.Signals) -> None:
    """Signal a process that may have ended meanwhile, as PostgreSQL's helpers do whenever they are done."""
    with suppress(ProcessLookupError):
        os.kill(number, what)


def find_program(name: str) -> str | None:
    """Return where a program of PostgreSQL lies; Debian keeps them off the path."""
    if found := shutil.which(name):
        return os.path.realpath(found)
    return next(map(str, sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), reverse=True)), None)


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """Start a PostgreSQL server; in CI there must be one to start."""
    if find_program("initdb") is None:
        if os.environ.get("CI"):
            pytest.fail("PostgreSQL is not installed, and CI tests the store on it: apt-get install postgresql")
        pytest.skip("PostgreSQL is not installed: apt-get install postgresql")
    # A socket's path may have 107 bytes, which pytest's directories use up.
    with tempfile.TemporaryDirectory(prefix="pg-", dir="/tmp") as home:
        running = Server(Path(home))
        try:
            yield running
        finally:
            running.stop()


@pytest.fixture(params=BACKENDS)
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Return the URL of a store that is not there yet, on each database in turn."""
    if request.param == "sqlite":
        return sqlite_url(tmp_path / "state" / "monitor.sqlite")
    server: Server = request.getfixturevalue("server")
    return server.make_database()


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    with open_store(url) as opened:
        yield opened


@pytest.fixture
def file_store(tmp_path: Path) -> Iterator[Store]:
    """Open a store in a file, for what is the same on every database, or is about files."""
    with open_store(sqlite_url(tmp_path / "state" / "monitor.sqlite")) as opened:
        yield opened


def make_finding(
    rule: str = "unreachable",
    level: Level = Level.BREAKING,
    kind: Kind = Kind.AVAILABILITY,
    message: str = "no answer",
    **more: Any,
) -> Finding:
    return Finding(rule, level, kind, message, **{"site": "US5", "check": "run", **more})


def make_probe(  # noqa: PLR0917 - what tests vary most
    site: str = "US5",
    check: str = "run",
    at: datetime = START,
    total_s: float = 0.1,
    findings: tuple[Finding, ...] = (),
    body: bytes = b"",
    **more: Any,
) -> Probed:
    seen = Observation(
        site=site,
        check=check,
        at=at,
        method="GET",
        url="https://127.0.0.1/",
        run_id="1",
        with_keys=True,
        status=more.pop("status", 200),
        body=body,
        phases=Phases(resolve_s=0.001, connect_s=0.002, tls_s=None, first_byte_s=total_s - 0.003),
    )
    return Probed(seen, findings, **{"keep_body": bool(body), **more})


def make_incident(number: int = 1, **more: Any) -> Incident:
    known: dict[str, Any] = {
        "problem": f"problem-{number}",
        "finding": make_finding(message="gone \ud800\0 \u202e", at=START),
        "level": Level.BREAKING,
        "since": START,
        "opened": START + timedelta(minutes=3),
        "spells": (Spell("US5", START, Level.BREAKING, "unreachable", "no answer\0"),),
    }
    return Incident(number, **{**known, **more})


def make_track(site: str = "US5", **more: Any) -> Track:
    key = TrackKey("problem-1", site, "run")
    known: dict[str, Any] = {"finding": make_finding(base=[1, "é"]), "window": "x.x", "first": START, "last": START}
    return Track(key, **{**known, **more})


def make_notice(sink: str = "chat", incident: int = 1, number: int = 1, at: datetime = START, **more: Any) -> Notice:
    key = more.pop("key", f"abc-{incident}-{number}-{sink}")
    content = {"kind": "opened", "incident": {"id": incident, "message": "\ud800\0"}}
    return Notice(sink, incident, number, more.pop("kind", NoticeKind.OPENED), key, at, content)


def fill_book(store: Store) -> None:
    """Let the book have something of everything."""
    with store.writing() as writing:
        before = writing.book()
        seen = Acknowledgement("Ann \0", START, "on it")
        spells = (Spell("US5", START, Level.WARNING, "r", "m", START), Spell("EU1", START, Level.BREAKING, "r", "m"))
        after = replace(
            before,
            tracks={track.key: track for track in (make_track(), make_track("EU1", opened=START, relapses=2))},
            incidents={1: make_incident(1), 2: make_incident(2, acknowledged=seen, spells=spells)},
            told={(1, "chat"): Told(1, "chat", 1, NoticeKind.OPENED, START, ("US5",), Level.BREAKING)},
            silences=(Silence(1, START + timedelta(hours=2), "works", "Ann", START, 2, "rule", ("US5",)),),
            next_id=3,
        )
        happened = [Event(1, START, EventKind.OPENED, "opened \ud800", ("US5",), "Ann")]
        writing.put_book(before, after, happened)
        writing.queue([make_notice()])


@pytest.fixture
def finding() -> Callable[..., Finding]:
    return make_finding


@pytest.fixture
def probe() -> Callable[..., Probed]:
    return make_probe


@pytest.fixture
def incident() -> Callable[..., Incident]:
    return make_incident


@pytest.fixture
def track() -> Callable[..., Track]:
    return make_track


@pytest.fixture
def notice() -> Callable[..., Notice]:
    return make_notice


@pytest.fixture
def fill() -> Callable[[Store], None]:
    return fill_book


@pytest.fixture
def start() -> datetime:
    return START
