"""`python -m mock_site`: the nine sites on loopback, in the foreground, for anybody who tests a client."""

from __future__ import annotations

import argparse
import ipaddress
import sys
import threading
from typing import TYPE_CHECKING

from mock_site.catalogue import NAMED_RUNS, NOTES
from mock_site.mistakes import MockUsageError
from mock_site.ratelimit import RateLimit
from mock_site.scenarios import SCENARIOS
from mock_site.server import MockSites
from mock_site.state import parse_assignment

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_SHOWN_RUNS = ("typical", "empty", "all-members", "all-nulls", "unicode", "extremes", "huge")
_MAX_PORT = 65_535


def main(argv: Sequence[str] | None = None, wait: Callable[[], object] | None = None) -> int:
    """Serve until interrupted; returns the exit code: 0 after an interrupt, 2 for a mistake of the user's.

    `wait` blocks for as long as the sites shall be served; by default until Ctrl-C.
    """
    given = _arguments().parse_args(argv)
    try:
        host = _loopback(given.host)
        everywhere, single = _scenarios(given.scenario)
        rate_limit = RateLimit.parse(given.rate_limit) if given.rate_limit else RateLimit()
        sites = MockSites(
            scenario=everywhere, scenarios=single, api_key=given.api_key, app_key=given.app_key,
            rate_limit=rate_limit, host=host, port=given.port, tls_port=given.tls_port,
        )  # fmt: skip
        with sites:
            sys.stdout.write(_greeting(sites, given.api_key, given.app_key))
            sys.stdout.flush()
            (wait or threading.Event().wait)()
    except KeyboardInterrupt:
        return 0
    except MockUsageError as error:
        return _mistake(str(error))
    except OSError as error:
        return _mistake(f"cannot listen on {given.host} (ports {given.port}, {given.tls_port}): {error.strerror}.")
    return 0


def _mistake(message: str) -> int:
    sys.stderr.write(f"mock_site: {message}\n")
    return 2


def _arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m mock_site", description="Serve mock sites of GET /api/v2/model-lab-api/runs/{run_id}."
    )
    syntaxes = ", ".join(kind.syntax for kind in SCENARIOS.values())
    parser.add_argument("--host", default="127.0.0.1", help="loopback address to listen on")
    parser.add_argument("--port", type=_port, default=8080, help="port of plain HTTP; 0 lets the system choose")
    parser.add_argument("--tls-port", type=_port, default=0, help="port of HTTPS; 0 (default) lets the system choose")
    parser.add_argument(
        "--scenario", action="append", default=[], metavar="[SITE=]SCENARIO", help=f"may be repeated: {syntaxes}"
    )
    parser.add_argument("--api-key", default="mock-api-key", help="the API key every site takes")
    parser.add_argument("--app-key", default="mock-app-key", help="the application key every site takes")
    parser.add_argument("--rate-limit", metavar="LIMIT/PERIOD_S", help="for each site, e.g. 10/300")
    return parser


def _port(text: str) -> int:
    if not text.isdecimal() or int(text) > _MAX_PORT:
        message = f"must be a whole number from 0 to {_MAX_PORT}, not {text!r}"
        raise argparse.ArgumentTypeError(message)
    return int(text)


def _loopback(host: str) -> str:
    try:
        loopback = host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        loopback = False
    if not loopback:
        message = (
            f"--host must be a loopback address such as 127.0.0.1 or ::1, not {host!r}: the mock is for this machine."
        )
        raise MockUsageError(message)
    return "127.0.0.1" if host == "localhost" else host


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
    host, port = sites.address("US1", tls=False)
    plain = f"http://{_authority(host, port)}"
    secure = f"https://{_authority(*sites.address('US1', tls=True))}"
    runs = "\n".join(f"  {NAMED_RUNS[name]:<6} {name:<12} {NOTES[name]}" for name in _SHOWN_RUNS)
    return (
        f"Mock sites listen on {plain} and {secure} (certificate authority: {sites.ca_file}).\n"
        f"The Host header picks the site; a bare loopback address is US1. Stop with Ctrl-C.\n"
        f"Keys: DD-API-KEY: {api_key}   DD-APPLICATION-KEY: {app_key}\n"
        f"Runs worth trying (every id from 1 to 1000000 exists):\n{runs}\n"
        f"Try: curl -s {plain}/api/v2/model-lab-api/runs/42 -H 'DD-API-KEY: {api_key}'"
        f" -H 'DD-APPLICATION-KEY: {app_key}'\n"
        f"Scenarios, preferences, drifts and faults: {plain}/__mock__\n"
    )


def _authority(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


if __name__ == "__main__":
    sys.exit(main())
