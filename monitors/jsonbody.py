"""Bodies as bytes, read strictly: a fast yes for a clean body, the expensive explanation only for a flawed one."""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass, field
from typing import Any

import orjson

from monitors.location import Step, location
from monitors.model import JSON, Change

MAX_DEPTH = 100
"""Deepest nesting that is judged. Common readers stop at 64 (.NET), 100 (Ruby), 128 (serde) and 1,000 (Python)."""

MAX_VALUES = 1_000_000
"""Most values in a body that is judged: some 100 MB, and more than a run a thousand times as large as real ones has."""

_BOM = b"\xef\xbb\xbf"
_WIDE_BOMS = (b"\xff\xfe", b"\xfe\xff")
_MAX_DIGITS = 400
_MANY_DIGITS = re.compile(rb"\d{19}")  # 2**63 has that many: what is shorter fits every reader's 64 bits
_STRING = re.compile(rb'"(?:[^"\\]|\\.)*"', re.DOTALL)
_MAX_PER_FLAW = 20


@dataclass(frozen=True, slots=True)
class Parsed:
    """A body as JSON, with what is wrong with its bytes.

    `usable` is false where there is no value to judge; `value` is then None. In a value with flaws, a number that
    is not finite stands as 0, half a surrogate pair as U+FFFD, and of a member named twice the last one counts.
    """

    value: Any
    flaws: tuple[Change, ...] = ()
    usable: bool = True


def parse(body: bytes) -> Parsed:
    """Read a body as JSON (RFC 8259), never raising: any bytes give a value, flaws, or both."""
    value = parse_clean(body)
    return explain(body) if value is UNCLEAN else Parsed(value)


def is_crowded(body: bytes) -> bool:
    """Tell whether a body holds more than `MAX_VALUES` values, without making any; punctuation in strings is none."""
    return _marks(body) > MAX_VALUES and _marks(_STRING.sub(b"", body)) > MAX_VALUES


def _marks(body: bytes) -> int:
    return body.count(b",") + body.count(b"[") + body.count(b"{")


def is_exact(body: bytes, value: Any) -> bool:
    """Tell whether the value `parse` made of a body is all that `explain` would make of it.

    The fast reader turns integers beyond 64 bits into floats, and takes any nesting.
    """
    return _MANY_DIGITS.search(body) is None and _depth(value) <= MAX_DEPTH


def parse_clean(body: bytes) -> Any:
    """Return the value of a body free of flaws, or `UNCLEAN` where only `explain` can tell.

    orjson refuses everything but a name given twice. A repeated name is lost on the way through a dict, and its
    colon with it: so the colons of the body and of its value written anew are counted. Colons inside strings are the
    same on both sides unless the body spells one as an escape, in which case it is left to `explain`.
    """
    try:
        value = orjson.loads(body)
    except ValueError:
        return UNCLEAN
    if b"\\u003" in body:
        return UNCLEAN
    try:
        written = orjson.dumps(value)
    except (TypeError, ValueError):
        return UNCLEAN
    return value if written.count(b":") == body.count(b":") else UNCLEAN


class _Unclean:
    __slots__ = ()

    def __repr__(self) -> str:
        return "UNCLEAN"


UNCLEAN = _Unclean()
"""What `parse_clean` returns for a body that must be explained."""


def explain(body: bytes) -> Parsed:
    """Read a body the slow way and say everything that is wrong with its bytes, each flaw at its place."""
    if not body.strip(b" \t\r\n"):
        return _unusable("body-empty", "JSON", "nothing", "the body is empty")
    flaws: list[Change] = []
    if body.startswith(_WIDE_BOMS):
        return _unusable("body-not-utf8", "UTF-8", "UTF-16", "the body is UTF-16 or UTF-32, not UTF-8")
    if body.startswith(_BOM):
        flaws.append(_flaw("body-byte-order-mark", "{ or [", "U+FEFF", "the body starts with a byte order mark"))
        body = body[len(_BOM) :]
    try:
        text = body.decode()
    except UnicodeDecodeError as error:
        message = f"the body is not UTF-8: byte 0x{body[error.start]:02x} at offset {error.start}"
        flaws.append(_flaw("body-not-utf8", "UTF-8", f"0x{body[error.start]:02x}", message))
        text = body.decode(errors="replace")
    try:
        raw = _DECODER.decode(text.strip(" \t\r\n"))
    except json.JSONDecodeError as error:
        # Some of the decoder's messages end where its own place would follow: "Unterminated string starting at".
        what = error.msg.lower().removesuffix(" at").removesuffix(" starting")
        message = f"not JSON: {what} at line {error.lineno}, column {error.colno}"
        return Parsed(None, (*flaws, _flaw("body-not-json", "JSON", what, message)), usable=False)
    except RecursionError:
        return Parsed(None, (*flaws, _too_deep("over 1,000")), usable=False)
    depth = _depth(raw)
    if depth > MAX_DEPTH:
        return Parsed(None, (*flaws, _too_deep(str(depth))), usable=False)
    cleaner = _Cleaner()
    value = cleaner.clean(raw, ())
    return Parsed(value, (*flaws, *cleaner.changes()))


def _flaw(what: str, base: JSON, revision: JSON, message: str) -> Change:
    return Change(what, "$", base, revision, message)


def _unusable(what: str, base: JSON, revision: JSON, message: str) -> Parsed:
    return Parsed(None, (_flaw(what, base, revision, message),), usable=False)


def _too_deep(depth: str) -> Change:
    message = f"the body nests {depth} levels deep"
    return _flaw("body-nesting-too-deep", f"at most {MAX_DEPTH} levels", depth, message)


class _Twice(dict[str, Any]):
    """An object that names some members more than once; `names` are those."""

    names: tuple[str, ...] = ()


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    plain = dict(pairs)
    if len(plain) == len(pairs):
        return plain
    seen: set[str] = set()
    twice = _Twice(plain)
    twice.names = tuple(dict.fromkeys(name for name, _ in pairs if name in seen or seen.add(name)))  # type: ignore[func-returns-value]  # set.add returns None on purpose
    return twice


def _integer(digits: str) -> int:
    # Python refuses integers of over 4,300 digits; far beyond int64 the exact value says no more than its size.
    return int(digits[:_MAX_DIGITS])


_DECODER = json.JSONDecoder(object_pairs_hook=_pairs, parse_int=_integer)


def _depth(value: Any) -> int:
    """Return how many containers stand within each other, level by level, which is fast."""
    depth, level = 0, [value] if isinstance(value, dict | list) else []
    while level:
        depth += 1
        level = [
            child
            for node in level
            for child in (node.values() if isinstance(node, dict) else node)
            if isinstance(child, dict | list)
        ]
    return depth


@dataclass(slots=True)
class _Cleaner:
    """Walks a value once, makes it fit for a validator, and counts each flaw by kind and place."""

    found: dict[tuple[str, str, str], int] = field(default_factory=dict)

    def clean(self, node: Any, path: tuple[Step, ...]) -> Any:
        if isinstance(node, dict):
            for name in getattr(node, "names", ()):
                self._note("body-duplicate-member", (*path, name), "twice")
            return {self._text(name, path): self.clean(child, (*path, name)) for name, child in node.items()}
        if isinstance(node, list):
            return [self.clean(child, (*path, index)) for index, child in enumerate(node)]
        if isinstance(node, float) and not math.isfinite(node):
            self._note("body-number-not-finite", path, str(node))
            return 0.0
        return self._text(node, path) if isinstance(node, str) else node

    def _text(self, text: str, path: tuple[Step, ...]) -> str:
        if text.isascii():
            return text
        try:
            text.encode()
        except UnicodeEncodeError:
            self._note("body-lone-surrogate", path, "half a surrogate pair")
            return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        return text

    def _note(self, what: str, path: tuple[Step, ...], revision: str) -> None:
        key = (what, location(path), revision)
        self.found[key] = self.found.get(key, 0) + 1

    def changes(self) -> list[Change]:
        said = {
            "body-duplicate-member": ("once", "named more than once in one object"),
            "body-number-not-finite": ("a finite number", "{} is no JSON number"),
            "body-lone-surrogate": ("Unicode text", "holds half a surrogate pair"),
        }
        changes = []
        for (what, place, revision), count in list(self.found.items())[:_MAX_PER_FLAW]:
            base, message = said[what]
            safe = place.encode("utf-8", "replace").decode()
            changes.append(Change(what, safe, base, revision, message.format(revision), count))
        return changes
