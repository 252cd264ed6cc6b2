"""The figures of docs/benchmarks.md, all or those of the scripts named: `python benchmarks/run.py [NAME…] [--write]`.

Needs wrk, prometheus-blackbox-exporter, postgresql (Debian packages) and npm. `--write` renews their tables.
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
    """Return the machine and the versions figures are measured with."""
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
    system = f"{platform.system()} {platform.release().split('-')[0]}, Python {platform.python_version()}"
    where = f"{os.cpu_count()} cores of {cpu[1] if cpu else platform.machine()}, {system}"
    return f"Measured on {time.strftime('%Y-%m-%d')}: {where}; {versions}."


def peers(names: list[str]) -> str:
    """Return the versions of the programs that some suites measure against, empty where none does."""
    found = []
    if "mock_throughput" in names:
        wrk = re.search(r"wrk (?:debian/)?(\S+)", _said("wrk", "-v"))
        found.append(f"wrk {wrk[1] if wrk else '?'}, @stoplight/prism-cli 5.16.0")
    if "probing" in names:
        exporter = re.search(r"version (\S+)", _said("prometheus-blackbox-exporter", "--version"))
        found.append(f"prometheus-blackbox-exporter {exporter[1] if exporter else '?'}")
    if "faulty_stores" in names:
        found.append(_said("psql", "--version"))
    return f" Beside it: {', '.join(found)}." if found else ""


def renewed(page: str, tables: dict[str, str]) -> str:
    """Return the page with some tables in place of those of the same title, all in the order of the suites."""
    before, _, rest = page.partition(START)
    figures, _, after = rest.partition(END)
    known = {part.partition("\n")[0]: part.partition("\n")[2].strip() for part in figures.split("\n## ")[1:]}
    known.update(tables)
    parts = [f"## {title}\n\n{known[title]}" for title in SUITES.values() if title in known]
    return f"{before}{START}\n\n" + "\n\n".join(parts) + f"\n\n{END}{after}"


def main(arguments: list[str]) -> int:
    """Run the suites named, or all, and print their tables; exit 1 where a figure is not reached."""
    wanted = [name for name in arguments if not name.startswith("-")] or list(SUITES)
    tables, every = dict[str, str](), list[Row]()
    for name in wanted:
        rows = importlib.import_module(name).rows()
        every += rows
        tables[SUITES[name]] = f"{markdown(rows)}\n\n{machine()}{peers([name])}"
        print(f"## {SUITES[name]}\n\n{tables[SUITES[name]]}\n", flush=True)
        if "--write" in arguments:
            # After each: what was measured stays, whatever becomes of the next.
            PAGE.write_text(renewed(PAGE.read_text("utf-8"), tables), "utf-8")
    return 0 if all(row.reached for row in every) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
