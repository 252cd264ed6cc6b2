"""One probe's time: which phase it is in, how long each took, and the one deadline over all of them."""

from __future__ import annotations

from time import monotonic

from monitors.model import Phase, Phases
from monitors.transport.failures import ProbeError

_UNFINISHED = {
    Phase.RESOLVE: "the name was not resolved",
    Phase.CONNECT: "no connection came about",
    Phase.TLS: "the TLS handshake did not finish",
    Phase.FIRST_BYTE: "no byte of an answer came",
    Phase.TRANSFER: "the answer did not end",
}


class Timeline:
    """The clock of one probe, running since it was made."""

    __slots__ = ("_ends", "_since", "_spent", "phase", "timeout_s")

    def __init__(self, timeout_s: float) -> None:
        """Start the clock; the whole probe may take `timeout_s` seconds."""
        self.timeout_s = timeout_s
        self.phase = Phase.CONNECT
        self._since = monotonic()
        self._ends = self._since + timeout_s
        self._spent: dict[Phase, float] = {}

    def enter(self, phase: Phase) -> None:
        """Begin a phase; the time until the next one is its own."""
        now = monotonic()
        if self._spent:
            self._spent[self.phase] += now - self._since
        self._spent.setdefault(phase, 0.0)
        self.phase = phase
        self._since = now

    def stop(self) -> None:
        """End the last phase."""
        self.enter(self.phase)

    def left_s(self) -> float:
        """Return the seconds left, always positive; raises `ProbeError` (timeout) once the deadline has passed."""
        left_s = self._ends - monotonic()
        if left_s <= 0:
            raise self.timeout()
        return left_s

    def timeout(self) -> ProbeError:
        """Return the failure of a probe whose deadline passed in the present phase."""
        return ProbeError(self.phase, "timeout", f"{_UNFINISHED[self.phase]} within {self.timeout_s:g} s")

    def phases(self) -> Phases:
        """Return what each phase took so far."""
        return Phases(**{f"{phase}_s": spent_s for phase, spent_s in self._spent.items()})
