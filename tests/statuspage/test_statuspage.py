"""The vendor's status page is quoted in one harmless line, or not at all."""

from __future__ import annotations

import contextlib
import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitors.errors import HarnessError
from monitors.sites import SITES
from monitors.statuspage import Said, StatusPages, fetch, said_of

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
        (page(), "nothing"),
        (page(incidents=[incident()]), "known incident: API errors (major)"),
        (page(incidents=[incident("a", impact="none"), incident("b", "resolved")]), "known incident: a"),
        (page(incidents=[incident(c) for c in "abcde"]), "known incident: a (major), b (major), c (major) and 2 more"),
        (page(incidents=[incident("a\n\x1b[2J\u202e")]), r"known incident: a\n\x1b[2J\u202e (major)"),
        (page(incidents=[incident(7), "x", None]), "nothing"),
        (page(incidents="x"), "nothing"),
        (page(scheduled_maintenances=[incident("m", "in_progress", "maintenance")]), "maintenance: m (maintenance)"),
        (page(scheduled_maintenances=[incident("m", "scheduled", "maintenance")]), "nothing"),
        (page(status={"indicator": "minor", "description": "Partial outage"}), "minor: Partial outage"),
        (page(status={"indicator": "critical"}), "critical"),
        (page(status={"indicator": ["minor"]}), "nothing"),
        (page(status="x"), "nothing"),
        (b"", "could not be read: what it answered is no JSON"),
        (b"<html>", "could not be read: what it answered is no JSON"),
        (b"\xff\xfe", "could not be read: what it answered is no JSON"),
        (b"[" * 100_000, "could not be read: what it answered is no JSON"),
        (b"null", "could not be read: what it answered is no summary of a status page"),
        (b"[]", "could not be read: what it answered is no summary of a status page"),
        (b"{}", "could not be read: what it answered is no summary of a status page"),
    ],
)
def test_what_a_page_says(body: bytes, line: str) -> None:
    assert str(said_of(US5, lambda _host: body)) == line


def test_the_page_of_the_site_is_asked() -> None:
    hosts: list[str] = []
    said_of(US5, lambda host: hosts.append(host) or b"{}")
    assert hosts == [US5.status_host]


@settings(deadline=None)
@given(st.dictionaries(st.sampled_from(["status", "incidents", "scheduled_maintenances"]), JSON_VALUES))
def test_any_page_is_a_printable_line(summary: dict[str, Any]) -> None:
    line = str(said_of(US5, lambda _host: json.dumps(summary).encode()))
    assert line.isprintable()
    assert 0 < len(line) <= 300


@settings(deadline=None)
@given(st.lists(st.fixed_dictionaries({"name": JSON_VALUES, "status": JSON_VALUES, "impact": JSON_VALUES})))
def test_any_incidents_are_a_printable_line(incidents: list[Any]) -> None:
    assert str(said_of(US5, lambda _host: page(incidents=incidents))).isprintable()


@settings(deadline=None)
@given(st.binary(max_size=50))
def test_any_bytes_say_nothing_or_a_line(body: bytes) -> None:
    assert str(said_of(US5, lambda _host: body)).isprintable()


@pytest.mark.parametrize(
    ("error", "why"), [(HarnessError("no\nresolver"), r"no\nresolver"), (OSError("x"), "x"), (OSError(), "OSError")]
)
def test_a_page_that_cannot_be_read_says_so_and_a_notice_quotes_nothing(error: Exception, why: str) -> None:
    def fetch(_host: str) -> bytes:
        raise error

    said = said_of(US5, fetch)
    assert (str(said), said.quoted) == (f"could not be read: {why}", None)


def test_a_notice_tells_a_page_that_lists_nothing_from_one_nobody_knows() -> None:
    assert StatusPages(lambda _host: page()).known("US5") == "nothing"
    assert StatusPages(lambda _host: b"<html>").known("US5") is None
    assert Said("minor: x").quoted == "minor: x"


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


def test_a_site_without_a_page_has_none() -> None:
    pages = StatusPages(lambda _host: pytest.fail("there is nobody to ask"))
    for site in ("UK1", "XX9"):
        assert pages.known(site) is None
        assert str(pages.said(site)) == "has no page"


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
        refused = contextlib.nullcontext() if wanted else pytest.raises(HarnessError, match=f"^answered {status}$")
        with refused:
            assert fetch("status.invalid", f"http://127.0.0.1:{server.server_address[1]}") == b"{}"
        server.shutdown()
    [(method, path, headers)] = asked
    assert (method, path) == ("GET", "/api/v2/summary.json")
    assert not headers & {"dd-api-key", "dd-application-key", "authorization"}


def test_a_page_that_nobody_serves_is_said_to_be_out_of_reach() -> None:
    said = said_of(US5, lambda host: fetch(host, "http://127.0.0.1:9"))
    assert str(said) == "could not be read: 127.0.0.1:9 refused the connection"
