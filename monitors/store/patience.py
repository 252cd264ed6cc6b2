"""A server that is there and says nothing: a connection to it is given up after a while, as one that is gone.

A machine that vanishes is noticed by its network; a server that is stopped, or hangs on its disk, has a system that
goes on acknowledging every packet, so that nothing but a clock on this side tells.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, TypeVar

import psycopg

if TYPE_CHECKING:
    from psycopg.abc import PQGen

R = TypeVar("R")


class PatientConnection(psycopg.Connection[Any]):
    """A connection that waits `silence_s` at most for the next bytes of the server, or for ever where that is None."""

    silence_s: float | None = None

    def wait(self, gen: PQGen[R], *args: Any, **options: Any) -> R:
        """Wait for what a generator waits for; raises `OperationalError`, closed by then, where nothing comes."""
        limited = gen if self.silence_s is None else self._limited(gen, self.silence_s)
        return super().wait(limited, *args, **options)

    def _limited(self, gen: PQGen[R], silence_s: float) -> PQGen[R]:
        heard_s = time.monotonic()
        wanted: Any = None
        ready: Any = None
        while True:
            try:
                # Whoever waits comes by several times a second, also with nothing.
                wanted = gen.send(ready)
            except StopIteration as done:
                result: R = done.value
                return result
            ready = yield wanted
            now_s = time.monotonic()
            if ready:
                heard_s = now_s
            elif now_s - heard_s >= silence_s:
                self.close()
                message = f"the server has not answered for {silence_s:g} s"
                raise psycopg.OperationalError(message)
