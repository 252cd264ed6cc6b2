"""`propose`: the change of the contract that makes findings true, as a patch people review."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from monitors.commands.accepted import accepted_option, entries_of
from monitors.commands.output import destination, note
from monitors.errors import HarnessError, UsageError
from monitors.exit_codes import ExitCode

if TYPE_CHECKING:
    from monitors.acceptance.book import Entry
    from monitors.acceptance.known import Known
    from monitors.acceptance.proposal import Proposal
    from monitors.model import JSON

_MAX_REPORT_BYTES = 256 * 2**20
_MAX_VALUES = 20


@click.command("propose", short_help="Write a patch of the contract that makes findings true.")
@click.argument("fingerprints", nargs=-1, metavar="[FINGERPRINT]…")
@click.option(
    "--from",
    "sources",
    multiple=True,
    required=True,
    type=click.Path(path_type=Path, allow_dash=True),
    metavar="FILE|DIR",
    help="Report as probe or check print it with --format json, or recorded answers; may be repeated.",
)
@click.option("--reason", metavar="TEXT", help="Why, for the history.  [default: the reason it was accepted with]")
@click.option(
    "--output",
    type=click.Path(path_type=Path, allow_dash=True),
    metavar="FILE",
    help="Write the patch there in place of stdout.",
)
@click.option(
    "--checkout",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Checkout the patch is for.  [default: the one this runs from]",
)
@click.option(
    "--status",
    type=click.IntRange(100, 599),
    metavar="STATUS",
    help="HTTP status that raw JSON bodies came with.  [default: 200]",
)
@accepted_option
def command(
    *,
    fingerprints: tuple[str, ...],
    sources: tuple[Path, ...],
    reason: str | None,
    output: Path | None,
    checkout: Path | None,
    status: int | None,
    accepted: Path | None,
) -> int:
    """Write the change of the contract that makes findings true: schema, examples, tables and history, as a patch.

    Apply it with git apply or patch -p1. Without any FINGERPRINT, whatever can be proposed is; the rest is said on
    stderr. What widens the contract for what was seen is proposed, never what narrows it.
    """
    from monitors.acceptance.known import chosen  # noqa: PLC0415 - beside its only use
    from monitors.acceptance.proposal import REASON, Proposal  # noqa: PLC0415 - brings the validator
    from monitors.acceptance.tree import Tree  # noqa: PLC0415 - likewise

    entries = {entry.fingerprint: entry for entry in entries_of(accepted)}
    with destination(output) as write:
        seen = _Seen(status)
        for source in sources:
            seen.read(source)
        known = seen.problems()
        wanted = chosen(known, fingerprints) if fingerprints else known
        proposal = Proposal(Tree(checkout or _checkout()), datetime.now(UTC).date())
        for one in wanted:
            proposal.add(one, seen.values(one), _reason(reason, entries.get(one.fingerprint)) or REASON)
        _check(proposal, seen)
        if proposal.left_out and fingerprints:
            one, why = proposal.left_out[0]
            message = f"{one.fingerprint} ({one.words}): {why}; accept it instead, or change the contract by hand"
            raise UsageError(message)
        write(proposal.tree.patch())
    _say(proposal)
    return ExitCode.OK


def _checkout() -> Path:
    import schemas  # noqa: PLC0415 - beside its only use

    return schemas.OPENAPI_PATH.parents[1]


def _reason(given: str | None, entry: Entry | None) -> str:
    return " ".join((given or (entry.reason if entry else "")).split())


def _say(proposal: Proposal) -> None:
    for words in proposal.changed:
        note(words)
    for one, why in proposal.left_out:
        note(f"left out: {one.fingerprint} ({one.words}): {why}")
    if not proposal.changed:
        note("nothing to propose")


def _check(proposal: Proposal, seen: _Seen) -> None:
    """Hold the recorded answers against the changed contract: nothing new may be wrong with them.

    Raises `HarnessError`, for such a patch must not leave this place.
    """
    said = proposal.newly_wrong(seen.answers)
    if said:
        message = f"the change would bring up what was not wrong before: {said[0]}"
        raise HarnessError(message)


@dataclass(slots=True)
class _Seen:
    """What the sources hold: problems, and the answers themselves where they are recorded."""

    status: int | None
    found: list[Known] = field(default_factory=list)
    answers: list[tuple[int, Any]] = field(default_factory=list)
    bodies: dict[str, list[Any]] = field(default_factory=dict)

    def read(self, source: Path) -> None:
        """Read a report or recorded answers. Raises `UsageError`."""
        from monitors.acceptance.known import is_report, read_report  # noqa: PLC0415 - beside its only use

        text = _report_text(source)
        try:
            document = json.loads(text) if text else None
        except (ValueError, RecursionError):
            document = None
        if is_report(document):
            self.found += read_report(text, str(source))
        else:
            self._read_answers(source)

    def _read_answers(self, source: Path) -> None:
        from monitors import jsonbody  # noqa: PLC0415 - brings the validator
        from monitors.acceptance.known import of_answer  # noqa: PLC0415 - beside its only use
        from monitors.contract import judge  # noqa: PLC0415 - brings the validator
        from monitors.model import Observation  # noqa: PLC0415 - beside its only use
        from monitors.recordings import read  # noqa: PLC0415 - brings YAML

        for entry in read(source, status=self.status):
            if not isinstance(entry, Observation):
                continue
            problems = of_answer(entry, judge(entry))
            self.found += problems
            if not problems or entry.status is None:
                continue
            parsed = jsonbody.explain(entry.body)  # exact: the fast reader rounds integers beyond 64 bits
            if parsed.usable:
                self.answers.append((entry.status, parsed.value))
                for problem in problems:
                    self.bodies.setdefault(problem.fingerprint, []).append(parsed.value)

    def problems(self) -> list[Known]:
        """Return each problem once."""
        from monitors.acceptance.known import merged  # noqa: PLC0415 - beside its only use

        return merged(self.found)

    def values(self, known: Known) -> list[JSON]:
        """Return the different values that stand where a problem is, as far as answers are recorded."""
        from monitors.acceptance.paths import steps, values  # noqa: PLC0415 - beside its only use

        try:
            path = steps(known.location or "")
        except ValueError:
            return []
        found: dict[type, dict[str, JSON]] = {}
        for body in self.bodies.get(known.fingerprint, ()):
            for value in values(body, path):
                alike = found.setdefault(type(value), {})
                if len(alike) < _MAX_VALUES:
                    alike[json.dumps(value)] = value
        return [value for alike in found.values() for value in alike.values()]


def _report_text(source: Path) -> str:
    """Return the text of what may be a report; nothing for directories, standard input and what is too large."""
    try:
        if str(source) != "-" and source.is_file() and source.stat().st_size <= _MAX_REPORT_BYTES:
            return source.read_text("utf-8-sig")
    except (OSError, ValueError):
        pass  # whoever reads it as a recording says what is wrong
    return ""
