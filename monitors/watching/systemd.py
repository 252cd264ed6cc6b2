"""What systemd is told of a service of type `notify`: ready, reloading, stopping, still alive (sd_notify(3))."""

from __future__ import annotations

import os
import socket
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Systemd:
    """The socket of the service manager; everything is a no-op where there is none."""

    address: str = ""
    watchdog_s: float = 0.0

    @classmethod
    def of(cls, environ: Mapping[str, str]) -> Systemd:
        """Return what the environment of the service names; the watchdog may be meant for another process."""
        address = environ.get("NOTIFY_SOCKET", "")
        if not address.startswith(("/", "@")):
            address = ""
        mine = environ.get("WATCHDOG_PID", str(os.getpid())) == str(os.getpid())
        given = environ.get("WATCHDOG_USEC", "")
        watchdog_s = int(given) / 1e6 if mine and given.isdecimal() and len(given) < 16 else 0.0  # noqa: PLR2004 - years
        return cls(address, watchdog_s if address else 0.0)

    def ready(self, status: str) -> None:
        """Say that the service is up."""
        self._say("READY=1", f"STATUS={status}")

    def reloading(self) -> None:
        """Say that the configuration is being read anew; `ready` ends it."""
        self._say("RELOADING=1", f"MONOTONIC_USEC={int(time.clock_gettime(time.CLOCK_MONOTONIC) * 1e6)}")

    def stopping(self) -> None:
        """Say that the service is on its way out."""
        self._say("STOPPING=1")

    def alive(self, status: str) -> None:
        """Keep the watchdog quiet, with a line for `systemctl status`."""
        self._say("WATCHDOG=1", f"STATUS={status}")

    def shows(self, status: str) -> None:
        """Give `systemctl status` another line on how things are."""
        self._say(f"STATUS={status}")

    def _say(self, *lines: str) -> None:
        if not self.address:
            return
        # An abstract socket is written with @ for the NUL byte it begins with.
        address = "\0" + self.address[1:] if self.address.startswith("@") else self.address
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
                sock.sendto("\n".join(" ".join(line.split()) for line in lines).encode(), address)
        except OSError:
            # The service manager is gone or full; the monitor goes on regardless.
            return
