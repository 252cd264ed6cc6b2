"""The table of faults: told apart, documented, and in the monitor's words."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from mock_site.faults import FAULTS, Fault
from mock_site.server import MockSites
from monitors.model import Kind, Level
from monitors.rules import RULES

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Client

PAGE = Path(__file__).parents[2] / "docs" / "mock.md"


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_a_fault_is_written_like_the_others(fault: Fault) -> None:
    assert re.fullmatch(r"[a-z][a-z0-9.]*(-[a-z0-9.]+)*", fault.name)
    assert fault.meaning.endswith(".")
    assert "|" not in fault.meaning
    assert fault.place in {"port", "handshake", "answer"}


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_what_a_monitor_must_say_is_one_of_its_rules(fault: Fault) -> None:
    if fault.rule is None:
        assert fault.level == "none"
    else:
        assert str(RULES[fault.rule].level) == fault.level
        assert Level.BREAKING >= RULES[fault.rule].level >= Level.WARNING


NOT_OF_THE_WIRE = {
    "name-not-resolved", "connection-failed", "proxy-failed",  # between the monitor and the site
    "server-error", "throttled", "endpoint-not-deployed", "run-not-found",  # said by the site itself, in good order
    "key-rejected", "key-of-other-site", "key-lacks-permission",
}  # fmt: skip
FLAWS_OF_BYTES = {
    f"response-body-{flaw}"
    for flaw in ("empty", "not-json", "not-utf8", "byte-order-mark", "number-not-finite", "duplicate-member")
} | {"response-body-nesting-too-deep"}


def test_every_rule_about_the_wire_has_a_fault() -> None:
    available = {rule.id for rule in RULES.values() if rule.kind is Kind.AVAILABILITY}
    assert (available - NOT_OF_THE_WIRE) | FLAWS_OF_BYTES <= {fault.rule for fault in FAULTS.values()}


def test_no_two_faults_mean_the_same() -> None:
    assert len({fault.meaning for fault in FAULTS.values()}) == len(FAULTS)


def section() -> str:
    return PAGE.read_text("utf-8").partition("\n## Wire faults\n")[2].partition("\n## ")[0]


def test_the_page_lists_every_fault_as_it_is() -> None:
    rows = [line for line in section().splitlines() if line.startswith("| `")]
    assert rows == [
        f"| `{fault.name}` | {fault.place} | {fault.meaning} | {f'`{fault.rule}`' if fault.rule else 'nothing'} |"
        for fault in FAULTS.values()
    ]


def test_the_commands_of_the_page_do_what_it_says(running: Callable[[MockSites], Client]) -> None:
    asks, sets = (shlex.split(line) for line in section().splitlines() if line.startswith("curl "))
    path = asks[2].removeprefix("http://127.0.0.1:8080")
    headers = [word for word in asks if word.startswith("Prefer:")]
    scenario = sets[sets.index("-d") + 1]
    with MockSites() as sites:
        client = running(sites)
        heard = client.talk(client.request(*headers, path=path))
        assert heard.data.startswith(b"HTTP/1.1 200 OK\r\n")
        assert not heard.data.endswith(b"}")
        put = client.request(
            f"Content-Length: {len(scenario)}", method=sets[2], path=sets[3][len("http://127.0.0.1:8080") :]
        )
        assert client.talk(put + scenario.encode()).data.startswith(b"HTTP/1.1 200 OK\r\n")
        assert sites.state.scenario_texts()["US5"] == "fault:tls-expired"
