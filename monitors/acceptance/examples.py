"""Examples of the contract that show one problem, made of examples that are there."""

from __future__ import annotations

import copy
import json
import re
from itertools import count
from typing import TYPE_CHECKING, Any

from monitors import rules
from monitors.acceptance.paths import holders, steps, values
from monitors.violations import type_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from monitors.acceptance.known import Known
    from monitors.acceptance.paths import Path
    from monitors.acceptance.tree import Judges, Tree
    from monitors.model import JSON

Verdict = list[tuple[str, str]]
"""Rule and location of everything that is wrong or unknown."""

_FOLDERS = {"string-list-error": "auth-error"}
_ODD = re.compile(r"[^A-Za-z0-9_.]+")
_NAME_CHARS = 120


def verdict(judges: Judges, status: int, body: Any) -> Verdict:
    """Return rule and location of everything the contract says against a body, unknown members included."""
    contract = judges.of(status)
    if contract is None or contract.keeps(body):
        return []
    return [(rules.rule_id(change), change.location) for change in contract.explain(body)]


def bodies_with(tree: Tree, status: int, path: Path, value: JSON) -> Iterator[Any]:
    """Yield bodies of valid examples of a status, the smallest first, with the value put at the path."""
    for root in _roots(tree, status):
        for holder, key in list(holders(root, path))[:1]:
            holder[key] = value
            yield root[""]


def bodies_without(tree: Tree, status: int, path: Path) -> Iterator[Any]:
    """Yield bodies of valid examples of a status, the smallest first, with the member at the path taken away."""
    for root in _roots(tree, status):
        for holder, key in [(holder, key) for holder, key in holders(root, path) if key in holder][:1]:
            del holder[key]
            yield root[""]


def _roots(tree: Tree, status: int) -> Iterator[dict[str, Any]]:
    found = [
        # What was proposed before comes last: it shows something else as well.
        ("/seen-" in name, len(json.dumps(entry["body"])), name, entry["body"])
        for name, entry in tree.examples()
        if name.startswith("schemas/examples/valid/") and entry["status"] == status
    ]
    for *_, body in sorted(found, key=lambda row: row[:3]):
        yield {"": copy.deepcopy(body)}


def add_valid(tree: Tree, known: Known, status: int, bodies: Sequence[Any]) -> None:
    """Write valid examples that show what is true now."""
    for body in bodies:
        entry = {"status": status, "note": f"Seen, not documented: {known.rule}.", "body": body}
        name = f"seen-{_slug(known)}-{known.rule.removeprefix('response-property-').removeprefix('response-')}"
        _add(tree, f"schemas/examples/valid/{status}/{_short(name)}", entry)


def add_invalid(tree: Tree, judges: Judges, known: Known, *, schema: str, status: int, bodies: Sequence[Any]) -> None:
    """Write invalid examples that pin the limits of what is true now; bodies that break more than one rule are left."""
    for body in bodies:
        broken = verdict(judges, status, body)
        if len(broken) != 1 or judges.of(status) is None:
            continue
        [(rule, location)] = broken
        folder, suffix = _kind(rule, body, known)
        entry = {"status": status, "location": location, "rule": rule, "note": "Beyond what was seen.", "body": body}
        name = _short(f"{_slug(known)}-{suffix}")
        _add(tree, f"schemas/examples/invalid/{_FOLDERS.get(schema, schema)}/{folder}/{name}", entry)


def _kind(rule: str, body: Any, known: Known) -> tuple[str, str]:
    if rule.endswith("became-nullable"):
        return "null", "is-null"
    if rule.endswith(("-increased", "-decreased")):
        return "bound", "beyond-what-was-seen"
    kind = next((type_of(value) for value in values(body, steps(known.location or "$"))), "missing")
    return "type", f"is-{'an' if kind[0] in 'aeiou' else 'a'}-{kind}"


def _slug(known: Known) -> str:
    place = (known.location or "$").removeprefix("$").removeprefix(".").replace("[*]", ".item") or "root"
    return _ODD.sub("-", place)


def _short(name: str) -> str:
    return name if len(name) <= _NAME_CHARS else name[:_NAME_CHARS]


def _add(tree: Tree, stem: str, entry: dict[str, JSON]) -> None:
    name = next(
        name for number in count(1) if tree.read(name := f"{stem}{f'-{number}' if number > 1 else ''}.json") is None
    )
    tree.write(name, json.dumps(entry, indent=2, ensure_ascii=False) + "\n")
