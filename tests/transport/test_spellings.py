"""A key that comes back encoded is masked like one that comes back as it is: whoever decodes it finds nothing."""

from __future__ import annotations

import html
import string
from base64 import b64decode, b64encode, urlsafe_b64encode
from collections.abc import Callable
from urllib.parse import unquote

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from monitors.config import Credentials
from monitors.model import Finding, Kind, Level
from monitors.transport import Sealed

KEYS = st.text(string.ascii_letters + string.digits, min_size=16, max_size=64)
# Nothing a key is made of, so that what is found of it was left there.
AROUND = st.text(' {}:,"[]\n<>/', max_size=12)
CHOICES = st.lists(st.booleans(), min_size=1, max_size=7)
OTHER = "unrelated-key-of-somebody"

Encode = Callable[[str], str]
ESCAPES: dict[str, tuple[Encode, Encode]] = {
    "URL": (lambda c: f"%{ord(c):02x}", unquote),
    "URL in capitals": (lambda c: f"%{ord(c):02X}", unquote),
    "HTML": (lambda c: f"&#{ord(c)};", html.unescape),
    "HTML in hex": (lambda c: f"&#x{ord(c):x};", html.unescape),
    "HTML in hex, capitals, noughts": (lambda c: f"&#X{ord(c):06X};", html.unescape),
    "JSON": (lambda c: f"\\u{ord(c):04x}", lambda text: text.encode().decode("unicode_escape")),
    "hex escapes": (lambda c: f"\\x{ord(c):02X}", lambda text: text.encode().decode("unicode_escape")),
}


def mixed(key: str, encode: Encode, choices: list[bool]) -> str:
    """Return a key of which some characters are escaped."""
    return "".join(encode(c) if choices[number % len(choices)] else c for number, c in enumerate(key))


@pytest.mark.parametrize("name", ESCAPES)
@settings(deadline=None)
@given(key=KEYS, choices=CHOICES, before=AROUND, after=AROUND)
def test_no_escape_brings_a_key_back(name: str, key: str, choices: list[bool], before: str, after: str) -> None:
    encode, decode = ESCAPES[name]
    masked = Sealed(Credentials(OTHER, key)).mask((before + mixed(key, encode, choices) + after).encode()).decode()
    assert masked == f"{before}***{after}"
    assert key not in decode(masked)


@pytest.mark.parametrize("name", ESCAPES)
@settings(deadline=None)
@given(key=KEYS, choices=CHOICES, cut=st.integers(0, 1_000))
@example(key="0123456789abcdef", choices=[True], cut=9)
def test_what_is_cut_off_within_an_escaped_key_is_masked(name: str, key: str, choices: list[bool], cut: int) -> None:
    encode, decode = ESCAPES[name]
    written, eight = mixed(key, encode, choices), len(mixed(key[:8], encode, choices))
    kept = written[: eight + cut % (len(written) - eight + 1)]
    masked = Sealed(Credentials(key, OTHER)).mask_cut(b'{"a": "' + kept.encode()).decode()
    assert masked == '{"a": "***'
    assert key[:8] in decode(written)


@settings(deadline=None)
@given(key=KEYS, before=AROUND, after=AROUND, upper=CHOICES)
def test_a_key_in_hex_is_masked_in_any_letter_case(key: str, before: str, after: str, upper: list[bool]) -> None:
    written = "".join(c.upper() if upper[n % len(upper)] else c for n, c in enumerate(key.encode().hex()))
    assert Sealed(Credentials(key, OTHER)).mask((before + written + after).encode()) == f"{before}***{after}".encode()


@pytest.mark.parametrize("encode", [b64encode, urlsafe_b64encode, lambda raw: b64encode(raw).replace(b"/", b"\\/")])
@settings(deadline=None)
@given(key=KEYS, before=AROUND, after=AROUND)
def test_a_key_in_base64_is_masked_wherever_it_begins_there(
    encode: Callable[[bytes], bytes], key: str, before: str, after: str
) -> None:
    written = encode((before + key + after).encode())
    masked = Sealed(Credentials(key, OTHER)).mask(b'{"token": "' + written + b'"}')
    assert masked.count(b"***") == 1
    for piece in masked.removeprefix(b'{"token": "').removesuffix(b'"}').split(b"***"):
        text = piece.replace(b"\\/", b"/").replace(b"_", b"/").replace(b"-", b"+").rstrip(b"=")
        for start in range(4):
            whole = text[start : start + (len(text) - start) // 4 * 4]
            assert key[:3].encode() not in b64decode(whole)
            assert key[-3:].encode() not in b64decode(whole)


@pytest.mark.parametrize("form", ["utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"])
@settings(deadline=None)
@given(key=KEYS, before=AROUND, cut=st.integers(0, 64))
def test_a_key_in_a_wide_encoding_is_masked_and_so_is_its_beginning(form: str, key: str, before: str, cut: int) -> None:
    sealed, begin = Sealed(Credentials(key, OTHER)), before.encode(form)
    # In which byte order it was written nobody knows, so that a nought may be left over.
    masked = sealed.mask(begin + key.encode(form) + begin)
    assert masked.replace(b"\0", b"").decode() == f"{before}***{before}"
    length = 8 + cut % (len(key) - 7)
    masked = sealed.mask_cut(begin + key[:length].encode(form))
    assert masked.replace(b"\0", b"").decode() == f"{before}***"


@settings(deadline=None)
@given(key=KEYS, cut=st.integers(0, 1_000), before=st.integers(0, 5))
def test_what_is_cut_off_within_an_encoded_key_is_masked(key: str, cut: int, before: int) -> None:
    sealed = Sealed(Credentials(key, OTHER))
    for written in (key.encode().hex().encode(), b64encode(b"." * before + key.encode())):
        # So many characters hold eight of the key.
        eight = 16 if len(written) == 2 * len(key) else -(-8 * (before + 8) // 6) + 1
        kept = written[: eight + cut % (len(written) - eight + 1)]
        assert sealed.mask_cut(b"said " + kept).endswith(b"***") or b"***" in sealed.mask(kept)


@settings(deadline=None)
@given(key=KEYS)
def test_a_finding_that_undid_one_escape_shows_no_other(key: str) -> None:
    sealed = Sealed(Credentials(key, OTHER))
    for written in (b64encode(key.encode()).decode(), "".join(f"%{ord(c):02x}" for c in key), key.encode().hex()):
        said = f"\ud83d {written}"
        clean = sealed.mask_finding(Finding("redirected", Level.INFO, Kind.CONTRACT, said, base=[said]))
        assert "***" in clean.message
        assert clean.message.startswith("\ud83d ")
        assert clean.base == [clean.message]
        assert written[3:-4] not in clean.message


@settings(deadline=None)
@given(st.binary(max_size=300))
def test_what_holds_no_key_stays_the_very_same(raw: bytes) -> None:
    sealed = Sealed(Credentials("0123456789abcdef0123456789abcdef", OTHER))
    assert sealed.mask(raw) is raw or b"\0" in raw or b"\\" in raw or b"%" in raw or b"&#" in raw
    assert sealed.mask(raw) == raw
