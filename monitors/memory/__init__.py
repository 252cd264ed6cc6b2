"""What the monitor remembers between probes: what was seen where since when, canary runs, drifts not yet confirmed."""

from monitors.memory.folding import Memory, Recollection
from monitors.memory.patience import Patience
from monitors.memory.session import Notes, Session, Shelf
from monitors.memory.state_dir import StateDir

__all__ = ["Memory", "Notes", "Patience", "Recollection", "Session", "Shelf", "StateDir"]
