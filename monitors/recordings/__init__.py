"""Recorded traffic read offline: raw bodies, HAR, cassettes and expectations become observations."""

from monitors.recordings.entry import Aside, LeftAside
from monitors.recordings.reading import MAX_FILE_BYTES, count_files, read

__all__ = ["MAX_FILE_BYTES", "Aside", "LeftAside", "count_files", "read"]
