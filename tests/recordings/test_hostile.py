"""Bombs and garbage: any bytes whatsoever give an observation, an entry left aside or one clear line."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from monitors.errors import UsageError
from monitors.model import Observation
from monitors.recordings import LeftAside, read, yamlstream

if TYPE_CHECKING:
    from collections.abc import Callable

FORMATS = Path(__file__).parent / "data" / "formats"
SEEDS = [path.read_bytes() for path in sorted(FORMATS.rglob("*")) if path.is_file()]
URL = "https://h/api/v2/model-lab-api/runs/1"


def outcomes(path: Path) -> list[Any]:
    seen: list[Any] = []
    refused = None
    try:
        seen.extend(read(path, status=200))
    except UsageError as error:
        refused = error
    assert "\n" not in str(refused)
    return seen


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """Draw one of the recordings with some bytes cut out, changed or put in."""
    data = bytearray(draw(st.sampled_from(SEEDS)))
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(data)))
        data[at : at + draw(st.sampled_from([0, 1, 20]))] = draw(st.binary(max_size=4) | st.sampled_from(TOKENS))
    return bytes(data)


TOKENS = [b"[", b"{", b"]", b"}", b"null", b"&a ", b"*a", b"!!binary ", b"- ", b": ", b'"', b"\n", b"5", b"--- "]


@settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=damaged() | st.binary(max_size=60), suffix=st.sampled_from([".json", ".yaml"]))
def test_any_bytes_are_an_observation_an_aside_or_a_usage_error(data: bytes, suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"a{suffix}"
    path.write_bytes(data)
    assert all(isinstance(outcome, Observation | LeftAside) for outcome in [*outcomes(path), *outcomes(tmp_path)])


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 600) | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=2), inner, max_size=2),
    max_leaves=6,
)
MEMBERS = ("method", "uri", "url", "path", "headers", "status", "statusCode", "code", "body", "content", "text")


@settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(odd=st.dictionaries(st.sampled_from(MEMBERS), JSON, max_size=3), response=JSON)
def test_any_value_at_any_member_is_no_crash(odd: dict[str, Any], response: Any, tmp_path: Path) -> None:
    request = {"method": "GET", "uri": URL, "url": URL, "path": "/api/v2/model-lab-api/runs/1"} | odd
    answer = {"status": 200, "body": {}, **odd}
    path = tmp_path / "a.json"
    for document in (
        {"interactions": [{"request": request, "response": answer, "recorded_at": response}]},
        {"interactions": [{"request": request, "response": response}]},
        {"log": {"entries": [{"request": request, "response": answer}, {"request": request, "response": response}]}},
        [{"httpRequest": request, "httpResponse": answer}, {"httpRequest": request, "httpResponse": response}],
        answer,
    ):
        path.write_text(json.dumps(document))
        assert all(isinstance(outcome, Observation | LeftAside) for outcome in outcomes(path))


def laughs() -> str:
    lines = [
        "interactions:",
        "- request:",
        f"    uri: {URL}",
        "    method: GET",
        "    a0: &a0 [x, x, x, x, x, x, x, x]",
    ]
    lines += [f"    a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 40)]
    lines += ["  response: {status: 200, headers: *a39, body: {string: '{}'}}"]
    return "\n".join(lines)


def test_a_billion_laughs_are_references_not_copies(reading_bytes: Callable[..., Any]) -> None:
    assert reading_bytes(laughs(), "a.yaml").one.body == b"{}"


def test_a_value_that_holds_itself_is_harmless(reading_bytes: Callable[..., Any]) -> None:
    text = f"interactions:\n- &i\n  request: {{method: GET, uri: '{URL}', headers: &h [*h, *i]}}\n  response: *i\n"
    assert reading_bytes(text, "a.yaml").reasons == {"no answer recorded": 1}


def test_an_interaction_used_again_counts_again(reading_bytes: Callable[..., Any]) -> None:
    text = f"interactions:\n- &i\n  request: {{method: GET, uri: {URL}}}\n  response: {{status: 200, body: a}}\n- *i\n"
    assert len(reading_bytes(text, "a.yaml").observations) == 2


def test_anchors_and_nodes_are_counted(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_text(f"interactions:\n- request: {{uri: {URL}}}\n- [&a x, &b x, &c x, x]\n")
    for limit, said in (("MAX_ANCHORS", "line 3: more than 2 anchors"), ("MAX_NODES", "more than 2 nodes")):
        with monkeypatch.context() as patched:
            patched.setattr(yamlstream, limit, 2)
            with pytest.raises(UsageError, match=said):
                list(read(path))


@pytest.mark.parametrize(
    "bomb",
    ["[" * 200_000, "- " * 200_000, "? " * 200_000, "{a: " * 200_000, "[a, " * 200_000],
    ids=["lists", "items", "keys", "objects", "lists with items"],
)
def test_deep_yaml_is_refused_at_once(bomb: str, tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_text(f"interactions:\n- request: {{uri: '{URL}'}}\n- {bomb}")
    before_s = time.monotonic()
    with pytest.raises(UsageError, match="nests deeper than 32 levels"):
        list(read(path))
    assert time.monotonic() - before_s < 5


def test_thousands_of_directives_are_refused_at_once(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_text("".join(f"%TAG !a{n}! x\n" for n in range(200_000)) + f"---\ninteractions:\n- {URL}\n")
    before_s = time.monotonic()
    with pytest.raises(UsageError, match="more than 100 directives"):
        list(read(path))
    assert time.monotonic() - before_s < 5


def test_thousands_of_keys_in_one_request_cost_no_more_than_a_few(
    reading_bytes: Callable[..., Any], cassette: Callable[..., Any]
) -> None:
    query = "&".join(f"api_key=abcdefghijk{n}" for n in range(50_000))
    before_s = time.monotonic()
    seen = reading_bytes(cassette(f"{URL}?{query}", body={"string": "x" * 200_000})).one
    assert "abcdefghijk" not in seen.url
    assert time.monotonic() - before_s < 5


def test_tags_are_never_obeyed(tmp_path: Path, reading_bytes: Callable[..., Any]) -> None:
    mark = tmp_path / "mark"
    text = (
        f"interactions:\n- !!python/object/apply:os.mkdir\n  request: !!python/object/apply:pathlib.Path.touch\n"
        f"    uri: {URL}\n    method: !!python/name:os.system GET\n    x: !!python/object/apply:os.mkdir ['{mark}']\n"
        "  response: {status: !!int 200, body: !!binary '***', headers: {? [a] : b, ? {c: d} : e, !!binary eA==: f}}\n"
    )
    assert reading_bytes(text, "a.yaml").reasons == {"unreadable entry: the body is neither text nor bytes": 1}
    assert not mark.exists()


def test_several_documents_in_one_file_are_read(reading_bytes: Callable[..., Any]) -> None:
    one = f"---\ninteractions:\n- request: {{method: GET, uri: {URL}}}\n  response: {{status: 200, body: ~}}\n"
    seen = reading_bytes(f"{one}...\n--- text\n{one}", "a.yaml")
    assert [observation.body for observation in seen.observations] == [b"", b""]


@pytest.mark.parametrize("depth", [500, 1010, 20_000])
def test_a_body_kept_as_json_may_nest_without_end(
    depth: int, reading_bytes: Callable[..., Any], expectation: Callable[..., Any]
) -> None:
    nest = "[" * depth + "]" * depth
    for text in (json.dumps(expectation("@")), '{"status": 200, "body": "@"}'):
        try:
            seen = reading_bytes(text.replace('"@"', nest))
        except UsageError as error:
            said = str(error)
        else:
            said = str(seen.aside) if seen.aside else ""
            assert said or nest.encode() in seen.one.body
        assert not said or "nests too deep" in said
