"""Recordings made by hand, one of each format, and ways to write more."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from monitors.model import Observation
from monitors.recordings import LeftAside, read

if TYPE_CHECKING:
    from collections.abc import Callable

HERE = Path(__file__).parent
RUN_URL = "https://api.us5.datadoghq.com/api/v2/model-lab-api/runs/101"


class Read(NamedTuple):
    """What one reading gave, apart."""

    observations: list[Observation]
    aside: list[LeftAside]

    @property
    def one(self) -> Observation:
        assert len(self.observations) == 1
        return self.observations[0]

    @property
    def reasons(self) -> dict[str, int]:
        return {aside.reason: aside.count for aside in self.aside}


@pytest.fixture
def reading() -> Callable[..., Read]:
    """Read everything a path holds."""

    def read_all(path: Path, **options: Any) -> Read:
        seen = list(read(path, **options))
        return Read(
            [item for item in seen if isinstance(item, Observation)],
            [item for item in seen if isinstance(item, LeftAside)],
        )

    return read_all


@pytest.fixture
def reading_bytes(tmp_path: Path, reading: Callable[..., Read]) -> Callable[..., Read]:
    """Write bytes, text or a JSON document to a file and read it."""

    def read_all(content: Any, name: str = "recording.json", **options: Any) -> Read:
        path = tmp_path / name
        path.write_bytes(as_bytes(content))
        return reading(path, **options)

    return read_all


def as_bytes(content: Any) -> bytes:
    if isinstance(content, bytes):
        return content
    return (content if isinstance(content, str) else json.dumps(content)).encode()


@pytest.fixture
def interaction() -> Callable[..., dict[str, Any]]:
    """Make one interaction as the VCR family keeps it."""

    def make(url: str = RUN_URL, *, method: str = "GET", status: Any = 200, **response: Any) -> dict[str, Any]:
        return {
            "request": {"method": method, "uri": url, "headers": response.pop("request_headers", {})},
            "response": {"status": {"code": status}, "headers": {}, "body": {"string": "{}"}, **response},
        }

    return make


@pytest.fixture
def cassette(interaction: Callable[..., dict[str, Any]]) -> Callable[..., dict[str, Any]]:
    """Make a JSON cassette with one interaction."""

    def make(*args: Any, **kwargs: Any) -> dict[str, Any]:
        return {"version": 1, "interactions": [interaction(*args, **kwargs)]}

    return make


@pytest.fixture
def archive() -> Callable[..., dict[str, Any]]:
    """Make an HTTP archive with one entry."""

    def make(content: Any, *, url: str = RUN_URL, status: Any = 200, **response: Any) -> dict[str, Any]:
        answer = {"status": status, "headers": [], "content": content, **response}
        return {"log": {"entries": [{"request": {"method": "GET", "url": url}, "response": answer}]}}

    return make


@pytest.fixture
def expectation() -> Callable[..., list[dict[str, Any]]]:
    """Make a list of one expectation of MockServer."""

    def make(body: Any, **response: Any) -> list[dict[str, Any]]:
        request = {"method": "GET", "path": "/api/v2/model-lab-api/runs/101"}
        return [{"httpRequest": request, "httpResponse": {"body": body, **response}}]

    return make
