"""Sites change over time as their scenario says; the control route sets them, on loopback only."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from mock_site.mistakes import MockUsageError
from mock_site.scenarios import SCENARIOS
from mock_site.state import MockState, parse_assignment, site_rows

if TYPE_CHECKING:
    from collections.abc import Callable

CONTROL = "/__mock__/scenarios"


def statuses(client: Any, site: str = "US1") -> list[int]:
    """Statuses of: a run, an unknown run, a bad id, no keys, another route."""
    none = client.send("GET", "/api/v2/model-lab-api/runs/42", {"Host": client.state.sites[site].row.api_host})
    route = client.send("GET", "/x", {"Host": client.state.sites[site].row.api_host})
    return [client.run(run_id, site=site).status_code for run_id in (42, 0, "x")] + [
        none.status_code,
        route.status_code,
    ]


@pytest.mark.parametrize(
    ("scenario", "expected"),
    [
        ("healthy", [200, 404, 400, 401, 404]),
        ("outage", [502] * 5),
        ("outage:503", [503] * 5),
        ("outage:504", [504] * 5),
        ("edge-html", [403] * 5),
        ("server-error", [500, 500, 500, 401, 404]),
        ("throttled", [429, 429, 429, 401, 404]),
        ("slow:0", [200, 404, 400, 401, 404]),
        ("flapping", [200, 404, 400, 401, 404]),
        ("drifted:errors-as-strings", [200, 404, 400, 401, 404]),
        ("rollout:nulled", [200, 404, 400, 401, 404]),
        ("fault:refused", [200, 404, 400, 401, 404]),  # the wire's business, not the application's
        ("not-deployed", [404] * 5),
        ("key-rejected", [403, 403, 403, 401, 404]),
        ("no-permission", [403, 403, 403, 401, 404]),
        ("deleted", [404, 404, 400, 401, 404]),
    ],
)
def test_every_scenario_answers_as_its_row_says(
    make_client: Callable[..., Any], scenario: str, expected: list[int]
) -> None:
    client = make_client(scenario=scenario, faults=["refused"])
    assert statuses(client) == expected
    assert client.state.sites["US1"].scenario.text == scenario


def test_every_scenario_of_the_table_is_tested_above() -> None:
    rows = test_every_scenario_answers_as_its_row_says.pytestmark[0].args[1]
    assert {text.partition(":")[0] for text, _ in rows} == set(SCENARIOS)


def test_scenarios_answer_in_the_forms_of_the_real_sites(make_client: Callable[..., Any]) -> None:
    client = make_client()
    bodies = {}
    for name in ("not-deployed", "key-rejected", "no-permission", "deleted", "server-error", "edge-html"):
        client.state.set_scenario(None, name)
        bodies[name] = (client.run().headers["content-type"], client.run().text)
    assert bodies["not-deployed"] == ("application/json", '{"errors":["Not found"]}')
    assert bodies["key-rejected"] == ("application/json", '{"errors":["Forbidden"]}')
    assert bodies["no-permission"] == ("text/plain; charset=utf-8", '{"errors":[{"title":"Forbidden"}]}\n')
    assert bodies["deleted"][1] == '{"errors":[{"title":"Generic Error","detail":"run not found"}]}'
    assert json.loads(bodies["server-error"][1])["errors"][0]["status"] == "500"
    assert bodies["edge-html"][1].startswith("<html>")


def test_throttled_says_that_nothing_is_left_though_the_bucket_is_full(make_client: Callable[..., Any]) -> None:
    client = make_client(scenario="throttled")
    assert client.run().headers["x-ratelimit-remaining"] == "0"


def test_flapping_is_up_for_half_of_each_period(make_client: Callable[..., Any]) -> None:
    client = make_client(scenario="flapping:10")
    seen = []
    for _ in range(8):
        seen.append(client.run().status_code)
        client.clock.now_s += 2.5
    assert seen == [200, 200, 502, 502] * 2


def test_a_rollout_reaches_one_more_site_each_period(make_client: Callable[..., Any]) -> None:
    client = make_client(scenario="rollout:nulled@$.data.attributes.name:30")

    def reached() -> list[str]:
        return [key for key in client.state.sites if client.run(site=key).json()["data"]["attributes"]["name"] is None]

    order = list(site_rows())
    assert reached() == order[:1]
    client.clock.now_s += 30
    assert reached() == order[:2]
    client.clock.now_s += 30 * 6.5
    assert reached() == order[:8]
    client.clock.now_s += 1e6
    assert reached() == order


def test_a_drifted_site_drifts_alone_and_only_where_the_drift_fits(make_client: Callable[..., Any]) -> None:
    client = make_client(scenarios={"EU1": "drifted:nulled@$.data.attributes.metric_summaries[*]"})
    assert set(client.run(site="EU1").json()["data"]["attributes"]["metric_summaries"]) == {None}
    assert client.run(1001, site="EU1").json()["data"]["attributes"]["metric_summaries"] == []
    assert client.run(site="US1").json()["data"]["attributes"]["metric_summaries"][0]


def test_the_faults_of_a_site_are_told_by_name(make_client: Callable[..., Any]) -> None:
    client = make_client(scenarios={"US5": "fault:refused"}, faults=["refused", "reset"])
    assert client.state.fault_for("US5") == "refused"
    assert client.state.fault_for("us1") is None
    assert client.state.condition_for("US5", 0.0).fault == "refused"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("otage", "unknown scenario 'otage'; did you mean outage?"),
        ("", "unknown scenario ''. Known: healthy"),
        ("healthy:1", "this scenario takes no argument, but was given '1'."),
        ("outage:500", "outage takes 502, 503 or 504, not '500'."),
        ("slow:x", "the delay of slow must be a number of seconds from 0 to 60, not 'x'."),
        ("slow:61", "the delay of slow must be a number of seconds from 0 to 60, not '61'."),
        ("flapping:0", "the period of flapping must be a number of seconds from 0.01 to 86400, not '0'."),
        ("drifted", "unknown drift ''. Known: "),
        (
            "drifted:nulled@$.data.attributes.nam",
            "unknown location '$.data.attributes.nam'; did you mean $.data.attributes.name",
        ),
        ("rollout:nulled:x", "the period of rollout must be a number of seconds"),
        ("fault", "unknown fault ''. Known: none."),
        ("fault:x", "unknown fault 'x'. Known: none."),
    ],
)
def test_a_wrong_scenario_is_refused_with_what_is_known(text: str, message: str) -> None:
    with pytest.raises(MockUsageError) as caught:
        MockState(scenario=text)
    assert str(caught.value).startswith(message)


def test_scenarios_of_the_command_line_name_a_site_or_all() -> None:
    assert parse_assignment("outage") == (None, "outage")
    assert parse_assignment("us5=slow:2") == ("US5", "slow:2")
    assert parse_assignment("drifted:nulled@$.data['a=b']") == (None, "drifted:nulled@$.data['a=b']")
    with pytest.raises(MockUsageError, match="unknown site 'USX'; did you mean US5"):
        parse_assignment("USX=outage")
    with pytest.raises(MockUsageError, match=r"no scenario after us5=; write e\.g\. US5=outage\."):
        parse_assignment("us5=")
    with pytest.raises(MockUsageError, match="unknown site 'nowhere'"):
        MockState(scenarios={"nowhere": "outage"})


# --- the control route ---------------------------------------------------------------------------------------------


def test_scenarios_are_read_and_set_by_the_control_route(client: Any) -> None:
    assert set(client.send("GET", CONTROL).json().values()) == {"healthy"}
    assert client.send("PUT", f"{CONTROL}/us5", content="outage").json() == {"US5": "outage"}
    assert client.run(site="US5").status_code == 502
    assert client.run(site="US1").status_code == 200
    assert client.send("PUT", CONTROL, json={"scenario": "throttled"}).json()["EU1"] == "throttled"
    assert client.send("GET", f"{CONTROL}/EU1").json() == {"EU1": "throttled"}
    assert client.send("DELETE", f"{CONTROL}/EU1").json() == {"EU1": "healthy"}
    assert set(client.send("DELETE", CONTROL).json().values()) == {"healthy"}
    assert client.run(site="US5").status_code == 200


@pytest.mark.parametrize(
    ("asked", "body", "status", "message"),
    [
        (("PUT", CONTROL), "otage", 400, "unknown scenario 'otage'; did you mean outage?"),
        (("PUT", f"{CONTROL}/xx"), "outage", 400, "unknown site 'xx'"),
        (("GET", f"{CONTROL}/xx"), "", 400, "unknown site 'xx'"),
        (("PUT", CONTROL), "{}", 400, 'send the scenario as plain text or as {"scenario": "outage"}.'),
        (("PUT", CONTROL), "{" * 1000, 400, "send the scenario as plain text"),
        (("PUT", CONTROL), '{"scenario": "outage", ', 400, "send the scenario as plain text"),
        (("PUT", CONTROL), "x" * 5000, 400, "the body is longer than 4096 bytes."),
        (("PUT", CONTROL), b"\xff", 400, "unknown scenario"),
        (("GET", "/__mock__/else"), "", 404, "Not found"),
        (("GET", "/__mock__x"), "", 404, "Not found"),
    ],
)
def test_a_mistake_at_the_control_route_is_said_and_changes_nothing(
    client: Any, asked: tuple[str, str], body: Any, status: int, message: str
) -> None:
    response = client.send(*asked, content=body)
    assert response.status_code == status
    assert message in response.json()["errors"][0]
    assert set(client.state.scenario_texts().values()) == {"healthy"}


def test_another_method_at_the_control_route_is_refused(client: Any) -> None:
    assert client.send("POST", CONTROL).status_code == 405


@pytest.mark.parametrize(
    ("address", "status"),
    [("127.0.0.1", 200), ("127.9.9.9", 200), ("::1", 200), ("::ffff:127.0.0.1", 200), ("10.0.0.7", 403),
     ("2001:db8::1", 403), ("::ffff:10.0.0.7", 403), ("not-an-address", 403)],
)  # fmt: skip
def test_the_control_route_answers_loopback_only(make_client: Callable[..., Any], address: str, status: int) -> None:
    client = make_client(address=address)
    assert client.send("GET", CONTROL).status_code == status
    assert client.send("PUT", CONTROL, content="outage").status_code == status
    assert client.run().status_code == (502 if status == 200 else 200)


def test_the_control_route_tells_what_may_be_asked_for(client: Any) -> None:
    told = client.send("GET", "/__mock__").json()
    assert set(told) == {"scenarios", "preferences", "drifts", "faults", "runs"}
    assert told["runs"]["typical"] == 42
