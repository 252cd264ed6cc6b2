"""Everything that can go wrong on the wire, by name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mock_site.faults import bodies, framing, handshakes, harmless, streams
from mock_site.faults.model import AnswerFault, Fault, HandshakeFault, PortFault

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["FAULTS", "AnswerFault", "Fault", "HandshakeFault", "PortFault"]

FAULTS: Mapping[str, Fault] = {
    fault.name: fault
    for rows in (handshakes.rows, streams.rows, framing.rows, bodies.rows, harmless.rows)
    for fault in rows()
}
"""Every fault by name, in the order of the docs: connections, time, HTTP, bodies, and last the harmless ones."""
