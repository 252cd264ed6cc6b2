"""Observations made by hand."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from monitors.model import Observation

AT = datetime(2026, 11, 23, 12, tzinfo=UTC)


def make_run(**changed: Any) -> dict[str, Any]:
    attributes = {
        "created_at": "2026-05-18T15:55:49Z",
        "completed_at": "2026-05-18T16:55:50.38705Z",
        "descendant_match": False,
        "description": "",
        "has_children": False,
        "is_pinned": False,
        "metric_summaries": [
            {
                "count": 3,
                "first_step": 0,
                "key": "loss",
                "last_step": 2,
                "min": 0,
                "mean": 0.5,
                "max": 1.5,
                "latest": 1,
            },
            {"count": 1, "key": "lr", "latest": 5.15e-07},
        ],
        "mlflow_artifact_location": "s3://bucket/run",
        "name": "run",
        "params": None,
        "project_id": 7,
        "started_at": "2026-05-18T15:55:50.1Z",
        "status": "completed",
        "tags": [],
        "updated_at": "2026-05-18T16:55:51Z",
    }
    return {"data": {"id": "42", "type": "runs", "attributes": attributes | changed}}


def make_observation(
    body: Any = None,
    status: int = 200,
    check: str | None = "run",
    *,
    content_type: str | None = "application/json",
    site: str = "US5",
    run_id: str = "42",
    **others: Any,
) -> Observation:
    headers = [("content-type", content_type)] if content_type else []
    headers += others.pop("headers", [])
    raw = body if isinstance(body, bytes) else json.dumps(make_run() if body is None else body).encode()
    return Observation(
        site=site,
        check=check,
        at=AT,
        method=others.pop("method", "GET"),
        url=f"https://api.us5.datadoghq.com/api/v2/model-lab-api/runs/{run_id}",
        run_id=run_id,
        with_keys=others.pop("with_keys", check != "unauthenticated"),
        status=status,
        headers=tuple(headers),
        body=raw,
        **others,
    )


@pytest.fixture
def observe() -> Any:
    """Make an observation; a whole, valid run by default."""
    return make_observation


@pytest.fixture
def run() -> Any:
    """Make the body of a valid run, some attributes changed."""
    return make_run
