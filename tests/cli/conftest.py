from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import pytest

from mock_site.server import MockSites
from monitors.cli import run

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class Ran:
    """One command line that has run."""

    code: int
    out: str
    err: str


class Cli(Protocol):
    def __call__(self, *arguments: str | Path) -> Ran: ...


@pytest.fixture
def cli(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Cli:
    """Run command lines in an empty directory, with nothing of the caller's in the environment."""
    monkeypatch.chdir(tmp_path)
    for name in os.environ:
        if name.startswith(("DD_", "MODEL_LAB_", "GITHUB_")) or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    for name in ("NO_COLOR", "FORCE_COLOR", "COLUMNS", "SSL_CERT_FILE", "SSL_CERT_DIR"):
        monkeypatch.delenv(name, raising=False)

    # Beside the directory, not in it: some tests look at what a command has left there.
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path.with_name(f"{tmp_path.name}-state")))

    def ran(*arguments: str | Path) -> Ran:
        capfd.readouterr()
        code = run([str(argument) for argument in arguments])
        out, err = capfd.readouterr()
        return Ran(code, out, err)

    return ran


@pytest.fixture(scope="session")
def mock() -> Iterator[MockSites]:
    with MockSites() as running:
        yield running


@pytest.fixture
def wired(mock: MockSites) -> list[str]:
    """Options that lead every host to the mock."""
    mock.set_scenario(None, "healthy")
    host, port = mock.address("US1", tls=True)
    return ["--connect-to", f"::{host}:{port}", "--ca-file", str(mock.ca_file)]
