"""The line on a terminal that says how things are; log lines scroll by above it."""

from __future__ import annotations

import os
import threading
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Self, TextIO

from monitors.report.text import for_log

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import TracebackType

_CLEAR = "\r\x1b[2K"
_EVERY_S = 1.0
_UNKNOWN_COLUMNS = 80


def columns(stream: TextIO) -> int:
    """Return how wide the terminal is that a stream writes to; `COLUMNS` has the first word."""
    given = os.environ.get("COLUMNS", "")
    if given.isdecimal() and int(given[:4]):
        return int(given[:4])
    try:
        return os.get_terminal_size(stream.fileno()).columns or _UNKNOWN_COLUMNS
    except (OSError, ValueError):
        return _UNKNOWN_COLUMNS


class StatusLine:
    """Keeps its line last: whatever is written through it goes above. Safe to use from any thread.

    Writing never fails: a text for which there is no room is lost, and `write` says so.
    """

    def __init__(self, stream: TextIO, *, shown: bool) -> None:
        """Write to a stream; where the line is not `shown`, writing is all there is."""
        self._stream, self.shown, self._line = stream, shown, ""
        self._compose: Callable[[int], str] | None = None
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        """Nothing is shown yet."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Take the line away."""
        self.show("")

    def show(self, text: str) -> None:
        """Say how things are, in place of what was said before; a line that is followed says so in its own words."""
        with self._lock:
            self._line = self._compose(self._width()) if self._compose else text
            if self.shown:
                self._put(_CLEAR + self._cut(self._line))

    @contextmanager
    def following(self, line: Callable[[int], str], every_s: float = _EVERY_S) -> Iterator[None]:
        """Show what `line` returns for so many columns, again and again: whoever looks sees whether time stands still.

        It is asked in a thread of its own, so that it goes on where everything else hangs.
        """
        over = threading.Event()
        self._compose = line

        def follow() -> None:
            while not over.wait(every_s):
                self.show("")

        thread = threading.Thread(target=follow, name="status", daemon=True)
        if self.shown:
            with suppress(RuntimeError):  # no thread to spare: the line still moves with each batch
                thread.start()
        try:
            yield
        finally:
            over.set()
            self._compose = None
            if thread.ident is not None:
                # No longer: a terminal that is stopped holds whoever writes to it.
                thread.join(every_s)

    def write(self, text: str) -> int:
        """Write log lines above the line; returns 0 where they are lost."""
        with self._lock:
            if self.shown and self._line:
                done = self._put(_CLEAR + text.removesuffix("\n") + "\n" + self._cut(self._line))
            else:
                done = self._put(text)
        return len(text) if done else 0

    def flush(self) -> None:
        """Have everything written, as it is already."""

    def _put(self, text: str) -> bool:
        """Write and tell whether it was written; a stream that never fails counts what it has `lost`."""
        before = getattr(self._stream, "lost", 0)
        try:
            self._stream.write(text)
            self._stream.flush()
        except (OSError, ValueError):  # a full disk, a reader that is gone; a stream that was closed
            return False
        return bool(getattr(self._stream, "lost", 0) == before)

    def _width(self) -> int:
        return max(columns(self._stream) - 1, 10)

    def _cut(self, text: str) -> str:
        return for_log(text, self._width())
