"""Text from the wire, made to mean itself in each medium a message is written in."""

from __future__ import annotations

import re

from monitors.report.markdown import escaped

__all__ = ["cut", "defused", "escaped", "fenced", "paragraph", "shortened"]

_JOINER = "\u2060"
# What chat services obey in plain text: mentions (@all, <!channel>, <@U1>, <#C1>), addresses, labelled links, emoji,
# and the fence Datadog's events begin Markdown with.
_OBEYED = re.compile(
    r"@(?=\w)|<(?=[!@#/:A-Za-z])|\](?=\()|(?<=\w):(?=//)|(?<=\b[wW]{3})\.(?=\w)|%(?=%%)|:(?=\w+:)|`(?=``)"
)

# What begins a heading, a list, a rule or the underline of a heading at the start of a line.
_BLOCK = re.compile(r"^([0-9]*)([-#+=.)])")


def defused(text: str) -> str:
    """Return printable text in which nothing is a mention, a link or a command to a chat service.

    An invisible word joiner (U+2060) parts the signs a service looks for; a person reads the text as it was.
    """
    return _OBEYED.sub(lambda match: match[0] + _JOINER, text)


def paragraph(text: str) -> str:
    """Return printable text of one line that Markdown shows as it is, also where a line begins."""
    return _BLOCK.sub(lambda match: f"{match[1]}\\{match[2]}", escaped(text.strip()))


def fenced(text: str) -> str:
    """Return printable text of one line as a block of Markdown code that nothing in it can end."""
    longest = max((len(run) for run in re.findall(r"`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}sh\n{text}\n{fence}"


def shortened(text: str, limit: int) -> str:
    """Return a text of one line, or as much of it as fits with an ellipsis behind; `limit` in characters."""
    return text if len(text) <= limit else f"{_ended(text[: limit - 1])}…"


def _ended(text: str) -> str:
    # What was cut before ends with an ellipsis of its own.
    return text.rstrip(f"…{_JOINER} ")


def cut(text: str, limit: int) -> str:
    """Return the text, or as many of its lines as fit with an ellipsis behind; `limit` in characters."""
    if len(text) <= limit:
        return text
    kept = text[: limit - 2]
    whole_lines, end, _ = kept.rpartition("\n")
    return f"{whole_lines}\n…" if end else f"{_ended(kept)}…"
