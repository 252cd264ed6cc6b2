"""Start of the command line against the import of the library it is made with."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from measure import Row, interleaved, markdown


def rows() -> list[Row]:
    """Time whole processes in turn: `model-lab-monitor --help` and `python -c 'import click'`."""
    ours = [str(Path(sys.executable).parent / "model-lab-monitor"), "--help"]
    theirs = [sys.executable, "-c", "import click"]

    def run(command: list[str]) -> None:
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)

    ours_s, theirs_s = interleaved(lambda: run(ours), lambda: run(theirs), rounds=15, ours_n=2, theirs_n=2)
    ratio = ours_s / theirs_s
    return [
        Row("`model-lab-monitor --help` against `python -c 'import click'`",
            f"{ours_s * 1e3:.0f} ms", f"{theirs_s * 1e3:.0f} ms", f"{ratio:.2f} ×", "≤ 2 ×", ratio <= 2),
    ]  # fmt: skip


if __name__ == "__main__":
    print(markdown(rows()))
