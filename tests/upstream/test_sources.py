"""Pages and documents come from files and from the web: GET only, no keys, one host, bounded."""

from __future__ import annotations

import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import pytest

from monitors.drift.resolve import Home
from monitors.errors import HarnessError, UsageError
from monitors.upstream import sources
from monitors.upstream.page import Page

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

Answer = tuple[int, dict[str, str], bytes]


@contextmanager
def served(answer: Callable[[str, int], Answer]) -> Iterator[tuple[str, list[Any]]]:
    """Run a server on loopback; `answer` gets the path and how many requests came before."""
    seen: list[Any] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, headers, body = answer(self.path, len(seen))
            seen.append((self.command, self.path, dict(self.headers)))
            self.send_response(status)
            for name, value in {"Content-Length": str(len(body)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the server's signature
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}", seen
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", "*")


def test_a_page_is_fetched_with_one_get_and_no_key(first_page: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever keys the environment holds, the request carries none."""
    monkeypatch.setenv("DD_API_KEY", "secret-of-mine")
    with served(lambda _path, _n: (200, {}, first_page.encode())) as (url, seen):
        assert isinstance(sources.read(f"{url}/page.md"), Page)
    ((method, path, headers),) = seen
    assert (method, path) == ("GET", "/page.md")
    assert "secret-of-mine" not in str(headers)
    assert not [name for name in headers if name.lower().startswith(("dd-", "authorization", "cookie"))]


@pytest.mark.parametrize("text", ['{"openapi": "3.1.0", "paths": {}}', "openapi: 3.0.3\npaths: {}\n"])
def test_a_document_is_fetched_too(text: str) -> None:
    """JSON and YAML are told from a page by what they say."""
    with served(lambda _path, _n: (200, {}, text.encode())) as (url, _):
        found = sources.read(url)
    assert isinstance(found, Home)
    assert found.root["paths"] == {}


def test_a_broken_document_is_named_by_its_address() -> None:
    """The file it was read through is not of interest."""
    with (
        served(lambda _path, _n: (200, {}, b'{"openapi": "3.1.0", "x": ')) as (url, _),
        pytest.raises(UsageError) as caught,
    ):
        sources.read(f"{url}/api.json")
    assert str(caught.value).startswith(f"{url}/api.json: ")


def test_a_redirect_on_the_same_host_is_followed(first_page: str) -> None:
    """Pages move about on their host."""

    def answer(path: str, _n: int) -> Answer:
        return (302, {"Location": "/new"}, b"") if path == "/old" else (200, {}, first_page.encode())

    with served(answer) as (url, seen):
        sources.read(f"{url}/old")
    assert [path for _, path, _ in seen] == ["/old", "/new"]


def test_a_redirect_to_another_host_is_not_followed() -> None:
    """Who redirects elsewhere is named, and the user decides."""
    with served(lambda _path, _n: (302, {"Location": "http://localhost:1/x"}, b"")) as (url, seen):
        with pytest.raises(UsageError, match="redirects to http://localhost:1/x, another host"):
            sources.read(url)
        assert len(seen) == 1


def test_a_failing_server_is_asked_three_times(first_page: str) -> None:
    """Twice 503, then the page; three times 503 is the web's failure, not the user's."""
    paused: list[float] = []
    with served(lambda _path, n: (503, {}, b"") if n < 2 else (200, {}, first_page.encode())) as (url, seen):
        assert isinstance(sources.read(url, pause=paused.append), Page)
        assert len(seen) == 3
    assert paused == [1.0, 2.0]
    with served(lambda _path, _n: (503, {}, b"")) as (url, _), pytest.raises(HarnessError, match="answered 503"):
        sources.read(url, pause=paused.append)


def test_an_address_without_a_page_is_the_users_mistake() -> None:
    """404 is not tried again."""
    with served(lambda _path, _n: (404, {}, b"")) as (url, seen):
        with pytest.raises(UsageError, match="answered 404"):
            sources.read(url)
        assert len(seen) == 1


def test_nobody_there_is_a_failure_of_the_web() -> None:
    """A refused connection is told as such."""
    with served(lambda _path, _n: (200, {}, b"")) as (url, _):
        pass
    with pytest.raises(HarnessError, match="cannot be fetched"):
        sources.read(url, pause=lambda _s: None)


def test_the_deadline_is_one_for_everything(first_page: str) -> None:
    """Without time left there is no request and no pause."""
    with served(lambda _path, _n: (200, {}, first_page.encode())) as (url, seen):
        with pytest.raises(HarnessError, match="the deadline passed"):
            sources.read(url, timeout_s=0.0)
        assert not seen


def test_too_much_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """An answer and a file have the same bound."""
    monkeypatch.setattr(sources, "MAX_BYTES", 1000)
    with (
        served(lambda _path, _n: (200, {}, b"x" * 200_000)) as (url, _),
        pytest.raises(UsageError, match="longer than 1000"),
    ):
        sources.read(url)
    path = tmp_path / "page.md"
    path.write_bytes(b"x" * 1001)
    with pytest.raises(UsageError, match="longer than 1000"):
        sources.read(str(path))


@pytest.mark.parametrize(
    ("address", "message"),
    [
        ("ftp://example.com/x", "is no https address"),
        ("http://example.com/x", "is no https address"),
        ("file:///etc/passwd", "is no https address"),
        ("https://[", "is no https address"),
        ("https://", "is no https address"),
        ("https://me:secret@example.com/x", "an address with a password in it"),
    ],
)
def test_other_addresses_are_refused_unasked(address: str, message: str) -> None:
    """Only https, and no passwords in addresses."""
    with pytest.raises(UsageError, match=message) as caught:
        sources.read(address)
    assert "secret" not in str(caught.value)


def test_files(first_page: str, tmp_path: Path) -> None:
    """A file is a page unless its name or its text says JSON or YAML; what is missing or no text is told."""
    page, document, named = tmp_path / "page.md", tmp_path / "document.txt", tmp_path / "document.json"
    page.write_text("\ufeff" + first_page, "utf-8")
    document.write_text('{"openapi": "3.1.0", "paths": {}}', "utf-8")
    named.write_text(json.dumps({"openapi": "3.1.0", "paths": {}}), "utf-8")
    assert isinstance(sources.read(str(page)), Page)
    assert isinstance(sources.read(str(document)), Home)
    assert isinstance(sources.read(str(named)), Home)
    with pytest.raises(UsageError, match=r"gone\.md: cannot be read: no such file"):
        sources.read(str(tmp_path / "gone.md"))
    with pytest.raises(UsageError, match="cannot be read"):
        sources.read("a\0b")
    page.write_bytes(b"\xff\xfe")
    with pytest.raises(UsageError, match="is no UTF-8 text"):
        sources.read(str(page))


def test_the_default_is_the_vendors_page() -> None:
    """Its Markdown form, at the address of the page with `.md` behind."""
    assert sources.PAGE_URL.startswith("https://docs.datadoghq.com/api/latest/")
    assert sources.PAGE_URL.endswith(".md")
