"""`python -m mock_site`: the nine sites on loopback, in the foreground, for anybody who tests a client."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

from mock_site.catalogue import LAST_ORDINARY_ID, NAMED_RUNS, NOTES
from mock_site.mistakes import MockUsageError
from mock_site.ratelimit import RateLimit
from mock_site.scenarios import SCENARIOS
from mock_site.server import MockSites, serve_forever
from mock_site.state import parse_assignment

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_SHOWN_RUNS = ("typical", "empty", "all-members", "all-nulls", "unicode", "extremes", "huge")
_EXIT_USAGE = 2
_GRACE_S = 3.0


def main(
    argv: Sequence[str] | None = None,
    serve: Callable[[MockSites, Callable[[MockSites], None]], None] = serve_forever,
) -> int:
    """Serve until interrupted; returns the exit code: 0 after an interrupt, 2 for a mistake of the user's.

    `serve` runs the sites and calls back once they listen.
    """
    given = _arguments().parse_args(argv)

    def announce(sites: MockSites) -> None:
        sys.stdout.write(_greeting(sites, given.api_key, given.app_key))
        sys.stdout.flush()

    try:
        everywhere, single = _scenarios(given.scenario)
        sites = MockSites(
            scenario=everywhere,
            scenarios=single,
            api_key=given.api_key,
            app_key=given.app_key,
            rate_limit=RateLimit.parse(given.rate_limit) if given.rate_limit is not None else None,
            host=given.host,
            port=given.port,
            tls_port=given.tls_port,
            grace_s=_GRACE_S,
        )
        serve(sites, announce)
    except MockUsageError as error:
        sys.stderr.write(f"mock_site: {error}\n")
        return _EXIT_USAGE
    return 0


def _arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m mock_site", description="Serve mock sites of GET /api/v2/model-lab-api/runs/{run_id}."
    )
    syntaxes = ", ".join(kind.syntax for kind in SCENARIOS.values())
    parser.add_argument("--host", default="127.0.0.1", help="loopback address to listen on")
    parser.add_argument("--port", type=int, default=8080, help="port of plain HTTP; 0 lets the system choose")
    parser.add_argument("--tls-port", type=int, default=0, help="port of HTTPS; 0 (default) lets the system choose")
    parser.add_argument(
        "--scenario", action="append", default=[], metavar="[SITE=]SCENARIO", help=f"may be repeated: {syntaxes}"
    )
    parser.add_argument("--api-key", default="mock-api-key", help="the API key every site takes")
    parser.add_argument("--app-key", default="mock-app-key", help="the application key every site takes")
    parser.add_argument("--rate-limit", metavar="LIMIT/PERIOD_S", help="for each site, e.g. 10/300")
    return parser


def _scenarios(texts: Sequence[str]) -> tuple[str, dict[str, str]]:
    everywhere, single = "healthy", {}
    for text in texts:
        site, scenario = parse_assignment(text)
        if site is None:
            everywhere = scenario
        else:
            single[site] = scenario
    return everywhere, single


def _greeting(sites: MockSites, api_key: str, app_key: str) -> str:
    plain = f"http://{_authority(sites.host, sites.port)}"
    secure = f"https://{_authority(sites.host, sites.tls_port)}"
    runs = "\n".join(f"  {NAMED_RUNS[name]:<6} {name:<12} {NOTES[name]}" for name in _SHOWN_RUNS)
    return (
        f"Mock sites listen on {plain} and {secure} (certificate authority: {sites.ca_file}).\n"
        "The Host header picks the site; a bare loopback address is US1. Stop with Ctrl-C.\n"
        f"Keys: DD-API-KEY: {api_key}   DD-APPLICATION-KEY: {app_key}\n"
        f"Runs worth trying (every id from 1 to {LAST_ORDINARY_ID} exists):\n{runs}\n"
        f"Try: curl -s {plain}/api/v2/model-lab-api/runs/42 -H 'DD-API-KEY: {api_key}'"
        f" -H 'DD-APPLICATION-KEY: {app_key}'\n"
        f"Scenarios, preferences, drifts and faults: {plain}/__mock__\n"
    )


def _authority(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


if __name__ == "__main__":
    sys.exit(main())
