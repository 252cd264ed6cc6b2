"""The page about the contract tests says what there is, all of it."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import contract_tests

if TYPE_CHECKING:
    from collections.abc import Callable

PAGE = (Path(__file__).parents[2] / "docs" / "contract-tests.md").read_text()
FOLDER = Path(contract_tests.__file__).parent
COMMANDS = [
    line
    for block in re.findall(r"```console\n(.*?)```", PAGE, re.DOTALL)
    for line in block.splitlines()
    if line.startswith("pytest ")
]


def test_every_test_stands_in_the_table() -> None:
    written = re.findall(r"^\| `(test_\w+)` \|", PAGE, re.MULTILINE)
    there = [
        name
        for path in sorted(FOLDER.glob("test_*.py"))
        for name in re.findall(r"^def (test_\w+)\(", path.read_text(), re.MULTILINE)
    ]
    assert sorted(written) == sorted(there)


def test_every_option_stands_in_the_table() -> None:
    written = re.findall(r"^\| `(--[\w-]+) ", PAGE, re.MULTILINE)
    there = re.findall(
        r'^        "(--[\w-]+)",$|addoption\("(--[\w-]+)"', (FOLDER / "conftest.py").read_text(), re.MULTILINE
    )
    assert sorted(written) == sorted("".join(pair) for pair in there)


@pytest.mark.usefixtures("_no_keys")
@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_is_understood(command: str, run_suite: Callable[..., Any]) -> None:
    program, folder, *arguments = shlex.split(command)
    assert (program, folder) == ("pytest", "contract_tests")
    known = [argument for argument in arguments if argument not in {"-n", "2"}]
    outcome = run_suite("--collect-only", "-q", *known)
    assert outcome.exit_code == 0, outcome.output
