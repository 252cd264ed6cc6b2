"""The vendor's status page is quoted in one harmless line, or not at all."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitors.errors import HarnessError
from monitors.sites import SITES
from monitors.statuspage import StatusPages, fetch, known_incident

US5 = SITES["US5"]
JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=8,
)


def page(**members: Any) -> bytes:
    quiet = {"status": {"indicator": "none", "description": "All Systems Operational"}, "incidents": []}
    return json.dumps({**quiet, **members}).encode()


def incident(name: Any = "API errors", status: Any = "investigating", impact: Any = "major") -> dict[str, Any]:
    return {"name": name, "status": status, "impact": impact}


@pytest.mark.parametrize(
    ("body", "line"),
    [
        (page(), None),
        (page(incidents=[incident()]), "known incident: API errors (major)"),
        (page(incidents=[incident("a", impact="none"), incident("b", "resolved")]), "known incident: a"),
        (page(incidents=[incident(c) for c in "abcde"]), "known incident: a (major), b (major), c (major) and 2 more"),
        (page(incidents=[incident("a\n\x1b[2J\u202e")]), r"known incident: a\n\x1b[2J\u202e (major)"),
        (page(incidents=[incident(7), "x", None]), None),
        (page(incidents="x"), None),
        (page(scheduled_maintenances=[incident("m", "in_progress", "maintenance")]), "maintenance: m (maintenance)"),
        (page(scheduled_maintenances=[incident("m", "scheduled", "maintenance")]), None),
        (page(status={"indicator": "minor", "description": "Partial outage"}), "minor: Partial outage"),
        (page(status={"indicator": "critical"}), "critical"),
        (page(status={"indicator": ["minor"]}), None),
        (page(status="x"), None),
        (b"", None),
        (b"<html>", None),
        (b"\xff\xfe", None),
        (b"[" * 100_000, None),
        (None, None),
    ],
)
def test_what_a_page_says(body: bytes | None, line: str | None) -> None:
    assert known_incident(US5, lambda _host: body) == line


def test_the_page_of_the_site_is_asked() -> None:
    hosts: list[str] = []
    known_incident(US5, lambda host: hosts.append(host) or b"{}")
    assert hosts == [US5.status_host]


@settings(deadline=None)
@given(st.dictionaries(st.sampled_from(["status", "incidents", "scheduled_maintenances"]), JSON_VALUES))
def test_any_page_is_a_printable_line_or_none(summary: dict[str, Any]) -> None:
    line = known_incident(US5, lambda _host: json.dumps(summary).encode())
    assert line is None or (line.isprintable() and len(line) <= 300)


@settings(deadline=None)
@given(st.lists(st.fixed_dictionaries({"name": JSON_VALUES, "status": JSON_VALUES, "impact": JSON_VALUES})))
def test_any_incidents_are_a_printable_line_or_none(incidents: list[Any]) -> None:
    line = known_incident(US5, lambda _host: page(incidents=incidents))
    assert line is None or line.isprintable()


@settings(deadline=None)
@given(st.binary(max_size=50))
def test_any_bytes_say_nothing_or_a_line(body: bytes) -> None:
    known_incident(US5, lambda _host: body)


@pytest.mark.parametrize("error", [HarnessError("no resolver"), OSError("x")])
def test_a_page_that_cannot_be_read_says_nothing(error: Exception) -> None:
    def fetch(_host: str) -> bytes:
        raise error

    assert known_incident(US5, fetch) is None


def test_a_page_is_asked_once_a_minute() -> None:
    asked: list[str] = []
    now = [0.0]

    def fetch(host: str) -> bytes:
        asked.append(host)
        return page(incidents=[incident()])

    pages = StatusPages(fetch, lambda: now[0])
    for now[0] in (0.0, 30.0, 59.9):
        assert pages.known("US5") == "known incident: API errors (major)"
    assert len(asked) == 1
    now[0] = 60.0
    pages.known("US5")
    pages.known("US3")
    assert len(asked) == 3


def test_a_site_without_a_page_says_nothing() -> None:
    pages = StatusPages(lambda _host: pytest.fail("there is nobody to ask"))
    assert pages.known("UK1") is None
    assert pages.known("XX9") is None


@pytest.mark.parametrize(("status", "wanted"), [(200, True), (301, False), (404, False), (503, False)])
def test_a_summary_is_asked_for_without_keys_and_taken_with_200_alone(*, status: int, wanted: bool) -> None:
    asked: list[tuple[str, str, set[str]]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append((self.command, self.path, {name.lower() for name in self.headers}))
            self.send_response(status)
            self.send_header("Location", "/elsewhere")
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, *_args: Any) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        body = fetch("status.invalid", f"http://127.0.0.1:{server.server_address[1]}")
        server.shutdown()
    assert body == (b"{}" if wanted else None)
    [(method, path, headers)] = asked
    assert (method, path) == ("GET", "/api/v2/summary.json")
    assert not headers & {"dd-api-key", "dd-application-key", "authorization"}
