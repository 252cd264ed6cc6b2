"""What each sink sends, and how it keeps its service in step with an incident."""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import io
import json
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import apprise
import pytest
import requests

from monitors.config.alerting import SinkSettings
from monitors.config.sinks import APPRISE_SCHEMES
from monitors.errors import ConfigError, RefusedError, UsageError
from monitors.incidents.model import Notice, NoticeKind
from monitors.model import Level, Observation, Phases, TlsInfo
from monitors.notify.apprise_sink import AppriseSink, _with_incident
from monitors.notify.errors import SinkError
from monitors.notify.http import Service
from monitors.notify.measures import Measure, measures
from monitors.notify.message import message_of
from monitors.notify.refusals import MAX_RETRY_AFTER_S
from monitors.notify.sinks import SINKS, Around, build
from monitors.notify.standing import Standing
from monitors.sites import SITES

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Github, Loopback, Reply, Request

    from monitors.notify.sinks import Sink
    from monitors.sites import Site

Make = Callable[..., Notice]
AT = datetime(2026, 11, 26, 10, 44, tzinfo=UTC)


def send(sink: Sink, *notices: Notice) -> None:
    for notice in notices:
        sink.send(message_of(notice, sink.settings), notice)


def made(type_: str, *, around: Around | None = None, options: dict[str, str] | None = None, **secrets: str) -> Any:
    settings = SinkSettings("ops", type_, options=options or {}, secrets=secrets, timeout_s=10)
    return build(settings, around or Around(now=lambda: AT))


# -- webhook


def test_a_webhook_gets_the_documented_content_signed(loopback: Loopback, notice: Make) -> None:
    sink = made("webhook", options={"url": f"{loopback.url}/hook?a=b"}, secret="shared")
    send(sink, sent := notice())
    [request] = loopback.requests
    assert (request.method, request.path) == ("POST", "/hook?a=b")
    assert request.json == message_of(sent).content
    assert request.headers["idempotency-key"] == sent.key
    assert request.headers["x-model-lab-event"] == "opened"
    assert request.headers["content-type"] == "application/json"
    timestamp = request.headers["x-model-lab-timestamp"]
    assert timestamp == str(int(AT.timestamp()))
    signed = hmac.new(b"shared", timestamp.encode() + b"." + request.body, hashlib.sha256).hexdigest()
    assert request.headers["x-model-lab-signature"] == f"sha256={signed}"


def test_a_secret_address_is_in_no_error(loopback: Loopback, notice: Make) -> None:
    sink = made("webhook", url=f"{loopback.url}/services/T0PSECRET", secret="shared")
    loopback.answer = lambda request: (500, {}, json.dumps({"error": f"bad path {request.path}"}).encode())
    with pytest.raises(SinkError) as caught:
        send(sink, notice())
    assert "T0PSECRET" not in str(caught.value)


def test_a_webhook_within_the_network_may_be_plain_http_but_a_secret_address_may_not() -> None:
    assert made("webhook", options={"url": "http://alerts.internal/x"}, secret="shared")
    with pytest.raises(UsageError, match=r"^http://alerts\.internal: keys never travel in the clear"):
        made("webhook", url="http://alerts.internal/x", secret="shared")


@pytest.mark.parametrize("status", [200, 202, 204, 299])
@pytest.mark.parametrize(
    ("headers", "body"),
    [
        ({"Content-Encoding": "gzip"}, b"\xff\x00\x01ab"),
        ({"Content-Length": "100000"}, b"a"),
        ({"Transfer-Encoding": "chunked", "Content-Length": "0"}, b"no chunk\r\n"),
        ({}, b" " * (9 * 2**20)),
    ],
    ids=["broken-gzip", "never-whole", "broken-chunks", "endless"],
)
def test_a_webhook_s_notice_is_taken_at_the_status_whatever_the_body(
    headers: dict[str, str], body: bytes, status: int, loopback: Loopback, notice: Make
) -> None:
    loopback.answer = lambda _request: (status, headers, body)
    send(made("webhook", options={"url": loopback.url}, secret="shared"), notice())
    assert len(loopback.requests) == 1


def test_a_webhook_that_drips_its_answer_has_taken_the_notice(notice: Make) -> None:
    """The body is never finished while the sink waits: it does not wait."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        taken = threading.Event()

        def drip() -> None:
            connection = server.accept()[0]
            with connection:
                connection.recv(65_536)
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
                with contextlib.suppress(OSError):
                    while not taken.wait(0.05):
                        connection.sendall(b"a")

        thread = threading.Thread(target=drip)
        thread.start()
        try:
            url = f"http://127.0.0.1:{server.getsockname()[1]}/"
            send(made("webhook", options={"url": url}, secret="shared"), notice())
        finally:
            taken.set()
            thread.join()


# -- GitHub issues


@pytest.fixture
def issues(loopback: Loopback) -> Any:
    return made("github-issues", options={"repository": "o/r", "base_url": loopback.url}, token="t0ken-of-mine")


@pytest.fixture
def github(loopback: Loopback, service_github: Github) -> Github:
    loopback.answer = service_github.answer
    return service_github


def test_an_issue_is_opened_commented_and_closed_with_its_incident(
    issues: Any, github: Github, loopback: Loopback, notice: Make
) -> None:
    send(issues, notice("opened", 1), notice("updated", 2), notice("resolved", 3))
    [issue] = github.issues.values()
    assert issue["title"] == "🔴 US5 and EU1: null where string is promised (name)"
    assert issue["labels"] == ["model-lab"]
    assert (issue["state"], issue["state_reason"]) == ("closed", "completed")
    first, last = (comment["body"] for comment in github.comments[1])
    assert first.startswith("**🔴 Now also EU1 (2 of 9 sites)")
    assert last.startswith("**🟢 US5 is up again after 42 min")
    assert {request.headers["authorization"] for request in loopback.requests} == {"Bearer t0ken-of-mine"}


def test_an_issue_is_open_again_where_its_sites_have_it_again(issues: Any, github: Github, notice: Make) -> None:
    send(issues, notice("opened", 1), notice("resolved", 2))
    assert github.issues[1]["state"] == "closed"
    send(issues, notice("opened", 3))
    assert (len(github.issues), github.issues[1]["state"], len(github.comments[1])) == (1, "open", 2)
    send(issues, notice("resolved", 4))
    assert github.issues[1]["state"] == "closed"


def test_another_process_finds_the_issue_again(github: Github, loopback: Loopback, notice: Make) -> None:
    for sent in (notice("opened", 1), notice("updated", 2), notice("resolved", 3)):
        send(made("github-issues", options={"repository": "o/r", "base_url": loopback.url}, token="t0ken"), sent)
    assert len(github.issues) == 1
    assert len(github.comments[1]) == 2


def test_whatever_is_sent_twice_is_seen_once(issues: Any, github: Github, notice: Make) -> None:
    for sent in (notice("opened", 1), notice("updated", 2), notice("resolved", 3)):
        send(issues, sent, sent)
    assert len(github.issues) == 1
    assert len(github.comments[1]) == 2


def test_two_incidents_have_two_issues(issues: Any, github: Github, notice: Make) -> None:
    send(issues, notice(incident=1), notice(incident=2))
    assert len(github.issues) == 2


def test_an_issue_with_a_mark_by_somebody_else_is_not_taken_for_ours(issues: Any, github: Github, notice: Make) -> None:
    send(issues, notice(incident=1))
    marks = github.issues[1]["body"].rpartition("\n")[2]
    github.issues[2] = {
        "number": 2,
        "body": f"model-lab-monitor incident 2 {marks}".replace("incident", "x"),
        "state": "open",
    }
    github.comments[2] = []
    send(issues, notice(incident=2))
    assert len(github.issues) == 3


def test_an_issue_behind_a_hundred_others_is_found(
    issues: Any, github: Github, loopback: Loopback, notice: Make
) -> None:
    send(issues, notice("opened", 1))
    for number in range(2, 250):
        github.issues[number] = {"number": number, "body": None, "state": "open", "pull_request": {}}
    again = made("github-issues", options={"repository": "o/r", "base_url": loopback.url}, token="t0ken")
    send(again, notice("updated", 2))
    assert len(github.comments[1]) == 1


def test_an_issue_that_was_deleted_is_opened_anew_for_news_and_not_for_the_end(
    issues: Any, github: Github, notice: Make
) -> None:
    send(issues, notice("opened", 1))
    github.issues.clear()
    send(issues, notice("updated", 2))
    assert len(github.issues) == 1
    github.issues.clear()
    send(issues, notice("resolved", 3))
    assert not github.issues


def test_digests_and_tests_are_closed_at_once(issues: Any, github: Github, notice: Make) -> None:
    send(issues, notice("digest"), notice("test"))
    assert [issue["state"] for issue in github.issues.values()] == ["closed", "closed"]


def test_what_is_no_github_is_said_to_be_none(issues: Any, loopback: Loopback, notice: Make) -> None:
    for body, said in ((b"{}", "answered with no list; is base_url"), (b"<html>", "a body that is no JSON")):
        loopback.answer = lambda _request, body=body: (200, {}, body)
        with pytest.raises(SinkError, match=said):
            send(issues, notice())
    loopback.answer = lambda request: (200, {}, b"[]" if request.method == "GET" else b'{"number": "1"}')
    with pytest.raises(SinkError, match="without the number of the issue"):
        send(issues, notice())


def test_a_failure_of_github_while_looking_is_not_taken_for_a_deleted_issue(
    issues: Any, github: Github, loopback: Loopback, notice: Make
) -> None:
    send(issues, notice("opened", 1))
    loopback.answer = lambda _request: (502, {}, b"")
    with pytest.raises(SinkError):
        send(issues, notice("updated", 2))
    assert len(github.issues) == 1


def test_the_installation_s_word_and_the_key_stand_in_no_issue(issues: Any, github: Github, notice: Make) -> None:
    send(issues, notice("opened", 1), notice("updated", 2))
    assert "5f0c9a7e" not in json.dumps([github.issues, github.comments])


# -- Datadog


@pytest.fixture
def datadog(loopback: Loopback) -> Any:
    return made("datadog", options={"base_url": loopback.url}, api_key="0123456789abcdef")


def test_datadog_gets_metrics_service_checks_and_an_event(datadog: Any, loopback: Loopback, notice: Make) -> None:
    send(datadog, notice("opened"))
    series, checks, event = loopback.requests
    assert [request.path for request in loopback.requests] == ["/api/v2/series", "/api/v1/check_run", "/api/v1/events"]
    assert {request.headers["dd-api-key"] for request in loopback.requests} == {"0123456789abcdef"}
    assert [(row["metric"], row["points"][0]["value"], row["tags"][0]) for row in series.json["series"]] == [
        ("model_lab.incident.open", 1.0, "site:us5"),
        ("model_lab.incident.open", 1.0, "site:eu1"),
    ]
    assert [(row["check"], row["status"], row["host_name"], row["tags"]) for row in checks.json] == [
        ("model_lab.site", 2, "fra-1", ["site:us5", "kind:contract", "problem:9f86d081884c7d65"]),
        ("model_lab.site", 2, "fra-1", ["site:eu1", "kind:contract", "problem:9f86d081884c7d65"]),
    ]
    assert event.json["alert_type"] == "error"
    assert event.json["aggregation_key"] == "model-lab-5f0c9a7e-12"
    assert event.json["date_happened"] == int(AT.timestamp())
    assert "site:us5" in event.json["tags"]


def test_the_end_of_an_incident_makes_its_checks_ok(datadog: Any, loopback: Loopback, notice: Make) -> None:
    send(datadog, notice("resolved"))
    series, checks, event = loopback.requests
    assert [row["points"][0]["value"] for row in series.json["series"]] == [0.0]
    assert [(row["status"], "message" in row) for row in checks.json] == [(0, False)]
    assert (event.json["alert_type"], event.json["priority"]) == ("success", "low")


def test_a_late_notice_is_of_now_where_datadog_takes_nothing_older(loopback: Loopback, notice: Make) -> None:
    late = AT + timedelta(days=1)
    sink = made(
        "datadog", around=Around(now=lambda: late), options={"base_url": loopback.url}, api_key="0123456789abcdef"
    )
    send(sink, notice())
    series, checks, event = loopback.requests
    assert checks.json[0]["timestamp"] == series.json["series"][0]["points"][0]["timestamp"] == int(late.timestamp())
    assert "date_happened" not in event.json


def test_a_digest_gives_each_site_s_uptime(datadog: Any, loopback: Loopback, notice: Make) -> None:
    send(datadog, notice("digest"))
    rows = {(row["metric"], *row["tags"]): row["points"][0]["value"] for row in loopback.requests[0].json["series"]}
    assert rows["model_lab.site.uptime", "site:us5"] == 97.08
    assert rows["model_lab.site.p95_ms", "site:eu1"] == 187.0
    assert len(loopback.requests) == 2


def test_the_monitor_s_own_trouble_is_a_check_without_a_site(datadog: Any, loopback: Loopback, notice: Make) -> None:
    send(datadog, notice(kind="monitor", problem="offline", sites=[], all_sites=[], location=None))
    checks = next(request for request in loopback.requests if request.path.endswith("check_run"))
    assert [(row["status"], row["tags"]) for row in checks.json] == [(2, ["kind:monitor", "problem:offline"])]


def test_datadog_s_own_site_decides_where_it_goes() -> None:
    assert made("datadog", api_key="0123456789abcdef").service.shown == "https://api.datadoghq.com"
    assert made("datadog", options={"site": "EU1"}, api_key="x" * 9).service.shown == "https://api.datadoghq.eu"


def test_an_expired_certificate_s_days_go_on_below_zero() -> None:
    tls = TlsInfo("TLSv1.3", "x", verified=False, not_after=AT - timedelta(days=3))
    seen = Observation("US5", "run", AT, "GET", "u", "1", True, tls=tls)
    assert [*measures(seen, available=False)] == [
        Measure("model_lab.site.available", 0.0, (("site", "US5"), ("check", "run"))),
        Measure("model_lab.certificate.days_left", -3.0, (("site", "US5"),)),
    ]


def test_a_throttled_probe_measures_time_and_says_nothing_of_the_site() -> None:
    seen = Observation("US5", "run", AT, "GET", "u", "1", True, status=429, phases=Phases(0.1, 0.2))
    assert [*measures(seen, available=None)] == [
        Measure("model_lab.probe.duration_ms", 300.0, (("site", "US5"), ("check", "run")))
    ]


def test_metrics_of_a_cycle_are_posted(datadog: Any, loopback: Loopback) -> None:
    datadog.measure([Measure("model_lab.site.available", 1.0, (("site", "US5"),))], "fra-1", AT)
    datadog.measure([], "fra-1", AT)
    [request] = loopback.requests
    assert request.json["series"][0]["resources"] == [{"type": "host", "name": "fra-1"}]


def test_how_an_incident_stands_is_posted_as_its_notices_say_it(datadog: Any, loopback: Loopback, notice: Make) -> None:
    send(datadog, notice("opened"))
    told_series, told_checks, _event = loopback.requests
    loopback.requests.clear()
    stands = [
        Standing(site, "contract", "9f86d081884c7d65", Level.BREAKING, failing=True, message="null <!channel>")
        for site in ("US5", "EU1")
    ]
    datadog.measure([], "fra-1", AT, stands)
    series, checks = loopback.requests
    assert series.json == told_series.json
    same = ("check", "host_name", "status", "timestamp", "tags")
    for now, then in zip(checks.json, told_checks.json, strict=True):
        assert [now[name] for name in same] == [then[name] for name in same]
        assert "<!channel>" not in now["message"]


def test_a_site_that_has_it_no_more_is_ok_while_the_incident_goes_on(datadog: Any, loopback: Loopback) -> None:
    datadog.measure([], "", AT, [Standing("US5", "drift", "p", Level.WARNING, failing=False, message="x")])
    series, checks = loopback.requests
    assert series.json["series"][0]["points"][0]["value"] == 0.0
    assert [(check["status"], "message" in check, check["host_name"]) for check in checks.json] == [
        (0, False, "model-lab-monitor")
    ]


# -- apprise


def test_apprise_gets_plain_text_of_a_tone(loopback: Loopback, notice: Make) -> None:
    send(made("apprise", url=f"json://127.0.0.1:{loopback.port}/x"), notice("opened"), notice("resolved"))
    opened, resolved = (request.json for request in loopback.requests)
    assert (opened["type"], resolved["type"]) == ("failure", "success")
    assert opened["title"] == "🔴 US5 and EU1: null where string is promised (name)"
    assert "\nWhere: 2 of 9 sites: US5 (first, 10:02 UTC), EU1\n" in opened["message"]


def test_a_service_that_shows_html_gets_text_escaped(loopback: Loopback, notice: Make) -> None:
    send(
        made("apprise", url=f"json://127.0.0.1:{loopback.port}/?format=html"),
        notice(message="<script>alert(1)</script>"),
    )
    assert "<script" not in loopback.requests[0].json["message"]


def test_apprise_knows_each_service_that_the_configuration_leads_to_it() -> None:
    plugins = apprise.Apprise().details()["schemas"]
    known = {scheme for each in plugins for scheme in (*(each["protocols"] or ()), *(each["secure_protocols"] or ()))}
    assert set(APPRISE_SCHEMES.values()) <= known


def test_slack_s_own_form_keeps_nothing_that_calls_people(notice: Make) -> None:
    made("apprise", url="slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ/#x")
    from apprise import Apprise  # noqa: PLC0415 - apprise is loaded by the sink, which minds its warnings

    slack: Any = Apprise.instantiate("slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ/#x")
    shown = slack.dialect_convert(message_of(notice(message="<!channel> <https://evil.test|click>")).chat(), "text")
    assert "<" not in shown
    assert "https://evil" not in shown


def test_an_incident_of_pagerduty_is_closed_by_its_end(notice: Make) -> None:
    sent = notice()
    url = _with_incident("pagerduty://key@routing?region=eu", message_of(sent), sent)
    assert url == "pagerduty://key@routing?action=map&dedup=5f0c9a7e-12&region=eu"
    assert _with_incident("pagerduty://key@routing?dedup=mine", message_of(sent), sent).endswith("dedup=mine")
    assert _with_incident("slack://a/b/c", message_of(sent), sent) == "slack://a/b/c"
    trial = notice("test")
    assert _with_incident("pagerduty://k@r", message_of(trial), trial) == "pagerduty://k@r"


def test_a_service_that_is_gone_from_apprise_is_a_failure(notice: Make) -> None:
    sink = AppriseSink(SinkSettings("ops", "apprise"), "gone://x")
    with pytest.raises(SinkError, match="does not know the service any more"):
        send(sink, notice())


def test_apprise_says_what_a_service_said_without_its_address(loopback: Loopback, notice: Make) -> None:
    loopback.answer = lambda _request: (403, {}, b"")
    sink = made("apprise", url=f"json://user:passw0rd@127.0.0.1:{loopback.port}/t0ken-in-path?retry=0")
    with pytest.raises(SinkError) as caught:
        send(sink, notice())
    assert "403" in str(caught.value)
    for hidden in ("passw0rd", "t0ken-in-path", str(loopback.port)):
        assert hidden not in str(caught.value)


@pytest.mark.parametrize("scheme", ["json", "xml", "form"])
@pytest.mark.parametrize("method", ["DELETE", "PUT", "HEAD", "OPTIONS"])
def test_apprise_never_sends_what_could_destroy_even_if_a_sink_were_made(
    method: str, scheme: str, loopback: Loopback, notice: Make
) -> None:
    url = f"{scheme}://127.0.0.1:{loopback.port}/x?method={method}"
    with pytest.raises(ConfigError, match=r"^sinks\.ops: the url has a method other than GET, POST and PATCH"):
        made("apprise", url=url)
    with pytest.raises(RefusedError, match=f"^a sink never sends {method}$"):
        send(AppriseSink(SinkSettings("ops", "apprise", timeout_s=10), url), notice())
    assert not loopback.requests


@pytest.mark.parametrize(
    ("rest", "said"),
    [
        ("api/v2//model-lab-api/runs/42", "a request to the endpoint it watches"),
        ("x?+Host=api.us5.datadoghq.com", r"a request to api\.us5\.datadoghq\.com, the API of US5"),
    ],
)
def test_apprise_never_sends_to_what_is_watched_even_if_a_sink_were_made(
    rest: str, said: str, loopback: Loopback, notice: Make
) -> None:
    url = f"json://127.0.0.1:{loopback.port}/{rest}"
    with pytest.raises(RefusedError, match=f"^a sink never sends {said}$"):
        send(AppriseSink(SinkSettings("ops", "apprise", timeout_s=10), url), notice())
    assert not loopback.requests


def test_a_user_s_own_matrix_is_never_put_to(loopback: Loopback, notice: Make) -> None:
    loopback.answer = lambda _request: (200, {}, b'{"access_token": "t", "user_id": "@u:h", "room_id": "!r:h"}')
    sink = AppriseSink(SinkSettings("ops", "apprise", timeout_s=10), f"matrix://u:p@127.0.0.1:{loopback.port}/!r:h")
    with pytest.raises(RefusedError, match=r"^a sink never sends PUT$"):
        send(sink, notice())
    assert {request.method for request in loopback.requests} <= {"GET", "POST"}


def test_a_service_that_takes_the_text_in_its_address_is_sent_a_notice_that_names_the_endpoint(
    loopback: Loopback, notice: Make
) -> None:
    send(made("apprise", url=f"form://127.0.0.1:{loopback.port}/x?method=GET"), notice())
    [request] = loopback.requests
    assert request.method == "GET"
    assert "/api/v2/model-lab-api/runs/42" in request.query["message"]


def test_what_others_send_with_the_library_below_apprise_is_not_looked_at(loopback: Loopback, notice: Make) -> None:
    send(made("apprise", url=f"json://127.0.0.1:{loopback.port}/x"), notice())
    assert requests.put(f"{loopback.url}/api/v2/model-lab-api", timeout=10).status_code == 200


# -- standard output, GitHub Actions


def test_standard_output_gets_a_date_a_title_indented_lines_and_an_empty_one(notice: Make) -> None:
    written: list[str] = []
    send(made("stdout", around=Around(write=written.append)), notice(message="::error::x\n##[group]"))
    lines = "".join(written).splitlines()
    assert lines[0] == r"2026-11-26 10:44 UTC  🔴 US5 and EU1: : :error: :x\n# #[group] (name)"
    assert all(line.startswith("  ") for line in lines[1:-1])
    assert lines[-1] == ""


def test_actions_get_an_annotation_and_the_step_summary(notice: Make, tmp_path: Path) -> None:
    written: list[str] = []
    summary = tmp_path / "summary.md"
    around = Around({"GITHUB_STEP_SUMMARY": str(summary)}, written.append)
    send(made("github-actions", around=around), notice(message="50% off\n::error::x"), notice("resolved"))
    first, second = "".join(written).splitlines()
    assert first.startswith(
        r"::error title=🔴 US5 and EU1%3A 50%25 off\n%3A%3Aerror%3A%3Ax (name)::breaking · response"
    )
    assert second.startswith("::notice title=🟢 US5 is up again after 42 min (503)::was breaking")
    assert summary.read_text("utf-8").count("\n### ") == 1


@pytest.mark.parametrize("type_", ["stdout", "github-actions"])
def test_standard_output_that_is_closed_is_a_sink_that_fails(type_: str, notice: Make) -> None:
    closed = io.StringIO()
    closed.close()
    with pytest.raises(SinkError, match=r"^standard output: cannot be written: i/o operation on closed file$"):
        send(made(type_, around=Around({}, closed.write)), notice())


def test_a_step_summary_that_cannot_be_written_is_a_sink_that_fails(notice: Make, tmp_path: Path) -> None:
    around = Around({"GITHUB_STEP_SUMMARY": str(tmp_path)}, lambda _text: None)
    with pytest.raises(SinkError, match=r"GITHUB_STEP_SUMMARY: .* cannot be written: is a directory"):
        send(made("github-actions", around=around), notice())


def test_a_sink_writes_to_standard_output_unless_told_otherwise(
    notice: Make, capsys: pytest.CaptureFixture[str]
) -> None:
    send(build(SinkSettings("ops", "stdout")), notice("test"))
    assert capsys.readouterr().out.startswith("2026-11-26 10:44 UTC  🔵 Test of ops\n")


# -- making them

SENDS = "sends anything to; write that of the service that takes your notices"
SENDS_TO_SITES = 'sends to; write that of the service that takes your notices, or type = "datadog"'
ARE_POSTED_TO = "are posted to; write https://api.datadoghq.eu"


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        (SinkSettings("a", "smoke"), f"sinks.a: type 'smoke' is none of {', '.join(SINKS)}"),
        (SinkSettings("a", "apprise"), "sinks.a: a sink of type apprise needs url_env or url_file"),
        (
            SinkSettings("a", "apprise", secrets={"url": "smoke://x"}),
            "sinks.a: the url is no address apprise knows, such as slack://… or mailto://…",
        ),
        (
            SinkSettings("a", "apprise", secrets={"url": "json://h/api/v2/model%2Dlab-api/runs/1?method=DELETE"}),
            f"sinks.a: the url leads to /api/v2/model-lab-api, the endpoint that is watched, which no sink {SENDS}",
        ),
        (
            SinkSettings("a", "webhook", options={"url": "https://api.datadoghq.eu/x"}, secrets={"secret": "x"}),
            f"sinks.a: the url names api.datadoghq.eu, the API of EU1, which only a datadog sink {SENDS_TO_SITES}",
        ),
        (
            SinkSettings("a", "datadog", options={"base_url": "https://api.datadoghq.eu/x"}, secrets={"api_key": "x"}),
            f"sinks.a: the base_url goes on behind api.datadoghq.eu, where only three paths {ARE_POSTED_TO}",
        ),
        (
            SinkSettings("a", "webhook", secrets={"secret": "x"}),
            "sinks.a: a sink of type webhook needs url, or url_env or url_file where it is secret",
        ),
        (
            SinkSettings("a", "webhook", options={"url": "https://x.test"}),
            "sinks.a: a sink of type webhook needs secret_env or secret_file",
        ),
        (
            SinkSettings("a", "github-issues", secrets={"token": "x"}),
            "sinks.a: a sink of type github-issues needs repository",
        ),
        (SinkSettings("a", "datadog"), "sinks.a: a sink of type datadog needs api_key_env or api_key_file"),
    ],
    ids=lambda value: value if isinstance(value, str) else value.type,
)
def test_a_sink_that_cannot_be_made_says_what_it_needs(settings: SinkSettings, said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        build(settings)
    assert str(caught.value) == said


# -- HTTP


@pytest.mark.parametrize("url", ["", "ftp://x", "https://", "https://[x", "https://x:99999"])
def test_an_address_that_is_none_is_refused_without_repeating_it(url: str) -> None:
    with pytest.raises(UsageError, match=r"^the address of a sink must be like https://"):
        Service(url, timeout_s=1)


@pytest.mark.parametrize("method", ["DELETE", "PUT", "delete", "HEAD"])
def test_no_other_method_is_ever_sent(method: str, loopback: Loopback) -> None:
    with pytest.raises(RefusedError):
        Service(loopback.url, timeout_s=1).request(method, "/x")
    assert not loopback.requests


@pytest.mark.parametrize("method", ["GET", "POST", "PATCH"])
@pytest.mark.parametrize(
    "path", ["/api/v2/model-lab-api/runs/1", "/API//V2/Model-Lab-API", "/x/api/v1/../v2/model%252Dlab%2dapi"]
)
def test_the_endpoint_watched_is_sent_nothing(path: str, method: str, loopback: Loopback) -> None:
    for service, rest in ((Service(loopback.url, timeout_s=1), path), (Service(loopback.url + path, timeout_s=1), "")):
        with pytest.raises(RefusedError, match="the endpoint it watches"):
            service.request(method, rest)
    assert not loopback.requests


@pytest.mark.parametrize("site", SITES.values(), ids=lambda site: site.key)
def test_the_api_of_no_site_is_sent_anything(site: Site, loopback: Loopback) -> None:
    with pytest.raises(RefusedError, match=f"^a sink never sends a request to {site.api_host}, the API of {site.key}$"):
        Service(f"{loopback.url}/relay?to={site.api_host}", timeout_s=1).request("POST")
    assert not loopback.requests


def test_what_only_bears_the_name_is_sent_like_anything_else(
    loopback: Loopback, service_github: Github, notice: Make
) -> None:
    send(made("webhook", options={"url": f"{loopback.url}/model-lab-api?p=model-lab-api"}, secret="shared"), notice())
    loopback.answer = lambda request: service_github.answer(
        replace(request, path=request.path.replace("/acme/model-lab-api/", "/o/r/"))
    )
    options = {"repository": "acme/model-lab-api", "base_url": loopback.url}
    send(made("github-issues", options=options, token="t0ken-of-mine"), notice())
    assert len(service_github.issues) == 1
    assert [request.method for request in loopback.requests] == ["POST", "GET", "POST"]


def test_a_sink_of_three_addresses_has_no_fourth(datadog: Any, loopback: Loopback) -> None:
    for method, path in (("GET", "/api/v1/events"), ("POST", "/api/v1/monitor"), ("PATCH", "/api/v1/events")):
        with pytest.raises(RefusedError, match="none of the requests this sink may send"):
            datadog.service.request(method, path)
    assert not loopback.requests


@pytest.mark.parametrize(
    ("status", "headers", "wanted"),
    [
        (429, {"Retry-After": "7"}, 7.0),
        (503, {"Retry-After": "99999"}, MAX_RETRY_AFTER_S),
        (503, {"Retry-After": "Thu, 01 Jan 1970 00:00:00 GMT"}, 0.0),
        (503, {"Retry-After": "soon"}, None),
        (429, {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "12"}, 12.0),
        (403, {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "100"}, 100.0),
        (403, {"X-RateLimit-Reset": "100"}, None),
        (500, {"Retry-After": "7"}, None),
    ],
)
def test_how_long_a_service_asks_for(
    status: int, headers: dict[str, str], wanted: float | None, loopback: Loopback
) -> None:
    loopback.answer = lambda _request: (status, headers, b"")
    with pytest.raises(SinkError) as caught:
        Service(loopback.url, timeout_s=10).request("GET")
    assert caught.value.retry_after_s == wanted


def test_a_limit_that_ends_at_a_time_is_counted_from_now(loopback: Loopback) -> None:
    reset = str(int(time.time()) + 600)
    loopback.answer = lambda _request: (403, {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": reset}, b"")
    with pytest.raises(SinkError) as caught:
        Service(loopback.url, timeout_s=10).request("GET")
    assert 300 < (caught.value.retry_after_s or 0) <= 600
    assert not caught.value.permanent


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b'{"message": "x"}', ": x"),
        (b'{"errors": ["a", "b"]}', ": a"),
        (b'{"errors": [{"title": "t"}]}', ": t"),
        (b'{"error": {"message": "m"}}', ": m"),
        (b'{"errors": []}', ""),
        (b'{"message": 7}', ""),
        (b"[]", ""),
        (b"<html>", ""),
        (b"\xff", ""),
    ],
)
def test_the_reason_a_service_gives_is_told(body: bytes, said: str, loopback: Loopback) -> None:
    loopback.answer = lambda _request: (400, {}, body)
    with pytest.raises(SinkError) as caught:
        Service(loopback.url, timeout_s=10).request("GET")
    assert str(caught.value) == f"{loopback.url}: answered 400{said}"


def test_an_answer_that_trickles_is_given_up(loopback: Loopback) -> None:
    def trickle(_request: Request) -> Reply | None:
        return 200, {"Content-Length": "5"}, b"1"

    loopback.answer = trickle
    with pytest.raises(SinkError, match="closed within the body"):
        Service(loopback.url, timeout_s=0.3).request("GET")


def test_what_is_on_this_machine_is_reached_without_a_proxy(
    loopback: Loopback, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    assert Service(loopback.url, timeout_s=10).request("GET").status == 200


@pytest.mark.parametrize("kind", NoticeKind)
def test_what_a_sink_sends_is_within_its_service_s_limits(
    kind: NoticeKind, datadog: Any, loopback: Loopback, notice: Make
) -> None:
    sent = notice(kind)
    said = dict(sent.content)
    if "incident" in said:
        said["incident"] = {
            **said["incident"],
            "message": "m" * 9_000,
            "location": "$." + "l" * 9_000,
            "rule": "r" * 999,
        }
    send(datadog, replace(sent, content=said))
    event = next(request for request in loopback.requests if request.path == "/api/v1/events").json
    assert len(event["title"]) <= 100
    assert len(event["text"]) <= 4_000
    assert len(event["aggregation_key"]) <= 100
    assert max(map(len, event["tags"])) <= 200
