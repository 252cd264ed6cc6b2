from __future__ import annotations

import json
import time
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitors.store.bodies import CAP_BYTES, content, is_secret, mask, prepare

SECRET_NAMES = (
    "password", "Passwd", "client_secret", "token", "access-token", "accessToken", "refresh_token", "api_key", "apiKey",
    "DD-API-KEY", "application_key", "appKey", "authorization", "Authorisation", "cookie", "Set-Cookie", "private_key",
    "sessionId", "credentials", "X-Amz-Signature", "pass\\u0077ord",
)  # fmt: skip
OTHER_NAMES = ("name", "max_tokens", "tokens", "token_count", "passed", "key", "id", "author")


@pytest.mark.parametrize("name", SECRET_NAMES)
def test_members_that_look_secret_are_masked(name: str) -> None:
    body = f'{{"a": 2387.0, "{name}" : "geheim", "b": ["{name}", {{"{name}":["geheim", {{"x": "geheim"}}]}}]}}'
    assert mask(body.encode()).decode() == f'{{"a": 2387.0, "{name}" : "***", "b": ["{name}", {{"{name}":"***"}}]}}'


@pytest.mark.parametrize("name", OTHER_NAMES)
def test_other_members_stay(name: str) -> None:
    assert not is_secret(name)


@pytest.mark.parametrize("value", ["null", "true", '""'])
def test_what_tells_nothing_but_its_form_stays(value: str) -> None:
    body = f'{{"token": {value}}}'.encode()
    assert mask(body) == body


@pytest.mark.parametrize(
    ("body", "masked"),
    [
        ('{"token": "geheim', '{"token": "***"'),
        ('{"a": 1, "token": {"x": "geheim", "y"', '{"a": 1, "token": "***"'),
        ('{"token": ' + "[" * 5000 + '"geheim"', '{"token": "***"'),
        ("<p>password=geheim&x=1</p>", "<p>password=***&x=1</p>"),
        ("Authorization: Bearer geheim\nCookie: a", "Authorization: ***\nCookie: ***"),
    ],
)
def test_what_is_cut_off_or_no_json_is_masked_too(body: str, masked: str) -> None:
    assert mask(body.encode()).decode() == masked


@given(st.binary(max_size=200))
def test_any_bytes_are_kept_as_they_are_or_masked(body: bytes) -> None:
    kept = prepare(body)
    assert kept.size == len(body)
    assert content(kept.content) == mask(body)


@given(
    st.recursive(
        st.none() | st.text() | st.integers(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)
    )
)
def test_json_without_secrets_stays_byte_for_byte(value: object) -> None:
    body = json.dumps(value).encode()
    if not any(is_secret(name) for name in body.decode().split('"')):
        assert mask(body) == body


def test_a_large_body_is_cut() -> None:
    kept = prepare(b'{"token": "geheim", "a": "' + b"x" * CAP_BYTES)
    assert kept.size == CAP_BYTES + 26
    assert len(content(kept.content)) <= CAP_BYTES
    assert b"geheim" not in zlib.decompress(kept.content)


def test_a_hostile_body_takes_no_longer_than_another() -> None:
    started = time.process_time()
    for body in (
        b'"' * CAP_BYTES,
        b'\\"' * CAP_BYTES,
        b'"a"' * CAP_BYTES,
        b'{"token":' * CAP_BYTES,
        b"token=" * CAP_BYTES,
    ):
        prepare(body)
    # A thousand times what it takes would still be less than what an accidental square takes.
    assert time.process_time() - started < 60
