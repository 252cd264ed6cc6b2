"""What a fault is: a name, a meaning, what a monitor must make of it, and how it is done."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from ssl import SSLContext

    from mock_site.wire import Peer, Wire, WireAnswer


@dataclass(frozen=True, slots=True)
class Fault:
    """One row of the table.

    `rule` and `level` are what a monitor that checks for a run must say of it, in the monitor's words; a fault that
    keeps HTTP and TLS has rule None and level `none`: a good client does not even notice. `place` is where it
    happens: at the site's `port`, in the TLS `handshake`, or in the `answer` to one request.
    """

    place: ClassVar[str]
    name: str
    meaning: str
    rule: str | None
    level: str = field(default="breaking", kw_only=True)


@dataclass(frozen=True, slots=True)
class PortFault(Fault):
    """Nobody listens on the site's port. Where sites share a port, the connection is reset instead."""

    place: ClassVar[str] = "port"


@dataclass(frozen=True, slots=True)
class HandshakeFault(Fault):
    """It happens before any request, so only a site's scenario can ask for it.

    `act` returns the context to shake hands with, or None where it has dealt with the connection itself.
    """

    place: ClassVar[str] = "handshake"
    act: Callable[[Peer], Awaitable[SSLContext | None]]


@dataclass(frozen=True, slots=True)
class AnswerFault(Fault):
    """It happens to the answer of one request, plain or within TLS; `act` answers."""

    place: ClassVar[str] = "answer"
    act: Callable[[Wire], Awaitable[None]]


def rewritten(change: Callable[[WireAnswer], WireAnswer]) -> Callable[[Wire], Awaitable[None]]:
    """Make a fault of a well-formed answer that says something else."""

    async def act(wire: Wire) -> None:
        await wire.send(change(await wire.answer()))

    return act


def written(write: Callable[[WireAnswer], tuple[bytes, bytes]]) -> Callable[[Wire], Awaitable[None]]:
    """Make a fault of an answer written as raw bytes, head and body, after which the connection ends."""

    async def act(wire: Wire) -> None:
        head, body = write(await wire.answer())
        await wire.write(head)
        await wire.write_body(body)

    return act
