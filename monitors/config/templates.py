"""Templates of titles and bodies: `string.Template` with the names a notice has, and how one is checked."""

from __future__ import annotations

from difflib import get_close_matches
from string import Template
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

NAMES: Mapping[str, str] = {
    "title": "The title as it is without a template.",
    "event": "What the notice tells: `opened`, `updated`, `acknowledged`, `reminder`, `resolved`, `digest` or `test`.",
    "level": "`breaking`, `warning` or `info`; at its end, how bad it was.",
    "message": "What is wrong, in one line; in a body, a digest has a line for each thing it says.",
    "change": "What is new since the last notice: `now also EU1`; empty where nothing is.",
    "sites": "Keys of the sites it is seen on: `US5, EU1`.",
    "where": "The sites in words: `2 of 9 sites: US5 (first, 10:02 UTC), EU1 (new)`.",
    "since": "When it was first seen: `26 Nov 10:02 UTC`.",
    "duration": "How long that is: `42 min`.",
    "incident": "Number of the incident.",
    "state": "`open` or `resolved`.",
    "kind": "`availability`, `contract`, `drift` or `monitor`.",
    "rule": "Id of the [rule](rules.md).",
    "check": "The check that shows it.",
    "location": "The place in the answer, as JSONPath.",
    "known": "What the vendor's status page says, `nothing` included; empty where it was not asked, or not read.",
    "advice": "What to do, in one sentence; empty once it is over.",
    "link": "Where to read on.",
    "curl": "A command that shows it, without the keys.",
    "vantage": "Where the monitor probes from.",
    "at": "When the notice was made: `26 Nov 10:44 UTC`.",
}
"""What a template may name, with what stands there; docs/notifications.md has the same table."""

_TOLD = 20


def flaws(text: str) -> list[str]:
    """Return what keeps a template from being filled, and what to write instead; nothing where it is fine."""
    template = Template(text)
    found = []
    if not template.is_valid():
        found.append("a $ must be followed by a name, as in $title or ${title}; write $$ for the sign itself")
    for name in [name for name in template.get_identifiers() if name not in NAMES][:_TOLD]:
        near = get_close_matches(name.lower(), NAMES, n=1)
        hint = f"did you mean ${near[0]}?" if near else f"known are {', '.join(f'${known}' for known in NAMES)}"
        found.append(f"${name} is no name of a notice; {hint}")
    return found


def fill(text: str, values: Mapping[str, str]) -> str:
    """Return the template with its names replaced; a name without a value is left out."""
    return Template(text).safe_substitute({**dict.fromkeys(NAMES, ""), **values})


def markdown() -> str:
    """Return the names as a table for the docs."""
    rows = [f"| `${name}` | {meaning} |" for name, meaning in NAMES.items()]
    return "\n".join(["| name | what stands there |", "|---|---|", *rows]) + "\n"
