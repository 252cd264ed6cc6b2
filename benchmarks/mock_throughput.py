"""Requests per second and p99 of the mock against @stoplight/prism-cli serving the same OpenAPI document."""

from __future__ import annotations

import json
import statistics
import tempfile
from pathlib import Path

from measure import Row, markdown
from servers import KEYS, Load, free_port, mock_sites, npm_tool, started, wrk

import schemas
from mock_site.catalogue import NAMED_RUNS, run_body

SECONDS, ROUNDS, CONNECTIONS = 5, 3, 32


def with_example(folder: Path, body: bytes) -> Path:
    """Write the contract's OpenAPI document in one file, with the very body the mock serves as example of the 200."""
    document = json.loads(json.dumps(schemas.OPENAPI))
    path_item = document["paths"]["/api/v2/model-lab-api/runs/{run_id}"]
    document["servers"] = path_item["servers"] = [{"url": "http://127.0.0.1/"}]
    path_item["get"]["servers"] = document["servers"]

    def inline(node: object) -> object:
        if isinstance(node, dict):
            reference = node.get("$ref")
            if isinstance(reference, str) and reference.endswith(".json"):
                name = reference.removeprefix("./").removesuffix(".json")
                return {k: v for k, v in schemas.document(name).items() if k not in {"$id", "$schema"}}
            return {key: inline(value) for key, value in node.items()}
        return [inline(item) for item in node] if isinstance(node, list) else node

    document = inline(document)
    assert isinstance(document, dict)
    get = document["paths"]["/api/v2/model-lab-api/runs/{run_id}"]["get"]
    get["responses"]["200"]["content"]["application/json"]["example"] = json.loads(body)
    path = folder / "openapi.json"
    path.write_text(json.dumps(document))
    return path


def rows() -> list[Row]:
    """Load both servers in turn, three times each, and take the medians."""
    run_id = NAMED_RUNS["typical"]
    body = run_body("US1", run_id)
    path = f"/api/v2/model-lab-api/runs/{run_id}"
    headers = [f"DD-API-KEY: {KEYS[0]}", f"DD-APPLICATION-KEY: {KEYS[1]}", "Accept: application/json"]
    ours: list[Load] = []
    theirs: list[Load] = []
    port = free_port()
    with tempfile.TemporaryDirectory() as folder:
        document = with_example(Path(folder), body)
        prism = [
            npm_tool("@stoplight/prism-cli@5.16.0", "prism"),
            "mock",
            "-h",
            "127.0.0.1",
            "-p",
            str(port),
            str(document),
        ]
        with mock_sites() as mock, started(prism, port):
            for _ in range(ROUNDS):
                for url, loads in (
                    (f"http://127.0.0.1:{mock.port}{path}", ours),
                    (f"http://127.0.0.1:{port}{path}", theirs),
                ):
                    loads.append(wrk(url, seconds=SECONDS, connections=CONNECTIONS, headers=headers))
    assert not any(load.failed for load in ours + theirs), (ours, theirs)
    rate, peer = (statistics.median(load.per_s for load in loads) for loads in (ours, theirs))
    tail, peer_tail = (statistics.median(load.p99_ms for load in loads) for loads in (ours, theirs))
    return [
        Row(f"mock, a run of {len(body):,} bytes, keys checked, 32 keep-alive connections, against Prism",
            f"{rate:,.0f} requests/s", f"{peer:,.0f} requests/s", f"{rate / peer:.1f} ×", "≥ 15 ×", rate / peer >= 15),
        Row("the same, 99th percentile", f"{tail:.2f} ms", f"{peer_tail:.1f} ms", f"1/{peer_tail / tail:.0f}", "≤ 1/20",
            peer_tail / tail >= 20),
    ]  # fmt: skip


if __name__ == "__main__":
    print(markdown(rows()))
