"""The values everything else speaks of: observations, changes, findings. Frozen, and free of any I/O."""

from __future__ import annotations

import enum
import hashlib
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date, datetime

JSON = None | bool | int | float | str | list["JSON"] | dict[str, "JSON"]


class Level(enum.IntEnum):
    """How bad a finding is for whoever reads the answer; ordered, so `max` works."""

    INFO = 1
    WARNING = 2
    BREAKING = 3

    def __str__(self) -> str:
        """Return the word used in every output."""
        return self.name.lower()


class Kind(enum.StrEnum):
    """Which of the three questions a finding answers; `monitor` is the scheduled monitor's own trouble."""

    AVAILABILITY = "availability"
    CONTRACT = "contract"
    DRIFT = "drift"
    MONITOR = "monitor"


class Phase(enum.StrEnum):
    """The phases of one probe, in order."""

    RESOLVE = "resolve"
    CONNECT = "connect"
    TLS = "tls"
    FIRST_BYTE = "first_byte"
    TRANSFER = "transfer"


@dataclass(frozen=True, slots=True)
class Phases:
    """How long each phase took, in seconds; None for a phase that was not reached or does not apply."""

    resolve_s: float | None = None
    connect_s: float | None = None
    tls_s: float | None = None
    first_byte_s: float | None = None
    transfer_s: float | None = None

    @property
    def total_s(self) -> float:
        """Seconds in all phases that were reached."""
        spent = (self.resolve_s, self.connect_s, self.tls_s, self.first_byte_s, self.transfer_s)
        return sum(phase_s for phase_s in spent if phase_s is not None)


@dataclass(frozen=True, slots=True)
class TlsInfo:
    """The TLS connection as seen: protocol version and the server's certificate, verified or not."""

    version: str | None
    cipher: str | None
    verified: bool
    not_before: datetime | None = None
    not_after: datetime | None = None
    subject_names: tuple[str, ...] = ()
    issuer: str | None = None


@dataclass(frozen=True, slots=True)
class TransportFailure:
    """Why no whole answer came: the rule of the finding it will become, the phase, and one line for a person."""

    rule: str
    phase: Phase
    message: str


@dataclass(frozen=True, slots=True)
class Skipped:
    """A check that was not made on a site, and why."""

    site: str
    check: str
    reason: str


@dataclass(frozen=True, slots=True)
class Observation:
    """What came back from one request: a value, never an exception.

    `headers` keep the order of the wire, names in lower case. `body` is decoded (gzip undone) and cut at the
    cap; `wire_size` and `body_size` are bytes before and after decoding. `at` is UTC, None where a recording
    does not say. `credential` is a salted digest that tells equal key pairs apart, never the keys. `source` names
    file and entry of a recording. The seam that makes an observation has removed every key from it.
    """

    site: str | None
    check: str | None
    at: datetime | None
    method: str
    url: str
    run_id: str
    with_keys: bool
    status: int | None = None
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    wire_size: int | None = None
    body_size: int | None = None
    phases: Phases = field(default_factory=Phases)
    http_version: str | None = None
    address: str | None = None
    tls: TlsInfo | None = None
    failure: TransportFailure | None = None
    credential: str | None = None
    source: str | None = None

    def header(self, name: str) -> str | None:
        """Return the first value of a header, by its lower-case name, or None."""
        return next((value for key, value in self.headers if key == name), None)

    def without_body(self) -> Observation:
        """Return the same observation with the body dropped, to keep memory flat once it is judged."""
        return replace(self, body=b"")


@dataclass(frozen=True, slots=True)
class Change:
    """A neutral change, base to revision, at one place; a table of rules says later how bad it is.

    `what` names the change without its scope ("type-changed"); `location` is JSONPath with `[*]` for every list
    index; `base` is what was promised or seen before and `revision` what is there now, as small JSON values.
    `message` is one line without the location. `count` of how many places under `[*]` it holds.
    """

    what: str
    location: str
    base: JSON
    revision: JSON
    message: str
    count: int = 1


@dataclass(frozen=True, slots=True)
class Acceptance:
    """That a person looked at a finding and lives with it: why, who, and the last day it holds (None: no end)."""

    reason: str
    by: str
    expires: date | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing wrong or changed, judged.

    `fingerprint` is stable: the same problem has the same one on every site, machine and day, so it holds rule,
    location, check (not for availability: an outage is one problem) and `discriminator` (e.g. the new enum value),
    but no time, index or site. An `accepted` finding is shown, and counts for nothing.
    """

    rule: str
    level: Level
    kind: Kind
    message: str
    location: str | None = None
    base: JSON = None
    revision: JSON = None
    site: str | None = None
    check: str | None = None
    source: str | None = None
    at: datetime | None = None
    discriminator: str = ""
    accepted: Acceptance | None = None

    @property
    def fingerprint(self) -> str:
        """Sixteen hex digits that name this problem."""
        check = "" if self.kind is Kind.AVAILABILITY else self.check or ""
        parts = (self.rule, self.location or "", check, self.discriminator)
        return hashlib.sha256("\x1f".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:16]


def verdict(findings: Iterable[Finding]) -> str:
    """Return `none` or the word of the worst level among the findings nobody has accepted."""
    return str(max((finding.level for finding in findings if finding.accepted is None), default="none"))
