"""Where a store lies unless somebody says otherwise."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

APPLICATION = "model-lab-monitor"
FILE_NAME = "monitor.sqlite"
"""The file of the store in a state directory."""
OLD_FILES = ("memory.json", "canaries")
"""What earlier versions kept in a state directory."""


def default_state_dir(environ: Mapping[str, str]) -> Path:
    """Return where this platform keeps what programs remember (XDG Base Directory Specification on POSIX)."""
    if sys.platform == "win32":
        return Path(environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local") / APPLICATION
    given = environ.get("XDG_STATE_HOME", "")
    # The specification: a relative path is to be ignored.
    base = Path(given) if Path(given).is_absolute() else Path.home() / ".local" / "state"
    return base / APPLICATION


def has_old_files(folder: Path) -> bool:
    """Tell whether there is anything of earlier versions to be taken over in a directory."""
    return any((folder / name).exists() for name in OLD_FILES)
