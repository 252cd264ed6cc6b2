"""GitHub as the nightly workflow sees it: runners that begin empty, and what is kept between them."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / "deploy" / "github" / "history.sh"
GH = """
import os, pathlib, subprocess, sys

hub = pathlib.Path(os.environ["HUB"])
path = sys.argv[2]
with (hub / "asked").open("a") as asked:
    asked.write(" ".join(sys.argv[1:3]) + "\\n")
assert sys.argv[1] == "api" and os.environ["GH_TOKEN"] == "token"
trouble = hub / "trouble"
if trouble.exists() and (left := int(trouble.read_text())):
    trouble.write_text(str(left - 1))
    print('{"message": "Server Error"}')
    sys.exit(1)
if path.endswith("/zip"):
    sys.stdout.buffer.write((hub / path.split("/")[-2]).read_bytes())
else:
    answer = "artifacts.json" if "/artifacts?" in path else "repository.json"
    sys.exit(subprocess.run(["jq", "-r", sys.argv[sys.argv.index("--jq") + 1], hub / answer]).returncode)
"""


@dataclass(frozen=True)
class Night:
    """One run on a runner of its own; `hub` is what GitHub keeps between runs."""

    hub: Path
    runner: Path
    environ: dict[str, str]

    @property
    def state(self) -> Path:
        return self.runner / "history"

    def does(self, what: str, **environ: str) -> subprocess.CompletedProcess[str]:
        """Run the history script."""
        return self._run([str(SCRIPT), what], environ)

    def step(self, script: str, **environ: str) -> subprocess.CompletedProcess[str]:
        """Run the script of a step as a runner with `shell: bash` does."""
        return self._run(["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script], environ)

    def _run(self, command: list[str], environ: dict[str, str]) -> subprocess.CompletedProcess[str]:
        return subprocess.run(  # noqa: S603 - scripts of ours
            command, cwd=self.runner, env=self.environ | environ, capture_output=True, text=True, check=False
        )

    def keeps(self, number: int, **about: Any) -> None:
        """Do what actions/upload-artifact does with what was packed."""
        (packed,) = self.runner.glob("history.tar.gz*")
        with zipfile.ZipFile(self.hub / str(number), "w") as archive:
            archive.write(packed, packed.name)
        self.lists(number, **about)

    def lists(
        self,
        number: int,
        *,
        at: str = "2026-01-01T00:00:00Z",
        branch: str = "main",
        owner: int = 1,
        expired: bool = False,
    ) -> None:
        file = self.hub / "artifacts.json"
        kept = json.loads(file.read_text())
        run = {"head_branch": branch, "head_repository_id": owner, "repository_id": 1}
        kept["artifacts"].append({"id": number, "created_at": at, "expired": expired, "workflow_run": run})
        file.write_text(json.dumps(kept))


@pytest.fixture
def tools() -> None:
    """Go on only where the tools of GitHub's runners are."""
    for name in ("jq", "gpg", "unzip"):
        if shutil.which(name) is None:
            message = f"{name} is not here: install Debian's package {name}"
            (pytest.fail if os.environ.get("CI") else pytest.skip)(message)


@pytest.fixture
def hub(tmp_path: Path) -> Path:
    """Return what GitHub knows: a private repository without artifacts."""
    folder = tmp_path / "hub"
    folder.mkdir()
    (folder / "artifacts.json").write_text('{"artifacts": []}')
    (folder / "repository.json").write_text('{"visibility": "private"}')
    return folder


@pytest.fixture
def nights(tools: None, hub: Path, tmp_path: Path) -> list[Night]:  # noqa: ARG001 - a condition, not a value
    """Return three runners, each as empty as GitHub's are."""
    programs = tmp_path / "bin"
    programs.mkdir()
    gh = programs / "gh"
    gh.write_text(f"#!{sys.executable}\n{GH}")
    gh.chmod(0o755)
    made = []
    for number in range(3):
        runner = tmp_path / f"runner-{number}"
        (runner / "home").mkdir(parents=True)
        environ = {
            "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}",
            "HOME": str(runner / "home"),
            "HUB": str(hub),
            "GH_TOKEN": "token",
            "GITHUB_REPOSITORY": "example/model-lab",
            "GITHUB_REF_NAME": "main",
            "MODEL_LAB_MONITOR_STATE_DIR": "history",
            "HISTORY_PAUSE_S": "0",
        }
        made.append(Night(hub, runner, environ))
    return made
