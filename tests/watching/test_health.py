"""What the monitor says of itself."""

from __future__ import annotations

import socket
import threading
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import TYPE_CHECKING, Any

import pytest

from monitors.model import Kind, Level, Phase, Phases
from monitors.watching import health

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from monitors.model import Observation, TransportFailure

    Observed = Callable[..., Observation]
    Failure = Callable[..., TransportFailure]

AT = datetime(2026, 6, 1, 12, tzinfo=UTC)


def refuse(_host: str, _port: int, _timeout_s: float) -> None:
    raise ConnectionRefusedError


def test_a_place_is_reachable_where_something_listens() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening, socket.create_server(("127.0.0.1", 0)) as closed:
        there, gone = (f"127.0.0.1:{each.getsockname()[1]}" for each in (listening, closed))
        closed.close()
        assert health.reachable([gone, there]) == [there]


def test_places_are_dialled_with_their_port_and_bare_host() -> None:
    dialled: list[tuple[str, int]] = []
    health.reachable(["[2001:db8::1]:443", "one.test:53"], lambda host, port, _: dialled.append((host, port)))
    assert sorted(dialled) == [("2001:db8::1", 443), ("one.test", 53)]


def test_a_name_that_cannot_be_written_as_one_is_not_reachable() -> None:
    def dial(_host: str, _port: int, _timeout_s: float) -> None:
        raise UnicodeError

    assert health.reachable(["one.test:1"], dial) == []


def test_a_place_that_hangs_is_not_waited_for_without_end() -> None:
    let_go = threading.Event()

    def dial(host: str, _port: int, _timeout_s: float) -> None:
        if host == "hangs":
            let_go.wait(30)

    assert health.reachable(["hangs:1", "works:1"], dial, timeout_s=-0.9) == ["works:1"]
    let_go.set()


def test_places_are_asked_one_after_the_other_where_no_thread_can_be_started(monkeypatch: pytest.MonkeyPatch) -> None:
    def cannot(_self: threading.Thread) -> None:
        message = "can't start new thread"
        raise RuntimeError(message)

    monkeypatch.setattr(threading.Thread, "start", cannot)
    assert health.reachable(["a:1", "b:1"], lambda host, *_: None if host == "b" else refuse(host, 1, 1)) == ["b:1"]


def test_the_machine_is_offline_only_where_no_known_place_answers() -> None:
    found = health.network_trouble(["one:443", "two:443"], AT, refuse)
    assert found is not None
    assert (found.rule, found.level, found.kind, found.at) == ("monitor-offline", Level.BREAKING, Kind.MONITOR, AT)
    assert found.message == (
        "no site answers, and neither does one:443 nor two:443: this machine is offline, nothing is judged"
    )
    assert health.network_trouble(["one:443"], AT, lambda *_: None) is None
    assert health.network_trouble([], AT, refuse) is None


@pytest.mark.parametrize(
    ("phase", "anything"),
    [
        (Phase.RESOLVE, False),
        (Phase.CONNECT, False),
        (Phase.TLS, False),
        (Phase.FIRST_BYTE, True),
        (Phase.TRANSFER, True),
    ],
)
def test_a_failure_after_the_handshake_shows_that_there_is_a_way_out(
    phase: Phase, *, anything: bool, make_observed: Observed, make_failure: Failure
) -> None:
    assert health.answered(make_observed(failure=make_failure("timeout", phase))) is anything
    assert health.answered(make_observed(status=503))


def dated(make: Observed, site: str, ahead_s: float, **members: Any) -> Observation:
    """Make an answer whose sender's clock is behind ours by some seconds."""
    return make(site, headers={"Date": format_datetime(AT - timedelta(seconds=ahead_s), usegmt=True)}, **members)


def test_the_clock_is_off_where_the_sites_agree_on_another_time(make_observed: Observed) -> None:
    seen = [dated(make_observed, site, 400) for site in ("US1", "US5", "EU1")]
    found = health.clock_trouble(seen, AT, 300)
    assert found is not None
    assert (found.rule, found.message) == ("monitor-clock-off", "this machine's clock is 400 s ahead of the sites'")
    found = health.clock_trouble([dated(make_observed, site, -400) for site in ("US1", "US5")], AT, 300)
    assert found is not None
    assert found.message == "this machine's clock is 400 s behind the sites'"
    assert health.clock_trouble(seen, AT, 400) is None


def test_one_site_alone_says_nothing_of_our_clock_nor_does_one_that_is_off_by_itself(make_observed: Observed) -> None:
    assert health.clock_error_s([dated(make_observed, "US1", 4000)] * 5) is None
    seen = [dated(make_observed, site, error) for site, error in (("US1", 0), ("US5", 1), ("EU1", 90_000))]
    assert health.clock_error_s(seen) == 0.5


def test_two_sites_that_contradict_each_other_say_nothing_of_our_clock(make_observed: Observed) -> None:
    seen = [dated(make_observed, "US1", 0), dated(make_observed, "US5", 4500)]
    assert health.clock_error_s(seen) is None
    assert health.clock_trouble(seen, AT, 300) is None
    assert not health.tells_time(seen)
    assert not health.tells_time(seen[:1])
    assert health.tells_time([*seen, dated(make_observed, "EU1", 3)])
    assert health.tells_time([make_observed("US1")])
    assert not health.tells_time([])


def test_the_time_an_answer_took_is_no_error_of_the_clock(make_observed: Observed) -> None:
    seen = [dated(make_observed, site, -8, phases=Phases(first_byte_s=8.0)) for site in ("US1", "US5")]
    assert health.clock_error_s(seen) == 0


@pytest.mark.parametrize(
    "header", ["", "yesterday", "Thu, 99 Jun 2026 12:00:00 GMT", "Mon, 01 Jun 99999 12:00:00 GMT", "0", "\x00", "Mon,"]
)
def test_a_date_that_is_none_says_nothing(header: str, make_observed: Observed) -> None:
    assert health.clock_error_s([make_observed(site, headers={"Date": header}) for site in ("US1", "US5")]) is None


def test_a_date_without_a_zone_is_taken_for_utc_and_a_probe_without_a_time_says_nothing(
    make_observed: Observed,
) -> None:
    told = {"Date": "Mon, 01 Jun 2026 12:00:00 -0000"}
    assert health.clock_error_s([make_observed(site, headers=told) for site in ("US1", "US5")]) == 0
    assert health.clock_error_s([make_observed(site, at=None, headers=told) for site in ("US1", "US5")]) is None


def test_certificates_that_are_all_out_of_date_at_once_are_the_clock(
    make_observed: Observed, make_failure: Failure
) -> None:
    def refused(site: str, rule: str = "tls-certificate-expired") -> Observation:
        return make_observed(site, failure=make_failure(rule, Phase.TLS))

    all_of_them = [refused("US1"), refused("US5", "tls-certificate-not-yet-valid")]
    found = health.clock_trouble(all_of_them, AT, 300)
    assert found is not None
    assert found.message == ("the certificates of US1, US5 all look out of date: the clock says 2026-06-01 12:00 UTC")
    assert health.clock_trouble([refused("US1")], AT, 300) is None
    assert health.clock_trouble([*all_of_them, make_observed("EU1")], AT, 300) is None
    assert health.clock_trouble([*all_of_them, refused("EU1", "timeout")], AT, 300) is None
    assert health.clock_trouble([], AT, 300) is None


def test_what_hangs_on_the_clock_is_the_time_of_certificates(make_down: Any) -> None:
    rules = ["tls-certificate-expired", "tls-certificate-not-yet-valid", "tls-certificate-expires-soon", "timeout"]
    assert [health.is_of_time(make_down(rule)) for rule in rules] == [True, True, True, False]


def test_a_disk_that_is_nearly_full_is_told_with_what_is_left(tmp_path: Path) -> None:
    found = health.disk_trouble(tmp_path, 100, AT, lambda _: 99_999_999)
    assert found is not None
    assert (found.rule, found.level) == ("monitor-disk-low", Level.WARNING)
    assert found.message == f"99 MB are left on the disk of {tmp_path}, fewer than the 100 that are to be"
    assert health.disk_trouble(tmp_path, 100, AT, lambda _: 100_000_000) is None
    assert health.disk_trouble(tmp_path, 1, AT) is None
    assert health.disk_trouble(None, 100, AT) is None
    assert health.disk_trouble(tmp_path, 0, AT, lambda _: 0) is None


def test_a_disk_that_cannot_be_asked_is_told(tmp_path: Path) -> None:
    def unreadable(_path: Path) -> int:
        raise OSError(5, "Input/output error")

    found = health.disk_trouble(tmp_path, 100, AT, unreadable)
    assert found is not None
    assert found.message == f"the disk of {tmp_path} cannot be asked: input/output error"


def test_a_folder_that_is_gone_is_no_trouble_of_the_disk(tmp_path: Path) -> None:
    asked: list[Path] = []

    def free(path: Path) -> int:
        asked.append(path)
        return 10**9

    assert health.disk_trouble(tmp_path / "gone" / "too", 100, AT, free) is None
    assert asked == [tmp_path]
