"""Standard error for a program that must not die of it: what cannot be written there is counted and let go."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

_END = b"\n"


class _Lossy(io.FileIO):
    """A file that takes everything: what it has no room for is lost, in whole lines, and `lost` counts those."""

    def __init__(self, handle: int) -> None:
        """Write to an open file, which stays open."""
        super().__init__(handle, "w", closefd=False)
        self.lost = 0
        self._rest = b""

    def write(self, data: ReadableBuffer, /) -> int:
        """Write what can be written. The rest of a line that was begun comes before anything else."""
        given = bytes(data)
        if not self._put(self._rest):
            self.lost += given.count(_END)
            return len(given)
        self._put(given)
        return len(given)

    def _put(self, data: bytes) -> bool:
        """Write it all, or keep the rest of the line that is begun and count the others; tells whether all went out."""
        written = 0
        try:
            while written < len(data):
                written += self._written(data[written:])
        except (OSError, ValueError):
            end = written
            if data is self._rest or (written and data[written - 1 : written] != _END):
                end = data.find(_END, written) + 1 or len(data)
            self._rest = data[written:end]
            self.lost += data.count(_END, end)
            return False
        self._rest = b""
        return True

    def _written(self, data: bytes) -> int:
        count = super().write(data)
        if not count:
            # A pipe that does not block is full.
            raise BlockingIOError
        return count


class ErrorStream(io.TextIOWrapper):
    """A text stream that never fails; `lost` counts the lines that found no room."""

    def __init__(self, stream: TextIO) -> None:
        """Stand in for a stream that has a file behind it."""
        self._file = _Lossy(stream.fileno())
        super().__init__(
            io.BufferedWriter(self._file), encoding=stream.encoding, errors="backslashreplace", line_buffering=True
        )

    @property
    def lost(self) -> int:
        """How many lines could not be written so far."""
        return self._file.lost
