"""CPU of a whole probe against a bare httpx request and against Debian's blackbox exporter; wall time of a cycle."""

from __future__ import annotations

import os
import ssl
import statistics
import tempfile
import time
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
from measure import Row, markdown
from servers import KEYS, Mock, free_port, mock_sites, started

from mock_site.catalogue import NAMED_RUNS
from monitors.checks import CHECKS
from monitors.config import Credentials, SiteSettings
from monitors.contract import judge
from monitors.cycle import run_cycle
from monitors.probe import Target, probe, target_for
from monitors.sites import SITES
from monitors.transport import parse_overrides, tls_context

if TYPE_CHECKING:
    from collections.abc import Callable

RUN_ID = NAMED_RUNS["typical"]
PATH = f"/api/v2/model-lab-api/runs/{RUN_ID}"
ROUNDS, PROBES = 7, 100
TICKS_PER_S = os.sysconf("SC_CLK_TCK")


def targets(mock: Mock, *, timeout_s: float = 10) -> list[Target]:
    """Return all nine sites under their real names, led to the mock as by `--connect-to`."""
    hosts = [site.api_host for site in SITES.values()]
    overrides = parse_overrides(connect_to=[f"{host}:443:127.0.0.1:{mock.tls_port}" for host in hosts])
    context = tls_context(Path(mock.ca_file), {})
    return [
        target_for(SiteSettings(site, Credentials(*KEYS), RUN_ID), context=context, overrides=overrides, environ={},
                   timeout_s=timeout_s)
        for site in SITES.values()
    ]  # fmt: skip


def cpu_s(call: Callable[[], object], n: int) -> float:
    """Return the processor seconds of this process for one call, user and system."""
    start = time.process_time()
    for _ in range(n):
        call()
    return (time.process_time() - start) / n


def against_httpx() -> Row:
    """Whole probe (resolve, connect, TLS, phases, judged) against a bare request, both on a new TLS connection."""
    with mock_sites() as mock:
        target = targets(mock)[0]
        context = ssl.create_default_context(cafile=mock.ca_file)
        limits = httpx.Limits(max_keepalive_connections=0)
        client = httpx.Client(verify=context, limits=limits, trust_env=False)
        url = f"https://localhost:{mock.tls_port}{PATH}"
        headers = {"DD-API-KEY": KEYS[0], "DD-APPLICATION-KEY": KEYS[1], "Host": target.site.api_host}
        check = CHECKS["run"]

        def ours() -> None:
            observation = probe(target, check)
            assert judge(observation) == [], observation

        def theirs() -> None:
            assert client.get(url, headers=headers).status_code == 200

        ours(), theirs()
        spent: tuple[list[float], list[float]] = ([], [])
        for _ in range(ROUNDS):
            for side, call in enumerate((ours, theirs)):
                spent[side].append(cpu_s(call, PROBES))
    mine, bare = map(statistics.median, spent)
    return Row(
        "CPU of a whole probe (new TLS connection, phases, judged) against a bare httpx request on one",
        f"{mine * 1e3:.2f} ms", f"{bare * 1e3:.2f} ms", f"{mine / bare:.2f} ×", "≤ 1.4 ×", mine / bare <= 1.4,
    )  # fmt: skip


BLACKBOX = """
modules:
  run:
    prober: http
    timeout: 10s
    http:
      method: GET
      headers:
        DD-API-KEY: mock-api-key
        DD-APPLICATION-KEY: mock-app-key
        Host: {host}
      fail_if_body_not_matches_regexp: ['"type":\\s*"runs"']
      preferred_ip_protocol: ip4
      tls_config:
        ca_file: {ca_file}
        server_name: {host}
"""


def process_cpu_s(pid: int) -> float:
    """Return the processor seconds a process has used so far, user and system, from the kernel's account."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS_PER_S


def against_blackbox() -> Row:
    """Whole probe against `prometheus-blackbox-exporter` probing the same TLS address with a body regexp."""
    site = next(iter(SITES.values()))
    port = free_port()
    probes = 400
    with mock_sites() as mock, tempfile.TemporaryDirectory() as folder:
        config = Path(folder) / "blackbox.yml"
        config.write_text(BLACKBOX.format(host=site.api_host, ca_file=mock.ca_file))
        command = ["prometheus-blackbox-exporter", f"--config.file={config}", f"--web.listen-address=127.0.0.1:{port}"]
        target = targets(mock)[0]
        address = f"https://127.0.0.1:{mock.tls_port}{PATH}"
        metrics = f"http://127.0.0.1:{port}/probe?module=run&target={address}"
        check = CHECKS["run"]
        with started(command, port) as exporter:

            def scrape() -> str:
                with urllib.request.urlopen(metrics) as answer:
                    return str(answer.read().decode())

            text = scrape()
            assert "probe_success 1" in text, text
            spent: tuple[list[float], list[float]] = ([], [])
            for _ in range(3):
                before = process_cpu_s(exporter.pid)
                for _ in range(probes):
                    scrape()
                spent[1].append((process_cpu_s(exporter.pid) - before) / probes)
                spent[0].append(cpu_s(lambda: judge(probe(target, check)), probes))
    mine, theirs = map(statistics.median, spent)
    return Row(
        "the same against `prometheus-blackbox-exporter` on the same TLS address with a body regexp",
        f"{mine * 1e3:.2f} ms", f"{theirs * 1e3:.2f} ms", f"{mine / theirs:.2f} ×", "≤ 2.2 ×", mine / theirs <= 2.2,
    )  # fmt: skip


def cycle_wall() -> Row:
    """One cycle of nine sites and four checks, each answer delayed 200 ms, against the slowest site's four answers."""
    ratios = []
    with mock_sites(scenario="slow:0.2") as mock:
        sites = targets(mock)
        for _ in range(3):
            start = time.perf_counter()
            outcome = run_cycle(sites, list(CHECKS.values()), judge)
            wall_s = time.perf_counter() - start
            assert len(outcome.results) == 36
            assert not any(result.findings for result in outcome.results), outcome
            per_site: dict[str, float] = {}
            for result in outcome.results:
                key = result.observation.site or ""
                per_site[key] = per_site.get(key, 0.0) + result.observation.phases.total_s
            ratios.append((wall_s / max(per_site.values()), wall_s, max(per_site.values())))
    ratio, wall_s, slowest_s = sorted(ratios)[1]
    return Row(
        "wall time of a cycle, 9 sites × 4 checks, each answer delayed 200 ms, against the slowest site's four answers",
        f"{wall_s:.2f} s", f"{slowest_s:.2f} s", f"{ratio:.2f} ×", "≤ 1.2 ×", ratio <= 1.2,
    )  # fmt: skip


def rows() -> list[Row]:
    """Return the three figures."""
    return [against_httpx(), against_blackbox(), cycle_wall()]


if __name__ == "__main__":
    print(markdown(rows()))
