"""One suite for every sink that speaks to a service: it is taken, or the sink says so; nothing is lost, no key told."""

from __future__ import annotations

import contextlib
import logging
import select
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import pytest

from monitors.incidents.model import NoticeKind
from monitors.notify.attempts import start
from monitors.notify.errors import SinkError
from monitors.notify.message import message_of

if TYPE_CHECKING:
    from conftest import Reply, Request, Service

    from monitors.incidents.model import Notice
    from monitors.notify.sinks import Sink


Make = Callable[..., "Notice"]


def send(sink: Sink, sent: Notice) -> None:
    sink.send(message_of(sent, sink.settings), sent)


def fails(sink: Sink, sent: Notice) -> SinkError:
    """Send in vain; what the sink says is one line without its secret."""
    with pytest.raises(SinkError) as caught:
        send(sink, sent)
    assert "s3cr3t" not in repr(caught.value)
    assert "\n" not in str(caught.value)
    return caught.value


@pytest.mark.parametrize("kind", NoticeKind)
def test_a_notice_of_any_kind_is_taken(kind: NoticeKind, service: Service, notice: Make) -> None:
    sink = service.sink()
    if kind is NoticeKind.RESOLVED:
        send(sink, notice("opened", 1))
    send(sink, notice(kind, 2))
    assert service.taken


def test_a_service_that_fails_is_said_to_fail_and_takes_it_later(service: Service, notice: Make) -> None:
    sink, sent = service.sink(), notice()
    service.server.answer = lambda _request: (500, {}, b'{"message": "boom"}')
    assert not fails(sink, sent).permanent
    service.server.answer = service.takes
    send(sink, sent)


def test_a_service_that_hangs_is_given_up_at_the_deadline(service: Service, notice: Make) -> None:
    service.server.answer = lambda _request: None
    begun = time.monotonic()
    assert not fails(service.sink(timeout_s=0.5), notice()).permanent
    assert time.monotonic() - begun < 20


class Slow:
    """A service on loopback that never comes to an end, and counts who is still connected."""

    def __init__(self, first: bytes, drop: bytes) -> None:
        self._first, self._drop = first, drop
        self._over = threading.Event()
        self.ended = threading.Semaphore(0)
        self._server = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._server.getsockname()[1]}"
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection = self._server.accept()[0]
                threading.Thread(target=self._drip, args=(connection,), daemon=True).start()

    def _drip(self, connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            connection.recv(1)
            connection.sendall(self._first)
            while not self._over.is_set():
                if select.select([connection], [], [], 0.02)[0] and not connection.recv(65_536):
                    break
                connection.sendall(self._drop)
        self.ended.release()

    def close(self) -> None:
        self._over.set()
        self._server.close()


@pytest.fixture(
    params=[
        (b"", b""),
        (b"", b"H"),
        (b"HTTP/1.1 200 OK\r\n", b"X: y\r\n"),
        (b"HTTP/1.1 503 No\r\nContent-Length: 60000\r\n\r\n", b"a"),
        (b"HTTP/1.1 503 No\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\na\r\n"),
        (b"HTTP/1.1 500 No\r\n\r\n", b"a" * 999),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 60000\r\n\r\n", b" "),
    ],
    ids=["says nothing", "drips no HTTP", "headers", "a body", "chunks", "a body without end", "a body that is read"],
)
def slow(request: pytest.FixtureRequest) -> Iterator[Slow]:
    server = Slow(*request.param)
    yield server
    server.close()


def test_each_attempt_ends_at_its_deadline_and_its_connection_with_it(
    service: Service, slow: Slow, notice: Make, request: pytest.FixtureRequest
) -> None:
    if service.type == "webhook" and "read" in request.node.callspec.id:
        pytest.skip("a webhook does not read what follows such a status")
    sink = replace(service, server=slow).sink(timeout_s=0.5)  # type: ignore[arg-type]  # it has an address
    for _ in range(3):
        running = start(partial(send, sink, notice()), "ops")
        outcome = running.wait(20)
        assert outcome is not None, "the attempt goes on"
        assert outcome.error is not None
        assert not outcome.error.permanent
        assert slow.ended.acquire(timeout=20), "the connection is still open"


@pytest.mark.parametrize("service", ["github-issues"], indirect=True)
def test_the_requests_of_an_attempt_share_its_time(service: Service, notice: Make) -> None:
    """Each answer is in time; all of them are not."""
    passed = threading.Event()

    def answer(_request: Request) -> Reply:
        passed.wait(0.4)
        return 200, {}, b"[" + b",".join([b"{}"] * 100) + b"]"

    service.server.answer = answer
    assert "within 1 s" in str(fails(service.sink(timeout_s=1), notice()))
    assert len(service.server.requests) <= 3


def test_a_service_that_takes_it_and_then_says_it_failed_gets_the_same_again(service: Service, notice: Make) -> None:
    def takes_then_fails(request: Request) -> Reply:
        taken = service.takes(request)
        assert taken is not None
        return taken if request.method == "GET" else (500, {}, b"")

    sink, sent = service.sink(), notice()
    service.server.answer = takes_then_fails
    fails(sink, sent)
    first = list(service.taken)
    service.server.answer = service.takes
    send(sink, sent)
    if service.type == "github-issues":
        assert len(service.github.issues) == 1
        assert len(service.taken) == 1
    else:
        again = service.taken[len(first) :]
        assert [(request.path, request.body) for request in again][: len(first)] == [
            (request.path, request.body) for request in first
        ]


def test_a_service_that_is_down_takes_it_once_it_is_back(service: Service, notice: Make) -> None:
    sink, sent = service.sink(), notice()
    service.server.close()
    assert not fails(sink, sent).permanent
    service.server.open()
    send(sink, sent)
    assert service.taken


def test_a_restart_between_two_notices_is_not_noticed(service: Service, notice: Make) -> None:
    sink = service.sink()
    send(sink, notice("opened", 1))
    service.server.close()
    service.server.open()
    for _ in range(2):
        # A connection kept open may be found dead once.
        try:
            send(sink, notice("updated", 2))
        except SinkError:
            continue
        break
    else:
        pytest.fail("the sink did not recover")


def test_what_a_service_answers_is_no_secret_s_way_out(service: Service, secret: str, notice: Make) -> None:
    service.server.answer = lambda _request: (500, {}, f'{{"message": "no such key {secret}"}}'.encode())
    fails(service.sink(), notice())


def test_no_library_below_logs_an_address_or_a_key(
    service: Service, secret: str, notice: Make, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    send(service.sink(), notice())
    service.server.answer = lambda _request: (500, {}, secret.encode())
    fails(service.sink(), notice("updated", 2))
    # pytest listens to apprise as well, which propagates nothing: it reads its log itself.
    assert [record.getMessage() for record in caplog.records if record.name != "apprise"] == []
    assert service.type != "apprise" or not logging.getLogger("apprise").propagate


def test_no_sink_sends_a_method_that_could_destroy(service: Service, notice: Make) -> None:
    sink = service.sink()
    for number, kind in enumerate(NoticeKind):
        send(sink, notice(kind, number))
    assert {request.method for request in service.server.requests} <= {"GET", "POST", "PATCH"}


def test_the_text_of_a_site_wakes_nobody_and_leads_nowhere(service: Service, notice: Make) -> None:
    hostile = "<!channel> @everyone <@U1> [click](https://evil.test) ![x](https://evil.test/x.png) <script>x</script>"
    send(service.sink(), notice(message=hostile, location=f"$['{hostile}']", rule=hostile))
    if service.type == "webhook":
        # Data for a program: escaping it is the reader's business.
        assert service.taken[0].json["incident"]["message"] == hostile
        return
    for request in service.taken:
        # An escaped bracket begins no link; an invisible joiner ends what would be an address or a mention.
        text = request.body.decode("ascii").encode().decode("unicode_escape").replace("\\]", "")
        for obeyed in ("<!channel>", "@everyone", "<@U1>", "](http", "https://evil"):
            assert obeyed not in text, f"{service.type}: {obeyed}"


class TestPlainHttpServices:
    """What only those can tell that see the status: apprise keeps it to itself."""

    @pytest.fixture(autouse=True)
    def _not_apprise(self, service: Service) -> None:
        if service.type == "apprise":
            pytest.skip("apprise does not tell what a service answered")

    @pytest.mark.parametrize("status", [400, 401, 403, 404, 422])
    def test_what_only_a_person_can_mend_is_permanent(self, status: int, service: Service, notice: Make) -> None:
        service.server.answer = lambda _request: (status, {}, b'{"errors": ["Forbidden"]}')
        error = fails(service.sink(), notice())
        assert error.permanent
        assert str(error) == f"{service.server.url}: answered {status}: Forbidden"

    @pytest.mark.parametrize("status", [429, 503])
    def test_a_service_that_asks_for_time_is_given_it(self, status: int, service: Service, notice: Make) -> None:
        service.server.answer = lambda _request: (status, {"Retry-After": "42"}, b"")
        error = fails(service.sink(), notice())
        assert (error.retry_after_s, error.permanent) == (42.0, False)

    def test_a_redirect_is_not_followed(self, service: Service, notice: Make) -> None:
        target = f"{service.server.url}/elsewhere?x=1"
        service.server.answer = lambda _request: (307, {"Location": target}, b"")
        error = fails(service.sink(), notice())
        assert error.permanent
        assert not [request for request in service.server.requests if "elsewhere" in request.path]

    def test_a_body_without_end_is_cut(self, service: Service, notice: Make) -> None:
        # A webhook's answer is read only where it says why something failed; what the status says is said all the same.
        status, said = (500, "answered 500") if service.type == "webhook" else (200, "more than")
        service.server.answer = lambda _request: (status, {}, b"[" + b" " * (9 * 2**20))
        assert said in str(fails(service.sink(), notice()))
