"""What a person reads when a contract test fails: the place, the request to repeat, what was expected, what came."""

from __future__ import annotations

import json
import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING

from monitors.report.text import plain
from monitors.sites import SITES
from monitors.transport.masking import Sealed

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from monitors.config import Credentials
    from monitors.model import JSON, Finding, Observation

_EXCERPT_BYTES = 400
_SHOWN_CHARS = 200


class ContractWarning(UserWarning):
    """Something worth knowing that breaks nobody: an undocumented member, a contradiction, a difference of sites."""


class Mask:
    """Takes every known key out of a text before anybody sees it."""

    def __init__(self, pairs: Iterable[Credentials] = ()) -> None:
        """Know these pairs of keys."""
        self._sealed = [Sealed(pair) for pair in pairs]

    def __call__(self, text: str) -> str:
        """Return the text with `***` in place of every key."""
        for sealed in self._sealed:
            text = sealed.mask_text(text)
        return text


@dataclass(frozen=True, slots=True)
class Route:
    """How a request reached its site where that is not by the site's public name: options of curl, ready to type."""

    curl_options: tuple[str, ...] = ()


def curl(seen: Observation, route: Route) -> str:
    """Return the request as a command line; keys stand in it by the name of their environment variable."""
    parts = ["curl", "-sS", "--globoff", *(shlex.quote(option) for option in route.curl_options)]
    if seen.method != "GET":
        parts.append("--head")
    if seen.with_keys:
        site = SITES.get(seen.site or "")
        suffix = f"_{site.env_suffix}" if site else ""
        parts += [f'-H "DD-API-KEY: $DD_API_KEY{suffix}"', f'-H "DD-APPLICATION-KEY: $DD_APP_KEY{suffix}"']
    return " ".join([*parts, shlex.quote(plain(seen.url))])


def failure_text(seen: Observation, findings: Sequence[Finding], route: Route) -> str:
    """Return the message of a failed test: one paragraph for each finding, then the request and the answer."""
    lines = [f"{seen.site or 'a site'}, check {seen.check or 'of a single answer'}, run {plain(seen.run_id, 40)}"]
    for finding in findings:
        place = plain(finding.location or "the answer as a whole", _SHOWN_CHARS)
        lines += [f"{finding.rule} ({finding.level}) at {place}", f"    {plain(finding.message, _SHOWN_CHARS)}"]
        if finding.base is not None or finding.revision is not None:
            lines += [f"    expected: {_shown(finding.base)}", f"    actual:   {_shown(finding.revision)}"]
    return "\n".join([*lines, f"request: {curl(seen, route)}", *_answer(seen)])


def _shown(value: JSON) -> str:
    return plain(value if isinstance(value, str) else json.dumps(value), _SHOWN_CHARS)


def _answer(seen: Observation) -> Iterable[str]:
    if seen.status is None:
        return ["answer:  none"]
    media_type = plain(seen.header("content-type") or "no Content-Type", 80)
    return [
        f"answer:  {seen.status}, {media_type}, {len(seen.body)} bytes",
        f"body:    {excerpt(seen.body)}",
    ]


def excerpt(body: bytes) -> str:
    """Return the start of a body on one line, with nothing in it that could move a cursor."""
    text = plain(body[:_EXCERPT_BYTES].decode("utf-8", "backslashreplace"))
    return f"{text}… ({len(body) - _EXCERPT_BYTES} bytes more)" if len(body) > _EXCERPT_BYTES else text or "nothing"


def warning_text(finding: Finding) -> str:
    """Return a finding as a warning: without its site, so that the same one of nine sites is shown once."""
    place = f" at {plain(finding.location, _SHOWN_CHARS)}" if finding.location else ""
    return f"{finding.check or 'answer'}: {finding.rule}{place}: {plain(finding.message, _SHOWN_CHARS)}"
