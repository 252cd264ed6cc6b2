"""Tools that read the files of `deploy/` as the machines they are for would."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import pytest

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Done:
    """How a command ended and all it said."""

    code: int
    said: str


class Run(Protocol):
    """What runs a command to its end; `where` is the checkout unless named, `environ` comes on top of the tests'."""

    def __call__(self, *command: str | Path, where: Path = ROOT, environ: dict[str, str] | None = None) -> Done:
        """Return how it ended."""
        ...


def _run(*command: str | Path, where: Path = ROOT, environ: dict[str, str] | None = None) -> Done:
    done = subprocess.run(  # noqa: S603 - commands are made of constants and of the files under test
        list(map(str, command)),
        cwd=where,
        env=os.environ | (environ or {}),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return Done(done.returncode, done.stdout)


@pytest.fixture
def run() -> Run:
    """Return what runs a command to its end."""
    return _run


def needed(name: str, package: str) -> str:
    """Return where a tool is; without it, a test is skipped, and fails in CI, which has to have it."""
    if found := shutil.which(name):
        return found
    message = f"{name} is not here: install Debian's package {package}"
    if os.environ.get("CI"):
        pytest.fail(message)
    pytest.skip(message)


@pytest.fixture
def systemd_analyze() -> str:
    """Return systemd's own reader of units."""
    return needed("systemd-analyze", "systemd")


@pytest.fixture
def systemd_sysusers() -> str:
    """Return systemd's own reader of users to be made."""
    return needed("systemd-sysusers", "systemd")


@pytest.fixture
def crontab() -> str:
    """Return cron's own reader of tables."""
    return needed("crontab", "cron")
