"""The ways a key may be written by whatever echoes it: in URLs, JSON, HTML, hex, base64 and wide encodings."""

from __future__ import annotations

import json
import re
from base64 import b64encode, urlsafe_b64encode
from html import escape
from urllib.parse import quote

MIN_STUMP_CHARS = 8
_ESCAPE = re.compile("%[0-9A-F]{2}")
_WIDE = ("utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be")
# Shorter ones stand in base64 of anything.
_MIN_BASE64_CHARS = 8
# References of HTML may begin with any number of noughts; nobody writes more.
_NOUGHTS = "0{0,6}"


def spellings(key: str) -> set[str]:
    """Return the ways a key is written as a whole; one of letters and digits has but itself and hex."""
    escaped = json.dumps(key)[1:-1]
    quoted = {quote(key, safe=""), quote(key)}
    lower = {_ESCAPE.sub(lambda match: match[0].lower(), spelling) for spelling in quoted}
    return {key, *quoted, *lower, escaped, escaped.replace("/", "\\/"), escape(key), hexed(key)}


def hexed(key: str) -> str:
    """Return a key in hex, small letters."""
    return key.encode().hex()


def wide(key: str) -> set[bytes]:
    """Return a key in the encodings of more than one byte for each character."""
    return {key.encode(form) for form in _WIDE}


def in_base64(key: str) -> set[bytes]:
    """Return what stands in any base64 of a text with the key in it, wherever it begins there.

    Six bits to a character: those at either end hold bits of the neighbours too, so they are no part of it.
    """
    found = set()
    raw = key.encode()
    for before in range(3):
        first, end = -(-8 * before // 6), 8 * (before + len(raw)) // 6
        padded = bytes(before) + raw + bytes(-(before + len(raw)) % 3)
        for encode in (b64encode, urlsafe_b64encode):
            core = encode(padded)[first:end]
            found |= {core, core.replace(b"/", b"\\/")} if len(core) >= _MIN_BASE64_CHARS else set()
    return found


def letter(character: str) -> bytes:
    """Return the pattern of one character of a key, as it is or in an escape, in any letter case.

    Escapes are those of JSON and of most languages, of URLs, and the references of HTML.
    """
    forms = {character.lower(), character.upper()}
    written = {re.escape(character), re.escape(escape(character))}
    for form in forms:
        code = ord(form)
        written |= {rf"\\u{code:04x}", rf"\\x{code:02x}", f"%{code:02x}"}
        written |= {f"&#{_NOUGHTS}{code};?", f"&#x{_NOUGHTS}{code:x};?"}
    if character in '"\\/':
        written.add(rf"\\{re.escape(character)}")
    return ("(?:" + "|".join(sorted(written, key=len, reverse=True)) + ")").encode()


def escapes_of(characters: str) -> bytes:
    """Return the pattern of an escape that stands for one of some characters, in any letter case by itself.

    It is searched for in every answer with a sign of an escape in it: only without a flag for the case, and with a
    sign at the head of each alternative, does Python skip from sign to sign.
    """
    numbers = sorted({ord(form) for character in characters for form in (character.lower(), character.upper())})
    codes = "|".join("".join(f"[{digit}{digit.upper()}]" for digit in f"{code:02x}") for code in numbers)
    decimal = "|".join(map(str, numbers))
    heads = (r"\\u00", r"\\x", "%", f"&#[xX]{_NOUGHTS}")
    short = "".join(re.escape(character) for character in '"\\/' if character in characters)
    patterns = [*(f"{head}(?:{codes})" for head in heads), f"&#{_NOUGHTS}(?:{decimal})"]
    return "|".join([*patterns, rf"\\[{short}]"] if short else patterns).encode()


def escaped(key: str) -> bytes:
    """Return the pattern of a key of which any characters may be escaped."""
    return b"".join(map(letter, key))


def stump(key: str) -> bytes:
    """Return the pattern of what a key begins with, eight characters or more, and of an escape that is cut as well."""
    cut = rb"(?:(?:\\(?:u[0-9a-f]{0,3}|x[0-9a-f]?)?|%[0-9a-f]?|&(?:#(?:x?[0-9a-f]{0,8})?)?))?"
    pattern = cut
    for each in reversed([letter(character) for character in key[MIN_STUMP_CHARS:]]):
        pattern = b"(?:" + each + pattern + b"|" + cut[:-1] + b")?"
    return escaped(key[:MIN_STUMP_CHARS]) + pattern


def begun(key: str) -> list[tuple[bytes, int]]:
    """Return the encodings of a key, in small letters, with how many bytes of each hold eight of its characters."""
    found = [(hexed(key).encode(), 2 * MIN_STUMP_CHARS)]
    found += [(core.lower(), -(-8 * MIN_STUMP_CHARS // 6)) for core in in_base64(key)]
    return found + [(text.lower(), MIN_STUMP_CHARS * len(text) // len(key)) for text in wide(key)]
