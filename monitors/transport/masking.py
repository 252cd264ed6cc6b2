"""Keys go out in two headers and never come back: whatever echoes them is masked before anybody sees it."""

from __future__ import annotations

import re
import secrets
from dataclasses import replace
from functools import cached_property
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

from monitors.transport.spellings import (
    MIN_STUMP_CHARS,
    begun,
    escaped,
    escapes_of,
    hexed,
    in_base64,
    spellings,
    stump,
    wide,
)

if TYPE_CHECKING:
    from monitors.config import Credentials
    from monitors.model import Finding

_SALT = secrets.token_bytes(16)
_MASK = b"***"
_FINDING_TEXTS = ("message", "location", "base", "revision", "discriminator")
_MIN_KEY_CHARS = 4
_LONGEST_SPELLING = 6
_SIGNS = (b"\\", b"%", b"&#")


class Sealed:
    """A pair of keys as the probe needs them: `headers` to send, `digest` to tell pairs apart, and the masking.

    The digest is salted anew in every process, so it cannot be looked up or followed from one day to the next.
    Texts shorter than four characters are left alone: they are no secret, and masking them would break every body.
    """

    def __init__(self, credentials: Credentials | None) -> None:
        """Prepare the keys; without credentials there is nothing to send or to mask."""
        keys = (credentials.api_key, credentials.app_key) if credentials else ()
        names = ("DD-API-KEY", "DD-APPLICATION-KEY")
        self.headers: tuple[tuple[str, str], ...] = tuple(zip(names, keys, strict=False))
        self.digest = blake2b("\0".join(keys).encode(), key=_SALT, digest_size=6).hexdigest() if keys else None
        long = [key for key in sorted(keys, key=len, reverse=True) if len(key) >= _MIN_KEY_CHARS]
        texts = {text for key in long for text in spellings(key)}
        self._exact = tuple({core for key in long for core in in_base64(key)})
        needles = {text.encode() for text in texts} | {text for key in long for text in wide(key)} | {*self._exact}
        self._needles = tuple(sorted(needles, key=len, reverse=True))
        self._lowered = tuple({text.encode().lower() for text in texts})
        self._long = tuple(long)
        self._escapes = re.compile(escapes_of("".join(long))) if long else None
        self._begun = tuple(row for key in long if len(key) > MIN_STUMP_CHARS for row in begun(key))
        alternatives = "|".join(re.escape(text) for text in sorted(texts, key=len, reverse=True))
        self._any_case = re.compile(alternatives, re.IGNORECASE) if alternatives else None

    # Most processes never meet a key in an answer, and what finds all its spellings takes long to compile.
    @cached_property
    def _escaped(self) -> re.Pattern[bytes]:
        patterns = [*map(escaped, self._long), *(hexed(key).encode() for key in self._long)]
        return re.compile(b"|".join(patterns), re.IGNORECASE)

    @cached_property
    def _stump(self) -> re.Pattern[bytes]:
        stumps = [stump(key) for key in self._long if len(key) > MIN_STUMP_CHARS]
        return re.compile(b"(?:" + b"|".join(stumps) + rb")\Z", re.IGNORECASE)

    def __repr__(self) -> str:
        """Return a form without the keys."""
        return f"Sealed({self.digest})"

    def mask(self, raw: bytes) -> bytes:
        """Return the bytes with every key in them replaced by `***`, however it is spelt there.

        Escapes of JSON, URLs and HTML, capitals, hex, base64 and wide encodings are all one. What is kept of an answer
        is decoded later on, so a key must not be found by whoever undoes any one of these.
        """
        if not self._may_hold(raw):
            return raw
        for needle in self._needles:
            if needle in raw:
                raw = raw.replace(needle, _MASK)
        return self._escaped.sub(_MASK, raw)

    def _may_hold(self, raw: bytes) -> bool:
        """Tell whether a closer look is called for: most answers need none."""
        lowered = raw.lower()
        if any(needle in lowered for needle in self._lowered) or any(needle in raw for needle in self._exact):
            return True
        if self._needles and b"\0" in raw:
            return True
        signs = self._escapes is not None and any(sign in raw for sign in _SIGNS)
        return signs and self._escapes is not None and self._escapes.search(raw) is not None

    def mask_cut(self, raw: bytes) -> bytes:
        """Mask bytes that were cut off somewhere: what begins a key at the very end is masked too."""
        raw = self.mask(raw)
        if not self._begun:
            return raw
        lowered = raw[-max(len(needle) for needle, _ in self._begun) :].lower()
        lengths = (
            next((length for length in range(len(needle), least - 1, -1) if lowered.endswith(needle[:length])), 0)
            for needle, least in self._begun
        )
        if begun_with := max(lengths):
            return raw[:-begun_with] + _MASK
        # No spelling of a key is longer than six bytes for each of those of its widest encoding.
        start = max(len(raw) - _LONGEST_SPELLING * max(map(len, self._needles)), 0)
        return raw[:start] + self._stump.sub(_MASK, raw[start:])

    def mask_text(self, text: str) -> str:
        """Return a text with every key in it replaced by `***`."""
        return self.mask(text.encode("utf-8", "surrogatepass")).decode("utf-8", "surrogatepass")

    def mask_finding(self, finding: Finding) -> Finding:
        """Return a finding with every key in its texts replaced, in any letter case.

        Judging undoes JSON's escapes and lowers the case of host names, so what the body was masked for can reappear.
        """
        pattern = self._any_case
        if pattern is None:
            return finding

        def clean(value: Any) -> Any:
            if isinstance(value, str):
                return pattern.sub("***", self.mask_text(value))
            return [clean(item) for item in value] if isinstance(value, list) else value

        changed = {name: safe for name in _FINDING_TEXTS if (safe := clean(given := getattr(finding, name))) != given}
        return replace(finding, **changed) if changed else finding

    def mask_headers(self, raw: list[tuple[bytes, bytes]]) -> tuple[tuple[str, str], ...]:
        """Return headers as text, names in lower case, with every key masked in names and values."""
        if self.mask(whole := b"\n".join([part for row in raw for part in row])) != whole:
            raw = [(self.mask(name), self.mask(value)) for name, value in raw]
        return tuple([(name.decode("latin-1").lower(), value.decode("latin-1")) for name, value in raw])
