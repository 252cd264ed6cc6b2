"""A checkout of the contract in memory, and problems as answers show them."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import pytest

from monitors.acceptance.known import Known, merged, of_answer
from monitors.acceptance.proposal import Proposal
from monitors.acceptance.tree import Tree
from monitors.contract import judge
from monitors.model import Observation

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).parents[2]
TODAY = date(2026, 11, 23)
AT = datetime(2026, 11, 20, 12, tzinfo=UTC)


class Problems(Protocol):
    def __call__(self, body: bytes, status: int = 200, run_id: str = "") -> list[Known]: ...


@pytest.fixture
def problems() -> Problems:
    """Judge one recorded body and return its problems."""

    def judged(body: bytes, status: int = 200, run_id: str = "") -> list[Known]:
        headers = (("content-type", "application/json"),)
        seen = Observation("US5", None, AT, "GET", "https://h/", run_id, True, status, headers, body)
        return merged(of_answer(seen, judge(seen)))

    return judged


@pytest.fixture
def proposal() -> Callable[[], Proposal]:
    """Start a proposal for this checkout."""
    return lambda: Proposal(Tree(ROOT), TODAY)


@pytest.fixture
def known() -> Callable[..., Known]:
    """Make a problem, of US5's run unless told otherwise."""

    def make(rule: str = "response-property-became-nullable", **members: Any) -> Known:
        defaults: dict[str, Any] = {
            "fingerprint": "0123456789abcdef",
            "kind": "contract",
            "level": "breaking",
            "location": "$.data.attributes.name",
            "message": "null where string is promised",
            "base": "string",
            "revision": "null",
            "check": "run",
            "sites": ("US5",),
            "statuses": (200,),
            "first_seen": AT,
        }
        return Known(rule=rule, **{**defaults, **members})

    return make
