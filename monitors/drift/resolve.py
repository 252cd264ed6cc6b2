"""References inside and between schema documents, followed lazily and without ever failing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urldefrag, urljoin

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_LONGEST_CHAIN = 64
_SAYS_NOTHING = frozenset({"$ref", "$defs", "definitions", "$schema", "$id", "$comment", "title", "description"})
_DATA = frozenset({"enum", "const", "default", "example", "examples"})


class Home:
    """The document a schema stands in, which is where its `$ref` are looked up.

    `neighbours` are the documents a reference may lead to, by absolute address; the same mapping is shared by all
    of them. Ids and anchors are indexed when the first reference needs them.
    """

    __slots__ = ("_named", "address", "neighbours", "root")

    def __init__(self, root: Any, address: str = "", neighbours: Mapping[str, Home] | None = None) -> None:
        """Take a document as it was parsed; nothing is read or checked yet."""
        self.root = root
        self.address = address
        self.neighbours: Mapping[str, Home] = {} if neighbours is None else neighbours
        self._named: dict[str, Any] | None = None

    def named(self) -> dict[str, Any]:
        """Return every schema of the document that has an `$id` or an anchor, by absolute address."""
        if self._named is None:
            self._named = dict(_named(self.root, self.address))
        return self._named


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """One schema as written, and where its references are looked up; several parts together mean "all of them"."""

    raw: Any
    home: Home
    address: str = ""


Parts = tuple[Part, ...]
"""Schemas that all hold at one place; the empty tuple is the schema that allows anything."""


def resolve(part: Part, reference: str) -> Part | None:
    """Return the schema a reference leads to, or None where it leads nowhere."""
    base = part.address or part.home.address
    address, fragment = urldefrag(_joined(base, reference))
    own = urldefrag(part.home.address)[0]
    homes = [part.home] if address in {own, ""} else []
    if address in part.home.neighbours:
        homes.append(part.home.neighbours[address])
    for home in homes:
        found = _inside(home, home.root, fragment, address) or _by_name(home, f"{home.address}#{fragment}")
        if found is not None:
            return found
    return _by_name(part.home, f"{address}#{fragment}") or _below_an_id(part.home, address, fragment)


def _by_name(home: Home, name: str) -> Part | None:
    return Part(home.named()[name], home, urldefrag(name)[0]) if name in home.named() else None


def _below_an_id(home: Home, address: str, fragment: str) -> Part | None:
    return _inside(home, home.named()[address], fragment, address) if address in home.named() else None


def _inside(home: Home, root: Any, fragment: str, address: str) -> Part | None:
    if fragment and not fragment.startswith("/"):
        return None
    node = root
    for step in fragment.split("/")[1:] if fragment else []:
        name = unquote(step).replace("~1", "/").replace("~0", "~")
        if isinstance(node, dict) and name in node:
            node = node[name]
        elif isinstance(node, list) and name.isdecimal() and name.isascii() and int(name[:9]) < len(node):
            node = node[int(name[:9])]
        else:
            return None
    return Part(node, home, address)


def _joined(base: str, reference: str) -> str:
    try:
        return urljoin(base, reference)
    except ValueError:
        return reference


def entered(part: Part) -> Part:
    """Return the part with its own `$id` as the address its references are relative to."""
    own = part.raw.get("$id") if isinstance(part.raw, dict) else None
    if not isinstance(own, str) or part.raw is part.home.root:
        return part
    return Part(part.raw, part.home, _joined(part.address or part.home.address, own))


def _named(root: Any, address: str) -> Iterator[tuple[str, Any]]:
    """Yield address and schema of each `$id`, `$anchor` and `$dynamicAnchor`; data (enum, const, …) is no schema."""
    waiting: list[tuple[Any, str]] = [(root, address)]
    while waiting:
        node, base = waiting.pop()
        if isinstance(node, list):
            waiting.extend((child, base) for child in node)
            continue
        if not isinstance(node, dict):
            continue
        if isinstance(node.get("$id"), str):
            base = urldefrag(_joined(base, node["$id"]))[0]
            yield base, node
        for keyword in ("$anchor", "$dynamicAnchor"):
            if isinstance(node.get(keyword), str):
                yield f"{base}#{node[keyword]}", node
        waiting.extend((child, base) for name, child in node.items() if name not in _DATA)


def flatten(parts: Parts) -> tuple[list[Part], list[tuple[str, list[Parts]]]]:
    """Follow `$ref` and open `allOf`: return the schemas that apply in place, and the unions among them.

    A union is its keyword with its variants. A reference in a circle adds nothing; one that leads nowhere allows
    anything.
    """
    flat: list[Part] = []
    unions: list[tuple[str, list[Parts]]] = []
    seen: set[int] = set()
    waiting = list(reversed(parts))
    while waiting:
        part = waiting.pop()
        if not isinstance(part.raw, dict):
            if part.raw is False:
                flat.append(part)
            continue
        if id(part.raw) in seen or len(seen) > _LONGEST_CHAIN * _LONGEST_CHAIN:
            continue
        seen.add(id(part.raw))
        here = entered(part)
        flat.append(here)
        unions.extend(_unions(here))
        waiting.extend(reversed(_applied(here)))
    return flat, unions


def _applied(here: Part) -> list[Part]:
    applied = []
    for keyword in ("$ref", "$dynamicRef"):
        reference = here.raw.get(keyword)
        target = resolve(here, reference) if isinstance(reference, str) else None
        if target is not None:
            applied.append(target)
    listed = here.raw.get("allOf")
    applied.extend(inside(here, child) for child in (listed if isinstance(listed, list) else ()))
    return applied


def _unions(here: Part) -> Iterator[tuple[str, list[Parts]]]:
    for keyword in ("oneOf", "anyOf"):
        listed = here.raw.get(keyword)
        if isinstance(listed, list) and listed:
            yield keyword, [(inside(here, child),) for child in listed]


def inside(part: Part, child: Any) -> Part:
    """Return a schema written inside another one."""
    return Part(child, part.home, part.address)


def shortened(parts: Parts) -> Parts:
    """Return the target of a schema that says nothing but `$ref`, so that one place has one name."""
    for _ in range(_LONGEST_CHAIN):
        raw = parts[0].raw if len(parts) == 1 else None
        if not isinstance(raw, dict) or not isinstance(raw.get("$ref"), str) or not raw.keys() <= _SAYS_NOTHING:
            return parts
        target = resolve(entered(parts[0]), raw["$ref"])
        if target is None:
            return parts
        parts = (target,)
    return parts


def key(parts: Parts) -> tuple[int, ...]:
    """Return what is equal for the same schemas at the same places; valid while their documents are alive."""
    return tuple(n for part in parts for n in (id(part.raw), id(part.home)))


def dangling(home: Home) -> list[str]:
    """Return each `$ref` of a document that leads nowhere, once."""
    lost: dict[str, None] = {}
    waiting: list[Part] = [Part(home.root, home)]
    while waiting:
        part = waiting.pop()
        if isinstance(part.raw, list):
            waiting.extend(inside(part, child) for child in part.raw)
        if not isinstance(part.raw, dict):
            continue
        here = entered(part)
        reference = part.raw.get("$ref")
        if isinstance(reference, str) and resolve(here, reference) is None:
            lost[reference] = None
        waiting.extend(inside(here, child) for name, child in part.raw.items() if name not in _DATA)
    return list(lost)
