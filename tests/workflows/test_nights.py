"""Nights in a row: the workflow's own steps, on mock sites, with GitHub's part played on loopback."""

from __future__ import annotations

import json
import re
import shutil
import sys
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import jsonschema
import pytest
import yaml

import schemas
from monitors.sites import SITES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conftest import Night

ROOT = Path(__file__).parents[2]
STEPS = {
    step.get("name"): step
    for step in yaml.safe_load((ROOT / ".github" / "workflows" / "nightly.yml").read_text("utf-8"))["jobs"]["watch"][
        "steps"
    ]
}
CONFIGURATION = ROOT / "deploy" / "github" / "nightly.toml"
OURS = """\
#!/bin/sh
# The program as a runner has it installed; only the sites are others.
if [ "$1" = watch ]; then set -- "$@" --mock "$SCENARIO" --state-dir "$MODEL_LAB_MONITOR_STATE_DIR"; fi
PYTHONPATH={root} exec {python} -c 'from monitors.cli import main; main()' "$@"
"""
NULLED = "US5=drifted:nulled@$.data.attributes.name"


@dataclass
class Issues:
    """As much of GitHub's issues as incidents need; every comment of one is in `comments`."""

    kept: list[dict[str, Any]] = field(default_factory=list)
    comments: dict[int, list[dict[str, Any]]] = field(default_factory=dict)
    tokens: set[str] = field(default_factory=set)

    def answer(self, method: str, path: str, body: Any) -> tuple[int, Any]:
        found = re.fullmatch(r"/repos/example/model-lab/issues(?:/(\d+)(/comments)?)?", path)
        if found is None:
            return 404, {"message": "Not Found"}
        number = int(found[1] or 0)
        if found[2]:
            said = self.comments[number]
        elif number:
            self.kept[number - 1] |= body if method == "PATCH" else {}
            return 200, self.kept[number - 1]
        else:
            said = self.kept
            body = body and {"number": len(said) + 1, "state": "open", **body}
        if method == "POST":
            said.append(body)
            self.comments.setdefault(len(self.kept), [])
            return 201, body
        return 200, said

    @property
    def open(self) -> list[str]:
        return [issue["title"] for issue in self.kept if issue["state"] == "open"]


@pytest.fixture
def issues() -> Iterator[Issues]:
    """Serve issues on loopback; where is in `issues.url`."""
    made = Issues()

    class Handler(BaseHTTPRequestHandler):
        def _serve(self) -> None:
            length = int(self.headers.get("content-length", 0))
            body = json.loads(self.rfile.read(length)) if length else None
            made.tokens.add(self.headers["authorization"])
            status, said = made.answer(self.command, urlsplit(self.path).path, body)
            sent = json.dumps(said).encode()
            self.send_response(status)
            self.send_header("content-length", str(len(sent)))
            self.end_headers()
            self.wfile.write(sent)

        do_GET = do_POST = do_PATCH = _serve  # noqa: N815 - the library's names

        def log_message(self, *_args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    made.url = f"http://127.0.0.1:{server.server_address[1]}"  # type: ignore[attr-defined]  # where it is served
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    yield made
    server.shutdown()
    server.server_close()


@dataclass
class Run:
    """How a night went."""

    code: int
    said: str
    summary: str
    report: dict[str, Any]


def one_night(night: Night, number: int, scenario: str, issues: Issues) -> Run:
    """Run the steps of the job in order, as a runner does: those after the watch whatever it ends with."""
    program = night.runner / "bin" / "model-lab-monitor"
    program.parent.mkdir()
    program.write_text(OURS.format(root=ROOT, python=sys.executable))
    program.chmod(0o755)
    shutil.copytree(ROOT / "deploy" / "github", night.runner / "deploy" / "github")
    summary = night.runner / "summary.md"
    environ = {
        "PATH": f"{program.parent}:{night.environ['PATH']}",
        "GITHUB_STEP_SUMMARY": str(summary),
        "GITHUB_TOKEN": "the-job-s-token",
        "SITES": "all",
        "FAIL_ON": "breaking",
        "SCENARIO": scenario,
    }
    configured = night.step(STEPS["Configure"]["run"], **environ)
    assert configured.returncode == 0, configured.stderr
    to_loopback(night.runner / "nightly.toml", issues.url)  # type: ignore[attr-defined]  # where it is served
    fetched = night.step(STEPS["Fetch the history"]["run"], **environ)
    assert fetched.returncode == 0, fetched.stdout + fetched.stderr
    watched = night.step(STEPS["Watch"]["run"], **environ)
    for name in ("Summarise", "Pack the history"):
        done = night.step(STEPS[name]["run"], **environ)
        assert done.returncode == 0, done.stdout + done.stderr
    night.keeps(number, at=f"2026-01-{number:02}T03:23:00Z")
    report = json.loads((night.runner / "probe.json").read_text("utf-8"))
    return Run(watched.returncode, watched.stdout + watched.stderr, summary.read_text("utf-8"), report)


def to_loopback(path: Path, url: str) -> None:
    """Nothing but loopback is asked, and nothing waited for."""
    text = path.read_text("utf-8")
    for old, new in (
        ("statuspage = true", "statuspage = false\nconnectivity = []"),
        ("confirm_pause_s = 60", "confirm_pause_s = 0"),
        ('token_env = "GITHUB_TOKEN"', f'token_env = "GITHUB_TOKEN"\nbase_url = "{url}"'),
    ):
        assert old in text
        text = text.replace(old, new)
    path.write_text(text)


def test_a_problem_is_one_issue_from_its_first_night_to_its_last(nights: list[Night], issues: Issues) -> None:
    first = one_night(nights[0], 1, "US5=outage:503", issues)
    assert first.code == 3, first.said
    assert len(issues.open) == len(issues.kept) == 1
    assert "US5" in issues.kept[0]["title"] + issues.kept[0]["body"]

    second = one_night(nights[1], 2, "US5=outage:503", issues)
    assert second.code == 3, second.said
    assert len(issues.open) == len(issues.kept) == 1

    third = one_night(nights[2], 3, "healthy", issues)
    assert third.code == 0, third.said
    assert (issues.open, len(issues.kept)) == ([], 1)
    assert issues.tokens == {"Bearer the-job-s-token"}


@pytest.mark.parametrize(
    ("scenario", "code", "opened"),
    [("healthy", 0, 0), (NULLED, 1, 1), ("US5=outage:503", 3, 1), ("US5=drifted:member-added", 0, 0)],
)
def test_one_night_says_what_it_found_in_every_place(
    scenario: str, code: int, opened: int, nights: list[Night], issues: Issues
) -> None:
    done = one_night(nights[0], 1, scenario, issues)
    assert done.code == code, done.said
    assert len(issues.open) == opened
    jsonschema.validate(done.report, schemas.document("report"))
    assert len(done.report["observations"]) == 4 * len(SITES)
    assert (done.report["verdict"] == "none") == (scenario == "healthy")
    assert ("::error" in done.said) == (done.report["verdict"] == "breaking")
    headings = r"^### .*Model Lab, 1 d: .*$|^### Model Lab API: .*$|^## The last 30 days$"
    before, digest, table, month = re.split(headings, done.summary, flags=re.MULTILINE)
    assert before == ""
    assert all(site in table and site in month for site in SITES)
    assert ("US5" in digest) or not opened


def test_a_change_between_two_nights_is_told_against_the_night_before(nights: list[Night], issues: Issues) -> None:
    """What no contract forbids, a value of a finished run that is another one today, only a history can tell."""
    assert one_night(nights[0], 1, "healthy", issues).code == 0
    done = one_night(nights[1], 2, "US5=drifted:unit-changed", issues)
    drifts = {row["rule"] for row in done.report["findings"] if row["kind"] == "drift"}
    assert drifts, done.said
