"""A single request may choose its answer with `Prefer`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mock_site.answers import CODES
from mock_site.drifts import DRIFTS
from mock_site.mistakes import MockUsageError
from mock_site.prefer import PREFERENCES, Preferences, parse_prefer

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx


def detail(response: httpx.Response) -> str:
    assert response.status_code == 400
    error = response.json()["errors"][0]
    assert error["source"] == {"header": "Prefer"}
    return error["detail"]


@pytest.mark.parametrize("code", CODES)
def test_any_documented_status_may_be_asked_for_with_or_without_keys(client: Any, code: int) -> None:
    assert client.run(prefer=f"code={code}").status_code == code
    response = client.send("GET", "/api/v2/model-lab-api/runs/x", {"Prefer": f"code={code}"})
    assert response.status_code == code
    assert response.headers["preference-applied"] == f"code={code}"


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("code=404", Preferences(code=404, written=("code=404",))),
        ('CODE="404"', Preferences(code=404, written=("code=404",))),
        ("delay=2", Preferences(delay_s=2.0, written=("delay=2",))),
        ("delay=0.25, code=500", Preferences(code=500, delay_s=0.25, written=("delay=0.25", "code=500"))),
        ("delay=3600", Preferences(delay_s=60.0, written=("delay=3600",))),
        ("code=404;foo=1 , respond-async", Preferences(code=404, written=("code=404",))),
        ("code=404, code=500", Preferences(code=404, written=("code=404",))),
        ("run=huge", Preferences(run="huge", written=("run=huge",))),
        ("fault=refused", Preferences(fault="refused", written=("fault=refused",))),
        ("respond-async, wait=10, handling=lenient", Preferences()),
        ('odd="a, code=404', Preferences(code=404, written=("code=404",))),
        ('odd="a, code=404"', Preferences()),
        ("", Preferences()),
        (",,=,;,", Preferences()),
    ],
)
def test_the_header_is_read_as_rfc_7240_has_it(header: str, expected: Preferences) -> None:
    assert parse_prefer([header], {"refused"}) == expected


def test_a_repeated_header_counts_like_one_list() -> None:
    assert parse_prefer(["delay=1", "code=429"]) == Preferences(429, 1.0, written=("delay=1", "code=429"))


@pytest.mark.parametrize(
    ("header", "message"),
    [
        ("code=418", "unknown code '418'; did you mean 401? Known: 200, 400, 401, 403, 404, 429, 500, 502, 503, 504."),
        ("code", "unknown code ''. Known: 200"),
        ("code=40", "unknown code '40'; did you mean 404? Known"),
        ("delay=soon", "delay must be a number of seconds from 0 to 86400, not 'soon'."),
        ("delay=-1", "delay must be a number of seconds from 0 to 86400, not '-1'."),
        ("delay=nan", "delay must be a number of seconds"),
        ("drift=nuled", "unknown drift 'nuled'; did you mean nulled?"),
        ("drift=nulled@x", "'x' is no location; write one like $.data.attributes.metric_summaries[*].mean"),
        ("drift=nulled@$.data.nmae", "unknown location '$.data.nmae'; did you mean"),
        ("fault=refusd", "unknown fault 'refusd'; did you mean refused? Known: refused."),
        ("run=tipical", "unknown run 'tipical'; did you mean typical?"),
        ("x=" + "y" * 5000, "Prefer is longer than 4096 characters."),
    ],
)
def test_an_unknown_value_is_a_bad_request_that_says_what_is_known(
    make_client: Callable[..., Any], header: str, message: str
) -> None:
    assert detail(make_client(faults=["refused"]).run(prefer=header)).startswith(message)


def test_preferences_mean_nothing_on_other_routes(client: Any) -> None:
    assert client.send("GET", "/elsewhere", {"Prefer": "code=nonsense"}).status_code == 404


def test_a_drift_changes_the_answer_and_only_as_asked(client: Any) -> None:
    plain = client.run().json()
    drifted = client.run(prefer='drift="nulled@$.data.attributes.tags"')
    assert drifted.headers["preference-applied"] == 'drift="nulled@$.data.attributes.tags"'
    assert drifted.headers["content-length"] == str(len(drifted.content))
    plain["data"]["attributes"]["tags"] = None
    assert drifted.json() == plain


def test_a_drift_without_a_place_of_its_own_in_the_run_goes_to_the_first_it_fits(client: Any) -> None:
    drifted = client.run(1003, prefer="drift=float-precision-lost")
    assert detail(drifted) == "the drift float-precision-lost does not apply at any place of this run."
    empty = client.run(1001, prefer="drift=list-wrapped")
    assert empty.json()["data"]["attributes"]["tags"] == {"data": []}
    assert client.run(1005, prefer="drift=optional-member-removed").status_code == 400
    bare = client.run(1002, prefer="drift=list-cut").json()["data"]["attributes"]
    assert len(bare["metric_summaries"]) == 1  # its parameters, where the drift goes by default, are null


def test_a_drift_of_a_run_leaves_errors_alone_unless_it_names_a_place_in_them(client: Any) -> None:
    assert client.run("x", prefer="drift=nulled").json() == client.run("x").json()
    assert client.run("x", prefer="drift=nulled@$.errors").json() == {"errors": None}
    assert client.run("x", prefer="drift=errors-as-strings").json() == {"errors": ["Invalid Parameter"]}
    assert client.run(prefer="drift=errors-as-strings").json() == client.run().json()
    assert detail(client.run(prefer="drift=nulled@$.data.attributes.params")).startswith(
        "the drift nulled does not apply at"
    )


def test_a_drift_asked_for_of_the_edge_page_changes_nothing(client: Any) -> None:
    client.state.set_scenario(None, "edge-html")
    assert client.run(prefer="drift=nulled").headers["content-type"] == "text/html"


def test_the_run_asked_for_can_be_of_another_kind(client: Any) -> None:
    response = client.run(5, prefer="run=empty")
    assert response.json()["data"]["id"] == "5"
    assert response.json()["data"]["attributes"]["params"] == []
    assert client.run(-1, prefer="run=empty").status_code == 404


def test_a_delay_is_waited(client: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    slept = []

    async def sleep(delay_s: float) -> None:
        slept.append(delay_s)

    monkeypatch.setattr("mock_site.app.asyncio.sleep", sleep)
    assert client.run(prefer="delay=7.5").status_code == 200
    client.state.set_scenario(None, "slow:2")
    client.run(prefer="delay=1")
    client.run()
    assert slept == [7.5, 3.0, 2.0]


@given(st.text(st.characters(max_codepoint=255), max_size=80) | st.sampled_from(list(DRIFTS)).map("drift={}".format))
def test_no_header_whatsoever_crashes_the_reader(header: str) -> None:
    try:
        chosen = parse_prefer([header])
    except MockUsageError:
        return
    assert {text.partition("=")[0] for text in chosen.written} <= PREFERENCES.keys()
    assert "\n" not in "".join(chosen.written)


def test_a_success_may_be_asked_for_too(client: Any, run_contract: Any) -> None:
    """As with other mock servers: the run asked for where there is one, else a typical one, keys or not."""
    for run_id, served in (("1003", "1003"), ("x", "42"), (str(2**63 - 1), "42")):
        response = client.send("GET", f"/api/v2/model-lab-api/runs/{run_id}", {"Prefer": "code=200"})
        assert (response.status_code, response.json()["data"]["id"]) == (200, served)
        assert run_contract.is_valid(response.json())
