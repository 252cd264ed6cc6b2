"""Only our operation is judged, and no key gets past."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from monitors.recordings import Aside
from monitors.sites import SITES

if TYPE_CHECKING:
    from collections.abc import Callable

KEY = "5f3a9c0e1b7d4826a0c4e2d917b36f58"
OTHER_KEY = "0b1c2d3e4f5a69788796a5b4c3d2e1f00f1e2d3c"


@pytest.mark.parametrize(
    ("url", "run_id"),
    [
        ("https://api.datadoghq.com/api/v2/model-lab-api/runs/5", "5"),
        ("http://127.0.0.1:8080/api/v2/model-lab-api/runs/5?a=b#c", "5"),
        ("/api/v2/model-lab-api/runs/5", "5"),
        ("https://h/api/v2/model%2Dlab%2dapi/runs/%35", "5"),
        ("https://h/api/v2/model-lab-api/runs/-5", "-5"),
    ],
)
def test_ours_on_any_host(
    url: str, run_id: str, reading_bytes: Callable[..., Any], cassette: Callable[..., Any]
) -> None:
    assert reading_bytes(cassette(url)).one.run_id == run_id


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("https://h/api/v2/model-lab-api/runs/5/", "other operation: GET /api/v2/model-lab-api/runs/{id}/"),
        ("https://h/api/v2/model-lab-api/runs", "other operation: GET /api/v2/model-lab-api/runs"),
        ("https://h/api/v2/model-lab-api/runs/", "other operation: GET /api/v2/model-lab-api/runs/"),
        ("https://h/api/v2/model-lab-api/runs/5/files", "other operation: GET /api/v2/model-lab-api/runs/{id}/files"),
        ("https://h/api/v2/model-lab-api/runs/search", "other operation: GET /api/v2/model-lab-api/runs/search"),
        ("https://h/api/v1/dashboard/abc-d3f-ghi", "other operation: GET /api/v1/dashboard/{id}"),
        ("https://h/api/v2/users/a%40b.c", "other operation: GET /api/v2/users/{id}"),
        ("https://h", "other operation: GET /"),
        ("https://h/" + "x" * 50, "other operation: GET /{id}"),
        ("https://h" + "/ab" * 90, "other operation: GET " + ("/ab" * 90)[:160] + "…"),
        ("blob:https://h/5", "not HTTP: blob"),
        ("chrome-extension://abc/x", "not HTTP: chrome-extension"),
        ("https://[bad/x", "not HTTP: an address that cannot be read"),
        ("https://h:99999/x", "not HTTP: an address that cannot be read"),
    ],
)
def test_neighbours_are_left_aside_by_name_without_ids(
    url: str, reason: str, reading_bytes: Callable[..., Any], cassette: Callable[..., Any]
) -> None:
    seen = reading_bytes(cassette(url))
    assert seen.observations == []
    assert seen.reasons == {reason: 1}


@pytest.mark.parametrize("method", ["DELETE", "HEAD", "OPTIONS", "PATCH"])
def test_another_method_on_our_path_is_left_aside(
    method: str, reading_bytes: Callable[..., Any], cassette: Callable[..., Any]
) -> None:
    seen = reading_bytes(cassette(method=method))
    assert [aside.kind for aside in seen.aside] == [Aside.OTHER_METHOD]
    assert method in seen.aside[0].reason


def test_a_method_that_is_none_is_not_repeated(reading_bytes: Callable[..., Any], cassette: Callable[..., Any]) -> None:
    assert reading_bytes(cassette("https://h/x", method="\x1b[31m")).reasons == {"other operation: ? /x": 1}


def test_a_word_for_an_id_is_ours_only_when_it_was_refused(
    reading_bytes: Callable[..., Any], cassette: Callable[..., Any]
) -> None:
    url = "https://h/api/v2/model-lab-api/runs/not-an-integer"
    assert reading_bytes(cassette(url, status=400)).one.run_id == "not-an-integer"
    assert reading_bytes(cassette(url, status=200)).aside[0].kind is Aside.OTHER_OPERATION


@pytest.mark.parametrize("site", SITES.values(), ids=lambda site: site.key)
def test_the_site_is_told_by_the_host(
    site: Any, reading_bytes: Callable[..., Any], cassette: Callable[..., Any]
) -> None:
    for host in (site.api_host, site.api_host.upper(), f"{site.api_host}.:443"):
        assert reading_bytes(cassette(f"https://{host}/api/v2/model-lab-api/runs/5")).one.site == site.key
    assert reading_bytes(cassette(f"https://{site.api_host}.evil.example/api/v2/model-lab-api/runs/5")).one.site is None


def test_keys_are_taken_as_sent_unless_a_401_says_otherwise(
    reading_bytes: Callable[..., Any], cassette: Callable[..., Any]
) -> None:
    both = {"DD-API-KEY": ["REDACTED"], "dd-application-key": ["REDACTED"]}
    assert reading_bytes(cassette()).one.with_keys
    assert reading_bytes(cassette(status=403)).one.with_keys
    assert not reading_bytes(cassette(status=401)).one.with_keys
    assert reading_bytes(cassette(status=401, request_headers=both)).one.with_keys


def test_no_key_reaches_the_observation(reading_bytes: Callable[..., Any], cassette: Callable[..., Any]) -> None:
    url = f"https://user:{OTHER_KEY}@h/api/v2/model-lab-api/runs/5?api_key={OTHER_KEY}&page=2&token=short#{KEY}"
    seen = reading_bytes(
        cassette(
            url,
            request_headers={"DD-API-KEY": [KEY], "Authorization": f"Bearer {KEY[::-1]}"},
            headers={"X-Echo": KEY, "Set-Cookie": "sid=1", "Location": f"/x?application_key={OTHER_KEY}"},
            body={"string": f'{{"a": "{KEY}", "b": "{OTHER_KEY}", "c": "{KEY[::-1]}", "d": "short"}}'},
        )
    ).one
    shown = repr(seen)
    assert KEY not in shown
    assert KEY[::-1] not in shown
    assert OTHER_KEY not in shown
    assert seen.url == "https://h/api/v2/model-lab-api/runs/5?api_key=***&page=2&token=***"
    assert seen.body == b'{"a": "***", "b": "***", "c": "***", "d": "short"}'
    assert dict(seen.headers) == {"x-echo": "***", "set-cookie": "***", "location": "/x?application_key=***"}


@pytest.mark.parametrize("placeholder", ["1234567890123456", "xxxxxxxxxxxxxxxx", "<API KEY HERE>", "a1", ""])
def test_a_placeholder_for_a_key_takes_nothing_out_of_the_body(
    placeholder: str, reading_bytes: Callable[..., Any], cassette: Callable[..., Any]
) -> None:
    body = f'{{"a": {placeholder or 1}}}'
    seen = reading_bytes(cassette(request_headers={"DD-API-KEY": placeholder}, body={"string": body})).one
    assert seen.body == body.encode()
