"""Bodies kept as evidence: byte for byte as they came, but for secrets, and cut at a cap."""

from __future__ import annotations

import hashlib
import json
import re
import zlib
from typing import NamedTuple

CAP_BYTES = 256 * 1024
MASK = "***"
_SECRET = re.compile(
    r"pass(?:word|wd|phrase)|secret|token|api_?key|app(?:lication)?_?key|access_?key|private_?key|authori[sz]ation"
    r"|credential|cookie|session_?id|bearer|signature",
    re.IGNORECASE,
)
_SEPARATORS = re.compile(r"[-.\s]")
# The vendor's own word: names of tokens counted, not of tokens that open something.
_COUNTED = re.compile(r"tokens|token_?(?:count|limit|usage|total)|(?:num|max|min|total)_?token", re.IGNORECASE)
# Bounded, so that a body made of quotes takes no longer than another.
_NAME = re.compile(r'"((?:[^"\\]|\\.){0,128})"\s*:\s*')
_PLAIN = re.compile(
    r"(?i)\b((?:set-)?cookie|authorization|x-api-key|[\w-]*(?:password|secret|token|api[_-]?key|app(?:lication)?[_-]?key))"
    r"(\s*[=:]\s*)(?:(?:bearer|basic)\s+)?[^\s&,;<>\"']+"
)
_decoder = json.JSONDecoder()


class Kept(NamedTuple):
    """A body made ready to be kept: `content` is compressed, `size` its length in bytes as it came."""

    hash: str
    size: int
    content: bytes


def prepare(body: bytes) -> Kept:
    """Return a body cut, its secrets masked, and compressed; the hash is that of what is kept."""
    masked = mask(body[:CAP_BYTES])
    return Kept(hashlib.sha256(masked).hexdigest(), len(body), compressed(masked))


def compressed(content: bytes) -> bytes:
    """Return a body as it lies in its column."""
    return zlib.compress(content, 6)


def content(column: bytes) -> bytes:
    """Return a body from its column."""
    return zlib.decompress(column)


def mask(body: bytes) -> bytes:
    """Return a body in which the values of JSON members whose names look secret, and the like in text, are `***`.

    Everything else stays byte for byte as it was: how it was written is what drift is about.
    """
    # Any bytes come back as they were: latin-1 knows them all.
    text = body.decode("latin-1")
    masked = _members(text)
    masked = _PLAIN.sub(lambda match: f"{match[1]}{match[2]}{MASK}", masked) if not _is_json(text) else masked
    return body if masked == text else masked.encode("latin-1")


def _is_json(text: str) -> bool:
    return text.lstrip()[:1] in {"{", "["}


def _members(text: str) -> str:
    parts: list[str] = []
    done = 0
    for match in _NAME.finditer(text):
        if match.start() < done or not is_secret(match[1]):
            continue
        end = _end_of_value(text, match.end())
        if text[match.end() : end] in {"null", "true", "false", '""'}:
            continue
        parts += [text[done : match.end()], f'"{MASK}"']
        done = end
    return "".join([*parts, text[done:]])


def is_secret(name: str) -> bool:
    """Tell whether a member's name, as it is written in JSON, looks like that of a secret."""
    if "\\" in name:
        try:
            name = str(json.loads(f'"{name}"'))
        except ValueError:
            return True
    name = _SEPARATORS.sub("_", name)
    return _SECRET.search(name) is not None and _COUNTED.search(name) is None


def _end_of_value(text: str, start: int) -> int:
    """Return where the JSON value ends; the end of the text for one that is cut off."""
    try:
        _, end = _decoder.raw_decode(text, start)
    except (ValueError, RecursionError):
        return len(text)
    return int(end)
