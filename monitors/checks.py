"""The four checks: one kind of request each, with its expected answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

RUN_PATH = "/api/v2/model-lab-api/runs/{run_id}"
"""The only path this project asks for; source: the vendor's page of the operation GetModelLabRun."""

INT64_MAX = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Check:
    """One kind of request: the statuses it must get, whether it sends the keys, and the id it asks for.

    `run_id` is None where the check asks for the site's canary run.
    """

    name: str
    expected: tuple[int, ...]
    with_keys: bool
    run_id: str | None


CHECKS: Mapping[str, Check] = {
    check.name: check
    for check in (
        Check("run", (200,), with_keys=True, run_id=None),
        # The largest int64: valid as an id, and no site has counted that far.
        Check("not-found", (404,), with_keys=True, run_id=str(INT64_MAX)),
        Check("bad-request", (400,), with_keys=True, run_id="not-an-integer"),
        Check("unauthenticated", (401, 403), with_keys=False, run_id="1"),
    )
}
