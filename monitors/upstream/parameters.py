"""Parameters of the request compared."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from monitors.model import JSON, Change

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from monitors.upstream.view import View


def parameter_changes(base: View, revision: View) -> Iterator[Change]:
    """Yield the changes of the parameters; one in the path is known by its position, whatever its name."""
    renamed = _renamed(base.path, revision.path)
    new = {(place, renamed.get(name, name) if place == "path" else name): p for (place, name), p in
           revision.parameters.items()}  # fmt: skip
    for key, parameter in base.parameters.items():
        if key in new:
            yield from _changes(key, parameter, new[key])
        elif "x-overlay" not in parameter:
            yield Change(
                "request-parameter-removed",
                _where(key),
                _type(parameter),
                None,
                f"{_named(key)} is no longer described",
            )
    for key, parameter in new.items():
        if key not in base.parameters:
            kind = "required" if parameter.get("required") is True else "optional"
            message = f"{_named(key)} is new, and {kind}"
            yield Change(f"new-{kind}-request-parameter", _where(key), None, _type(parameter), message)


def _renamed(old: str, new: str) -> dict[str, str]:
    before, after = re.findall(r"\{([^{}]*)\}", old), re.findall(r"\{([^{}]*)\}", new)
    return dict(zip(after, before, strict=True)) if len(before) == len(after) else {}


def _changes(key: tuple[str, str], old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Change]:
    before, after = old.get("required") is True, new.get("required") is True
    if before != after:
        word = "required" if after else "optional"
        yield Change(f"request-parameter-became-{word}", _where(key), before, after, f"{_named(key)} became {word}")
    if not _same_type(_schema(old), _schema(new)):
        message = f"{_named(key)} was {_type(old)}, now {_type(new)}"
        yield Change("request-parameter-type-changed", _where(key), _type(old), _type(new), message)
    yield from _values(key, _schema(old).get("enum"), _schema(new).get("enum"))


def _values(key: tuple[str, str], old: Any, new: Any) -> Iterator[Change]:
    before, after = (old if isinstance(old, list) else None), (new if isinstance(new, list) else None)
    if before is None or after is None:
        return
    for value in before:
        if value not in after:
            message = f"{_named(key)} no longer takes {value!r}"
            yield Change("request-parameter-enum-value-removed", _where(key), value, None, message)
    for value in after:
        if value not in before:
            message = f"{_named(key)} may be {value!r}"
            yield Change("request-parameter-enum-value-added", _where(key), None, value, message)


def _schema(parameter: Mapping[str, Any]) -> Mapping[str, Any]:
    schema = parameter.get("schema")
    return schema if isinstance(schema, dict) else {}


def _same_type(old: Mapping[str, Any], new: Mapping[str, Any]) -> bool:
    """Tell whether types are equal; the tables of arguments print no format, so one side without is no difference."""
    formats = {schema["format"] for schema in (old, new) if "format" in schema}
    return old.get("type") == new.get("type") and len(formats) <= 1


def _type(parameter: Mapping[str, Any]) -> JSON:
    schema = _schema(parameter)
    return str(schema.get("format") or schema.get("type") or "any")


def _named(key: tuple[str, str]) -> str:
    return f"the {key[0]} parameter `{key[1]}`"


def _where(key: tuple[str, str]) -> str:
    return f"$.parameters['{key[1]}']"
