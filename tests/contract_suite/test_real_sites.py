"""`--site`: the real path, by the real host names, to mock sites that stand for the real ones."""

from __future__ import annotations

import json
from collections import Counter
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from mock_site.app import create_app
from mock_site.server import MockSites
from monitors.sites import SITES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

pytestmark = pytest.mark.usefixtures("_no_keys")

KEYS = {"API": "api-key-of-a-site", "APP": "app-key-of-a-site"}
FAST = "pause_s = 0\n"


class Way:
    """The options that lead the real host names to the mock, and the methods the mock saw."""

    def __init__(self, sites: MockSites) -> None:
        self.sites = sites

    def options(self, *names: str) -> list[str]:
        detour = f":443:127.0.0.1:{self.sites.tls_port}"
        Path("fast.toml").write_text(FAST)
        chosen = [f"--site={name}" for name in names]
        return [*chosen, f"--connect-to={detour}", f"--ca-file={self.sites.ca_file}", "--model-lab-config=fast.toml"]


@pytest.fixture
def way(sites: MockSites) -> Iterator[Way]:
    yield Way(sites)
    sites.set_scenario(None, "healthy")


def give(monkeypatch: pytest.MonkeyPatch, site: str, *, run_id: int | None = 42) -> None:
    for kind, key in KEYS.items():
        monkeypatch.setenv(f"DD_{kind}_KEY_{site}", key)
    if run_id is not None:
        monkeypatch.setenv(f"MODEL_LAB_RUN_ID_{site}", str(run_id))


def test_all_nine_sites_by_their_public_names(
    way: Way, run_suite: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    for site in SITES.values():
        give(monkeypatch, site.env_suffix)
    outcome = run_suite(*way.options("all"))
    assert outcome.exit_code == 0, outcome.output
    assert "model-lab: 36 requests to 9 real sites" in outcome.output
    assert outcome.requests == []
    assert set(outcome.skipped.values()) == {
        "runs on the mock only: a real site is asked the four checks and nothing else"
    }


def test_a_site_without_keys_gets_the_tests_that_need_none(way: Way, run_suite: Callable[..., Any]) -> None:
    outcome = run_suite(*way.options("US5"))
    assert outcome.exit_code == 0, outcome.output
    assert "model-lab: 1 request to 1 real site" in outcome.output
    asked = [name for name in outcome.passed if "[US5-" in name]
    assert asked
    assert all("[US5-unauthenticated]" in name for name in asked)
    reasons = Counter(outcome.skipped.values())
    for check in ("run", "not-found", "bad-request"):
        reason = (
            f"US5: the check {check} needs keys; set DD_API_KEY_US5 and DD_APP_KEY_US5, or name them under [sites.US5]"
        )
        assert reasons.pop(reason) > 5
    assert set(reasons) == {
        "runs on the mock only: a real site is asked the four checks and nothing else",
        *(f"parity of the check {check} needs two sites that can be asked, not 0"
          for check in ("run", "not-found", "bad-request")),
        "parity of the check unauthenticated needs two sites that can be asked, not 1",
    }  # fmt: skip


def test_a_site_without_a_run_is_asked_for_everything_else(
    way: Way, run_suite: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    give(monkeypatch, "US1_FED", run_id=None)
    outcome = run_suite(*way.options("ddog-gov.com"))
    assert outcome.exit_code == 0, outcome.output
    assert (
        "US1-FED: the check run needs a run to ask for; set MODEL_LAB_RUN_ID_US1_FED, or run_id under [sites.US1-FED]"
    ) in outcome.skipped.values()
    assert any("[US1-FED-not-found]" in name for name in outcome.passed)


def test_only_get_is_ever_sent(run_suite: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    methods: Counter[str] = Counter()

    def watched(state: Any) -> Any:
        app = create_app(state)

        async def watch(scope: Any, receive: Any, send: Any) -> None:
            methods[scope["method"]] += 1
            await app(scope, receive, send)

        return watch

    give(monkeypatch, "EU1")
    with MockSites(api_key=KEYS["API"], app_key=KEYS["APP"], app=watched) as sites:
        assert run_suite(*Way(sites).options("EU1")).exit_code == 0
    assert methods == {"GET": 4}


@pytest.mark.parametrize(
    ("scenario", "rule"),
    [
        ("outage", "edge-answer"),
        ("edge-html", "edge-answer"),
        ("server-error", "server-error"),
        ("not-deployed", "endpoint-not-deployed"),
        ("key-rejected", "key-rejected"),
        ("no-permission", "key-lacks-permission"),
        ("deleted", "run-not-found"),
        ("fault:refused", "connection-refused"),
        ("fault:tls-expired", "tls-certificate-expired"),
    ],
)
def test_an_unavailable_site_fails_one_test_for_each_check_and_skips_the_rest(
    way: Way, run_suite: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, scenario: str, rule: str
) -> None:
    give(monkeypatch, "US5")
    way.sites.set_scenario("US5", scenario)
    options = way.options("US5")
    if scenario == "fault:refused":
        options[1] = f"--connect-to=:443:127.0.0.1:{way.sites.address('US5', tls=True).port}"
    outcome = run_suite(*options)
    assert outcome.exit_code == 1
    assert {name.rpartition("::")[2].partition("[")[0] for name in outcome.failed} == {"test_the_site_answers"}
    run = outcome.failed["contract_tests/test_success.py::test_the_site_answers[US5-run]"]
    assert f"{rule} (breaking) at the answer as a whole" in run
    assert f"US5: the endpoint did not answer the check run ({rule})" in outcome.skipped.values()


def test_throttling_is_no_failure(way: Way, run_suite: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    give(monkeypatch, "US5")
    way.sites.set_scenario("US5", "throttled")
    outcome = run_suite(*way.options("US5"))
    assert outcome.exit_code == 0, outcome.output
    assert any(
        reason.startswith("US5: the check run was throttled; the window resets in ")
        for reason in outcome.skipped.values()
    )


def test_the_configuration_can_make_unavailability_a_warning(
    way: Way, run_suite: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    give(monkeypatch, "US5")
    way.sites.set_scenario("US5", "outage")
    options = way.options("US5")
    Path("fast.toml").write_text(FAST + 'availability = "warning"\n')
    outcome = run_suite(*options)
    assert outcome.exit_code == 0, outcome.output
    assert any("edge-answer" in text for _, text in outcome.warnings)


def test_a_failure_says_where_what_and_how_to_repeat_it_without_a_key(
    way: Way, run_suite: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    give(monkeypatch, "US5")
    way.sites.set_scenario("US5", "drifted:number-as-string")
    outcome = run_suite(*way.options("US5"))
    [(name, message)] = outcome.failed.items()
    assert name == "contract_tests/test_success.py::test_the_body_keeps_the_schema[US5-run]"
    lines = message.split("\n")
    assert lines[:5] == [
        "US5, check run, run 42",
        "response-property-type-changed (breaking) at $.data.attributes.project_id",
        "    string where integer is promised",
        "    expected: integer",
        "    actual:   string",
    ]
    assert lines[5] == (
        f"request: curl -sS --globoff --connect-to :443:127.0.0.1:{way.sites.tls_port} "
        f'--cacert {way.sites.ca_file} -H "DD-API-KEY: $DD_API_KEY_US5" -H "DD-APPLICATION-KEY: $DD_APP_KEY_US5" '
        "https://api.us5.datadoghq.com/api/v2/model-lab-api/runs/42"
    )
    assert lines[6].startswith("answer:  200, application/json, ")
    assert lines[7].startswith('body:    {"data":')
    assert len(lines) == 8


def test_a_hostile_site_that_echoes_the_keys_gets_them_into_no_output(
    run_suite: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """In the body, in names, in headers: told, but never repeated, in no report, archive or log."""

    def echoing(_state: Any) -> Any:
        async def echo(scope: Any, _receive: Any, send: Any) -> None:
            keys = b" ".join(value for name, value in scope["headers"] if name.startswith(b"dd-"))
            body = b'{"data":{"%s":"%s\\u001b[2J","id":5}}' % (keys, keys)
            headers = [(b"content-type", b"application/json"), (b"x-echo", keys)]
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            await send({"type": "http.response.body", "body": body})

        return echo

    give(monkeypatch, "US5")
    archive, junit = tmp_path / "traffic.har", tmp_path / "junit.xml"
    with MockSites(app=echoing) as sites:
        outcome = run_suite(
            *Way(sites).options("US5"), f"--har={archive}", f"--junitxml={junit}", "--log-level=DEBUG", "-vv", "-l"
        )
    assert outcome.exit_code == 1
    told = outcome.failed["contract_tests/test_auth.py::test_no_answer_repeats_a_key[US5-run]"]
    assert "the answer repeats a key of the request" in told
    assert "actual:   the header x-echo, the body" in told
    everything = outcome.output + archive.read_text() + junit.read_text() + json.dumps(outcome.failed)
    everything += json.dumps(outcome.warnings)
    for key in KEYS.values():
        assert key not in everything
    assert "\x1b[2J" not in outcome.output


def test_odd_rate_limit_headers_are_warnings(run_suite: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    def odd(state: Any) -> Any:
        app = create_app(state)

        async def serve(scope: Any, receive: Any, send: Any) -> None:
            async def swap(message: Any) -> None:
                if message["type"] == "http.response.start":
                    kept = [row for row in message["headers"] if not row[0].lower().startswith(b"x-ratelimit")]
                    added = [
                        (b"x-ratelimit-limit", b"10"),
                        (b"x-ratelimit-remaining", b"11"),
                        (b"x-ratelimit-reset", b"soon"),
                    ]
                    message = {**message, "headers": kept + added}
                await send(message)

            await app(scope, receive, swap)

        return serve

    give(monkeypatch, "EU1")
    with MockSites(api_key=KEYS["API"], app_key=KEYS["APP"], app=odd) as sites:
        outcome = run_suite(*Way(sites).options("EU1"), "-k", "rate_limit_headers and EU1-run")
    assert outcome.exit_code == 0, outcome.output
    assert sorted(text for _, text in outcome.warnings) == [
        "X-RateLimit-Remaining is above X-RateLimit-Limit",
        "X-RateLimit-Reset is no whole number: soon",
    ]


def test_two_requests_to_one_site_keep_the_pause(
    way: Way, run_suite: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    give(monkeypatch, "US5")
    options = way.options("US5")
    Path("fast.toml").write_text("pause_s = 0.2\n")
    archive = tmp_path / "traffic.har"
    assert run_suite(*options, f"--har={archive}").exit_code == 0

    starts = [
        datetime.fromisoformat(entry["startedDateTime"]) for entry in json.loads(archive.read_text())["log"]["entries"]
    ]
    gaps_s = [(later - earlier).total_seconds() for earlier, later in pairwise(starts)]
    assert len(gaps_s) == 3
    assert min(gaps_s) >= 0.2
