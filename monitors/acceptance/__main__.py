"""Print docs/contract-history.md as schemas/history.json has it."""

from __future__ import annotations

import sys
from importlib.resources import files

from monitors.acceptance.history import page, read

if __name__ == "__main__":
    sys.stdout.write(page(read(files("schemas").joinpath("history.json").read_text("utf-8"))))
