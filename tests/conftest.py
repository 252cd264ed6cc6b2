"""What all tests share: which of them one interpreter is enough for."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Sequence

HERE = Path(__file__).parent
ONCE = (
    "acceptance",
    "cli/test_db",
    "cli/test_history",
    "cli/test_watch",
    "contract_suite",
    "deploy",
    "docs",
    "incidents/test_maintenance",
    "notify/test_every_sink",
    "schemas",
    "store/test_migrations",
    "store/test_opening",
    "store/test_salvaging",
    "store/test_senseless_rows",
    "store/test_transfer",
    "transport/test_spellings",
    "workflows",
)
"""Tests of files, whole processes and waits: they take minutes, and another Python has nothing to say of them."""


def pytest_collection_modifyitems(items: Sequence[pytest.Item]) -> None:
    """Mark what runs once, in the environment `coverage`; every other test runs on each Python."""
    for item in items:
        if item.path.is_relative_to(HERE) and item.path.relative_to(HERE).as_posix().startswith(ONCE):
            item.add_marker(pytest.mark.once)
