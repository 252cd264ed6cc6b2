"""Options, fixtures and reports of the contract tests; what they do is in the modules beside this file."""

from __future__ import annotations

import os
import time
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from contract_tests.plan import MOCK_CREDENTIALS, Plan, make_plan
from contract_tests.reporting import ContractWarning, Mask
from contract_tests.suite import MAKE_MOCK, Suite, open_suite
from contract_tests.traffic import Traffic
from monitors.checks import CHECKS
from monitors.errors import HarnessError, UsageError

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    from contract_tests.judging import Answer

_PLAN = pytest.StashKey[Plan]()
_MASK = pytest.StashKey[Mask]()
_TRAFFIC = pytest.StashKey[Traffic]()
_STARTED = pytest.StashKey[float]()
_PACKED = "model_lab_traffic"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options, in a group of their own."""
    group = parser.getgroup("model-lab", "contract of the Model Lab endpoint (default target: the embedded mock)")
    group.addoption(
        "--site",
        action="append",
        default=[],
        metavar="SITE",
        help="a real site to test: US5, us5.datadoghq.com, its API host, or all; may be given several times",
    )
    group.addoption("--model-lab-config", metavar="FILE", help="configuration file for real sites")
    group.addoption(
        "--mock-scenario",
        action="append",
        default=[],
        metavar="[SITE=]SCENARIO",
        help="what the mock sites are like, e.g. drifted:nulled or US5=outage; may be given several times",
    )
    group.addoption(
        "--resolve",
        action="append",
        default=[],
        metavar="HOST:PORT:ADDRESS",
        help="connect to this address in place of the one the name resolves to, as in curl",
    )
    group.addoption(
        "--connect-to",
        action="append",
        default=[],
        metavar="HOST:PORT:TO_HOST:TO_PORT",
        help="connect to another host and port, as in curl",
    )
    group.addoption("--ca-file", metavar="FILE", help="trust these certificate authorities (PEM) and no others")
    group.addoption("--har", metavar="FILE", help="write the traffic to this HTTP archive, keys masked")


def pytest_configure(config: pytest.Config) -> None:
    """Decide what to test; a mistake on the command line ends the run here."""
    config.addinivalue_line("markers", "checks(*names): the checks whose answers a test looks at; all four by default")
    config.addinivalue_line("markers", "properties: sends many generated requests, to the mock only")
    config.addinivalue_line("filterwarnings", f"always::{ContractWarning.__module__}.{ContractWarning.__qualname__}")
    options = config.option
    try:
        plan = make_plan(
            sites=options.site,
            config=options.model_lab_config,
            scenarios=options.mock_scenario,
            resolve=options.resolve,
            connect_to=options.connect_to,
            ca_file=options.ca_file,
            environ=os.environ,
        )
        _check_writable(options.har)
    except UsageError as error:
        raise pytest.UsageError(str(error)) from error
    config.stash[_PLAN] = plan
    config.stash[_MASK] = mask = Mask([MOCK_CREDENTIALS, *plan.credentials])
    config.stash[_TRAFFIC] = Traffic(mask, keep=bool(options.har))
    config.stash[_STARTED] = time.monotonic()
    if getattr(options, "dist", "no") == "load":
        # Tests of one site stay together, so that each of its questions is asked once.
        options.dist = "loadgroup"


def _check_writable(name: str | None) -> None:
    if name and not (os.access(name, os.W_OK) if Path(name).exists() else os.access(Path(name).parent, os.W_OK)):
        message = f"--har {name}: cannot be written"
        raise UsageError(message)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Give each test the sites and checks it looks at."""
    plan = metafunc.config.stash[_PLAN]
    if "reply" in metafunc.fixturenames:
        marker = metafunc.definition.get_closest_marker("checks")
        checks = marker.args if marker else tuple(CHECKS)
        places = [(key, check) for key in plan.site_keys for check in checks]
        metafunc.parametrize("reply", places, indirect=True, ids=[f"{key}-{check}" for key, check in places])
    elif "site_key" in metafunc.fixturenames:
        metafunc.parametrize("site_key", plan.site_keys)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Note site and check of each test for the reports, and keep together what one process should do."""
    mock = config.stash[_PLAN].mock
    for item in items:
        params = getattr(getattr(item, "callspec", None), "params", {})
        site_key, check = params.get("reply", (params.get("site_key"), None))
        item.user_properties += [
            (name, value) for name, value in (("site", site_key), ("check", check)) if value is not None
        ]
        # Real sites are asked by one process, which keeps the pause between two requests.
        item.add_marker(pytest.mark.xdist_group((site_key or item.path.stem) if mock else "real sites"))


@pytest.fixture(scope="session")
def plan(request: pytest.FixtureRequest) -> Plan:
    """Return what this run is about."""
    return request.config.stash[_PLAN]


@pytest.fixture(scope="session")
def suite(request: pytest.FixtureRequest, plan: Plan) -> Iterator[Suite]:
    """Open the sites when the first test needs them."""
    stash = request.config.stash
    with open_suite(plan, stash[_TRAFFIC], stash[_MASK], stash.get(MAKE_MOCK, None)) as opened:
        yield opened


@pytest.fixture
def reply(request: pytest.FixtureRequest, plan: Plan) -> Answer:
    """Return what a check got on a site, whoever answered."""
    site_key, check = request.param
    if reason := plan.missing(site_key, check):
        pytest.skip(reason)
    opened: Suite = request.getfixturevalue("suite")
    try:
        return opened.answer(site_key, check)
    except HarnessError as error:
        pytest.fail(f"{site_key}: the harness itself failed, which says nothing about the site: {error}", pytrace=False)


@pytest.fixture
def answer(reply: Answer) -> Answer:
    """Return what the endpoint itself answered; where something else did, the test is skipped."""
    if away := reply.unavailable:
        seen = reply.observation
        pytest.skip(reply.mask(f"{seen.site}: the endpoint did not answer the check {seen.check} ({away[0].rule})"))
    return reply


@pytest.fixture
def run(answer: Answer) -> Answer:
    """Return an answer that brings a run; where it brings something else, the test of the status has failed."""
    if answer.observation.status != HTTPStatus.OK:
        pytest.skip(f"{answer.observation.site}: the answer is {answer.observation.status}, which brings no run")
    return answer


@pytest.fixture(scope="session")
def mock(plan: Plan, request: pytest.FixtureRequest) -> Suite:
    """Return the sites for a test that asks more than a real site should be asked."""
    if not plan.mock:
        pytest.skip("runs on the mock only: a real site is asked the four checks and nothing else")
    opened: Suite = request.getfixturevalue("suite")
    return opened


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Take keys out of whatever a report shows, however they got there."""
    report = yield
    mask = item.config.stash[_MASK]
    shown = str(report.longrepr) if report.longrepr and not isinstance(report.longrepr, tuple) else ""
    if mask(shown) != shown:
        report.longrepr = mask(shown)
    report.sections = [(name, mask(text)) for name, text in report.sections]
    return report


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Hand the traffic of a worker to its controller, or write the archive."""
    config, traffic = session.config, session.config.stash[_TRAFFIC]
    workeroutput: dict[str, Any] | None = getattr(config, "workeroutput", None)
    if workeroutput is not None:
        workeroutput[_PACKED] = traffic.packed()
    elif config.option.har:
        traffic.write(Path(config.option.har))


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Take in the traffic of a worker; one that crashed has none to tell."""
    packed = getattr(node, "workeroutput", {}).get(_PACKED)
    if packed:
        node.config.stash[_TRAFFIC].add(packed)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Say how much was asked of whom."""
    traffic, plan = config.stash[_TRAFFIC], config.stash[_PLAN]
    if traffic.requests:
        requests = _counted(traffic.requests, "request")
        sites = _counted(len(traffic.sites), "mock site" if plan.mock else "real site")
        spent_s = time.monotonic() - config.stash[_STARTED]
        terminalreporter.write_line(f"model-lab: {requests} to {sites} in {spent_s:.1f} s")


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
