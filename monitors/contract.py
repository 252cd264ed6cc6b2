"""Judging one observation: availability, contract and harmless drift, in one vocabulary.

`judge` is pure: an observation in, findings out. What only several observations tell stands in `reconciling`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import schemas
from monitors import jsonbody, rules
from monitors.answers import Form, form_of
from monitors.checks import CHECKS
from monitors.invariants import broken
from monitors.model import Change, Finding, Kind, Level, Observation
from monitors.violations import Contract

if TYPE_CHECKING:
    from collections.abc import Sequence

_OK, _BAD_REQUEST, _UNAUTHORIZED, _FORBIDDEN, _NOT_FOUND, _TOO_MANY, _SERVER = 200, 400, 401, 403, 404, 429, 500
_REDIRECTS = {301, 302, 303, 307, 308}
_SERVER_ERRORS = range(500, 600)
_JSON_TYPES = ("application/json", "application/vnd.api+json")
_SHOWN_SERVER_CHARS = 80


@dataclass(frozen=True, slots=True)
class Policy:
    """How the judge leans: the level of an unavailable site, and how many days ahead an expiry is told.

    A recording (an observation without a check) says nothing about a site today: there, what would make a live site
    unavailable is a warning.
    """

    availability: Level = Level.BREAKING
    certificate_warning_days: int = 14


@cache
def contract_for(status: int) -> Contract | None:
    """Return the compiled schema the contract documents for a status, or None."""
    schema = schemas.schema_for(status)
    return None if schema is None else Contract(schema)


@dataclass(frozen=True, slots=True)
class _Judge:
    """One observation under judgement; holds what every finding of it repeats."""

    observation: Observation
    policy: Policy

    @property
    def live(self) -> bool:
        return self.observation.check is not None

    def finding(
        self, rule: str, message: str, *, base: str | None = None, revision: str | int | None = None
    ) -> Finding:
        """Make a finding about the answer as a whole."""
        row, seen = rules.RULES[rule], self.observation
        level = row.level
        if row.kind is Kind.AVAILABILITY and level is Level.BREAKING:
            level = self.policy.availability if self.live else Level.WARNING
        return Finding(
            rule, level, row.kind, message, None, base, revision, seen.site, seen.check, seen.source, seen.at
        )

    def changes(self, changes: Sequence[Change]) -> list[Finding]:
        """Make findings of neutral changes."""
        seen = self.observation
        return rules.judge(changes, site=seen.site, check=seen.check, source=seen.source, at=seen.at)


def judge(observation: Observation, policy: Policy | None = None) -> list[Finding]:
    """Return everything wrong or changed in one observation, worst first within the order found.

    Any bytes whatsoever give findings, never an exception. A probe (an observation with a check) is held to the
    statuses its check must get; a recording to whatever the contract documents for the status it has.
    """
    case = _Judge(observation, policy or Policy())
    findings = _of_certificate(case)
    failure = observation.failure
    if failure is not None:
        findings.append(case.finding(failure.rule, failure.message, revision=str(failure.phase)))
    elif observation.status is not None:
        findings.extend(_of_answer(case, observation.status))
    return sorted(findings, key=lambda finding: -finding.level)


def _of_certificate(case: _Judge) -> list[Finding]:
    tls, at = case.observation.tls, case.observation.at
    if tls is None or tls.not_after is None or not tls.verified:
        return []
    left = tls.not_after - (at or datetime.now(UTC))
    if left > timedelta(days=case.policy.certificate_warning_days):
        return []
    day = tls.not_after.strftime("%Y-%m-%d")
    return [case.finding("tls-certificate-expires-soon", f"the certificate expires on {day}, in {left.days} days")]


def _of_answer(case: _Judge, status: int) -> list[Finding]:
    """Judge an answer that came whole: who answered, then the status, then the body."""
    observation = case.observation
    if status in _REDIRECTS:
        return [case.finding("redirected", f"{status} to {_target(observation)}", revision=status)]
    if observation.method == "HEAD":
        return _of_status(case, status, Form.OBJECTS)
    if jsonbody.is_crowded(observation.body):
        # Judging it would take minutes and gigabytes, and the reader's program would not fare better.
        message = f"the body holds more than {jsonbody.MAX_VALUES:,} JSON values"
        return [case.finding("response-body-too-large", message, revision=status)]
    parsed = jsonbody.parse(observation.body)
    form = form_of(observation.body, parsed)
    if _is_edge(status, form):
        return [_edge(case, status, form)]
    return _of_status(case, status, form) + _of_body(case, status, form, parsed)


def _is_edge(status: int, form: Form) -> bool:
    if form in {Form.MARKUP, Form.EDGE}:
        return True
    # Proxies explain themselves in plain text ("upstream connect error …"), the API never does.
    return status >= _BAD_REQUEST and form is Form.TEXT


def _edge(case: _Judge, status: int, form: Form) -> Finding:
    server = (case.observation.header("server") or "")[:_SHOWN_SERVER_CHARS]
    by = f" (server: {server})" if server else ""
    if status == _TOO_MANY:
        return case.finding("throttled", f"the edge throttles, with {form.value}{by}", revision=status)
    finding = case.finding("edge-answer", f"{status} with {form.value} in place of the API{by}", revision=status)
    # Under a success the reader takes the edge's page for a run: that breaks it wherever it was recorded.
    return replace(finding, level=Level.BREAKING) if status == _OK and not case.live else finding


def _target(observation: Observation) -> str:
    """Say where a redirect leads without repeating its path or query, which may carry anything."""
    target = observation.header("location")
    if target is None:
        return "nowhere: there is no Location header"
    try:
        parts = urlsplit(target)
        here = urlsplit(observation.url)
        host, other = parts.hostname, parts.netloc and (parts.scheme or here.scheme, parts.hostname, parts.port)
    except ValueError:
        return "an address that does not parse"
    if not other or other == (here.scheme, here.hostname, here.port):
        return "the same host"
    return f"{parts.scheme or here.scheme}://{host}" if host != here.hostname else f"{parts.scheme} on the same host"


# --- the status ----------------------------------------------------------------------------------------------------


def _of_status(case: _Judge, status: int, form: Form) -> list[Finding]:
    if status == _TOO_MANY:
        reset = case.observation.header("x-ratelimit-reset")
        wait = f"; the window resets in {reset} s" if reset and reset.isdecimal() else ""
        return [case.finding("throttled", f"the rate limit is used up{wait}", revision=status)]
    if status in _SERVER_ERRORS:
        # A recorded 500 in its documented form keeps the contract; a live one is an outage.
        documented = status == _SERVER and not case.live
        return [] if documented else [case.finding("server-error", f"the API answered {status}", revision=status)]
    if status == _NOT_FOUND and form is Form.STRINGS:
        return [_not_deployed(case)]
    return _of_check(case, status, form) if case.live else _of_recording(case, status)


def _not_deployed(case: _Judge) -> Finding:
    finding = case.finding(
        "endpoint-not-deployed", "404 for the route itself: the endpoint is not served here", revision=_NOT_FOUND
    )
    # Without keys nobody reads runs from this site: worth knowing, not worth an alarm.
    return finding if case.observation.with_keys else replace(finding, level=min(finding.level, Level.WARNING))


def _of_recording(case: _Judge, status: int) -> list[Finding]:
    if contract_for(status) is not None:
        return []
    return [case.finding("response-status-undocumented", f"{status} is not documented", revision=status)]


def _of_check(case: _Judge, status: int, form: Form) -> list[Finding]:
    check = CHECKS[case.observation.check or ""]
    if status in check.expected:
        return []
    expected = " or ".join(map(str, check.expected))
    if check.with_keys and status in {_UNAUTHORIZED, _FORBIDDEN}:
        return [_rejected(case, status, form)]
    if check.name == "run" and status == _NOT_FOUND:
        message = f"run {case.observation.run_id} does not exist here: deleted, or another site's run"
        return [case.finding("run-not-found", message, base=expected, revision=status)]
    if not check.with_keys and status == _OK:
        return [case.finding("answered-without-keys", "served without any key", base=expected, revision=status)]
    message = f"{status} where the check {check.name} must get {expected}"
    return [case.finding("unexpected-status", message, base=expected, revision=status)]


def _rejected(case: _Judge, status: int, form: Form) -> Finding:
    if form is Form.OBJECTS and status == _FORBIDDEN:
        return case.finding("key-lacks-permission", "the keys may not read Model Lab runs", revision=status)
    message = f"{status}: the keys are wrong, revoked, or another site's (each site has its own)"
    return case.finding("key-rejected", message, revision=status)


# --- the body ------------------------------------------------------------------------------------------------------


def _of_body(case: _Judge, status: int, form: Form, parsed: jsonbody.Parsed) -> list[Finding]:
    contract = contract_for(status)
    if contract is None:
        return []
    if form is Form.EMPTY:
        return [_empty(case, status)]
    findings = case.changes(_of_media_type(case.observation, status)) + case.changes(parsed.flaws)
    if not parsed.usable:
        return findings
    if contract.keeps(parsed.value):
        return findings + case.changes(_beyond(case.observation, status, parsed.value))
    allowed = contract.allows(parsed.value)
    if not allowed and status != _OK and form in {Form.OBJECTS, Form.STRINGS}:
        other = _other_form(case, status, form, parsed)
        if other is not None:
            return findings + other
    body = case.observation.body
    exact = parsed if allowed or parsed.flaws or jsonbody.is_exact(body, parsed.value) else jsonbody.explain(body)
    findings.extend(case.changes(contract.explain(exact.value) if exact.usable else exact.flaws))
    if allowed:
        findings.extend(case.changes(_beyond(case.observation, status, parsed.value)))
    return findings


def _beyond(observation: Observation, status: int, value: Any) -> list[Change]:
    """Return what no schema says of a valid run: that it is another one, or contradicts itself."""
    return [*_of_identity(observation, value), *broken(value)] if status == _OK else []


def _empty(case: _Judge, status: int) -> Finding:
    if status == _OK:
        return case.changes([Change("body-empty", "$", "a run", "nothing", "a success without a body")])[0]
    return case.finding("response-error-form-changed", f"{status} without a body", base="errors", revision="nothing")


def _other_form(case: _Judge, status: int, form: Form, parsed: jsonbody.Parsed) -> list[Finding] | None:
    """Tell the vendor's other error form apart from a broken one; None where the body is neither."""
    if status == _NOT_FOUND and form is Form.STRINGS:
        return []  # said already: the route does not exist
    other = contract_for(_BAD_REQUEST if form is Form.OBJECTS else _TOO_MANY)
    documented = Form.STRINGS if form is Form.OBJECTS else Form.OBJECTS
    if other is None or not other.allows(parsed.value):
        return None
    message = f"{form.value} where {documented.value} is documented for {status}"
    finding = case.finding("response-error-form-changed", message, base=documented.value, revision=form.value)
    return [replace(finding, location="$.errors[*]")]


def _of_media_type(observation: Observation, status: int) -> list[Change]:
    """Judge the label of a JSON body. A recording without any header says nothing about it."""
    given = observation.header("content-type")
    if given is None and observation.check is None:
        return []
    name = (given or "").split(";")[0].strip().lower()
    if name == _JSON_TYPES[0] or (name == _JSON_TYPES[1] and status != _OK):
        return []
    found = name[:_SHOWN_SERVER_CHARS] or "no Content-Type"
    if name.endswith("+json"):
        message = f"JSON under {found}"
        return [Change("media-type-name-changed", "$", _JSON_TYPES[0], found, message)]
    if status == _OK:
        return [Change("media-type-removed", "$", _JSON_TYPES[0], found, f"a run under {found}")]
    if status in {_UNAUTHORIZED, _FORBIDDEN}:
        return []  # seen on the real API: JSON labelled text/plain
    return [Change("media-type-added", "$", _JSON_TYPES[0], found, f"an error under {found}")]


def _of_identity(observation: Observation, run: Any) -> list[Change]:
    try:
        asked = str(int(observation.run_id))
    except ValueError:
        return []  # a raw body: nobody knows what was asked for
    data = run.get("data") if isinstance(run, dict) else None
    found = data.get("id") if isinstance(data, dict) else None
    if not isinstance(found, str) or found == asked:
        return []  # no id, or none as text: a contract widened for that allows it
    shown = found if found.isdecimal() else "another id"
    return [Change("run-id-mismatch", "$.data.id", asked, shown, f"asked for {asked}, got {shown}")]
