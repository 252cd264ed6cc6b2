"""The files of a checkout as they are and as they would be, without writing any."""

from __future__ import annotations

import difflib
import json
from typing import TYPE_CHECKING, Any

from referencing import Registry
from referencing.jsonschema import DRAFT202012

from monitors.errors import UsageError
from monitors.violations import Contract
from schemas.loading import BASE, DOCUMENTS, RUN_PATH
from schemas.loading import Contract as Documents

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

_NO_END = "\\ No newline at end of file\n"


class Tree:
    """Files below a root, by their path with `/`; what is written stays in memory. None stands for no such file."""

    def __init__(self, root: Path) -> None:
        """Take the checkout's root, the directory `schemas` lies in."""
        self.root = root
        self._before: dict[str, str | None] = {}
        self._after: dict[str, str | None] = {}
        self._examples: dict[str, tuple[str | None, dict[str, Any]]] = {}

    def read(self, name: str) -> str | None:
        """Return a file's text as it would be. Raises `UsageError` for one that is there and cannot be read."""
        if name in self._after:
            return self._after[name]
        if name not in self._before:
            self._before[name] = self._from_disk(name)
        return self._before[name]

    def _from_disk(self, name: str) -> str | None:
        path = self.root / name
        try:
            with path.open(encoding="utf-8", newline="") as file:
                return file.read()
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as error:
            message = f"cannot read {path}: {getattr(error, 'strerror', None) or error}"
            raise UsageError(message) from error

    def write(self, name: str, text: str | None) -> None:
        """Change a file, or take it away."""
        self.read(name)
        self._after[name] = text

    def json(self, name: str) -> Any:
        """Return a file's JSON. Raises `UsageError` where the file is missing or is none."""
        text = self.read(name)
        try:
            return json.loads(text or "")
        except ValueError as error:
            message = f"{self.root / name}: cannot be read as JSON; is this the contract's checkout?"
            raise UsageError(message) from error

    def examples(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Yield path and content (not to be changed) of each example, valid ones first, in the order of their names."""
        for kind in ("valid", "invalid"):
            folder = self.root / "schemas" / "examples" / kind
            on_disk = {path.relative_to(self.root).as_posix() for path in folder.rglob("*.json")}
            added = {name for name in self._after if name.startswith(f"schemas/examples/{kind}/")}
            for name in sorted(on_disk | added):
                text = self.read(name)
                if text is None:
                    continue
                if self._examples.get(name, (None,))[0] != text:
                    self._examples[name] = text, self.json(name)
                yield name, self._examples[name][1]

    def patch(self) -> str:
        """Return all changes as one patch that `git apply` and `patch -p1` take; empty where nothing changes."""
        return "".join(
            _file_patch(name, self._before[name], after)
            for name, after in sorted(self._after.items())
            if after != self._before[name]
        )


def _file_patch(name: str, before: str | None, after: str | None) -> str:
    old, new = _lines(before), _lines(after)
    head = f"diff --git a/{name} b/{name}\n"
    if before is None:
        head += "new file mode 100644\n"
    elif after is None:
        head += "deleted file mode 100644\n"
    sides = ("/dev/null" if before is None else f"a/{name}", "/dev/null" if after is None else f"b/{name}")
    lines = (line if line.endswith("\n") else f"{line}\n{_NO_END}" for line in difflib.unified_diff(old, new, *sides))
    return head + "".join(lines)


def _lines(text: str | None) -> list[str]:
    if not text:
        return []
    lines = [f"{line}\n" for line in text.split("\n")]
    if text.endswith("\n"):
        return lines[:-1]
    return [*lines[:-1], lines[-1][:-1]]


class Judges:
    """The contract of a tree, made ready to judge; `texts` stand in for files of the same name."""

    def __init__(self, tree: Tree, texts: Mapping[str, str] | None = None) -> None:
        """Read the schemas. Raises `UsageError` for one that is missing or no JSON."""
        texts = texts or {}
        documents = {
            name: json.loads(texts[name]) if name in texts else tree.json(f"schemas/{name}.json")
            for name in (*DOCUMENTS, "openapi")
        }
        registry: Registry[Any] = Registry().with_resources(
            (f"{BASE}{name}.json", DRAFT202012.create_resource(document)) for name, document in documents.items()
        )
        self.openapi = documents["openapi"]
        self._documents = Documents(self.openapi, documents, registry.crawl())
        self._made: dict[int, Contract | None] = {}

    def of(self, status: int) -> Contract | None:
        """Return what judges bodies of a status; None for a status that is not documented."""
        if status not in self._made:
            schema = self._documents.body_schema(status)
            self._made[status] = None if schema is None else Contract(schema)
        return self._made[status]

    @property
    def statuses(self) -> list[int]:
        """Every documented status."""
        return [int(status) for status in self.openapi["paths"][RUN_PATH]["get"]["responses"]]

    def files(self, status: int) -> list[str]:
        """Return the names of the schema files that describe the body of a status, without their suffix."""
        response = self.openapi["paths"][RUN_PATH]["get"]["responses"].get(str(status), {})
        schema = response.get("content", {}).get("application/json", {}).get("schema", {})
        return list(dict.fromkeys(self._files(schema)))

    def _files(self, schema: Any) -> Iterator[str]:
        reference = schema.get("$ref", "")
        if reference.startswith("#/"):
            target = self.openapi
            for step in reference[2:].split("/"):
                target = target[step]
            yield from self._files(target)
        elif reference:
            yield reference.removesuffix(".json")
        for branch in schema.get("anyOf", []):
            yield from self._files(branch)
