"""Every figure of docs/benchmarks.md, measured in one go: `python benchmarks/run.py [NAME…] [--write]`.

Needs wrk, prometheus-blackbox-exporter, postgresql (Debian packages) and npm. `--write` renews the page.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import os
import platform
import re
import subprocess
import sys
import time
from pathlib import Path

from measure import Row, markdown

PAGE = Path(__file__).parent.parent / "docs" / "benchmarks.md"
SUITES = {
    "mock_throughput": "The mock",
    "judging": "Judging",
    "probing": "Probing",
    "suite_overhead": "The contract tests",
    "startup": "The command line",
    "faults_and_drifts": "Judged rightly",
    "drift_cases": "Real changes",
    "rollouts": "Remembered rightly",
    "simulated_year": "A year watched",
    "killed": "Killed",
    "faulty_sinks": "Sinks that fail",
    "faulty_stores": "Stores that fail",
    "watching": "What watching costs",
}
START, END = "<!-- figures -->", "<!-- /figures -->"


def _said(*command: str) -> str:
    """Return what a command says of its version, on whichever stream."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return (done.stdout + done.stderr).strip().splitlines()[0]


def machine() -> str:
    """Return the machine and the versions the figures were measured with."""
    cpu = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text())
    packages = (
        "alembic",
        "apprise",
        "httpx",
        "httpcore",
        "jsonschema",
        "jsonschema-rs",
        "orjson",
        "schemathesis",
        "sqlalchemy",
        "starlette",
        "uvicorn",
        "uvloop",
    )
    versions = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in packages)
    wrk = re.search(r"wrk (?:debian/)?(\S+)", _said("wrk", "-v"))
    exporter = re.search(r"version (\S+)", _said("prometheus-blackbox-exporter", "--version"))
    system = f"{platform.system()} {platform.release().split('-')[0]}, Python {platform.python_version()}"
    where = f"{os.cpu_count()} cores of {cpu[1] if cpu else platform.machine()}, {system}"
    peers = f"wrk {wrk[1] if wrk else '?'}, prometheus-blackbox-exporter {exporter[1] if exporter else '?'}"
    return f"Measured on {time.strftime('%Y-%m-%d')}: {where}.\n\n{versions}; {peers}, @stoplight/prism-cli 5.16.0."


def main(arguments: list[str]) -> int:
    """Run the suites named, or all, and print their tables; exit 1 where a figure is not reached."""
    wanted = [name for name in arguments if not name.startswith("-")] or list(SUITES)
    parts, every = [machine()], list[Row]()
    for name in wanted:
        rows = importlib.import_module(name).rows()
        every += rows
        parts.append(f"## {SUITES[name]}\n\n{markdown(rows)}")
        print(f"{parts[-1]}\n", flush=True)
    if "--write" in arguments:
        page = PAGE.read_text()
        before, _, rest = page.partition(START)
        PAGE.write_text(f"{before}{START}\n\n" + "\n\n".join(parts) + f"\n\n{END}" + rest.partition(END)[2])
    return 0 if all(row.reached for row in every) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
