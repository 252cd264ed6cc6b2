"""Names compared: one name in another spelling, names alike, names of which one holds the other."""

from __future__ import annotations

import difflib
import re
from functools import lru_cache

_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+|[^\W0-9_a-zA-Z]+")
_LONGEST = 80
_ALIKE_RATIO = 0.8
_SHORTEST_STEM = 3
_OF_TIMES = frozenset(
    {"at", "date", "epoch", "millis", "milliseconds", "ms", "on", "seconds", "time", "timestamp", "ts", "unix"}
)
"""Words that say of a point in time how it is written, not which one it is."""


@lru_cache(maxsize=65536)
def words(name: str) -> tuple[str, ...]:
    """Return the words a name is made of, in lower case: `failedRules`, `failed_rules` and `Failed-Rules` are equal."""
    return tuple(word.casefold() for word in _WORDS.findall(name[:_LONGEST]))


@lru_cache(maxsize=65536)
def spelled(name: str) -> str:
    """Return a name without letter case and separators, so that spellings of one name are equal."""
    return "".join(words(name)) or name


@lru_cache(maxsize=65536)
def event(name: str) -> str | None:
    """Return what a point in time is the time of, else None: `start` for `startTs`, `started` and `started_at`."""
    parts = words(name)
    rest = [word for word in parts if word not in _OF_TIMES]
    if not rest or (len(rest) == len(parts) and not rest[-1].endswith("ed")):
        return None
    last = rest[-1].removesuffix("ed").removesuffix("e")
    return "".join((*rest[:-1], last)) if len(last) >= _SHORTEST_STEM else None


def alike(one: str, other: str) -> bool:
    """Tell whether two names may name one thing: shared words, a longer form, a slip of the pen."""
    if spelled(one) == spelled(other):
        return True
    first, second = words(one), words(other)
    if not first or not second:
        return False
    if set(first) <= set(second) or set(second) <= set(first):
        return True
    if _stems(first) & _stems(second) and min(len(first), len(second)) == 1:
        return True
    ratio = difflib.SequenceMatcher(None, spelled(one), spelled(other), autojunk=False).ratio()
    return ratio >= _ALIKE_RATIO or _half_shared(first, second)


def _stems(parts: tuple[str, ...]) -> set[str]:
    """Return words without a plural, so `query` meets `queries`."""
    return {_stem(word) for word in parts}


def _stem(word: str) -> str:
    if word.endswith("ies"):
        return word[:-3] + "y"
    return word[:-1] if word.endswith("s") and len(word) > _SHORTEST_STEM else word


def _half_shared(first: tuple[str, ...], second: tuple[str, ...]) -> bool:
    """Tell whether most words are shared, or one is the short form of the other (`desc`, `description`)."""
    if len(first) == len(second) == 1:
        short, long = sorted((first[0], second[0]), key=len)
        return len(short) >= _SHORTEST_STEM and long.startswith(short)
    shared = len(_stems(first) & _stems(second))
    return shared * 2 > max(len(first), len(second))
