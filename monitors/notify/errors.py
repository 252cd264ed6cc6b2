"""What can go wrong with a sink; it says nothing about any site, and is never lost: the notice is sent again."""

from __future__ import annotations

from monitors.errors import HarnessError


class SinkError(HarnessError):
    """A sink did not take a notice; the text is one line, without secrets.

    `retry_after_s` is how long the service asks to be left alone. `permanent` is true where trying again helps only
    once somebody has changed something: a key, an address, a permission.
    """

    def __init__(self, message: str, *, retry_after_s: float | None = None, permanent: bool = False) -> None:
        """Keep what the courier needs to know beside the message."""
        super().__init__(message)
        self.retry_after_s = retry_after_s
        self.permanent = permanent
