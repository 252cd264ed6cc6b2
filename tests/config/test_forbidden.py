"""Where no sink may send: found however it is spelled, and nowhere else."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitors.config import FILE_NAME, load
from monitors.config.forbidden import WATCHED_PATH, flaw, is_watched, site_named
from monitors.sites import SITES


@pytest.mark.parametrize(
    "address",
    [
        "/api/v2/model-lab-api",
        "https://hooks.example.com/api/v2/model-lab-api/runs/42",
        "https://proxy.example.com/datadog/us5/API/V2/Model-Lab-API",
        "https://h//api///v2//model-lab-api//runs",
        "https://h/./api/./v2/x/../model-lab-api",
        "https://h/api/v2/x/y/%2e%2e/.%2E/model-lab-api",
        "https://h/api/v2/%3F/../model-lab-api",
        "https://h/api/v2/model-lab-api%3Fx",
        "https://h/%61pi/v2/model%2Dlab%252Dapi",
        "https://h/api%2Fv2%5Cmodel-lab-api",
        "https://h/api;a=1/v2;b/model-lab-api;c",
        "https://h/api/v2/model-lab-\tapi%20",
        "https://h/api/v2/\uff4dodel-lab-api",
        "https://h/relay?to=https://elsewhere/api/v2/model-lab-api/runs/1&x=1",
        "https://h/relay?to=%2Fapi%2Fv2%2Fmodel-lab-api",
        "json://user:pass@h:8080/api/v2/model-lab-api?method=DELETE",
        "json://h%2Fapi/v2/model-lab-api",
        "\\\\h\\api\\v2\\model-lab-api",
        "https://h/" + "%25" * 3 + "2525252525252525252525252525252525252525252541",
    ],
)
def test_the_path_watched_is_known_however_it_is_spelled(address: str) -> None:
    assert is_watched(address)
    assert (flaw(address, "webhook") or "").startswith("leads to /api/v2/model-lab-api, the endpoint that is watched")


@pytest.mark.parametrize(
    "address",
    [
        "https://hooks.example.com/x?p=model-lab-api",
        "https://api.github.com/repos/acme/model-lab-api/issues",
        "https://model-lab-api.example.com/hook",
        "https://api/v2/model-lab-api",
        "https://h/api/v2/model-lab-api-alerts",
        "https://h/api/v2/my-model-lab-api",
        "https://h/api/v1/model-lab-api",
        "https://h/v2/api/model-lab-api",
        "https://h/api/v2/x/model-lab-api",
        "https://h/x?a=api&b=v2&c=model-lab-api",
        "slack://token/#model-lab-api",
        "https://h/100%25",
        "",
    ],
)
def test_what_only_bears_the_name_is_no_such_address(address: str) -> None:
    assert not is_watched(address)
    assert flaw(address, "webhook") is None


@given(
    st.lists(st.sampled_from(["x", ".", "", "%2e", "y;z"]), max_size=4),
    st.integers(0, 5),
    st.lists(st.booleans(), min_size=len(WATCHED_PATH), max_size=len(WATCHED_PATH)),
)
def test_no_prefix_quoting_or_letter_case_hides_it(prefix: list[str], depth: int, upper: list[bool]) -> None:
    path = "".join(char.upper() if big else char for char, big in zip(WATCHED_PATH, upper, strict=True))
    for _ in range(depth):
        path = quote(path, safe="")
    assert is_watched(f"https://h.example/{'/'.join(prefix)}/{path}/runs/1")


@pytest.mark.parametrize("site", SITES.values(), ids=lambda site: site.key)
def test_an_api_host_is_known_however_it_is_spelled(site: object) -> None:
    host = site.api_host  # type: ignore[attr-defined]  # the table's rows
    spelled = (
        f"https://{host}",
        f"https://{host.upper()}.:443/x",
        f"json://me:pass@{host.replace('.', '%2E')}/x",
        f"jsons://{host.replace('.', chr(0xFF0E))}",
        f"jsons://{host.replace('.', chr(0x3002))}",
        f"https://{host[0]}\u00ad{host[1:]}/",
        f"https://relay.example.com/?to={host}",
    )
    for address in spelled:
        assert site_named(address) is site, address
        assert (flaw(address, "apprise") or "").startswith(f"names {host}, the API of ")
    assert flaw(f"https://{host}/", "datadog") is None
    for other in (f"https://x.{host}", f"https://{host}.example.com", f"https://my-{host}", f"https://{host}-x.test"):
        assert site_named(other) is None


def test_config_check_takes_sinks_that_only_bear_the_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path(FILE_NAME).write_text(
        "[sinks.a]\ntype = 'github-issues'\nrepository = 'acme/model-lab-api'\ntoken_env = 'S'\n"
        "[sinks.b]\ntype = 'webhook'\nurl = 'https://hooks.example.com/x?p=model-lab-api'\nsecret_env = 'S'\n"
        "[sinks.c]\ntype = 'datadog'\nbase_url = 'https://api.datadoghq.eu/'\napi_key_env = 'S'\n"
    )
    assert len(load(None, {"S": "s"}, []).sinks) == 3


@pytest.mark.parametrize(
    "address",
    [
        f"{scheme}://h/x?{query}"
        for scheme in ("json", "jsons", "XML", "xmls", "form", "forms")
        for query in ("method=DELETE", "rto=1&METHOD=put", "method=POST;method=delete", "%6Dethod+=%20HEAD", "method=x")
    ]
    + ["json://h?method=%2544ELETE", "json://h/x,jsons://i/y?method=PUT"]
    + ["opsgenie://key/?action=delete", "jira://key/?action=D", "opsgenie://key/?:info=delete"]
    + ["matrix://me:pass@h/#room", "matrixs://me:pass@h/#room?mode=off", "matrixs://h/#room?e2ee=no"],
)
def test_an_address_that_makes_apprise_delete_or_put_is_refused(address: str) -> None:
    said = flaw(address, "apprise") or ""
    assert "no sink" in said
    assert said.split()[0] in {"has", "is"}


@pytest.mark.parametrize(
    "address",
    [
        "json://h/x?method=POST",
        "xmls://h/x?method=get&+X-Method=DELETE",
        "form://h?method=",
        "json://h/method=DELETE",
        "kodi://h/?method=DELETE",
        "twilio://sid:token@from/to?method=call",
        "opsgenie://key/?action=close&:info=note",
        "matrixs://token@h/?mode=hookshot",
        "pagerduty://key@routing?action=map",
    ],
)
def test_other_addresses_of_apprise_s_are_left_alone(address: str) -> None:
    assert flaw(address, "apprise") is None
