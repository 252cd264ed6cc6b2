"""`notify`: a person tests the sinks, sends a digest, sees what waits."""

from __future__ import annotations

import json
import socket
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest

import schemas
from monitors.store import open_store

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from conftest import Cli


@contextmanager
def hook(status: int = 200) -> Iterator[tuple[str, list[Any]]]:
    """Run a webhook on loopback; yield its address and what it got."""
    got: list[Any] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            got.append(json.loads(self.rfile.read(int(self.headers["content-length"]))))
            self.send_response(status)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_args: Any) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}/hook", got
        server.shutdown()


@pytest.fixture(autouse=True)
def _secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOOK_SECRET", "shared")


def configure(folder: Path, url: str = "https://hooks.invalid/x", more: str = "") -> None:
    (folder / "model-lab-monitor.toml").write_text(
        f"""
[sinks.log]
type = "stdout"
digest = true
{more}
[sinks.hook]
type = "webhook"
url = "{url}"
secret_env = "HOOK_SECRET"
timeout_s = 20
digest = true
""",
        "utf-8",
    )


def test_a_test_goes_to_each_sink_and_says_which_took_it(cli: Cli, tmp_path: Path) -> None:
    with hook() as (url, got):
        configure(tmp_path, url)
        ran = cli("notify", "test")
    assert (ran.code, ran.err) == (0, "")
    assert "🔵 Test of log\n" in ran.out
    assert ran.out.endswith("log   delivered\nhook  delivered\n")
    assert [said["kind"] for said in got] == ["test"]
    jsonschema.validate(got[0], schemas.document("notification"))


@pytest.mark.parametrize(("line", "vantage"), [("", socket.gethostname()), ('vantage = "fra-1"\n', "fra-1")])
def test_tests_and_digests_name_the_same_place_as_watch(
    line: str, vantage: str, cli: Cli, tmp_path: Path, state: Path
) -> None:
    with hook() as (url, got):
        configure(tmp_path, url, f"[watch]\n{line}")
        cli("notify", "test", "--sink", "hook")
        cli("notify", "digest", "--sink", "hook", "--state-dir", state)
    assert [said["vantage"] for said in got] == [vantage, vantage]


def test_a_sink_that_does_not_take_it_is_the_monitor_s_failure(cli: Cli, tmp_path: Path) -> None:
    with hook(500) as (url, _):
        configure(tmp_path, url)
        ran = cli("notify", "test", "--sink", "hook")
    assert ran.code == 4
    assert ran.out == f"hook  FAILED: {url.removesuffix('/hook')}: answered 500\n"


def test_a_sink_that_hangs_is_given_up(cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOOK_SECRET", "shared")
    with HTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler) as server:
        configure(tmp_path, f"http://127.0.0.1:{server.server_address[1]}/x")
        path = tmp_path / "model-lab-monitor.toml"
        path.write_text(path.read_text("utf-8").replace("timeout_s = 20", "timeout_s = 1"), "utf-8")
        ran = cli("notify", "test", "--sink", "hook")
    assert ran.code == 4
    assert ran.out.startswith("hook  FAILED: ")


def test_a_sink_nobody_configured_is_a_mistake(cli: Cli, tmp_path: Path) -> None:
    assert cli("notify", "test").err == (
        "error: no sink is configured; add a table [sinks.NAME] to the configuration file (docs/notifications.md)\n"
    )
    configure(tmp_path)
    ran = cli("notify", "test", "--sink", "hok")
    assert (ran.code, ran.err) == (2, "error: there is no sink 'hok'; did you mean hook?\n")
    assert cli("notify", "test", "--sink", "zzz").err == "error: there is no sink 'zzz'; configured are log, hook\n"


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """Make a store that has seen nothing."""
    folder = tmp_path / "state"
    folder.mkdir()
    open_store(f"sqlite:///{folder}/monitor.sqlite").close()
    return folder


def test_a_digest_is_printed(cli: Cli, tmp_path: Path, state: Path) -> None:
    configure(tmp_path)
    ran = cli("notify", "digest", "--print", "--since", "12h", "--state-dir", state)
    assert ran.out == (
        "🟡 Model Lab, 12 h: nothing was probed\n"
        "Nothing was probed in that time: see that the monitor runs, and that it has keys.\n"
    )
    assert ran.code == 0


def test_a_digest_that_is_not_taken_waits_in_the_store_and_is_listed(cli: Cli, tmp_path: Path, state: Path) -> None:
    with hook(503) as (url, _):
        configure(tmp_path, url)
        ran = cli("notify", "digest", "--state-dir", state)
    assert ran.code == 4
    assert ran.err == "what was not taken waits in the store: `watch` tries it again\n"
    assert "log   delivered\nhook  FAILED: " in ran.out
    listed = cli("notify", "list", "--state-dir", state)
    assert listed.out.splitlines()[1].split()[:2] == ["hook", "digest"]
    assert "answered 503" in listed.out
    [row] = json.loads(cli("notify", "list", "--format", "json", "--state-dir", state).out)
    assert (row["sink"], row["kind"], row["configured"], row["attempts"]) == ("hook", "digest", True, 1)
    path = tmp_path / "model-lab-monitor.toml"
    path.write_text(path.read_text("utf-8").replace("timeout_s = 20", "timeout_s = 0"), "utf-8")
    ran = cli("notify", "list", "--state-dir", state)
    assert "no such sink" not in ran.out
    assert ran.err.startswith("warning: model-lab-monitor.toml:")
    path.unlink()
    assert "no such sink is configured any more; http" in cli("notify", "list", "--state-dir", state).out


def test_nothing_that_waits_is_said_to_be_nothing(cli: Cli, state: Path) -> None:
    for arguments in ((), ("--state-dir", str(state))):
        ran = cli("notify", "list", *arguments)
        assert (ran.code, ran.out) == (0, "nothing waits to be delivered\n")


def test_a_digest_needs_a_store_a_sink_and_a_span(cli: Cli, tmp_path: Path, state: Path) -> None:
    configure(tmp_path)
    assert cli("notify", "digest").err == "error: there is nothing to tell of yet: no store; `watch` makes it\n"
    assert "'0s' is no time at all" in cli("notify", "digest", "--since", "0s").err
    assert "'soon' is not a span of time such as 90s" in cli("notify", "digest", "--since", "soon").err
    path = tmp_path / "model-lab-monitor.toml"
    path.write_text('[sinks.log]\ntype = "stdout"\n', "utf-8")
    assert "no sink takes digests" in cli("notify", "digest", "--state-dir", state).err
    assert cli("notify", "digest", "--sink", "log", "--state-dir", state).code == 0
