"""Bodies judged against any schema, earlier bodies and bodies of other resources: `check` with `--schema` and kin."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from monitors import __version__, rules
from monitors.errors import UsageError
from monitors.model import Observation
from monitors.report import Report

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from monitors.model import JSON, Finding, Level


@dataclass(frozen=True, slots=True)
class Against:
    """What bodies are held against; all of it is optional, but not all of it may be absent."""

    schema: Path | None = None
    baseline: tuple[Path, ...] = ()
    samples: tuple[Path, ...] = ()

    @property
    def anything(self) -> bool:
        """Tell whether there is anything to hold a body against."""
        return self.schema is not None or bool(self.baseline or self.samples)


def sample_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options that name what bodies are held against."""
    path = click.Path(path_type=Path)
    for option in (
        click.option(
            "--sample", "samples", multiple=True, type=path, metavar="BODY",
            help="Body of another resource of the kind; may be repeated.",
        ),
        click.option(
            "--baseline", multiple=True, type=path, metavar="BODY",
            help="Earlier body of the same resource, oldest first; may be repeated.",
        ),
        click.option(
            "--schema", type=path, metavar="FILE",
            help="Judge raw bodies against this JSON Schema, OpenAPI document or shape in place of the contract.",
        ),
    ):  # fmt: skip
        function = option(function)
    return function


def judged(paths: Sequence[Path], against: Against, fail_on: Level | None) -> Report:
    """Return the report on raw JSON bodies; raises `UsageError` for a file that cannot be used."""
    from monitors.drift.documents import body_of, load  # noqa: PLC0415 - brings YAML
    from monitors.drift.samples import SampleJudge  # noqa: PLC0415 - brings the engine
    from monitors.jsonbody import parse  # noqa: PLC0415 - likewise

    parts = None if against.schema is None else body_of(load(against.schema))
    judge = SampleJudge(parts, _values(against.baseline), _values(against.samples))
    observations: list[Observation] = []
    findings: list[Finding] = []
    for path in paths:
        body = _bytes(path)
        parsed = parse(body)
        changes = [*parsed.flaws, *(judge.judge(parsed.value) if parsed.usable else ())]
        findings += rules.judge(changes, source=str(path))
        observations.append(_observation(path, len(body)))
    return Report(
        command="check", version=__version__, at=datetime.now(UTC), observations=tuple(observations),
        findings=tuple(findings), fail_on=fail_on,
    )  # fmt: skip


def _observation(path: Path, size: int) -> Observation:
    return Observation(
        site=None, check=None, at=None, method="GET", url="", run_id="", with_keys=False, body_size=size,
        source=str(path),
    )  # fmt: skip


def _values(paths: Sequence[Path]) -> list[JSON]:
    from monitors.jsonbody import parse  # noqa: PLC0415 - brings the parser

    values = []
    for path in paths:
        parsed = parse(_bytes(path))
        if not parsed.usable:
            message = f"{path}: {parsed.flaws[0].message}; only a JSON body can be compared with"
            raise UsageError(message)
        values.append(parsed.value)
    return values


def _bytes(path: Path) -> bytes:
    if str(path) == "-":
        return sys.stdin.buffer.read()
    try:
        return path.read_bytes()
    except OSError as error:
        message = f"{path}: cannot be read: {(error.strerror or str(error)).lower()}"
        raise UsageError(message) from error
