"""Keys go out in two headers and never come back: whatever echoes them is masked before anybody sees it."""

from __future__ import annotations

import json
import re
import secrets
from dataclasses import replace
from hashlib import blake2b
from html import escape
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

if TYPE_CHECKING:
    from monitors.config import Credentials
    from monitors.model import Finding

_SALT = secrets.token_bytes(16)
_MASK = b"***"
_ESCAPE = re.compile("%[0-9A-F]{2}")
_FINDING_TEXTS = ("message", "location", "base", "revision", "discriminator")
_MIN_KEY_CHARS = 4
_MIN_STUMP_CHARS = 8
_LONGEST_SPELLING = 6


class Sealed:
    """A pair of keys as the probe needs them: `headers` to send, `digest` to tell pairs apart, and the masking.

    The digest is salted anew in every process, so it cannot be looked up or followed from one day to the next.
    Texts shorter than four characters are left alone: they are no secret, and masking them would break every body.
    """

    __slots__ = ("_any_case", "_escaped", "_escapes", "_lowered", "_needles", "_stump", "digest", "headers")

    def __init__(self, credentials: Credentials | None) -> None:
        """Prepare the keys; without credentials there is nothing to send or to mask."""
        keys = (credentials.api_key, credentials.app_key) if credentials else ()
        names = ("DD-API-KEY", "DD-APPLICATION-KEY")
        self.headers: tuple[tuple[str, str], ...] = tuple(zip(names, keys, strict=False))
        self.digest = blake2b("\0".join(keys).encode(), key=_SALT, digest_size=6).hexdigest() if keys else None
        spellings = {spelling for key in keys if len(key) >= _MIN_KEY_CHARS for spelling in _spellings(key)}
        wide = {key.encode(form) for key in keys if len(key) >= _MIN_KEY_CHARS for form in ("utf-16-le", "utf-16-be")}
        needles = {text.encode() for text in spellings} | wide
        self._needles = tuple(sorted(needles, key=len, reverse=True))
        self._lowered = tuple({text.encode().lower() for text in spellings})
        long = [key for key in sorted(keys, key=len, reverse=True) if len(key) >= _MIN_KEY_CHARS]
        self._escaped = re.compile(b"|".join(map(_in_json, long)), re.IGNORECASE) if long else None
        self._escapes = re.compile(_escapes_of("".join(long)), re.IGNORECASE) if long else None
        stumps = [_stump(key) for key in long if len(key) > _MIN_STUMP_CHARS]
        self._stump = re.compile(b"(?:" + b"|".join(stumps) + rb")\Z", re.IGNORECASE) if stumps else None
        alternatives = "|".join(re.escape(text) for text in sorted(spellings, key=len, reverse=True))
        self._any_case = re.compile(alternatives, re.IGNORECASE) if alternatives else None

    def __repr__(self) -> str:
        """Return a form without the keys."""
        return f"Sealed({self.digest})"

    def mask(self, raw: bytes) -> bytes:
        """Return the bytes with every key in them replaced by `***`, however JSON's escapes or capitals spell it.

        What is kept of an answer is decoded later on, so a key must not be found by whoever undoes the escapes.
        """
        if not self._may_hold(raw):
            return raw
        for needle in self._needles:
            if needle in raw:
                raw = raw.replace(needle, _MASK)
        return raw if self._escaped is None else self._escaped.sub(_MASK, raw)

    def _may_hold(self, raw: bytes) -> bool:
        """Tell whether a closer look is called for: most answers need none."""
        lowered = raw.lower()
        if any(needle in lowered for needle in self._lowered) or (self._needles and b"\0" in raw):
            return True
        return self._escapes is not None and b"\\" in raw and self._escapes.search(raw) is not None

    def mask_cut(self, raw: bytes) -> bytes:
        """Mask bytes that were cut off somewhere: what begins a key at the very end is masked too."""
        raw = self.mask(raw)
        if self._stump is None:
            return raw
        # No spelling of a key is longer than its escapes, six bytes each.
        start = max(len(raw) - _LONGEST_SPELLING * max(map(len, self._needles)), 0)
        return raw[:start] + self._stump.sub(_MASK, raw[start:])

    def mask_text(self, text: str) -> str:
        """Return a text with every key in it replaced by `***`."""
        return self.mask(text.encode("utf-8", "surrogateescape")).decode("utf-8", "surrogateescape")

    def mask_finding(self, finding: Finding) -> Finding:
        """Return a finding with every key in its texts replaced, in any letter case.

        Judging undoes JSON's escapes and lowers the case of host names, so what the body was masked for can reappear.
        """
        pattern = self._any_case
        if pattern is None:
            return finding

        def clean(value: Any) -> Any:
            if isinstance(value, str):
                return pattern.sub("***", value)
            return [clean(item) for item in value] if isinstance(value, list) else value

        changed = {name: safe for name in _FINDING_TEXTS if (safe := clean(given := getattr(finding, name))) != given}
        return replace(finding, **changed) if changed else finding

    def mask_headers(self, raw: list[tuple[bytes, bytes]]) -> tuple[tuple[str, str], ...]:
        """Return headers as text, names in lower case, with every key masked in names and values."""
        if self.mask(whole := b"\n".join([part for row in raw for part in row])) != whole:
            raw = [(self.mask(name), self.mask(value)) for name, value in raw]
        return tuple([(name.decode("latin-1").lower(), value.decode("latin-1")) for name, value in raw])


def _letter(character: str) -> bytes:
    """Return the pattern of one character of a key, as it is or in an escape of JSON, in any letter case."""
    written = {re.escape(character), *(rf"\\u{ord(form):04x}" for form in {character.lower(), character.upper()})}
    if character in '"\\/':
        written.add(rf"\\{re.escape(character)}")
    return ("(?:" + "|".join(sorted(written, key=len, reverse=True)) + ")").encode()


def _escapes_of(characters: str) -> bytes:
    """Return the pattern of an escape that stands for one of some characters."""
    codes = {f"{ord(form):02x}" for character in characters for form in (character.lower(), character.upper())}
    short = "".join(re.escape(character) for character in '"\\/' if character in characters)
    pattern = rf"\\u00(?:{'|'.join(sorted(codes))})"
    return (rf"{pattern}|\\[{short}]" if short else pattern).encode()


def _in_json(key: str) -> bytes:
    return b"".join(map(_letter, key))


def _stump(key: str) -> bytes:
    """Return the pattern of what a key begins with, eight characters or more, and of an escape that is cut as well."""
    pattern = rb"(?:\\(?:u[0-9a-f]{0,3})?)?"
    for letter in reversed([_letter(character) for character in key[_MIN_STUMP_CHARS:]]):
        pattern = b"(?:" + letter + pattern + rb"|\\(?:u[0-9a-f]{0,3})?)?"
    return _in_json(key[:_MIN_STUMP_CHARS]) + pattern


def _spellings(key: str) -> set[str]:
    """Return the ways a key is written in URLs, JSON and HTML; a key of letters and digits has but one."""
    escaped = json.dumps(key)[1:-1]
    quoted = {quote(key, safe=""), quote(key)}
    lower = {_ESCAPE.sub(lambda match: match[0].lower(), spelling) for spelling in quoted}
    return {key, *quoted, *lower, escaped, escaped.replace("/", "\\/"), escape(key)}
