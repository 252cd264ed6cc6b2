"""`watch` as a person, cron and a service manager run it."""

from __future__ import annotations

import json
import os
import queue
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jsonschema_rs
import pytest
from markdown_it import MarkdownIt

import schemas
from monitors import __version__
from monitors.checks import CHECKS
from monitors.commands.pass_report import report_of
from monitors.commands.targets import Wiring
from monitors.commands.watch_settings import Asked
from monitors.commands.watching import Bench
from monitors.incidents import people
from monitors.store import FILE_NAME, StoreBusyError, open_store, sqlite_url
from monitors.store.values import Filter, IncidentFilter

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from conftest import Cli

    from monitors.store import Store

REPORT = jsonschema_rs.Draft202012Validator(schemas.document("report"))
NULLED = "US5=drifted:nulled@$.data.attributes.name"
CHANGED = "drifted:unit-changed@$.data.attributes.duration"
SECRET = "hook-secret-0123456789abcdef"
QUIET = """
[watch]
connectivity = []
confirm_pause_s = 0
jitter_s = 0
min_free_mb = 0
budget_per_minute = 600
"""
STAND_INS = (
    "--mock, --resolve and --connect-to put others in place of the real sites, whose history is not theirs; "
    "name a directory for it with --state-dir"
)
LOG_SINK = '\n[sinks.log]\ntype = "stdout"\n'


@contextmanager
def hook() -> Iterator[tuple[str, queue.SimpleQueue[Any]]]:
    """Run a webhook on loopback; yield a table of the configuration that names it, and what it gets."""
    got: queue.SimpleQueue[Any] = queue.SimpleQueue()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            got.put(json.loads(self.rfile.read(int(self.headers["content-length"]))))
            self.send_response(200)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_args: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        url = f"http://127.0.0.1:{server.server_address[1]}/hook"
        yield f'\n[sinks.hook]\ntype = "webhook"\nurl = "{url}"\nsecret_env = "HOOK_SECRET"\n', got
        server.shutdown()


def configure(folder: Path, more: str = "") -> Path:
    path = folder / "watch.toml"
    path.write_text(QUIET + more, "utf-8")
    return path


@pytest.fixture
def once(cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """Make one pass over two mock sites, with a configuration and a store in the directory."""
    monkeypatch.setenv("HOOK_SECRET", SECRET)
    config = configure(tmp_path)

    def ran(*arguments: str | Path, sites: str = "US5,EU1") -> Any:
        return cli("watch", "--once", "--site", sites, "--config", config, "--state-dir", "state", *arguments)

    return ran


def kept(folder: Path) -> Any:
    return open_store(sqlite_url(folder / "state" / "monitor.sqlite"))


# --- one pass ---

SCENARIOS = [("healthy", 0, "none"), (NULLED, 1, "breaking"), ("US5=outage:503", 3, "breaking")]


@pytest.mark.parametrize(("scenario", "code", "verdict"), SCENARIOS, ids=["healthy", "broken", "down"])
def test_a_pass_reports_as_a_probe_does(scenario: str, code: int, verdict: str, once: Any, tmp_path: Path) -> None:
    ran = once("--mock", scenario, "--format", "json", "--save", "whole.json")
    report = json.loads(ran.out)
    REPORT.validate(report)
    assert (ran.code, ran.err, report["verdict"]) == (code, "", verdict)
    assert json.loads((tmp_path / "whole.json").read_text("utf-8")) == report
    with kept(tmp_path) as store:
        assert len(list(store.probes(Filter(checks=("run",), sites=("EU1",))))) == 1
        assert len(store.incidents(IncidentFilter())) == (code != 0)


@pytest.mark.parametrize("format_", ["table", "ndjson", "junit", "markdown", "github"])
def test_a_pass_prints_in_every_format(format_: str, once: Any) -> None:
    ran = once("--mock", NULLED, "--format", format_)
    assert (ran.code, ran.err) == (1, "")
    marks = {
        "table": "✗ breaking",
        "ndjson": '"rule": "response-property-became-nullable"',
        "junit": "<testsuites",
        "markdown": "### Model Lab API: breaking",
        "github": "::error ",
    }
    assert marks[format_] in ran.out.replace('"rule":"', '"rule": "')
    if format_ == "markdown":
        assert "<table>" in MarkdownIt("gfm-like", {"linkify": False}).render(ran.out)


def test_a_pass_that_waits_to_look_again_says_so(once: Any, tmp_path: Path) -> None:
    config = configure(tmp_path)
    config.write_text(config.read_text("utf-8").replace("confirm_pause_s = 0", "confirm_pause_s = 0.01"), "utf-8")
    ran = once("--mock", NULLED, "--format", "json")
    assert (ran.code, ran.err) == (1, "looking again at US5 in 0.01 s\n")
    assert json.loads(ran.out)["verdict"] == "breaking"
    assert once("--mock", NULLED.replace("US5", "EU1"), "--log-level", "error").err == ""


def test_the_level_that_fails_is_chosen_or_configured(once: Any, tmp_path: Path) -> None:
    assert once("--mock", NULLED, "--fail-on", "never").code == 0
    configure(tmp_path, LOG_SINK)
    assert once("--mock", "US5=drifted:member-added", "--fail-on", "info").code == 1


def test_a_report_may_go_to_a_file(once: Any, tmp_path: Path) -> None:
    ran = once("--mock", NULLED, "--output", "report.md", "--format", "markdown")
    assert (ran.code, ran.out) == (1, "")
    assert (tmp_path / "report.md").read_text("utf-8").startswith("### Model Lab API: breaking")


def test_what_is_told_once_is_not_told_again_until_it_is_over(once: Any, tmp_path: Path) -> None:
    with hook() as (sink, got):
        configure(tmp_path, sink)
        for scenario in ("US5=outage:503", "US5=outage:503", "healthy", "healthy"):
            once("--mock", scenario)
        told = [got.get(timeout=10) for _ in range(2)]
        assert got.empty()
    assert [said["kind"] for said in told] == ["opened", "resolved"]
    assert [said["incident"]["id"] for said in told] == [1, 1]


def test_what_no_sink_took_is_told_and_waits_in_the_store(once: Any, tmp_path: Path) -> None:
    with hook() as (sink, _):
        pass
    configure(tmp_path, sink + "timeout_s = 5\n")
    configured = (tmp_path / "watch.toml").read_text("utf-8")
    (tmp_path / "watch.toml").write_text(configured.replace("[watch]", "[watch]\nstop_s = 1"), "utf-8")
    ran = once("--mock", "US5=outage:503")
    assert ran.code == 3
    said = json.loads(ran.err.splitlines()[-1])
    assert (said["event"], said["sink"], said["incident"]) == ("not delivered yet", "hook", 1)
    with hook() as (sink, got):
        configure(tmp_path, sink)
        with kept(tmp_path) as store:
            [row] = store.undelivered()
            store.mark_failed(row.id, row.notice.at, "down", row.notice.at)
        once("--mock", "US5=outage:503")
        assert got.get(timeout=10)["kind"] == "opened"


def test_what_waits_for_a_sink_that_is_gone_is_no_error_and_is_given_up_in_time(once: Any, tmp_path: Path) -> None:
    with hook() as (sink, _):
        pass
    configure(tmp_path, sink.replace("hook]", "gone]") + "timeout_s = 5\n")
    configured = (tmp_path / "watch.toml").read_text("utf-8")
    (tmp_path / "watch.toml").write_text(configured.replace("[watch]", "[watch]\nstop_s = 1"), "utf-8")
    once("--mock", "US5=outage:503")
    configure(tmp_path, LOG_SINK)
    assert once("--mock", "US5=outage:503", "--log-level", "warning").err == ""
    said = [json.loads(line) for line in once("--mock", "US5=outage:503", "--log-level", "debug").err.splitlines()]
    (waits,) = [row for row in said if row["event"] == "not delivered yet"]
    no_sink = "no sink of this name is configured"
    assert (waits["level"], waits["sink"], waits["reason"]) == ("info", "gone", no_sink)
    with open_store(sqlite_url(Path("state") / FILE_NAME)) as store, store.writing() as writing:
        day_us = 86_400_000_000
        writing.connection.exec_driver_sql(f"UPDATE outbox SET at_us = at_us - {8 * day_us} WHERE sink = 'gone'")  # noqa: S608 - a number
    said = [json.loads(line) for line in once("--mock", "US5=outage:503", "--log-level", "warning").err.splitlines()]
    (given_up,) = [row for row in said if row["event"] == "notices given up"]
    assert (given_up["level"], given_up["reason"], given_up["notices"]) == ("warning", no_sink, 1)
    assert "not delivered yet" not in once("--mock", "US5=outage:503", "--log-level", "debug").err


def test_a_digest_is_sent_with_a_pass_where_it_is_asked_for(once: Any, tmp_path: Path) -> None:
    with hook() as (sink, got):
        configure(tmp_path, sink + "digest = true\n")
        assert once("--mock", "US5=outage:503").code == 3
        assert once("--mock", "US5=outage:503", "--digest").code == 3
        said = got.get(timeout=10)
        assert got.empty()
    assert said["kind"] == "digest"
    assert [entry["sites"] for entry in said["digest"]["open"]] == [["US5"]]
    assert {row["site"] for row in said["digest"]["uptime"]} == {"US5", "EU1"}


def test_drift_of_one_site_stays_in_the_report_when_another_is_looked_at_again(once: Any) -> None:
    runs = ("--run-id", "US5=1004", "--run-id", "EU1=1004")
    assert once("--mock", *runs).code == 0
    assert once("--mock", f"US5={CHANGED}", *runs).code == 1
    report = json.loads(once("--mock", f"US5={CHANGED}", "--mock", f"EU1={CHANGED}", *runs, "--format", "json").out)
    rule = "response-property-unit-changed"
    assert {entry["site"] for entry in report["findings"] if entry["rule"] == rule} == {"US5", "EU1"}


def test_accepted_findings_are_told_and_count_for_nothing(once: Any, cli: Cli, tmp_path: Path) -> None:
    assert once("--mock", NULLED, "--save", "report.json").code == 1
    finding = json.loads((tmp_path / "report.json").read_text("utf-8"))["findings"][0]["fingerprint"]
    assert cli("accept", finding, "--from", "report.json", "--reason", "known", "--by", "Ada").code == 0
    ran = once("--mock", NULLED, "--format", "json")
    assert (ran.code, json.loads(ran.out)["verdict"]) == (0, "none")
    with kept(tmp_path) as store:
        assert [entry.why_resolved for entry in store.incidents(IncidentFilter())] == ["recovered"]


def test_checks_without_keys_are_skipped_and_keys_are_seen_nowhere(
    cli: Cli, tmp_path: Path, wired: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DD_API_KEY_US5", "mock-api-key")
    monkeypatch.setenv("DD_APP_KEY_US5", "mock-app-key")
    monkeypatch.setenv("MODEL_LAB_RUN_ID_US5", "1001")
    options = ("--config", configure(tmp_path), "--state-dir", "state", "--format", "json", "--log-level", "debug")
    ran = cli("watch", "--once", "--site", "US5,EU1", *options, *wired)
    report = json.loads(ran.out)
    assert {(entry["site"], entry["check"]) for entry in report["summary"]["skipped"]} == {
        ("EU1", "run"), ("EU1", "not-found"), ("EU1", "bad-request"),
    }  # fmt: skip
    assert [entry["status"] for entry in report["observations"]] == [200, 404, 400, 401, 401]
    with kept(tmp_path) as store:
        exported = "".join(store.export())
    assert '"probed"' in ran.err
    for text in (ran.out, ran.err, exported):
        assert "mock-api-key" not in text
        assert "mock-app-key" not in text


class Busy:
    """A store that is locked whenever it is to be kept in order."""

    def __init__(self, store: Store) -> None:
        self.store = store

    def __getattr__(self, name: str) -> Any:
        return getattr(self.store, name)

    def retain(self, *_: object) -> None:
        message = "the store is locked"
        raise StoreBusyError(message)


def test_a_pass_whose_end_fails_reports_what_it_found_and_what_failed(tmp_path: Path) -> None:
    asked = Asked(("US5",), (), configure(tmp_path), (), None, None, None, Wiring(mock=("US5=outage:503",)))
    url = sqlite_url(tmp_path / "monitor.sqlite")
    said: list[tuple[str, str]] = []
    busy: Any = lambda _settings: Busy(open_store(url))  # noqa: E731 - a store in disguise
    with Bench(asked, lambda level, event, **_: said.append((level, event)), lambda _: None, busy) as bench:
        report = report_of(bench, bench.once(digest=False), None)
    assert len(report.observations) == 4
    assert report.harness_failures == ("the store could not be kept in order: the store is locked",)
    assert ("error", "the store could not be kept in order") in said
    with open_store(url) as store:
        assert len(store.incidents(IncidentFilter())) == 1


def test_a_pass_in_which_nothing_could_be_judged_tells_the_sites_all_the_same(
    once: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    start = threading.Thread.start

    def refuse(thread: threading.Thread) -> None:
        if thread.name.startswith("probe-"):
            message = "can't start new thread"
            raise RuntimeError(message)
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", refuse)
    ran = once("--mock", "--format", "json", "--save", "whole.json")
    report = json.loads(ran.out)
    assert (ran.code, report["observations"]) == (4, [])
    assert {(row["site"], row["check"]) for row in report["summary"]["skipped"]} == {
        (site, check) for site in ("US5", "EU1") for check in CHECKS
    }
    assert {row["reason"] for row in report["summary"]["skipped"]} == {
        "nothing can be said of it, as the trouble is here"
    }
    (said,) = [json.loads(line) for line in ran.err.splitlines()]
    assert (said["event"], said["probes"], said["sites"]) == ("not known", 8, ["US5", "EU1"])
    table = once("--mock").out
    assert "Not made: run, not-found, bad-request and unauthenticated on US5 and EU1: nothing can be said" in table
    assert table.endswith("The monitor itself failed (0 probes of 2 sites).\n")


# --- mistakes ---


@pytest.mark.parametrize(
    "arguments",
    [
        ("--format", "json"),
        ("--output", "x"),
        ("--save", "x"),
        ("--fail-on", "info"),
        ("--digest",),
        ("--format", "table"),
    ],
)
def test_what_speaks_of_a_report_needs_once(arguments: tuple[str, ...], cli: Cli, tmp_path: Path) -> None:
    ran = cli("watch", "--mock", "--state-dir", "state", *arguments)
    assert (ran.code, ran.out) == (2, "")
    assert ran.err == (
        f"error: {arguments[0]} is for a single pass; add --once, or leave it out; see model-lab-monitor watch --help\n"
    )
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (
            "--once --mock",
            STAND_INS,
        ),
        (
            "--once --mock --check rnu",
            "unknown check 'rnu'; did you mean run? Known: run, not-found, bad-request, unauthenticated.",
        ),
        (
            "--interval 0.5 --mock",
            "invalid value for '--interval': 0.5 is not in the range 1<=x<=2592000; see model-lab-monitor watch --help",
        ),
        ("--mock otage --state-dir state", "--mock: unknown scenario 'otage'; did you mean outage?"),
        ("--config gone.toml", "cannot read the configuration file gone.toml: no such file or directory"),
    ],
)
def test_a_mistake_is_told_before_anything_is_asked(arguments: str, said: str, cli: Cli, tmp_path: Path) -> None:
    ran = cli("watch", *arguments.split())
    assert (ran.code, ran.out, ran.err) == (2, "", f"error: {said}\n")
    assert not (tmp_path / "state" / "monitor.sqlite").exists()


# --- without end ---


def until(holds: Callable[[], object], timeout_s: float = 60) -> None:
    """Wait until something holds."""
    deadline = time.monotonic() + timeout_s
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.02)


@contextmanager
def meanwhile(act: Callable[[], None]) -> Iterator[None]:
    """Act while this process watches, then have it stop; what goes wrong in acting is raised at the end."""
    failed: list[BaseException] = []

    def run() -> None:
        try:
            until(lambda: signal.getsignal(signal.SIGTERM) is not before)
            act()
        except BaseException as error:  # noqa: BLE001 - raised in the test's own thread below
            failed.append(error)
        if signal.getsignal(signal.SIGTERM) is not before:
            os.kill(os.getpid(), signal.SIGTERM)

    before = signal.getsignal(signal.SIGTERM)
    thread = threading.Thread(target=run)
    thread.start()
    yield
    thread.join()
    for error in failed:
        raise error


def test_a_sink_that_is_configured_meanwhile_is_told_of_what_is_open(once: Any, cli: Cli, tmp_path: Path) -> None:
    assert once("--mock", "US5=outage:503").code == 3
    with kept(tmp_path) as store, store.writing() as tx:
        tx.put_meta("digest", "2026-01-01T00:00:00+00:00")
    told = []
    with hook() as (sink, got):

        def act() -> None:
            plan = QUIET.replace("[watch]", '[watch]\ndigest_cron = "* * * * *"')
            (tmp_path / "watch.toml").write_text(plan + sink + "digest = true\nincidents = true\n", "utf-8")
            os.kill(os.getpid(), signal.SIGHUP)
            told.extend(got.get(timeout=60)["kind"] for _ in range(2))
            (tmp_path / "watch.toml").write_text("[watch]\nintervall = 3\n", "utf-8")
            os.kill(os.getpid(), signal.SIGHUP)
            until(lambda: "monitor-config-refused" in problems())

        def problems() -> set[str]:
            with kept(tmp_path) as store:
                return {entry.problem for entry in store.incidents(IncidentFilter())}

        with meanwhile(act):
            ran = cli("watch", "--site", "US5,EU1", "--interval", "1", "--config", "watch.toml", "--state-dir", "state",
                      "--mock", "US5=outage:503")  # fmt: skip
    assert (ran.code, ran.out) == (0, "")
    assert sorted(told) == ["digest", "opened"]
    events = [json.loads(line)["event"] for line in ran.err.splitlines()]
    assert "configuration taken over" in events
    assert "the configuration is refused; the one before stays in force" in events


def test_what_people_do_meanwhile_and_what_is_planned_is_in_the_log(once: Any, cli: Cli, tmp_path: Path) -> None:
    assert once("--mock", "US5=outage:503").code == 3
    window = 'sites = ["EU1"]\nstart = 2026-01-01T00:00:00Z\nend = 2999-01-01T00:00:00Z\n'
    configure(tmp_path, f"[maintenance.move]\n{window}")

    def probes() -> int:
        with kept(tmp_path) as store:
            return len(list(store.probes(Filter(checks=("run",)))))

    def act() -> None:
        first = probes()
        until(lambda: probes() > first)
        with kept(tmp_path) as store, store.writing() as tx:
            book = tx.book()
            done = people.acknowledge(book, 1, by="ada", reason="on it", at=datetime.now(UTC))
            tx.put_book(book, done.book, done.events)
        second = probes()
        until(lambda: probes() > second + 2)

    with meanwhile(act):
        ran = cli("watch", "--site", "US5,EU1", "--interval", "1", "--config", "watch.toml", "--state-dir", "state",
                  "--log-format", "logfmt", "--mock", "US5=outage:503")  # fmt: skip
    assert ran.code == 0
    assert 'event="in maintenance" window=move sites=EU1 until=2999-01-01T00:00:00Z\n' in ran.err
    assert 'event="incident acknowledged" incident=1 sites=US5 by=ada reason="on it"\n' in ran.err


def test_real_sites_are_watched_with_what_their_keys_allow(
    cli: Cli, tmp_path: Path, wired: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DD_API_KEY_US5", "mock-api-key")
    monkeypatch.setenv("DD_APP_KEY_US5", "mock-app-key")

    def act() -> None:
        until((tmp_path / "state" / "monitor.sqlite").exists)
        until(probed)

    def probed() -> bool:
        with kept(tmp_path) as store:
            return len({(row.site, row.check) for row in store.probes(Filter())}) == 4

    options = ("--config", configure(tmp_path), "--state-dir", "state", "--log-format", "logfmt", "--interval", "60")
    with meanwhile(act):
        ran = cli("watch", "--site", "US5,EU1", *options, *wired)
    assert (ran.code, ran.out) == (0, "")
    (first,) = (line for line in ran.err.splitlines() if "level=info event=watching" in line)
    store = (tmp_path / "state" / "monitor.sqlite").relative_to(tmp_path)
    assert f"version={__version__} store={store} configuration={tmp_path}/watch.toml" in first
    assert "sinks" not in first, "there are none"
    assert "mock-app-key" not in ran.err


class Running:
    """A process that watches, and the lines it logs."""

    def __init__(self, folder: Path, *arguments: str, environ: dict[str, str] | None = None) -> None:
        root = Path(__file__).parents[2]
        clean = {
            name: text
            for name, text in os.environ.items()
            if not name.startswith(("DD_", "MODEL_LAB_", "GITHUB_")) and not name.lower().endswith("_proxy")
        }
        self.process = subprocess.Popen(  # noqa: S603 - our own interpreter
            [
                sys.executable,
                "-c",
                "from monitors.cli import main; main()",
                "watch",
                "--state-dir",
                "state",
                *arguments,
            ],
            cwd=folder,
            env={**clean, "PYTHONPATH": str(root), "HOOK_SECRET": SECRET, **(environ or {})},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self.seen: list[str] = []
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.lines.put(line)
        self.lines.put(None)

    def wait_for(self, word: str, timeout_s: float = 30) -> str:
        """Return the next line with a word in it."""
        deadline = time.monotonic() + timeout_s
        while True:
            line = self.lines.get(timeout=max(deadline - time.monotonic(), 0.01))
            assert line is not None, f"ended without {word!r}: {''.join(self.seen)}"
            self.seen.append(line)
            if word in line:
                return line

    def end(self, number: int = signal.SIGTERM) -> int:
        """Send a signal and return the exit code; everything it said is in `seen`."""
        self.process.send_signal(number)
        code = self.process.wait(timeout=60)
        while (line := self.lines.get(timeout=10)) is not None:
            self.seen.append(line)
        return code

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait(timeout=10)
        for stream in (self.process.stdout, self.process.stderr):
            assert stream is not None
            stream.close()


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Callable[..., Running]]:
    started: list[Running] = []

    def start(*arguments: str, **options: Any) -> Running:
        started.append(Running(tmp_path, *arguments, **options))
        return started[-1]

    yield start
    for each in started:
        each.close()


MOCK = (
    "--site",
    "US5",
    "--check",
    "run",
    "--interval",
    "1",
    "--config",
    "watch.toml",
    "--log-level",
    "debug",
    "--mock",
)


def test_a_service_is_ready_reloads_refuses_mistakes_and_stops(running: Any, tmp_path: Path) -> None:
    config = configure(tmp_path)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        manager.settimeout(30)
        watch = running(*MOCK, environ={"NOTIFY_SOCKET": str(tmp_path / "notify")})
        statuses: list[str] = []

        def told() -> str:
            first = manager.recv(4096).decode().partition("\n")[0]
            if first.startswith("STATUS="):
                statuses.append(first)
                return told()
            return first

        assert told() == "READY=1"
        watch.wait_for('"probed"')
        watch.process.send_signal(signal.SIGHUP)
        assert [told(), told()] == ["RELOADING=1", "READY=1"]
        watch.wait_for('"configuration taken over"')
        config.write_text(config.read_text("utf-8").replace("jitter_s", "jiter_s"), "utf-8")
        refused = json.loads(watch.wait_for("the configuration is refused"))
        assert (refused["level"], "did you mean jitter_s" in refused["reason"]) == ("error", True)
        assert json.loads(watch.wait_for("incident opened"))["message"].startswith("watch.toml:5: ")
        assert [told(), told()] == ["RELOADING=1", "READY=1"]
        watch.wait_for('"probed"')
        configure(tmp_path)
        watch.process.send_signal(signal.SIGHUP)
        watch.wait_for('"configuration taken over"')
        watch.wait_for("incident resolved")
        assert watch.end() == 0
        assert [told(), told(), told()] == ["RELOADING=1", "READY=1", "STOPPING=1"]
        assert "STATUS=1 site, 1 open incident; the configuration is refused" in statuses
    events = [json.loads(line)["event"] for line in watch.seen]
    assert events[-2:] == ["asked to stop", "stopped"]
    assert watch.process.stdout.read() == ""
    with kept(tmp_path) as store:
        assert len(list(store.probes(Filter()))) >= 2


def test_more_than_the_budget_is_told_and_asked_more_rarely(running: Any, tmp_path: Path) -> None:
    path = configure(tmp_path)
    path.write_text(QUIET.replace("budget_per_minute = 600", "budget_per_minute = 20"), "utf-8")
    watch = running("--interval", "3", "--config", "watch.toml", "--site", "US5,EU1", "--mock")
    said = json.loads(watch.wait_for("more is asked for than the budget lets through"))
    assert (said["level"], said["reason"]) == (
        "warning",
        "US5 and EU1: 80 probes a minute are asked of each and 20 let through: each check is made every 12.6 s",
    )
    assert watch.end() == 0


def test_a_configuration_that_mock_sites_do_not_take_is_named(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = ("watch", "--once", "--mock", "--site", "US5", "--state-dir", "state", "--check", "run")
    assert cli(*options).err == ""
    configure(tmp_path).rename(tmp_path / "model-lab-monitor.toml")
    said = "{0} is left aside with --mock; --config {0} takes it\n"
    assert cli(*options).err == said.format("model-lab-monitor.toml")
    assert cli(*options, "--config", "model-lab-monitor.toml").err == ""
    assert cli(*options, "--log-level", "error").err == ""
    monkeypatch.setenv("MODEL_LAB_MONITOR_CONFIG", "other.toml")
    assert cli(*options).err == said.format("other.toml")


def test_checks_left_out_for_the_same_reason_share_a_line_that_says_where_keys_may_be(
    running: Any, tmp_path: Path, wired: list[str]
) -> None:
    configure(tmp_path)
    watch = running("--config", "watch.toml", "--interval", "60", *wired)
    said = json.loads(watch.wait_for("checks left out"))
    assert watch.end() == 0
    assert (said["checks"], len(said["sites"])) == (["run", "not-found", "bad-request"], 9)
    assert said["reason"] == (
        "no keys: set DD_API_KEY_SITE and DD_APP_KEY_SITE, e.g. DD_API_KEY_US1; "
        "or name files that hold them, in variables of the same names with _FILE at the end"
    )
    assert len([line for line in watch.seen if "checks left out" in line]) == 1


def test_a_second_instance_names_the_first_and_leaves(running: Any, cli: Cli, tmp_path: Path) -> None:
    configure(tmp_path)
    first = running(*MOCK)
    first.wait_for('"watching"')
    ran = cli("watch", "--once", "--mock", "--site", "US5", "--config", "watch.toml", "--state-dir", "state")
    assert (ran.code, ran.out) == (4, "")
    assert ran.err.startswith("error: ")
    assert f"{first.process.pid}" in ran.err
    assert "model-lab-monitor watch" in ran.err
    assert first.end(signal.SIGINT) == 0
    assert cli("watch", "--once", "--mock", "--site", "US5", "--config", "watch.toml", "--state-dir", "state").code == 0


def test_a_store_that_is_removed_is_told_of_and_made_anew_and_stays_held(
    running: Any, once: Any, tmp_path: Path
) -> None:
    with hook() as (sink, got):
        configure(tmp_path, sink)
        watch = running(*MOCK, "US5=outage:503")
        assert got.get(timeout=30)["incident"]["rule"] == "edge-answer"
        with kept(tmp_path) as store:
            installation = store.book().installation
        for path in (tmp_path / "state").glob("monitor.sqlite*"):
            path.unlink()
        told = [got.get(timeout=30) for _ in range(2)]
        assert [(each["kind"], each["incident"]["rule"]) for each in told] == [
            ("opened", "monitor-store-failed"),
            ("resolved", "monitor-store-failed"),
        ]
        watch.wait_for("the store was opened anew")
        ran = once("--mock")
        assert ran.code == 4
        assert f"process {watch.process.pid} on" in ran.err
        assert watch.end() == 0
        assert got.empty()
    with kept(tmp_path) as store:
        assert store.book().installation == installation
        assert sorted(each.finding.rule for each in store.incidents(IncidentFilter())) == [
            "edge-answer",
            "monitor-store-failed",
        ]
        assert list(store.probes(Filter()))


def test_a_monitor_whose_store_another_took_over_says_so_and_ends(running: Any, tmp_path: Path) -> None:
    configure(tmp_path)
    watch = running(*MOCK)
    watch.wait_for('"probed"')
    watch.process.send_signal(signal.SIGSTOP)
    (tmp_path / "state").rename(tmp_path / "away")
    with kept(tmp_path) as other, other.hold("other"):
        watch.process.send_signal(signal.SIGCONT)
        assert watch.process.wait(60) == 4
        said = [*watch.seen, *iter(lambda: watch.lines.get(timeout=10), None)]
        assert said[-1].startswith("error: state/monitor.sqlite: `other` runs on this store, process ")
        assert len([line for line in said if "another instance took the store over" in line]) == 1
        assert list(other.probes(Filter())) == []


def test_a_killed_monitor_tells_nothing_twice_and_nothing_secret_is_seen(running: Any, tmp_path: Path) -> None:
    with hook() as (sink, got):
        configure(tmp_path, sink)
        first = running(*MOCK, "US5=outage:503")
        assert got.get(timeout=30)["kind"] == "opened"
        # Killed between the sink's word and its note of it, it would send the same key again.
        with kept(tmp_path) as store:
            while store.undelivered():
                first.wait_for('"probed"')
        line = Path(f"/proc/{first.process.pid}/cmdline").read_bytes()
        first.end(signal.SIGKILL)
        second = running(*MOCK, "US5=outage:503")
        for _ in range(3):
            second.wait_for('"probed"')
        assert second.end() == 0
        third = running(*MOCK)
        assert got.get(timeout=30)["kind"] == "resolved"
        third.wait_for("notice delivered")
        assert third.end() == 0
        assert got.empty()
    said = "".join([*first.seen, *second.seen, *third.seen, third.process.stdout.read()])
    with kept(tmp_path) as store:
        exported = "".join(store.export())
    for text in (said, exported, line.decode()):
        assert SECRET not in text
        assert "mock-app-key" not in text


@contextmanager
def silent() -> Iterator[socket.socket]:
    """Listen and say nothing: whoever asks hangs until its deadline."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(60)
        yield listening


def asking(listening: socket.socket) -> tuple[str, ...]:
    """Return options that lead a check to the silent listener, and have it wait."""
    port = listening.getsockname()[1]
    return ("--site", "US5", "--check", "unauthenticated", "--timeout", "60", "--connect-to", f"::127.0.0.1:{port}")


def test_what_is_under_way_is_finished_before_it_stops(running: Any, tmp_path: Path) -> None:
    configure(tmp_path)
    watch = running(*MOCK, "slow:1")
    watch.wait_for('"probed"')
    watch.wait_for('"probed"')
    assert watch.end() == 0
    assert [json.loads(line)["event"] for line in watch.seen][-2:] == ["asked to stop", "stopped"]


def test_a_second_signal_does_not_wait_for_what_is_under_way(running: Any, tmp_path: Path) -> None:
    configure(tmp_path)
    with silent() as listening:
        watch = running("--config", "watch.toml", *asking(listening))
        opened, _ = listening.accept()
        with opened:
            watch.process.send_signal(signal.SIGTERM)
            with pytest.raises(subprocess.TimeoutExpired):
                watch.process.wait(0.5)
            assert watch.end() == 128 + signal.SIGTERM


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_pass_that_is_ended_says_so_and_leaves_no_half_report(number: int, running: Any, tmp_path: Path) -> None:
    configure(tmp_path)
    with silent() as listening:
        ended = running("--once", "--config", "watch.toml", "--output", "report.json", *asking(listening))
        opened, _ = listening.accept()
        with opened:
            assert ended.end(number) == 128 + number
    assert not list(tmp_path.glob("*report.json*"))
    assert ended.seen == []


def test_a_moving_line_says_how_things_are_and_logs_go_above_it(running: Any, tmp_path: Path) -> None:
    configure(tmp_path)
    options = ("--site", "US5", "--check", "run", "--interval", "1", "--config", "watch.toml")
    watch = running(*options, "--log-format", "progress", "--mock", "US5=outage:503")
    watch.wait_for("incident opened #1 US5")
    watch.wait_for("1 open incident")
    assert watch.end() == 0
    assert "\x1b[2K1 site, 1 open incident" in "".join(watch.seen)
    assert watch.seen[-1] == "\x1b[2K"


def test_an_account_gets_what_is_open_on_a_site_with_its_metrics(running: Any, tmp_path: Path) -> None:
    with hook() as (sink, got):
        url = sink.partition('url = "')[2].partition("/hook")[0]
        configure(tmp_path, f'\n[sinks.account]\ntype = "datadog"\nbase_url = "{url}"\napi_key_env = "HOOK_SECRET"\n')
        watch = running(*MOCK, "US5=outage:503")
        counted: list[float] = []
        while 1.0 not in counted:
            said = got.get(timeout=30)
            series = said["series"] if isinstance(said, dict) and "series" in said else []
            counted += [row["points"][0]["value"] for row in series if row["metric"] == "model_lab.site.incidents"]
        assert watch.end() == 0
