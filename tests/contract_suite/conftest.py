from __future__ import annotations

import contextlib
import io
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from contract_tests.suite import MAKE_MOCK
from mock_site.app import create_app
from mock_site.server import MockSites

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from mock_site.state import MockState

ROOT = Path(__file__).parents[2]


@dataclass
class Outcome:
    """One run of the suite: every report, every warning, everything printed, every request the mock got."""

    exit_code: int = 0
    output: str = ""
    reports: list[pytest.TestReport] = field(default_factory=list)
    warnings: list[tuple[str, str]] = field(default_factory=list)
    requests: list[tuple[str, str]] = field(default_factory=list)

    @property
    def failed(self) -> dict[str, str]:
        """The failed tests with their messages."""
        return {report.nodeid: str(report.longrepr) for report in self.reports if report.failed}

    @property
    def skipped(self) -> dict[str, str]:
        """The skipped tests with their reasons."""
        found = {}
        for report in self.reports:
            if report.skipped:
                assert isinstance(report.longrepr, tuple)
                found[report.nodeid] = report.longrepr[2].removeprefix("Skipped: ")
        return found

    @property
    def passed(self) -> list[str]:
        """The tests that passed."""
        return [report.nodeid for report in self.reports if report.passed and report.when == "call"]

    def at(self, site: str) -> list[pytest.TestReport]:
        """Return the reports of the tests of a site, told by what stands in the reports too."""
        return [report for report in self.reports if dict(report.user_properties).get("site") == site]

    def failed_at(self, site: str) -> dict[str, str]:
        """Return the failed tests of a site with their messages."""
        return {report.nodeid: str(report.longrepr) for report in self.at(site) if report.failed}

    def warnings_at(self, site: str) -> list[str]:
        """Return the warnings the tests of a site showed."""
        tests = {report.nodeid for report in self.at(site)}
        return [text for nodeid, text in self.warnings if nodeid in tests]


class Recorder:
    """The plugin that fills an `Outcome`, and watches the mock from the inside where it is told to."""

    def __init__(self, outcome: Outcome, app: Callable[[MockState], Any]) -> None:
        self.outcome = outcome
        self._app = app

    def pytest_configure(self, config: pytest.Config) -> None:
        config.stash[MAKE_MOCK] = lambda **options: MockSites(app=self._watched, **options)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self.outcome.reports.append(report)

    def pytest_warning_recorded(self, warning_message: Any, nodeid: str) -> None:
        self.outcome.warnings.append((nodeid, str(warning_message.message)))

    def _watched(self, state: MockState) -> Any:
        app = self._app(state)

        async def watch(scope: Any, receive: Any, send: Any) -> None:
            self.outcome.requests.append((scope["method"], scope["path"]))
            await app(scope, receive, send)

        return watch


def _run(*arguments: str, app: Callable[[MockState], Any] = create_app) -> Outcome:
    outcome, output = Outcome(), io.StringIO()
    options = ["--capture=no", "-p", "no:cacheprovider", "-p", "no:xdist", "-p", "no:cov", "--rootdir", str(ROOT)]
    with contextlib.redirect_stdout(output), contextlib.redirect_stderr(output):
        code = pytest.main([str(ROOT / "contract_tests"), *options, *arguments], plugins=[Recorder(outcome, app)])
    outcome.exit_code, outcome.output = int(code), output.getvalue()
    return outcome


@pytest.fixture(scope="session")
def run_suite() -> Callable[..., Outcome]:
    """Return a function that runs `pytest contract_tests` in this process."""
    return _run


@pytest.fixture
def _no_keys(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Take away whatever configuration the machine has, and the working directory's."""
    for name in ("DD_SITE", "DD_API_KEY", "DD_APP_KEY", "MODEL_LAB_RUN_ID", "MODEL_LAB_MONITOR_CONFIG"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)


@pytest.fixture(scope="module")
def sites() -> Iterator[MockSites]:
    """Run mock sites that stand for the real ones: reached by their public names, with keys of their own."""
    with MockSites(api_key="api-key-of-a-site", app_key="app-key-of-a-site") as running:
        yield running
