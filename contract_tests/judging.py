"""One answer with everything the tests ask of it, judged once: by the monitor, and by the reference validator."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, field
from functools import cache, cached_property
from typing import TYPE_CHECKING, Any

import jsonschema  # type: ignore[import-untyped]  # ships no types
import pytest
from jsonschema.validators import validator_for  # type: ignore[import-untyped]  # ships no types

import schemas
from contract_tests.reporting import ContractWarning, Mask, Route, failure_text, warning_text
from monitors import jsonbody
from monitors.contract import Policy, judge
from monitors.model import Finding, Kind, Level, Observation
from monitors.report.text import plain
from monitors.rules import RULES

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_NOT_FATAL = frozenset({"tls-certificate-expires-soon"})
"""Rules of availability under which the answer itself is as good as any."""

_TOPICS = {
    "status": ("unexpected-status", "response-status-undocumented", "answered-without-keys"),
    "media type": (
        "response-media-type-removed",
        "response-media-type-name-changed",
        "response-media-type-added",
    ),
    "bytes": (
        "response-body-empty",
        "response-body-not-json",
        "response-body-not-utf8",
        "response-body-byte-order-mark",
        "response-body-nesting-too-deep",
        "response-body-lone-surrogate",
    ),
    "names": ("response-body-duplicate-member",),
    "numbers": (
        "response-body-number-not-finite",
        "response-property-type-generalized",
        "response-property-max-increased",
        "response-property-min-decreased",
    ),
    "identity": ("run-id-mismatch",),
    "error form": ("response-error-form-changed",),
    "invariants": ("run-invariant-broken",),
}


def topic_of(rule: str) -> str:
    """Return the topic a rule is tested under; `schema` holds whatever no other topic claims."""
    if RULES[rule].kind is Kind.AVAILABILITY:
        return "availability"
    return next((topic for topic, rules in _TOPICS.items() if rule in rules), "schema")


TOPICS: Mapping[str, frozenset[str]] = {
    topic: frozenset(rule for rule in RULES if topic_of(rule) == topic)
    for topic in ("availability", *_TOPICS, "schema")
}
"""Every rule of the judge under exactly one topic, so that one flaw fails one test."""


@dataclass(frozen=True)
class Answer:
    """What one check got on one site. `route` says how to repeat the request, `mask` hides keys in what is said."""

    observation: Observation
    findings: tuple[Finding, ...]
    route: Route
    mask: Mask = field(default_factory=Mask)

    @cached_property
    def parsed(self) -> jsonbody.Parsed:
        """The body as JSON, with the flaws of its bytes."""
        return jsonbody.parse(self.observation.body)

    @property
    def unavailable(self) -> list[Finding]:
        """What kept the endpoint itself from answering."""
        return [
            finding for finding in self.findings if finding.kind is Kind.AVAILABILITY and finding.rule not in _NOT_FATAL
        ]

    def expect_none_of(self, topic: str) -> None:
        """Fail on a breaking finding of the topic; show the others as warnings."""
        self.expect_no(finding for finding in self.findings if finding.rule in TOPICS[topic])

    def expect_no(self, findings: Iterable[Finding]) -> None:
        """Fail if a finding is breaking; show the others as warnings."""
        found = list(findings)
        breaking = [finding for finding in found if finding.level is Level.BREAKING]
        for finding in found:
            if finding.level is not Level.BREAKING:
                self.warn(warning_text(finding), stacklevel=4)
        if breaking:
            self.fail(breaking)

    def warn(self, text: str, stacklevel: int = 2) -> None:
        """Show something that breaks nobody; by default at the line of the caller."""
        warnings.warn(self.mask(plain(text)), ContractWarning, stacklevel=stacklevel)

    def fail(self, findings: list[Finding]) -> None:
        """Fail the test with the findings; no traceback, whose lines could show what must not be seen."""
        pytest.fail(self.mask(failure_text(self.observation, findings, self.route)), pytrace=False)

    def expect(self, holds: bool, rule: str, message: str, *, base: Any = None, revision: Any = None) -> None:  # noqa: FBT001 - reads as a sentence
        """Fail with one finding made here unless something holds."""
        if not holds:
            row, seen = RULES[rule], self.observation
            self.fail([Finding(rule, Level.BREAKING, row.kind, message, None, base, revision, seen.site, seen.check)])


def answer_of(observation: Observation, policy: Policy, route: Route, mask: Mask) -> Answer:
    """Judge an observation."""
    return Answer(observation, tuple(judge(observation, policy)), route, mask)


@cache
def reference(status: int) -> Any:
    """Return the reference validator of the schema the contract documents for a status, or None."""
    schema = schemas.schema_for(status)
    if schema is None:
        return None
    return validator_for(schema)(schema, format_checker=jsonschema.FormatChecker())
