"""One cycle: every site at once, each answer judged as it comes, one site's trouble never another's."""

from __future__ import annotations

import errno
import signal
import socket
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest

from monitors.checks import CHECKS
from monitors.config import Credentials, SiteSettings
from monitors.cycle import HarnessFailure, run_cycle
from monitors.errors import UsageError
from monitors.model import Finding, Kind, Level, Skipped
from monitors.probe import Target, probe, target_for
from monitors.sites import SITES
from monitors.transport import Resolver, parse_overrides

if TYPE_CHECKING:
    from collections.abc import Iterator

    from monitors.model import Observation

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
ALL = tuple(CHECKS.values())
KEYS = Credentials("first-secret-key", "second-secret-key")


def _judge(observation: Observation) -> list[Finding]:
    if observation.failure is None:
        return []
    rule = observation.failure.rule
    return [Finding(rule, Level.BREAKING, Kind.AVAILABILITY, observation.failure.message, site=observation.site)]


def _target(
    key: str, port: int, *, credentials: Credentials | None = KEYS, run_id: int | None = 1, **options: Any
) -> Target:
    base_url = options.pop("base_url", f"http://127.0.0.1:{port}")
    settings = SiteSettings(SITES[key], credentials, run_id)
    return target_for(settings, base_url=base_url, environ={}, **{"timeout_s": 2.0, **options})


def _places(outcome: Any) -> list[tuple[str, str]]:
    return [(result.observation.site, result.observation.check) for result in outcome.results]


def test_nine_sites_take_no_longer_than_the_slowest(serve: Any) -> None:
    slow = serve(lambda opened: (time.sleep(0.1), opened.sendall(OK)))
    targets = [_target(key, slow.port) for key in SITES]
    start = time.monotonic()
    outcome = run_cycle(targets, ALL, _judge)
    # One site after the other would take 3.6 s.
    assert time.monotonic() - start < 2.5
    assert _places(outcome) == [(key, check) for key in SITES for check in CHECKS]
    assert (outcome.skipped, outcome.harness_failures) == ((), ())


def test_a_site_has_never_more_than_one_probe_in_flight(serve: Any) -> None:
    state = {"now": 0, "most": 0}

    def script(opened: Any) -> None:
        state["now"] += 1
        state["most"] = max(state["most"], state["now"])
        time.sleep(0.02)
        state["now"] -= 1
        opened.sendall(OK)

    run_cycle([_target("US5", serve(script).port)], ALL, _judge)
    assert state["most"] == 1


def test_results_carry_findings_and_no_bodies(serve: Any) -> None:
    bodies: list[bytes] = []

    def judge(observation: Observation) -> list[Finding]:
        bodies.append(observation.body)
        return [Finding("run-id-mismatch", Level.BREAKING, Kind.CONTRACT, "judged")]

    outcome = run_cycle([_target("US5", serve(OK).port)], ALL[:2], judge)
    assert bodies == [b"{}", b"{}"]
    assert [result.observation.body for result in outcome.results] == [b"", b""]
    assert all(finding.message == "judged" for result in outcome.results for finding in result.findings)
    assert [result.observation.body_size for result in outcome.results] == [2, 2]


def test_large_bodies_are_judged_one_at_a_time(serve: Any) -> None:
    state = {"now": 0, "most": 0}
    body = b"x" * (2**20 + 1)

    def judge(_: Observation) -> list[Finding]:
        state["now"] += 1
        state["most"] = max(state["most"], state["now"])
        time.sleep(0.02)
        state["now"] -= 1
        return []

    server = serve(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
    run_cycle([_target(key, server.port) for key in list(SITES)[:4]], ALL[:1], judge)
    assert state["most"] == 1


def test_outcomes_are_told_as_they_come_in_the_callers_thread(serve: Any) -> None:
    slow = serve(lambda opened: (time.sleep(0.2), opened.sendall(OK)))
    fast = serve(OK)
    told: list[str] = []
    threads = set()

    def on_result(outcome: Any) -> None:
        threads.add(threading.current_thread())
        told.append(outcome.observation.site)

    outcome = run_cycle([_target("US1", slow.port), _target("US5", fast.port)], ALL[:1], _judge, on_result)
    assert told == ["US5", "US1"]
    assert threads == {threading.current_thread()}
    assert [site for site, _ in _places(outcome)] == ["US1", "US5"]


def test_without_keys_only_the_check_that_needs_none_is_made(serve: Any) -> None:
    outcome = run_cycle([_target("US5", serve(OK).port, credentials=None)], ALL, _judge)
    assert _places(outcome) == [("US5", "unauthenticated")]
    assert [(skipped.check, skipped.reason) for skipped in outcome.skipped] == [
        (name, "no keys for US5") for name in ("run", "not-found", "bad-request")
    ]


def test_without_a_run_id_only_the_canary_run_is_skipped(serve: Any) -> None:
    outcome = run_cycle([_target("US5", serve(OK).port, run_id=None)], ALL, _judge)
    assert outcome.skipped == (Skipped("US5", "run", "no run id for US5"),)
    assert len(outcome.results) == 3


def test_a_probe_that_lacks_something_is_a_usage_error_when_asked_for_alone() -> None:
    with pytest.raises(UsageError, match="the check run cannot run: no keys for US5"):
        probe(_target("US5", 1, credentials=None), CHECKS["run"])


def test_a_throttled_site_is_asked_nothing_more_with_keys(serve: Any) -> None:
    server = serve(b"HTTP/1.1 429 Too Many Requests\r\nX-RateLimit-Reset: 9\r\nContent-Length: 0\r\n\r\n")
    outcome = run_cycle([_target("US5", server.port)], ALL, _judge)
    assert _places(outcome) == [("US5", "run"), ("US5", "unauthenticated")]
    assert {skipped.reason for skipped in outcome.skipped} == {"US5 throttles: an earlier check got 429"}
    assert server.connections == 2


# --- whose fault ---------------------------------------------------------------------------------------------------


def _lookups(**names: Any) -> Resolver:
    """A resolver that knows some names and fails for others."""

    def getaddrinfo(host: str, port: int, **_: Any) -> Any:
        found = names[host.split(".")[1]]
        if isinstance(found, Exception):
            raise found
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (found, port))]

    return Resolver(getaddrinfo)


AGAIN = socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")
UNKNOWN = socket.gaierror(socket.EAI_NONAME, "Name or service not known")


def _named(key: str, resolver: Resolver) -> Target:
    return _target(key, 443, base_url=f"https://{SITES[key].api_host}", resolver=resolver)


def test_a_resolver_that_answers_for_no_name_is_the_harness_failure_and_says_nothing_of_a_site() -> None:
    resolver = _lookups(us3=AGAIN, us5=AGAIN)
    outcome = run_cycle([_named("US3", resolver), _named("US5", resolver)], ALL[:1], _judge)
    assert outcome.results == ()
    assert [failure.site for failure in outcome.harness_failures] == ["US3", "US5"]
    assert outcome.harness_failures[1].message == (
        "the resolver of this machine gives no answer for api.us5.datadoghq.com: temporary failure in name resolution"
    )


def test_a_resolver_that_answers_for_another_name_has_told_that_this_one_is_broken() -> None:
    resolver = _lookups(us3=UNKNOWN, us5=AGAIN)
    outcome = run_cycle([_named("US3", resolver), _named("US5", resolver)], ALL[:1], _judge)
    assert outcome.harness_failures == ()
    assert [result.findings[0].rule for result in outcome.results] == ["name-not-resolved"] * 2
    assert outcome.results[1].observation.failure.message == (
        "api.us5.datadoghq.com does not resolve, though other names do: temporary failure in name resolution"
    )


def test_a_name_of_this_machine_shows_nothing_of_the_resolver(serve: Any) -> None:
    local = Resolver(lambda _host, port, **_: [(socket.AF_INET, 1, 6, "", ("127.0.0.1", port))])
    port = serve(OK).port
    targets = [
        _target("US1", port, base_url=f"http://localhost:{port}", resolver=local),
        _named("US5", _lookups(us5=AGAIN)),
    ]
    outcome = run_cycle(targets, ALL[:1], _judge)
    assert [failure.site for failure in outcome.harness_failures] == ["US5"]


def test_the_harness_failure_of_one_site_costs_no_other_site_its_results(serve: Any) -> None:
    broken = _lookups(us5=OSError(errno.ENETUNREACH, "Network is unreachable"))
    overrides = parse_overrides([f"{SITES['US3'].api_host}:443:255.255.255.255"])
    stuck = _target("US3", 443, base_url=f"https://{SITES['US3'].api_host}", overrides=overrides)
    outcome = run_cycle([_named("US5", broken), stuck, _target("EU1", serve(OK).port)], ALL[:1], _judge)
    assert _places(outcome) == [("EU1", "run")]
    assert [failure.site for failure in outcome.harness_failures] == ["US5", "US3"]
    assert "no way to" in outcome.harness_failures[1].message


def test_a_bug_of_the_harness_is_told_without_keys_and_costs_no_other_check(serve: Any) -> None:
    def judge(observation: Observation) -> list[Finding]:
        if observation.check == "run":
            message = f"cannot judge {KEYS.api_key}"
            raise LookupError(message)
        return []

    outcome = run_cycle([_target("US5", serve(OK).port)], ALL, judge)
    assert outcome.harness_failures == (
        HarnessFailure("US5", "run", "a bug of the harness: LookupError: cannot judge ***"),
    )
    assert len(outcome.results) == 3


def test_a_thread_that_does_not_start_is_the_harness_failure(serve: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_self: threading.Thread) -> None:
        message = "can't start new thread"
        raise RuntimeError(message)

    target = _target("US5", serve(OK).port)
    monkeypatch.setattr(threading.Thread, "start", refuse)
    outcome = run_cycle([target], ALL[:2], _judge)
    assert [failure.message for failure in outcome.harness_failures] == [
        "this machine cannot start a thread: can't start new thread"
    ] * 2


@pytest.fixture
def interruptible() -> Iterator[None]:
    """Ctrl-C raises, even where a script started the tests in its background and had it ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("interruptible")
def test_an_interrupt_ends_the_cycle_at_once_and_sends_nothing_more(serve: Any) -> None:
    server = serve(lambda opened: (time.sleep(2), opened.sendall(OK)))
    timer = threading.Timer(0.1, signal.pthread_kill, (threading.get_ident(), signal.SIGINT))
    timer.start()
    start = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        run_cycle([_target("US5", server.port)], ALL, _judge)
    assert time.monotonic() - start < 1.5
    time.sleep(0.5)
    assert server.connections == 1


def test_no_target_and_no_check_is_an_empty_outcome(serve: Any) -> None:
    assert run_cycle([], ALL, _judge).results == ()
    assert run_cycle([_target("US5", serve(OK).port)], [], _judge).results == ()
