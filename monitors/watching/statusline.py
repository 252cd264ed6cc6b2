"""The line on a terminal that says how things are; log lines scroll by above it."""

from __future__ import annotations

import shutil
import threading
from typing import TYPE_CHECKING, Self, TextIO

from monitors.report.text import for_log

if TYPE_CHECKING:
    from types import TracebackType

_CLEAR = "\r\x1b[2K"


class StatusLine:
    """Keeps its line last: whatever is written through it goes above. Safe to use from any thread."""

    def __init__(self, stream: TextIO, *, shown: bool) -> None:
        """Write to a stream; where the line is not `shown`, writing is all there is."""
        self._stream, self.shown, self._line = stream, shown, ""
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
        """Say how things are, in place of what was said before."""
        with self._lock:
            self._line = text
            if self.shown:
                self._stream.write(_CLEAR + self._cut(text))
                self._stream.flush()

    def write(self, text: str) -> int:
        """Write log lines above the line."""
        with self._lock:
            if self.shown and self._line:
                self._stream.write(_CLEAR + text.removesuffix("\n") + "\n" + self._cut(self._line))
            else:
                self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        """Have everything written."""
        self._stream.flush()

    def _cut(self, text: str) -> str:
        return for_log(text, max(shutil.get_terminal_size().columns - 1, 10))
