from __future__ import annotations

import json
import re
import threading
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

import pytest

import schemas
from monitors.config.alerting import SinkSettings
from monitors.incidents.model import Notice, NoticeKind
from monitors.notify.sinks import Around, build

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from monitors.notify.sinks import Sink

AT = datetime(2026, 11, 26, 10, 44, tzinfo=UTC)
SECRET = "s3cr3t-0123456789-abcdef"
EXAMPLES: dict[str, Any] = {example["kind"]: example for example in schemas.document("notification")["examples"]}


def content(kind: str = "opened", /, **members: Any) -> dict[str, Any]:
    """Return the content of a notice as the outbox holds it; members named are the incident's."""
    found = json.loads(json.dumps(EXAMPLES.get(kind, EXAMPLES["updated"])))
    found["kind"] = kind
    if kind == "opened":
        found["change"] = {"spread_to": [], "gone_from": [], "worsened_from": None}
    for name in ("known", "advice", "link", "curl"):
        found.pop(name, None)
    if "incident" in found:
        found["incident"] |= members
        if "message" in members and "spells" not in members:
            for spell in found["incident"]["spells"]:
                spell["message"] = members["message"]
    return dict(found)


def make_notice(
    kind: str = "opened", number: int = 1, /, sink: str = "ops", incident: int = 12, **members: Any
) -> Notice:
    """Make a notice; members named are the incident's."""
    said = content(kind, **members)
    of = incident if "incident" in said else 0
    said["key"] = f"5f0c9a7e-{of or kind}-{number}-{sink}"
    if of:
        said["incident"]["id"] = of
    return Notice(sink, of, number, NoticeKind(kind), said["key"], AT, said)


@dataclass(frozen=True)
class Request:
    """One request as a server got it, header names in lower case."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def query(self) -> dict[str, str]:
        return dict(parse_qsl(urlsplit(self.path).query))


Reply = tuple[int, dict[str, str], bytes]


@dataclass
class Loopback:
    """A service on loopback. `answer` gives the reply to a request, None to hang until the server is closed."""

    answer: Callable[[Request], Reply | None] = lambda _request: (200, {}, b"{}")
    requests: list[Request] = field(default_factory=list)
    port: int = 0

    def __post_init__(self) -> None:
        self.open()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def open(self) -> None:
        """Listen, on the port of before where there was one."""
        outer, self._closing = self, threading.Event()

        class Handler(BaseHTTPRequestHandler):
            def _serve(self) -> None:
                body = self.rfile.read(int(self.headers.get("content-length", 0)))
                headers = {name.lower(): value for name, value in self.headers.items()}
                request = Request(self.command, self.path, headers, body)
                outer.requests.append(request)
                reply = outer.answer(request)
                if reply is None:
                    outer._closing.wait(30)
                    return
                status, given, data = reply
                self.send_response(status)
                for name, value in {"Content-Length": str(len(data)), **given}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(data)

            do_GET = do_POST = do_PATCH = do_PUT = do_DELETE = _serve  # noqa: N815 - the library's names

            def log_message(self, *_args: Any) -> None:
                pass

        class Server(ThreadingHTTPServer):
            daemon_threads = True
            allow_reuse_address = True

            def handle_error(self, *_args: Any) -> None:
                """A client that went away is no error of the test."""

        self._server = Server(("127.0.0.1", self.port), Handler)
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def close(self) -> None:
        """Stop listening; what hangs is let go."""
        self._closing.set()
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def loopback() -> Iterator[Loopback]:
    server = Loopback()
    yield server
    server.close()


@dataclass
class Github:
    """As much of GitHub's issues as the sink uses; also what it answers to a request that it takes."""

    issues: dict[int, dict[str, Any]] = field(default_factory=dict)
    comments: dict[int, list[dict[str, Any]]] = field(default_factory=dict)

    def answer(self, request: Request) -> Reply:
        found = re.fullmatch(r"/repos/o/r/issues(?:/(\d+)(/comments)?)?", urlsplit(request.path).path)
        if found is None:
            return 404, {}, b'{"message": "Not Found"}'
        number, about_comments = int(found[1] or 0), bool(found[2])
        if number and number not in self.issues:
            return 404, {}, b'{"message": "Not Found"}'
        said: Any = self._issue(request, number) if not about_comments else self._comments(request, number)
        return (201 if request.method == "POST" else 200), {}, json.dumps(said).encode()

    def _issue(self, request: Request, number: int) -> Any:
        if number:
            self.issues[number] |= request.json if request.method == "PATCH" else {}
            return self.issues[number]
        if request.method == "POST":
            made = {"number": len(self.issues) + 1, "state": "open", **request.json}
            self.issues[made["number"]] = made
            self.comments[made["number"]] = []
            return made
        page, size = int(request.query["page"]), int(request.query["per_page"])
        newest_first = sorted(self.issues.values(), key=lambda issue: -issue["number"])
        return newest_first[(page - 1) * size : page * size]

    def _comments(self, request: Request, number: int) -> Any:
        if request.method == "POST":
            self.comments[number].append(request.json)
            return request.json
        return self.comments[number]


SETTINGS: dict[str, Callable[[str], SinkSettings]] = {
    "webhook": lambda url: SinkSettings("ops", "webhook", options={"url": f"{url}/hook"}, secrets={"secret": SECRET}),
    "github-issues": lambda url: SinkSettings(
        "ops", "github-issues", options={"repository": "o/r", "base_url": url}, secrets={"token": SECRET}
    ),
    "datadog": lambda url: SinkSettings("ops", "datadog", options={"base_url": url}, secrets={"api_key": SECRET}),
    "apprise": lambda url: SinkSettings(
        "ops", "apprise", secrets={"url": url.replace("http", "json") + f"/{SECRET}?rto=0.6&cto=0.6"}
    ),
}


@dataclass
class Service:
    """A sink, and the loopback service it delivers to: `takes` is how the service answers when all is well."""

    type: str
    server: Loopback
    takes: Callable[[Request], Reply | None]
    github: Github

    def sink(self, timeout_s: float = 10.0, around: Around | None = None) -> Sink:
        return build(
            replace(SETTINGS[self.type](self.server.url), timeout_s=timeout_s), around or Around(now=lambda: AT)
        )

    @property
    def taken(self) -> list[Request]:
        """The requests that say something, not those that look something up."""
        return [request for request in self.server.requests if request.method != "GET"]


@pytest.fixture
def service_github() -> Github:
    return Github()


@pytest.fixture(params=SETTINGS)
def service(request: pytest.FixtureRequest, loopback: Loopback) -> Service:
    github = Github()
    takes = github.answer if request.param == "github-issues" else loopback.answer
    loopback.answer = takes
    return Service(request.param, loopback, takes, github)


@dataclass
class Clock:
    """A clock that tests move."""

    at: datetime = AT

    def __call__(self) -> datetime:
        return self.at

    def go(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)


@pytest.fixture
def notice() -> Callable[..., Notice]:
    return make_notice


@pytest.fixture
def secret() -> str:
    return SECRET


@pytest.fixture
def clock() -> Clock:
    return Clock()
