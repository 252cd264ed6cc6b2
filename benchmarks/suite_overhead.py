"""Wall time per request of `pytest contract_tests` against `st run` on the same mock."""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from measure import Row, markdown
from servers import KEYS, mock_sites

import schemas

ST_EXAMPLES = 100
# GET only, here too: by default the tool sends every method it knows to the path.
ST_CONFIG = """
[phases.coverage]
unexpected-methods = []
[generation]
database = "none"
"""


def ours() -> tuple[float, int]:
    """Return wall seconds and requests sent of the contract tests on their own mock."""
    start = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "contract_tests", "-q", "-p", "no:cacheprovider"],
        capture_output=True, text=True, check=False, cwd=Path(__file__).parent.parent,
    )  # fmt: skip
    wall_s = time.perf_counter() - start
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    sent = re.search(r"([\d,]+) requests", done.stdout)
    assert sent, done.stdout[-2000:]
    return wall_s, int(sent[1].replace(",", ""))


def theirs() -> tuple[float, int]:
    """Return wall seconds and requests sent of schemathesis' own command on the same kind of mock."""
    with mock_sites() as mock, tempfile.TemporaryDirectory() as folder:
        config = Path(folder) / "schemathesis.toml"
        config.write_text(ST_CONFIG)
        report = Path(folder) / "har.json"
        command = [
            str(Path(sys.executable).parent / "st"), "--config-file", str(config), "run", str(schemas.OPENAPI_PATH),
            "--url", f"http://127.0.0.1:{mock.port}", "-H", f"DD-API-KEY: {KEYS[0]}",
            "-H", f"DD-APPLICATION-KEY: {KEYS[1]}", "--max-examples", str(ST_EXAMPLES),
            "--phases", "examples,coverage,fuzzing", "--checks", "not_a_server_error,response_schema_conformance",
            "--report", "har", "--report-har-path", str(report), "--no-color",
        ]  # fmt: skip
        start = time.perf_counter()
        done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=folder)
        wall_s = time.perf_counter() - start
        assert report.exists(), done.stdout[-2000:] + done.stderr[-2000:]
        return wall_s, report.read_text().count('"startedDateTime"')


def rows() -> list[Row]:
    """Run both twice in turn and take the quicker of each: the first pays for compiling bytecode."""
    mine, peers = [], []
    for _ in range(2):
        mine.append(ours())
        peers.append(theirs())
    (wall_s, sent), (peer_wall_s, peer_sent) = min(mine), min(peers)
    each, peer_each = wall_s / sent, peer_wall_s / peer_sent
    return [
        Row("`pytest contract_tests` on the mock: wall per request, against `st run`",
            f"{each * 1e3:.1f} ms ({sent} requests)", f"{peer_each * 1e3:.1f} ms ({peer_sent} requests)",
            f"{each / peer_each:.2f} ×", "≤ 2.5 ×", each / peer_each <= 2.5),
        Row("`pytest contract_tests` on the mock, in all", f"{wall_s:.1f} s", "–", "–", "< 20 s", wall_s < 20),
    ]  # fmt: skip


if __name__ == "__main__":
    print(markdown(rows()))
