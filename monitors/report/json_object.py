"""One JSON object, as schemas/report.json describes it."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from monitors.model import verdict
from monitors.report.summary import summary
from monitors.report.text import dumps, utc

if TYPE_CHECKING:
    from monitors.model import JSON, Acceptance, Finding, Observation, TlsInfo, TransportFailure
    from monitors.report.value import Layout, Report


def render(report: Report, layout: Layout) -> str:  # noqa: ARG001 - every renderer has one signature
    """Return the whole report as one indented object; only `probe` lists its observations."""
    document: dict[str, JSON] = {**head(report), "findings": [finding_json(finding) for finding in report.findings]}
    if report.command == "probe":
        document["observations"] = [observation_json(seen) for seen in report.observations]
    return dumps(document, indent=2) + "\n"


def head(report: Report) -> dict[str, JSON]:
    """Return the members that stand for the report as a whole."""
    return {
        "verdict": verdict(report.findings),
        "command": report.command,
        "version": report.version,
        "at": utc(report.at),
        "summary": summary(report),
    }


def finding_json(finding: Finding) -> dict[str, JSON]:
    """Return one finding with every member, null where it does not apply."""
    return {
        "rule": finding.rule,
        "level": str(finding.level),
        "kind": str(finding.kind),
        "location": finding.location,
        "message": finding.message,
        "base": finding.base,
        "revision": finding.revision,
        "fingerprint": finding.fingerprint,
        "site": finding.site,
        "check": finding.check,
        "source": finding.source,
        "at": utc(finding.at),
        "accepted": None if finding.accepted is None else _acceptance_json(finding.accepted),
    }


def _acceptance_json(accepted: Acceptance) -> dict[str, JSON]:
    expires = None if accepted.expires is None else accepted.expires.isoformat()
    return {"reason": accepted.reason, "by": accepted.by, "expires": expires}


def observation_json(seen: Observation) -> dict[str, JSON]:
    """Return one observation without its body."""
    return {
        "site": seen.site,
        "check": seen.check,
        "at": utc(seen.at),
        "method": seen.method,
        "url": seen.url,
        "run_id": seen.run_id,
        "with_keys": seen.with_keys,
        "status": seen.status,
        "http_version": seen.http_version,
        "address": seen.address,
        "phases": {name: _rounded(phase_s) for name, phase_s in asdict(seen.phases).items()},
        "headers": [[name, value] for name, value in seen.headers],
        "wire_size": seen.wire_size,
        "body_size": seen.body_size,
        "tls": None if seen.tls is None else _tls_json(seen.tls),
        "failure": None if seen.failure is None else _failure_json(seen.failure),
        "source": seen.source,
    }


def _rounded(phase_s: float | None) -> float | None:
    """Round to microseconds: the clock knows no more."""
    return None if phase_s is None else round(phase_s, 6)


def _failure_json(failure: TransportFailure) -> dict[str, JSON]:
    return {"rule": failure.rule, "phase": str(failure.phase), "message": failure.message}


def _tls_json(tls: TlsInfo) -> dict[str, JSON]:
    return {
        "version": tls.version,
        "cipher": tls.cipher,
        "verified": tls.verified,
        "not_before": utc(tls.not_before),
        "not_after": utc(tls.not_after),
        "subject_names": list(tls.subject_names),
        "issuer": tls.issuer,
    }
