from __future__ import annotations

import sys
from pathlib import Path

import pytest

from monitors.store import default_state_dir


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX follows XDG")
def test_the_default_follows_the_platform() -> None:
    assert default_state_dir({"XDG_STATE_HOME": "/var/state"}) == Path("/var/state/model-lab-monitor")
    own = Path.home() / ".local" / "state" / "model-lab-monitor"
    assert default_state_dir({}) == own
    assert default_state_dir({"XDG_STATE_HOME": "relative"}) == own
