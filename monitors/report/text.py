"""Text from the wire made harmless: what every renderer does to it before anything of its own medium.

A site, or whoever sits between, chooses what stands in a message, a member's name or a header. None of it may move
the cursor, reverse a line, end it, or pass for something it is not.
"""

from __future__ import annotations

import json
import math
import re
from math import floor
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from monitors.model import JSON

_NAMED = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}
_MAX_DEPTH = 32
# Python refuses to write longer integers at all; other readers of JSON stop far below.
_MAX_INTEGER_BITS = 4096
# At the start of a line GitHub's runners obey `::command::`, anywhere in it the older `##[command]`.
_RUNNER_COMMAND = re.compile(r":(?=:[A-Za-z])|#(?=#\[)")


def plain(text: str, limit: int | None = None) -> str:
    r"""Return the text on one line with everything unprintable spelled out, at most `limit` characters long.

    Spelled out as `\n`, `\x1b`, `\u202e`: controls, line and paragraph separators, bidirectional and zero-width
    formatting, lone surrogates, unassigned and private characters, and every space but the plain one.
    """
    if limit is not None and len(text) > limit:
        # What was cut before ends with an ellipsis of its own.
        text = text[: limit - 1].rstrip("…") + "…"
    if text.isprintable():
        return text
    return "".join(character if character.isprintable() else _spelled(character) for character in text)


def _spelled(character: str) -> str:
    number = ord(character)
    if character in _NAMED:
        return _NAMED[character]
    if number < 0x100:  # noqa: PLR2004 - two hex digits suffice
        return f"\\x{number:02x}"
    return f"\\u{number:04x}" if number < 0x10000 else f"\\U{number:08x}"  # noqa: PLR2004 - or four


def for_log(text: str, limit: int | None = None) -> str:
    """Return the text as `plain` does, with no command for a CI runner that reads along."""
    return _RUNNER_COMMAND.sub(lambda match: match[0] + " ", plain(text, limit))


def scrubbed(value: JSON, depth: int = 0) -> JSON:
    """Return a JSON value any parser accepts: no lone surrogates, no NaN, no endless integer, no endless nesting."""
    if isinstance(value, str):
        return value if value.isascii() else value.encode("utf-8", "replace").decode("utf-8")
    if isinstance(value, float | int):
        return _number(value)
    if isinstance(value, list | dict) and depth >= _MAX_DEPTH:
        return "…"
    if isinstance(value, list):
        return [scrubbed(item, depth + 1) for item in value]
    if isinstance(value, dict):
        return {str(scrubbed(name)): scrubbed(member, depth + 1) for name, member in value.items()}
    return value


def _number(value: float) -> JSON:
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    return value if value.bit_length() <= _MAX_INTEGER_BITS else f"an integer of {value.bit_length()} bits"


def dumps(value: JSON, *, indent: int | None = None) -> str:
    """Return JSON in printable ASCII alone, so that it is safe on any terminal and in any encoding."""
    text = json.dumps(scrubbed(value), indent=indent, allow_nan=False)
    return text.replace("\x7f", "\\u007f")


def shown(value: JSON, limit: int = 60) -> str:
    """Return a base or revision as a person reads it: a bare word as it is, anything else as JSON."""
    if isinstance(value, str):
        return plain(value, limit) or '""'
    return plain(json.dumps(scrubbed(value), ensure_ascii=False), limit)


def utc(moment: datetime | None) -> str | None:
    """Return a time as ISO 8601 with `Z`; None stays None."""
    return None if moment is None else moment.isoformat().replace("+00:00", "Z")


def milliseconds(seconds: float | None) -> str:
    """Return a duration for a person in at most six characters: `<1 ms`, `212 ms`, `1.25 s`, `10.0 s`."""
    if seconds is None:
        return ""
    if seconds < 0.001:  # noqa: PLR2004 - one millisecond
        return "<1 ms"
    if seconds < 0.9995:  # noqa: PLR2004 - what rounds to 999 ms at most
        return f"{seconds * 1000:.0f} ms"
    return f"{seconds:.2f} s" if seconds < 9.995 else f"{seconds:.1f} s"  # noqa: PLR2004 - ten seconds


def percent(share: float | None) -> str:
    """Return a share from 0 to 1 as percent, rounded down: `100 %` and `0 %` are said only of all and of nothing."""
    if share is None:
        return "-"
    if share <= 0 or share >= 1:
        return "100 %" if share >= 1 else "0 %"
    # Rounded down, but for what is off by the last bit alone: 0.57 * 10,000 is 5699.999…
    hundredths = min(floor(share * 10_000 + 1e-9), 9_999)
    return f"{hundredths / 100:.2f} %" if hundredths else "<0.01 %"


def listed(words: list[str], limit: int = 9) -> str:
    """Return `a`, `a and b`, `a, b and c`, or `a, b and 7 more`."""
    if len(words) > limit:
        return f"{', '.join(words[: limit - 1])} and {len(words) - limit + 1} more"
    if len(words) < 2:  # noqa: PLR2004 - nothing to join
        return "".join(words)
    return f"{', '.join(words[:-1])} and {words[-1]}"


def counted(number: int, one: str, many: str | None = None) -> str:
    """Return `1 site`, `9 sites`, `1,204 answers`."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"
