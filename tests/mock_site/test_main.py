"""`python -m mock_site` says what it serves, serves it, and refuses mistakes in one line."""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from mock_site.__main__ import main

if TYPE_CHECKING:
    from collections.abc import Callable

    from mock_site.server import MockSites


def served(while_up: Callable[[MockSites], None]) -> Any:
    """Make what runs the sites for as long as `while_up` takes, in place of waiting for a signal."""

    def serve(sites: MockSites, announce: Callable[[MockSites], None]) -> None:
        with sites:
            announce(sites)
            while_up(sites)

    return serve


def test_it_says_where_it_listens_and_the_curl_command_it_prints_works(capsys: pytest.CaptureFixture[str]) -> None:
    bodies = []

    def follow_the_greeting(_sites: MockSites) -> None:
        greeting = capsys.readouterr().out
        _, _, url, *options = shlex.split(re.search("^Try: (.*)$", greeting, re.MULTILINE)[1])
        headers = [option.split(": ") for option in options if option != "-H"]
        bodies.append(httpx.get(url, headers=headers).json())
        assert "1040   huge" in greeting
        assert httpx.get(re.search(r"faults: (\S+)", greeting)[1]).json()["scenarios"]

    arguments = ["--port", "0", "--api-key", "a key", "--app-key", "another", "--rate-limit", "5/60"]
    assert main(arguments, served(follow_the_greeting)) == 0
    assert bodies[0]["data"]["id"] == "42"


def test_scenarios_are_set_at_the_start_for_all_and_for_single_sites() -> None:
    seen = {}
    arguments = ["--port", "0", "--scenario", "slow:0.1", "--scenario", "us5=outage", "--host", "::1"]
    assert main(arguments, served(lambda sites: seen.update(sites.state.scenario_texts()))) == 0
    assert (seen["US5"], seen["US1"], seen["EU1"]) == ("outage", "slow:0.1", "slow:0.1")


def test_an_ipv6_address_is_printed_in_brackets(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--port", "0", "--host", "::1"], served(lambda _: None)) == 0
    assert "http://[::1]:" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--host", "0.0.0.0"], "on loopback only, not on '0.0.0.0'"),  # noqa: S104  # must be refused
        (["--host", "example.org"], "on loopback only, not on 'example.org'"),
        (["--port", "65536"], "65535, not 65536"),
        (["--scenario", "otage"], "unknown scenario 'otage'; did you mean outage?"),
        (["--scenario", "us9=outage"], "unknown site 'us9'; did you mean US5?"),
        (["--rate-limit", "10"], "the rate limit must be written LIMIT/PERIOD_S, e.g. 10/300, not '10'."),
        (["--rate-limit", ""], "the rate limit must be written LIMIT/PERIOD_S, e.g. 10/300, not ''."),
    ],
)
def test_a_mistake_is_one_line_and_exit_code_2(
    capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    assert main(arguments, served(lambda _: pytest.fail("must not serve"))) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.startswith("mock_site: ")
    assert error.count("\n") == 1


def test_a_port_in_use_is_one_line_and_exit_code_2(capsys: pytest.CaptureFixture[str]) -> None:
    codes = []
    serve = served(lambda sites: codes.append(main(["--port", str(sites.port)], served(lambda _: None))))
    assert main(["--port", "0"], serve) == 0
    assert codes == [2]
    assert "in use" in capsys.readouterr().err
