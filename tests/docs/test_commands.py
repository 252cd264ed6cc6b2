"""Each page, followed from top to bottom, works: its commands and programs run in a copy of the checkout.

Commands that would reach a real site are led to mock sites under the real names; what is changed in a command before it
runs stands in tables here, with its reason. Nothing is left out silently.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

import schemas
from mock_site.server import MockSites
from monitors.sites import SITES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from conftest import Block, Page

ROOT = Path(__file__).parents[2]
LEFT_BEHIND = shutil.ignore_patterns(
    ".git", ".tox", ".venv", ".*_cache", ".hypothesis", ".coverage*", "node_modules", "htmlcov", "dist", "*.egg-info"
)
DEADLINE_S = 300
SHELL = ["bash", "-euo", "pipefail", "-c"]
TO_THE_MOCK = "--connect-to ::127.0.0.1:{tls_port}"


@dataclass(frozen=True)
class Rewrite:
    """What is changed in a command before it runs, and why; `{…}` are ports and files of this run."""

    pattern: str
    replacement: str
    reason: str


REWRITES = (
    Rewrite(
        r"^python3 -m venv \.venv && \.venv/bin/pip install \S+ && \.venv/bin/",
        "",
        "takes minutes; the tests run where all is installed, and CI runs the whole command",
    ),
    Rewrite(r"^cd /srv/model-lab && \.venv/bin/", "", "a directory of the reader's"),
    Rewrite(r'\bmail -s "[^"]*" \S+ < (\S+)', r"{ cat \1; false; }", "sends mail; here there is to be none"),
    Rewrite(r"^(python -m mock_site)\b", r"\1 --port 0", "8080 may be taken here; the system chooses"),
    Rewrite(r"http://127\.0\.0\.1:8080\b", "http://127.0.0.1:{served_port}", "what the mock of this page listens on"),
    Rewrite(
        r"^(model-lab-monitor watch)\b(?!.* --once)", r"\1 --once", "runs for ever; one pass is enough to see it work"
    ),
    Rewrite(
        r"^(model-lab-monitor watch)\b(?!.* --state-dir)",
        r"\1 --state-dir watched",
        "what stands in for real sites may not write their history",
    ),
    Rewrite(
        r"^(model-lab-monitor (?:incidents|notify digest) (?!.*--state-dir).*)$",
        r"\1 --state-dir watched",
        "looks at what the pass above has kept",
    ),
    Rewrite(
        r"^(model-lab-monitor (?:probe|watch))\b(?!.* --mock)",
        rf"\1 {TO_THE_MOCK} --ca-file {{ca_file}}",
        "real sites; mock sites stand in under their names",
    ),
    Rewrite(
        r"^(pytest contract_tests)\b(?=.* --site)",
        rf"\1 {TO_THE_MOCK} --ca-file {{ca_file}}",
        "real sites; mock sites stand in under their names",
    ),
    Rewrite(
        r"\bcurl\b(?=.* https://api\.)",
        f"curl {TO_THE_MOCK} --cacert {{ca_file}}",
        "a real site; a mock site stands in under its name",
    ),
)

CHECKED_OTHERWISE = {
    r"^tox run": "builds environments for minutes; `test_pages` holds the names to tox.ini, CI runs them",
    r"^sudo ": "changes the machine; tests/deploy/test_page.py tries them in a folder, systemd and cron read the files",
    r"^docker ": "needs a Docker engine; tests/deploy/test_docker.py has the files read by its parsers",
    r"^model-lab-monitor notify test --sink ops": "needs that sink; tests/cli/test_notify.py sends to one",
    r"^kubectl ": "needs a cluster; tests/deploy/test_kubernetes.py holds the files to its schemas",
}

SLOW = {
    r"^pytest contract_tests\b": "hundreds of tests, and schemathesis anew for each command",
    r"^pytest tests/": "tests of ours, which the other environments run anyway",
}

EXIT_CODES = {
    # curl's own code for a body that ends too early
    "curl -i http://127.0.0.1:8080/api/v2/model-lab-api/runs/42 -H 'DD-API-KEY: mock-api-key'"
    " -H 'DD-APPLICATION-KEY: mock-app-key' -H 'Prefer: fault=truncated-body'": 18,
    "model-lab-monitor probe --mock US5=outage": 3,
    "model-lab-monitor watch --once --mock US5=outage --state-dir try": 3,
    "model-lab-monitor incidents --state-dir try": 3,
    "model-lab-monitor watch --once --mock US5=outage"
    " --mock EU1=drifted:nulled@$.data.attributes.name --state-dir try": 1,
    "model-lab-monitor incidents list --state-dir try": 1,
    "model-lab-monitor incidents list --state all --format json --state-dir try": 3,
    "model-lab-monitor probe --mock US5=drifted:nulled@$.data.attributes.name --mock EU1=outage --save probe.json": 1,
    "pytest contract_tests --mock-scenario US5=outage": 1,
    "pytest contract_tests --mock-scenario drifted:number-as-string": 1,
}
"""The exit codes that are not 0, by the command as the page has it."""


@dataclass(frozen=True)
class Command:
    """One command of a page: the shell's or a whole Python program."""

    text: str
    line: int
    program: bool = False

    @property
    def slow(self) -> bool:
        return any(re.search(pattern, self.text) for pattern in SLOW)

    @property
    def rewritten(self) -> str:
        text = self.text
        for row in REWRITES:
            text = re.sub(row.pattern, row.replacement, text)
        return text

    @property
    def checked_otherwise(self) -> bool:
        return not self.program and any(re.search(pattern, self.rewritten) for pattern in CHECKED_OTHERWISE)


def commands(page: Page) -> list[Command]:
    return [command for block in page.blocks for command in commands_of(block)]


def commands_of(block: Block) -> Iterator[Command]:
    if block.language == "python":
        yield Command(block.text, block.line, program=True)
    elif block.language in {"sh", "console"}:
        lines = block.text.replace("\\\n", " ").splitlines()
        prompted = [line.removeprefix("$ ") for line in lines if line.startswith("$ ")]
        assert not prompted or len(prompted) == len(lines), f"line {block.line}: output beside commands is not compared"
        yield from (Command(line, block.line) for line in prompted or lines if line.strip())
    elif block.language == "crontab":
        for line in block.text.splitlines():
            when, text = re.match(r"((?:[\d*/,-]+ ){5})(.+)", line).groups()  # type: ignore[union-attr]  # else the page is wrong
            assert when
            yield Command(text.replace("\\%", "%"), block.line)


@dataclass
class Workshop:
    """A copy of the checkout where the commands of one page run, one after the other."""

    folder: Path
    environ: dict[str, str]
    places: dict[str, str]
    servers: list[subprocess.Popen[str]] = field(default_factory=list)

    def run(self, command: Command) -> str | None:
        """Run one command; returns what is wrong with its outcome, None where all is well."""
        if command.program:
            return self._outcome(command, [sys.executable, "-"], command.text)
        text, _, said = command.rewritten.partition("  # → ")
        text = re.sub(r"\{(\w+)\}", lambda found: self.places.get(found[1], found[0]), text)
        assert_stays_here(text)
        if text.startswith("python -m mock_site"):
            return self._serve(text)
        return self._outcome(command, [*SHELL, text], None, said.partition(" ")[2])

    def _outcome(self, command: Command, words: list[str], program: str | None, said: str = "") -> str | None:
        done = subprocess.run(  # noqa: S603 - the commands of our own pages
            words,
            cwd=self.folder,
            env=self.environ,
            input=program or "",
            capture_output=True,
            text=True,
            timeout=DEADLINE_S,
            check=False,
        )
        wanted = EXIT_CODES.get(command.text, 0)
        if done.returncode == wanted and said in done.stdout:
            return None
        what = f"exit code {done.returncode}, not {wanted}" if done.returncode != wanted else f"does not say {said}"
        return f"line {command.line}: {command.text}\nran as {words[-1]}\n{what}\n{done.stdout}{done.stderr}"

    def _serve(self, text: str) -> str | None:
        # The shell gives way to the server, so that its process id is the server's.
        server = subprocess.Popen(  # noqa: S603 - a command of our own pages
            [*SHELL, f"exec {text}"], cwd=self.folder, env=self.environ, stdout=subprocess.PIPE, text=True
        )
        self.servers.append(server)
        assert server.stdout is not None
        first = server.stdout.readline()
        found = re.search(r"http://127\.0\.0\.1:(\d+)", first)
        if not found:
            return f"{text} does not say where it listens: {first}"
        self.places["served_port"] = found[1]
        return None

    def close(self) -> None:
        """Stop what was started, and nothing else."""
        for server in self.servers:
            server.terminate()
            server.communicate(timeout=DEADLINE_S)


def assert_stays_here(text: str) -> None:
    """Fail for a command that would leave this machine: a table of rewrites lacks a row."""
    asks_sites = re.search(r"model-lab-monitor (probe|watch)|pytest contract_tests.* --site", text)
    hosts = set(re.findall(r"https?://([^/:\s'\"]+)", text)) - {"127.0.0.1"}
    led = re.search(r"--connect-to ::127\.0\.0\.1:\d+ | --mock\b", text)
    assert led or not (asks_sites or hosts), f"would reach a real site: {text}"


@pytest.fixture(scope="module")
def sites() -> Iterator[MockSites]:
    """Run mock sites that stand for the real ones."""
    with MockSites() as running:
        yield running


@pytest.fixture(scope="module")
def programs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the programs the pages call, all of them this interpreter's."""
    folder = tmp_path_factory.mktemp("bin")
    scripts = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["scripts"]
    called = {
        name: "-c 'from {} import {}; {}()'".format(*(p := place.split(":")), p[1]) for name, place in scripts.items()
    }
    called |= {"python": "", "python3": "", "pytest": "-m pytest -p no:cacheprovider"}
    for name, arguments in called.items():
        program = folder / name
        program.write_text(f'#!/bin/sh\nexec "{sys.executable}" {arguments} "$@"\n')
        program.chmod(0o755)
    return folder


@pytest.fixture
def workshop(tmp_path: Path, sites: MockSites, programs: Path) -> Iterator[Workshop]:
    folder = tmp_path / "checkout"
    shutil.copytree(ROOT, folder, ignore=LEFT_BEHIND)
    for name, text in reader_s_files().items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, "utf-8")
    made = Workshop(
        folder, environment(programs, tmp_path), {"tls_port": str(sites.tls_port), "ca_file": str(sites.ca_file)}
    )
    yield made
    made.close()


def environment(programs: Path, home: Path) -> dict[str, str]:
    """Return the environment of a reader who has keys for every site, the mock's."""
    foreign = re.compile(r"^(DD_|MODEL_LAB_|GITHUB_|PYTEST_|PYTHONDONTWRITEBYTECODE)|_PROXY$", re.IGNORECASE)
    environ = {name: value for name, value in os.environ.items() if not foreign.search(name)}
    impatient = home / "impatient.toml"
    # Real sites are asked politely; the mock need not be waited for, nor is anything else asked.
    impatient.write_text("pause_s = 0\n[watch]\nconfirm_pause_s = 0\nconnectivity = []\n")
    environ |= {
        "PATH": f"{programs}{os.pathsep}{environ['PATH']}",
        "HOME": str(home),
        "MODEL_LAB_MONITOR_CONFIG": str(impatient),
        "DD_API_KEY": "mock-api-key",
        "DD_APP_KEY": "mock-app-key",
        "MODEL_LAB_RUN_ID": "42",
    }
    for site in SITES.values():
        if site.key != "US1":
            environ |= {
                f"DD_API_KEY_{site.env_suffix}": "mock-api-key",
                f"DD_APP_KEY_{site.env_suffix}": "mock-app-key",
            }
            environ |= {f"MODEL_LAB_RUN_ID_{site.env_suffix}": "42"}
    return environ


def reader_s_files() -> dict[str, str]:
    """Return the files a reader of the pages would have: a run, an error, a HAR file and a cassette."""
    bodies = {
        example.status: json.dumps(example.body) for example in reversed(list(schemas.examples())) if example.valid
    }
    url = "https://api.datadoghq.com/api/v2/model-lab-api/runs/1"
    error, header = bodies[404], {"name": "content-type", "value": "application/json"}
    request: dict[str, Any] = {"method": "GET", "url": url, "headers": []}
    response = {"status": 404, "headers": [header], "content": {"mimeType": "application/json", "text": error}}
    har = {"log": {"version": "1.2", "entries": [{"request": request, "response": response}]}}
    cassette = {
        "interactions": [
            {
                "request": {"method": "GET", "uri": url, "headers": {}, "body": None},
                "response": {
                    "status": {"code": 404, "message": "Not Found"},
                    "headers": {"content-type": ["application/json"]},
                    "body": {"string": error},
                },
            }
        ],
        "version": 1,
    }
    return {
        "response.json": bodies[200],
        "error.json": error,
        "not-found.json": error,
        "recording.har": json.dumps(har),
        "tests/cassettes/run.yaml": yaml.safe_dump(cassette),
    }


def test_a_page_followed_from_top_to_bottom_works(guide: Page, workshop: Workshop) -> None:
    light = [command for command in commands(guide) if not command.slow]
    follow(light, workshop)


@pytest.mark.slow
@pytest.mark.parametrize("pattern", SLOW)
def test_the_heavy_commands_of_all_pages_work(pattern: str, pages: list[Page], workshop: Workshop) -> None:
    follow([command for page in pages for command in commands(page) if re.search(pattern, command.text)], workshop)


TOOLS = ("bash", "curl", "git", "patch")
"""What the pages call beside our own commands. CI installs what is missing; a reader's machine may go without."""


def follow(chosen: Iterable[Command], workshop: Workshop) -> None:
    run = [command for command in chosen if not command.checked_otherwise]
    called = {word for command in run for word in re.findall(r"[\w-]+", command.text)} | {"bash"}
    missing = [tool for tool in TOOLS if tool in called and shutil.which(tool) is None]
    if missing:
        pytest.skip(f"the page calls {' and '.join(missing)}, which this machine lacks; CI installs it")
    wrong = [trouble for command in run if (trouble := workshop.run(command))]
    assert not wrong, "\n\n".join(wrong)


def test_every_row_of_the_tables_is_used(pages: list[Page]) -> None:
    """A row that fits no command any more would hide the next mistake."""
    texts = [command.text for page in pages for command in commands(page)]
    changed = [command.rewritten for page in pages for command in commands(page)]
    assert [row.pattern for row in REWRITES if not any(fits(row, text) for text in texts)] == []
    assert [pattern for pattern in SLOW if not any(re.search(pattern, text) for text in texts)] == []
    assert [pattern for pattern in CHECKED_OTHERWISE if not any(re.search(pattern, text) for text in changed)] == []
    assert set(EXIT_CODES) <= set(texts)


def fits(row: Rewrite, text: str) -> bool:
    """Say whether a row changes a command once the rows before it have."""
    for before in REWRITES[: REWRITES.index(row)]:
        text = re.sub(before.pattern, before.replacement, text)
    return bool(re.search(row.pattern, text))


@pytest.mark.parametrize(
    "text",
    [
        "model-lab-monitor probe --site US5",
        "model-lab-monitor watch --once",
        "pytest contract_tests --site all",
        "curl https://api.datadoghq.com/api/v2/model-lab-api/runs/1",
        "git clone https://example.org/x",
    ],
)
def test_a_command_that_would_leave_this_machine_is_caught(text: str) -> None:
    with pytest.raises(AssertionError, match="would reach a real site"):
        assert_stays_here(text)


def test_an_outcome_that_is_not_the_documented_one_is_told(workshop: Workshop) -> None:
    assert "exit code 3, not 0" in (workshop.run(Command("model-lab-monitor probe --mock outage --site US5", 1)) or "")
    assert "does not say b" in (workshop.run(Command("echo a  # → 200 b", 1)) or "")
    assert "exit code 1, not 0" in (workshop.run(Command("raise SystemExit(1)", 1, program=True)) or "")


def test_a_server_of_a_page_is_gone_with_the_page(workshop: Workshop) -> None:
    assert workshop.run(Command("python -m mock_site", 1)) is None
    address = ("127.0.0.1", int(workshop.places["served_port"]))
    socket.create_connection(address).close()
    workshop.close()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(address)
