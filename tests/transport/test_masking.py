"""Keys that come back, in whatever spelling and place, are masked before anybody sees them."""

from __future__ import annotations

import gzip
import json
from typing import Any
from urllib.parse import quote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitors.checks import CHECKS
from monitors.config import Credentials
from monitors.cycle import run_cycle
from monitors.model import Finding, Kind, Level
from monitors.transport import Sealed

ODD = Credentials('a/b"c\\d<e>&f%g+hijk', "plain0123456789")
PRINTABLE = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=4, max_size=60)


def _whole(seen: Any) -> str:
    return repr(seen)


def _answer(body: bytes, *lines: bytes) -> bytes:
    head = [b"HTTP/1.1 200 OK", b"Content-Length: %d" % len(body), *lines]
    return b"\r\n".join(head) + b"\r\n\r\n" + body


@pytest.mark.parametrize("key", [ODD.api_key, ODD.app_key])
@pytest.mark.parametrize(
    "spell", [str, quote, lambda key: quote(key, safe=""), lambda key: json.dumps(key)[1:-1]], ids=range(4)
)
def test_a_key_is_masked_in_body_headers_and_names(look: Any, key: str, spell: Any) -> None:
    raw = spell(key).encode()
    lines = [b"X-Echo: got " + raw + b"!"]
    if b'"' not in raw and b"/" not in raw:
        lines.append(b"X-" + ODD.app_key.encode() + b": 1")
    seen = look(_answer(b'{"you sent": "' + raw + b'"}', *lines), credentials=ODD)
    assert seen.body == b'{"you sent": "***"}'
    assert seen.header("x-echo") == "got ***!"
    assert key not in _whole(seen)
    assert spell(key) not in _whole(seen)


def test_a_key_inside_gzip_is_masked_too(look: Any) -> None:
    seen = look(_answer(gzip.compress(ODD.app_key.encode() * 3), b"Content-Encoding: gzip"), credentials=ODD)
    assert seen.body == b"*********"
    assert seen.body_size == 3 * len(ODD.app_key)


def test_a_key_in_place_of_http_is_masked_in_the_message(look: Any) -> None:
    seen = look(b"plain0123456789 is no HTTP\r\n", credentials=ODD)
    assert seen.failure.message.endswith("it begins '*** is no HTTP\\r\\n'")


def test_a_key_cut_off_where_the_excerpt_ends_is_masked_in_the_message(look: Any) -> None:
    seen = look(b"x" * 30 + b"plain0123456789 and more\r\n", credentials=ODD)
    assert "plain01234" not in seen.failure.message


def test_a_key_cut_off_by_the_end_of_the_body_is_masked(look: Any) -> None:
    seen = look(_answer(b"x" * 100)[:-100] + b"got plain01234567", credentials=ODD)
    assert seen.failure.rule == "response-body-truncated"
    assert seen.body == b"got ***"


def test_a_key_on_the_edge_of_what_is_kept_of_a_large_body_is_masked(look: Any) -> None:
    body = b"x" * 4090 + b"plain0123456789" + b"x" * 5000
    seen = look(_answer(body), credentials=ODD, max_body_bytes=8000)
    assert seen.failure.rule == "response-body-too-large"
    assert b"pla" not in seen.body
    assert len(seen.body) <= 4096


def test_keys_are_masked_in_answers_to_checks_that_send_none(look: Any) -> None:
    assert look(_answer(b"plain0123456789"), credentials=ODD, check="unauthenticated").body == b"***"


def test_without_keys_nothing_is_masked() -> None:
    assert Sealed(None).mask(b"plain0123456789") == b"plain0123456789"
    assert Sealed(None).digest is None
    assert Sealed(None).headers == ()


def test_texts_too_short_to_be_secret_are_left_alone() -> None:
    assert Sealed(Credentials("abc", "e")).mask(b'{"abc": "e"}') == b'{"abc": "e"}'


@given(PRINTABLE, PRINTABLE, st.binary(max_size=20), st.binary(max_size=20))
def test_no_key_survives_masking(api_key: str, app_key: str, before: bytes, after: bytes) -> None:
    sealed = Sealed(Credentials(api_key, app_key))
    masked = sealed.mask(before + api_key.encode() + after + app_key.encode())
    for key in (api_key, app_key):
        # A mask next to stars of the key's own could spell it anew; real keys hold no stars.
        assert key.encode() not in masked or "*" in key


@given(PRINTABLE.filter(lambda key: "*" not in key), st.integers(8, 60))
def test_no_stump_of_a_key_survives_a_cut(key: str, length: int) -> None:
    sealed = Sealed(Credentials(key, "unrelated-key"))
    stump = key[:length].encode()
    assert sealed.mask_cut(b"\n" + stump) == (b"\n***" if len(stump) >= 8 or stump == key.encode() else b"\n" + stump)


def test_the_digest_tells_pairs_apart_and_holds_no_key() -> None:
    one, same = Sealed(ODD), Sealed(Credentials(ODD.api_key, ODD.app_key))
    other = Sealed(Credentials(ODD.app_key, ODD.api_key))
    assert one.digest == same.digest
    assert one.digest != other.digest
    assert len(one.digest or "") == 12
    assert ODD.app_key not in repr(one)


def test_a_target_shows_no_key(target: Any) -> None:
    site = target(1)
    assert site.credentials.api_key not in repr(site)


@pytest.mark.parametrize(
    "spell",
    [
        str.upper,
        lambda key: "".join(f"\\u{ord(character):04x}" for character in key),
        lambda key: quote(key).lower(),
    ],
    ids=["in capitals", "as JSON escapes", "percent-encoded in small letters"],
)
def test_a_key_that_only_the_judge_would_spell_out_is_masked_in_findings(serve: Any, target: Any, spell: Any) -> None:
    keys = Credentials("0123456789abcdef0123456789abcdef", "fedcba98/76543210+fedcba98")

    def judge(observation: Any) -> list[Finding]:
        said = json.loads(observation.body)["said"]
        said += urlsplit(observation.header("location")).hostname
        return [Finding("redirected", Level.BREAKING, Kind.AVAILABILITY, said, f"$.{said}", [said, 1], said)]

    for key in (keys.api_key, keys.app_key):
        server = serve(
            _answer(b'{"said": "' + spell(key).encode() + b'"}', b"Location: //" + keys.api_key.upper().encode())
        )
        (result,) = run_cycle([target(server, credentials=keys)], [CHECKS["run"]], judge).results
        (finding,) = result.findings
        masked = f"{finding.message} {finding.location} {finding.base} {finding.revision}".lower()
        assert keys.api_key not in masked
        assert keys.app_key not in masked
        assert finding.message == "******"
        assert finding.base == ["******", 1]


def test_a_finding_without_a_key_stays_the_very_same() -> None:
    finding = Finding("redirected", Level.BREAKING, Kind.AVAILABILITY, "302 to elsewhere", base=[1, "x"], revision=302)
    assert Sealed(ODD).mask_finding(finding) is finding
    assert Sealed(None).mask_finding(finding) is finding


TELLING = PRINTABLE.filter(lambda key: len(key) > 8 and not set(key.lower()) <= set("0123456789abcdefu\\"))
"""Keys that cannot be mistaken for a part of somebody else's escape."""


def _spelt(key: str, choices: list[int]) -> str:
    """Return a key as some encoder of JSON might write it, each character in one way or another."""
    written = []
    for number, character in enumerate(key):
        choice = choices[number % len(choices)] if choices else 0
        swapped = character.swapcase()
        escapes = [
            json.dumps(character)[1:-1],
            f"\\u{ord(character):04x}",
            f"\\u{ord(swapped):04X}",
            json.dumps(swapped)[1:-1],
        ]
        written.append(escapes[choice % len(escapes)])
    return "".join(written)


@given(TELLING, st.lists(st.integers(0, 3), max_size=9), st.text(max_size=20))
def test_no_spelling_in_json_brings_a_key_back_once_it_is_decoded(key: str, choices: list[int], around: str) -> None:
    sealed = Sealed(Credentials(key, "other-key"))
    inside = json.dumps(around)[1:-1]
    body = f'{{"{inside}{_spelt(key, choices)}": ["{_spelt(key, choices[::-1])}{inside}"]}}'.encode()
    decoded = json.dumps(json.loads(sealed.mask(body)), ensure_ascii=False).lower()
    plain = json.dumps(key, ensure_ascii=False)[1:-1].lower()
    assert plain not in decoded


# A backslash of the key's own may be all of it that is there, or the beginning of an escape.
@given(TELLING.filter(lambda key: "\\" not in key), st.lists(st.integers(0, 3), max_size=9), st.integers(0, 400))
def test_what_is_cut_off_within_a_key_ends_before_its_ninth_character(key: str, choices: list[int], cut: int) -> None:
    sealed = Sealed(Credentials(key, "other-key-of-some-length"))
    spelt = [
        _spelt(character, [choices[number % len(choices)] if choices else 0]) for number, character in enumerate(key)
    ]
    written = "".join(spelt)
    eight = len("".join(spelt[:8]))
    kept = written[: eight + cut % (len(written) - eight + 1)]
    assert sealed.mask_cut(b'{"a": "' + kept.encode()) == b'{"a": "***'


@pytest.mark.parametrize("form", ["utf-16-le", "utf-16-be"])
def test_a_key_in_another_encoding_is_masked_too(form: str) -> None:
    sealed = Sealed(ODD)
    masked = sealed.mask("got ".encode(form) + ODD.app_key.encode(form))
    assert ODD.app_key not in masked.replace(b"\0", b"").decode()
