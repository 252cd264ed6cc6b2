"""From problems to a patch: the schema widened, examples, tables and history brought along, and all of it checked."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from monitors.acceptance import history, jsontext
from monitors.acceptance.examples import Verdict, add_invalid, add_valid, bodies_with, bodies_without, verdict
from monitors.acceptance.paths import steps
from monitors.acceptance.tables import with_docs_table, with_field_rows
from monitors.acceptance.tree import Judges, Tree
from monitors.acceptance.widening import ImpossibleError, Widened, widened
from monitors.checks import CHECKS

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import date

    from monitors.acceptance.known import Known
    from monitors.model import JSON

REASON = "Seen in answers; the vendor does not document it."
"""The reason of a change nobody gave another one for."""

_DOCS = "docs/contract.md"
_Changed = dict[str, str | None]


@dataclass(frozen=True, slots=True)
class _Choice:
    """A schema file widened so that the problem is gone, with bodies that show it, and bodies still wrong."""

    schema: str
    status: int
    widened: Widened
    shown: tuple[Any, ...]
    wrong: tuple[Any, ...]


@dataclass(slots=True)
class Proposal:
    """A change of the contract in the making; `left_out` tells of each problem that is not in it, and why."""

    tree: Tree
    today: date
    changed: list[str] = field(default_factory=list)
    left_out: list[tuple[Known, str]] = field(default_factory=list)

    def add(self, known: Known, seen: Sequence[JSON] = (), reason: str = REASON) -> None:
        """Take one more problem into the change; `seen` are the values at its place, where they are known."""
        try:
            choice = self._choose(known, tuple(seen))
            self._take(known, choice, reason)
        except ImpossibleError as error:
            self.left_out.append((known, str(error)))
        else:
            self.changed.append(f"{known.location}: {choice.widened.words}")

    def _choose(self, known: Known, seen: tuple[JSON, ...]) -> _Choice:
        judges = Judges(self.tree)
        statuses = _statuses(known, judges)
        options, refused = [], []
        for schema in dict.fromkeys(name for status in statuses for name in judges.files(status)):
            text = self.tree.read(f"schemas/{schema}.json") or ""
            try:
                found = widened(text, json.loads(text), known, seen)
            except ImpossibleError as error:
                refused.append(error)
                continue
            options += [(schema, option) for option in found]
        if not options:
            raise refused[0] if refused else ImpossibleError("its status is not documented")
        if not known.statuses and known.check is None and len({schema for schema, _ in options}) > 1:
            message = "the report does not say which status it came with; give the recorded answer itself"
            raise ImpossibleError(message)
        for schema, option in options:
            for status in (status for status in statuses if schema in judges.files(status)):
                choice = self._tried(known, judges, schema, status, option)
                if choice is not None:
                    return choice
        message = "no example of the contract shows it, so a change could not be checked"
        raise ImpossibleError(message)

    def _tried(self, known: Known, judges: Judges, schema: str, status: int, option: Widened) -> _Choice | None:
        """Return the option if examples prove that the problem is there without it and gone with it."""
        path = steps(known.location or "$")
        problem = [(known.rule, known.location)]
        after = Judges(self.tree, {schema: option.text})
        made = (
            [list(bodies_with(self.tree, status, path, sample)) for sample in option.samples]
            if option.samples
            else [list(bodies_without(self.tree, status, path))]
        )
        shown = []
        for bodies in made:
            telling = [body for body in bodies if verdict(judges, status, body) == problem]
            fine = [body for body in telling if not verdict(after, status, body)]
            if fine:
                shown.append(fine[0])
        if not shown:
            return None
        wrong = [next(bodies_with(self.tree, status, path, value), None) for value in option.wrong]
        return _Choice(schema, status, option, tuple(shown), tuple(body for body in wrong if body is not None))

    def _take(self, known: Known, choice: _Choice, reason: str) -> None:
        before, after = Judges(self.tree), Judges(self.tree, {choice.schema: choice.widened.text})
        changed = self._changed_examples(known, choice, before, after)
        schema_file = f"schemas/{choice.schema}.json"
        self.tree.write(schema_file, choice.widened.text)
        for name, text in changed.items():
            self.tree.write(name, text)
        add_valid(self.tree, known, choice.status, choice.shown)
        add_invalid(self.tree, after, known, schema=choice.schema, status=choice.status, bodies=choice.wrong)
        self._write_tables(choice.schema, json.loads(choice.widened.text))
        self._write_history(known, choice.widened.words, reason)

    def _changed_examples(self, known: Known, choice: _Choice, before: Judges, after: Judges) -> _Changed:
        """Return the invalid examples that would be invalid no more (None), or by another rule; valid ones stay so."""
        changed: _Changed = {}
        touched = {status for status in before.statuses if choice.schema in before.files(status)}
        for name, entry in self.tree.examples():
            status, body = entry["status"], entry["body"]
            if status not in touched:
                continue
            old, new = verdict(before, status, body), verdict(after, status, body)
            if old == new:
                continue
            if name.startswith("schemas/examples/valid/"):
                _refuse_if(_worse(old, new), name)
            elif not new:
                _refuse_if(entry.get("location") != known.location, name)
                changed[name] = None
            else:
                _refuse_if(len(new) != 1 or new[0][1] != entry.get("location"), name)
                changed[name] = jsontext.replaced(self.tree.read(name) or "", ("rule",), new[0][0])
        return changed

    def _write_tables(self, schema: str, document: Any) -> None:
        page = self.tree.read(_DOCS)
        if page is not None:
            self.tree.write(_DOCS, with_docs_table(page, schema, document))
        name = f"tests/schemas/fields/{schema}.tsv"
        table = self.tree.read(name)
        if table is not None:
            self.tree.write(name, with_field_rows(table, document))

    def _write_history(self, known: Known, words: str, reason: str) -> None:
        text = self.tree.read(history.DATA)
        if text is None:
            return
        seen = known.first_seen.date().isoformat() if known.first_seen else None
        event = history.Event(
            self.today.isoformat(), words, known.location, known.rule, seen, known.sites, reason or REASON
        )
        text = jsontext.with_item(text, (), history.as_json(event))
        self.tree.write(history.DATA, text)
        if self.tree.read(history.PAGE) is not None:
            self.tree.write(history.PAGE, history.page(history.read(text)))

    def newly_wrong(self, answers: Iterable[tuple[int, Any]]) -> list[str]:
        """Return what the changed contract says against recorded answers (status, body) that it did not say before."""
        now, before = Judges(self.tree), Judges(Tree(self.tree.root))
        said = []
        for status, body in answers:
            new = _worse(verdict(before, status, body), verdict(now, status, body))
            said += [f"{rule} at {location}" for rule, location in new]
        return list(dict.fromkeys(said))


def _worse(old: Verdict, new: Verdict) -> Verdict:
    return [one for one in new if one not in old]


def _refuse_if(condition: object, name: str) -> None:
    if condition:
        message = f"it would change what the example {name} shows"
        raise ImpossibleError(message)


def _statuses(known: Known, judges: Judges) -> list[int]:
    """Return the statuses the problem may have come with; every documented one where nothing tells."""
    if known.statuses:
        return [status for status in known.statuses if status in judges.statuses]
    check = CHECKS.get(known.check or "")
    return list(check.expected) if check else judges.statuses
