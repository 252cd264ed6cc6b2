"""One table of rules: what each neutral change or failure is called and how bad it is for a reader of responses.

Ids and levels of changes are oasdiff's where it has one (its response rules, release 1.28); `own` marks ours.
The table is rendered into docs/rules.md, and a test holds the two equal.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import TYPE_CHECKING

from monitors import change_rules, monitor_rules, upstream_rules
from monitors.model import Change, Finding, Kind, Level

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime


class Group(enum.StrEnum):
    """What it takes to see that a rule applies; the value is the heading of its table in the docs."""

    ANSWER = "What one answer shows"
    COMPARISON = "What only a comparison shows"
    PUBLISHED = "What the vendor's page shows"
    MONITOR = "What the scheduled monitor says of itself"


@dataclass(frozen=True, slots=True)
class Rule:
    """One row of the table: `meaning` is a sentence for the docs; `own` is true where oasdiff has no such rule."""

    id: str
    level: Level
    kind: Kind
    meaning: str
    own: bool = True
    group: Group = Group.ANSWER


_INFO, _WARNING, _BREAKING = Level.INFO, Level.WARNING, Level.BREAKING
_OASDIFF = (
    # what came back against what the contract promises
    ("response-required-property-removed", _BREAKING, Kind.CONTRACT, "A member the contract promises is missing."),
    (
        "response-property-became-nullable",
        _BREAKING,
        Kind.CONTRACT,
        "A member is null where the contract allows no null.",
    ),
    ("response-body-became-nullable", _BREAKING, Kind.CONTRACT, "The whole body is `null`."),
    (
        "response-property-type-changed",
        _BREAKING,
        Kind.CONTRACT,
        "A member has another type or no longer the documented format.",
    ),
    ("response-body-type-changed", _BREAKING, Kind.CONTRACT, "The body is no JSON object."),
    (
        "response-property-type-generalized",
        _BREAKING,
        Kind.CONTRACT,
        "An integer member arrives as a number with a fraction or an exponent.",
    ),
    (
        "response-property-const-changed",
        _BREAKING,
        Kind.CONTRACT,
        "A member with a single allowed value has another one.",
    ),
    (
        "response-property-max-increased",
        _BREAKING,
        Kind.CONTRACT,
        "A number is above the documented maximum, e.g. beyond int64.",
    ),
    (
        "response-property-min-decreased",
        _BREAKING,
        Kind.CONTRACT,
        "A number is below the documented minimum, e.g. beyond int64.",
    ),
    ("response-property-exclusive-max-increased", _BREAKING, Kind.CONTRACT, "A number reaches the exclusive maximum."),
    ("response-property-exclusive-min-decreased", _BREAKING, Kind.CONTRACT, "A number reaches the exclusive minimum."),
    ("response-property-max-length-increased", _WARNING, Kind.CONTRACT, "A string is longer than documented."),
    ("response-property-min-length-decreased", _WARNING, Kind.CONTRACT, "A string is shorter than documented."),
    ("response-property-min-items-decreased", _WARNING, Kind.CONTRACT, "A list has fewer items than documented."),
    ("response-media-type-removed", _BREAKING, Kind.CONTRACT, "A success is not labelled as JSON."),
    ("response-property-enum-value-added", _WARNING, Kind.DRIFT, "A member has a value the contract does not list."),
    ("response-optional-property-added", _INFO, Kind.DRIFT, "A member the contract does not know; readers ignore it."),
    ("response-media-type-name-changed", _INFO, Kind.DRIFT, "JSON under another JSON media type than documented."),
    ("response-media-type-added", _INFO, Kind.DRIFT, "An error body is JSON under a media type that is not JSON's."),
)
_OWN = (
    (
        "response-property-enum-value-renamed",
        _BREAKING,
        Kind.CONTRACT,
        "An allowed value is spelled differently (letter case, separators).",
    ),
    (
        "response-property-variant-added",
        _WARNING,
        Kind.DRIFT,
        "A member fits none of the documented variants of a union.",
    ),
    (
        "response-property-constraint-violated",
        _BREAKING,
        Kind.CONTRACT,
        "A member breaks a schema keyword that has no rule of its own.",
    ),
    ("response-body-empty", _BREAKING, Kind.CONTRACT, "A success, or an error documented with a body, has none."),
    ("response-body-not-json", _BREAKING, Kind.CONTRACT, "The body does not parse as JSON (RFC 8259)."),
    ("response-body-not-utf8", _BREAKING, Kind.CONTRACT, "The body is not UTF-8 (RFC 8259, section 8.1)."),
    (
        "response-body-byte-order-mark",
        _BREAKING,
        Kind.CONTRACT,
        "The body starts with a byte order mark, which many parsers refuse.",
    ),
    (
        "response-body-number-not-finite",
        _BREAKING,
        Kind.CONTRACT,
        "The body holds NaN or Infinity, which are not JSON.",
    ),
    (
        "response-body-duplicate-member",
        _BREAKING,
        Kind.CONTRACT,
        "An object names a member twice; readers disagree on which counts.",
    ),
    ("response-body-nesting-too-deep", _BREAKING, Kind.CONTRACT, "The body nests deeper than common parsers accept."),
    (
        "response-body-lone-surrogate",
        _WARNING,
        Kind.CONTRACT,
        "A string holds half a surrogate pair, which is not Unicode text.",
    ),
    (
        "response-error-form-changed",
        _WARNING,
        Kind.CONTRACT,
        "An error has the vendor's other error form than documented for this status.",
    ),
    (
        "response-status-undocumented",
        _WARNING,
        Kind.CONTRACT,
        "The answer has a status the contract does not document.",
    ),
    ("run-id-mismatch", _BREAKING, Kind.CONTRACT, "`data.id` is not the id that was asked for."),
    (
        "run-invariant-broken",
        _WARNING,
        Kind.CONTRACT,
        "Members contradict each other (not documented, hence no break).",
    ),
    (
        "unexpected-status",
        _BREAKING,
        Kind.CONTRACT,
        "The check got a documented status, but not the one its request must get.",
    ),
    ("answered-without-keys", _BREAKING, Kind.CONTRACT, "A request without keys was served."),
    # availability: did the site answer, in time, securely, as itself
    ("name-not-resolved", _BREAKING, Kind.AVAILABILITY, "The site's host name does not resolve."),
    ("connection-refused", _BREAKING, Kind.AVAILABILITY, "The site refused the connection."),
    ("connection-failed", _BREAKING, Kind.AVAILABILITY, "No connection could be made (no route, network unreachable)."),
    ("connection-reset", _BREAKING, Kind.AVAILABILITY, "The connection was reset before the answer was complete."),
    ("connection-closed", _BREAKING, Kind.AVAILABILITY, "The connection was closed before any answer."),
    ("timeout", _BREAKING, Kind.AVAILABILITY, "The deadline passed; the message names the phase."),
    ("tls-certificate-expired", _BREAKING, Kind.AVAILABILITY, "The certificate has expired; the message says when."),
    (
        "tls-certificate-not-yet-valid",
        _BREAKING,
        Kind.AVAILABILITY,
        "The certificate is not valid yet; the message says from when.",
    ),
    (
        "tls-certificate-untrusted",
        _BREAKING,
        Kind.AVAILABILITY,
        "The certificate does not chain to a trusted authority.",
    ),
    ("tls-certificate-wrong-host", _BREAKING, Kind.AVAILABILITY, "The certificate is for other host names."),
    (
        "tls-certificate-expires-soon",
        _WARNING,
        Kind.AVAILABILITY,
        "The certificate expires within the configured days.",
    ),
    ("tls-protocol-unsupported", _BREAKING, Kind.AVAILABILITY, "The site speaks only TLS versions older than 1.2."),
    ("tls-handshake-failed", _BREAKING, Kind.AVAILABILITY, "The TLS handshake failed for another reason."),
    ("proxy-failed", _BREAKING, Kind.AVAILABILITY, "The HTTP proxy refused or failed the tunnel."),
    ("response-malformed", _BREAKING, Kind.AVAILABILITY, "The answer is not HTTP/1.1 (status line, headers, chunks)."),
    ("response-headers-too-large", _BREAKING, Kind.AVAILABILITY, "The headers exceed the cap."),
    ("response-body-truncated", _BREAKING, Kind.AVAILABILITY, "The body ended before its announced length."),
    (
        "response-body-too-large",
        _BREAKING,
        Kind.AVAILABILITY,
        "The body exceeds the cap, before or after decompression.",
    ),
    ("response-body-undecodable", _BREAKING, Kind.AVAILABILITY, "The content coding cannot be undone."),
    (
        "redirected",
        _BREAKING,
        Kind.AVAILABILITY,
        "The site redirects; redirects are never followed, keys never leave the site.",
    ),
    ("server-error", _BREAKING, Kind.AVAILABILITY, "The API answered 5xx."),
    ("edge-answer", _BREAKING, Kind.AVAILABILITY, "The edge answered in place of the API (its JSON envelope or HTML)."),
    ("throttled", _WARNING, Kind.AVAILABILITY, "429: the rate limit is used up. Not an outage."),
    (
        "endpoint-not-deployed",
        _BREAKING,
        Kind.AVAILABILITY,
        "The site does not know the route: the endpoint is not served there.",
    ),
    ("run-not-found", _BREAKING, Kind.AVAILABILITY, "The canary run does not exist on this site."),
    ("key-rejected", _BREAKING, Kind.AVAILABILITY, "The site does not accept the keys."),
    ("key-of-other-site", _BREAKING, Kind.AVAILABILITY, "The site does not accept the keys, another site does."),
    (
        "key-lacks-permission",
        _BREAKING,
        Kind.AVAILABILITY,
        "The keys are accepted but lack the permission to read Model Lab.",
    ),
)

_ANSWERS = [*(Rule(*row, own=False) for row in _OASDIFF), *(Rule(*row) for row in _OWN)]
_TABLES = (
    (change_rules.rows(), Kind.DRIFT, Group.COMPARISON),
    (upstream_rules.rows(), Kind.DRIFT, Group.PUBLISHED),
    (monitor_rules.rows(), Kind.MONITOR, Group.MONITOR),
)
_OTHERS = [
    Rule(rule, level, kind, meaning, own, group) for rows, kind, group in _TABLES for rule, level, meaning, own in rows
]

RULES: Mapping[str, Rule] = {
    # What one answer shows a comparison may show as well: such a rule stands in the first table.
    rule.id: rule
    for rule in (*_ANSWERS, *(other for other in _OTHERS if other.id not in {answer.id for answer in _ANSWERS}))
}
"""Every rule by id, in the order of the docs."""


def rule_id(change: Change) -> str:
    """Return the id of the rule of a neutral change: `response-body-…` at the root, else `response-property-…`.

    Raises `KeyError` for a change no rule knows: a bug, held off by a test over every `what` in use.
    """
    for candidate in (
        change.what,
        f"response-{'body' if change.location == '$' else 'property'}-{change.what}",
        f"response-{change.what}",
        f"response-property-{change.what}",
    ):
        if candidate in RULES:
            return candidate
    message = f"no rule for the change {change.what!r} at {change.location}"
    raise KeyError(message)


def judge(
    changes: Iterable[Change],
    *,
    site: str | None = None,
    check: str | None = None,
    source: str | None = None,
    at: datetime | None = None,
) -> list[Finding]:
    """Turn neutral changes into findings by the table, in the order given."""
    findings = []
    for change in changes:
        rule = RULES[rule_id(change)]
        enumerated = change.what.startswith("enum-value")
        findings.append(
            Finding(
                rule=rule.id,
                level=rule.level,
                kind=rule.kind,
                message=change.message,
                location=change.location,
                base=change.base,
                revision=change.revision,
                site=site,
                check=check,
                source=source,
                at=at,
                discriminator=str(change.revision) if enumerated else "",
            )
        )
    return findings
