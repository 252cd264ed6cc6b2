"""Keywords of one place compared: types, allowed values, formats and limits."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

from monitors.drift.deltas import Delta, brief, quoted, values
from monitors.drift.names import alike, spelled
from monitors.drift.plain import Bound, Plain, canonical, matches

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any

MACHINE_EDGES = frozenset(
    sign * (2**bits + edge) for bits in (7, 8, 15, 16, 31, 32, 53, 63, 64) for edge in (-1, 0) for sign in (1, -1)
)
"""Where a machine's numbers end, one below or at a power of two."""
DECODED = frozenset({"date-time", "date", "time", "duration", "uuid", "byte", "binary", "ipv4", "ipv6"})
"""Formats of strings for which generated clients use a type of their own, so another text fails to decode."""
_NUMERIC = {"int32": ("int32", "int64"), "float": ("float", "double")}
_DEFAULT_WIDTH = {"int64", "double"}
_SIZE_RULES = {
    "maxLength": ("max-length-increased", "max-length-unset", "string"),
    "minLength": ("min-length-decreased", "min-length-decreased", "string"),
    "maxItems": ("max-items-increased", "max-items-increased", "array"),
    "minItems": ("min-items-decreased", "min-items-unset", "array"),
    "maxProperties": ("max-properties-increased", "max-properties-increased", "object"),
    "minProperties": ("min-properties-decreased", "min-properties-decreased", "object"),
    "maxContains": ("max-contains-increased", "max-contains-increased", "array"),
    "minContains": ("min-contains-decreased", "min-contains-decreased", "array"),
}
"""Per limit on a size: the change when it is loosened, when it is taken away, and the type it speaks of."""
_TIGHTENED = {"maxContains": "max-contains-decreased", "minContains": "min-contains-increased"}
_MAX_SIMILAR = 200


def words(types: frozenset[str]) -> str:
    """Return types in words, in a fixed order."""
    return " or ".join(sorted(types)) or "nothing"


def covers(types: frozenset[str], name: str) -> bool:
    """Tell whether a value of a type is of one of these types: an integer is a number too."""
    return name in types or (name == "integer" and "number" in types)


def common(base: frozenset[str], revision: frozenset[str]) -> frozenset[str]:
    """Return the types of the revision that the base knows."""
    return frozenset(name for name in revision if covers(base, name) or (name == "number" and "integer" in base))


def type_changes(base: Plain, revision: Plain, *, union: bool) -> Iterator[Delta]:
    """Compare types but null; a union's reader looks what came, so a further type is a further variant."""
    old, new = base.types, revision.types
    added = frozenset(name for name in new if not covers(old, name))
    if not added:
        gone = frozenset(name for name in old if not covers(new, name) and not (name == "number" and "integer" in new))
        if gone:
            yield _types("list-of-types-narrowed", old, new, f"was {words(old)}, now only {words(new)}")
        elif old != new:
            yield _types("type-specialized", old, new, f"was {words(old)}, now only {words(new)}")
    elif not common(old, new):
        yield _types("type-changed", old, new, f"was {words(old)}, now {words(new)}")
    elif union:
        yield _types("variant-added", old, new, f"may now be {words(added)} too")
    elif added == {"number"} and "integer" in old:
        yield _types("type-generalized", old, new, "was integer, now any number: fractions may come")
    else:
        yield _types("list-of-types-widened", old, new, f"was {words(old)}, may now be {words(added)} too")


def _types(what: str, old: frozenset[str], new: frozenset[str], message: str) -> Delta:
    return Delta(what, (), words(old), words(new), message)


def enum_changes(base: Plain, revision: Plain) -> Iterator[Delta]:
    """Compare the values a place may have, null aside."""
    if base.enum is None or revision.enum is None:
        yield from _enum_or_open(base, revision)
        return
    added = {text: value for text, value in revision.enum.items() if text not in base.enum}
    removed = {text: value for text, value in base.enum.items() if text not in revision.enum}
    if added and len(base.enum) == 1 and removed:
        old, new = next(iter(base.enum.values())), list(revision.enum.values())
        message = f"was always {quoted(old)}, now {values(new)}"
        yield Delta("const-changed", (), brief(old), brief(new[0] if len(new) == 1 else new), message)
        return
    gone = len(removed) == len(base.enum)
    for went, came in _renamed(removed, added, everything=gone or len(removed) == len(added)):
        message = f"the value {quoted(removed[went])} is now {quoted(added[came])}"
        yield Delta("enum-value-renamed", (), brief(removed.pop(went)), brief(added.pop(came)), message)
    for value in added.values():
        yield Delta("enum-value-added", (), None, brief(value), f"the new value {quoted(value)} may come")
    for value in removed.values():
        yield Delta("enum-value-removed", (), brief(value), None, f"the value {quoted(value)} no longer comes")


def _enum_or_open(base: Plain, revision: Plain) -> Iterator[Delta]:
    if base.enum is not None:
        old = list(base.enum.values())
        what = "const-removed" if base.constant else "enum-opened"
        yield Delta(what, (), brief(old), None, f"was one of {values(old)}, now any {words(revision.types)}")
    elif revision.enum is not None:
        new = list(revision.enum.values())
        what = "const-added" if revision.constant else "enum-introduced"
        yield Delta(what, (), None, brief(new), f"is now one of {values(new)}")


def _renamed(removed: Mapping[str, Any], added: Mapping[str, Any], *, everything: bool) -> list[tuple[str, str]]:
    """Pair values that went with values that came: other spellings first, then names alike, then as many as are left.

    Values that were replaced by as many others, or that all went, are taken for renamed whatever they are called.
    """
    pairs: list[tuple[str, str]] = []
    left, right = dict.fromkeys(sorted(removed)), dict.fromkeys(sorted(added))
    by_spelling = {spelled(str(added[text])): text for text in right}

    def pair(old: str, new: str) -> None:
        pairs.append((old, new))
        del left[old], right[new]

    for old in list(left):
        new = by_spelling.get(spelled(str(removed[old])))
        if new is not None and new in right and isinstance(removed[old], str):
            pair(old, new)
    for old in list(left)[:_MAX_SIMILAR]:
        likely = (new for new in list(right)[:_MAX_SIMILAR] if _alike(removed[old], added[new]))
        if (new := next(likely, None)) is not None:
            pair(old, new)
    if everything:
        pairs.extend(zip(list(left), list(right), strict=False))
    return pairs


def _alike(one: Any, other: Any) -> bool:
    return isinstance(one, str) and isinstance(other, str) and alike(one, other)


def format_changes(base: Plain, revision: Plain) -> Iterator[Delta]:
    """Compare formats: a reader decodes some of them into types of their own, others are mere advice."""
    old, new = base.formats, revision.formats
    if old == new:
        return
    lost, gained = ", ".join(sorted(old)) or "none", ", ".join(sorted(new)) or "none"
    message = f"the format was {lost}, now {gained}"
    yield Delta(_format_rule(old, new), (), lost, gained, message)


def _format_rule(old: frozenset[str], new: frozenset[str]) -> str:
    if not old or old < new:
        return "type-specialized"
    for narrow, both in _NUMERIC.items():
        if new and (old | new) <= set(both):
            return "type-generalized" if narrow in old else "type-specialized"
    if not new:
        if old & _DEFAULT_WIDTH:
            return "type-compatible"
        return "type-generalized" if old & (DECODED | _NUMERIC.keys()) else "format-removed"
    return "type-changed" if old & (DECODED | _NUMERIC.keys() | _DEFAULT_WIDTH) else "format-changed"


def limit_changes(base: Plain, revision: Plain, shared: frozenset[str]) -> Iterator[Delta]:
    """Compare limits on numbers, sizes and text, where values of the type they speak of may come on both sides."""
    if revision.enum is not None and all(keeps(base, value) for value in revision.enum.values()):
        return
    if shared & {"integer", "number"}:
        yield from _number_changes(base, revision)
    if "string" in shared:
        yield from _text_changes(base, revision)
    if shared & {"string", "integer", "number"}:
        yield from format_changes(base, revision)
    if "array" in shared and base.unique and not revision.unique:
        yield Delta("unique-items-unset", (), True, False, "items may repeat now")
    for name, (loosened, unset, kind) in _SIZE_RULES.items():
        if kind in shared:
            yield from _size_change(base, revision, name, loosened, unset)


def keeps(plain: Plain, value: Any) -> bool:
    """Tell whether a scalar keeps the limits on numbers and text."""
    if isinstance(value, str):
        sizes, length = plain.sizes, len(value)
        fits = sizes.get("minLength", 0) <= length <= sizes.get("maxLength", length)
        return fits and all(matches(pattern, value) for pattern in plain.patterns)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return within(plain, value) and all(multiple(value, step) for step in plain.multiples)
    return not isinstance(value, list | dict)


def within(plain: Plain, value: float) -> bool:
    """Tell whether a number is inside the bounds."""
    return not (beyond((value, False), plain.upper, 1) or beyond((value, False), plain.lower, -1))


def multiple(value: float, step: float) -> bool:
    """Tell whether a number is a multiple of a step, as far as floating point can tell."""
    if step == 0:
        return True
    if isinstance(value, int) and isinstance(step, int):
        return value % step == 0
    try:
        quotient = value / step
        return abs(quotient - round(quotient)) < 1e-9  # noqa: PLR2004  # decimal steps such as 0.1 are no binary ones
    except (OverflowError, ValueError):
        return _exactly(value, step)


def _exactly(value: float, step: float) -> bool:
    """Tell the same of numbers no double can tell it of: by their decimal digits; no infinity is a multiple."""
    try:
        return Fraction(str(value)) % Fraction(str(step)) == 0
    except ValueError:
        return False


def beyond(bound: Bound | None, limit: Bound | None, sign: int) -> bool:
    """Tell whether a bound allows what a limit forbids; sign 1 for upper bounds, -1 for lower ones."""
    if limit is None:
        return False
    if bound is None:
        return True
    if bound[0] == limit[0]:
        return limit[1] and not bound[1]
    return _more(bound[0], limit[0], sign)


def _more(one: float, other: float, sign: int) -> bool:
    """Tell whether a number lies further out; they are not subtracted, since an integer may be longer than a double."""
    return one > other if sign > 0 else one < other


def _number_changes(base: Plain, revision: Plain) -> Iterator[Delta]:
    for old, new, sign, what in (
        (base.upper, revision.upper, 1, "max-increased"),
        (base.lower, revision.lower, -1, "min-decreased"),
    ):
        words_old, words_new = bound_words(old, sign), bound_words(new, sign)
        message = f"was {words_old}, now {words_new}"
        if beyond(new, old, sign):
            machine = old is not None and old[0] in MACHINE_EDGES
            yield Delta(what if machine else "range-widened", (), words_old, words_new, message)
        elif old != new:
            yield Delta("constraint-tightened", (), words_old, words_new, message)
    lost = [step for step in base.multiples if not any(multiple(other, step) for other in revision.multiples)]
    if lost and not (base.multiples == {1} and revision.types == {"integer"}):
        message = f"need no longer be a multiple of {lost[0]}"
        yield Delta("multiple-of-changed", (), brief(lost[0]), None, message)


def bound_words(bound: Bound | None, sign: int) -> str:
    """Return a bound in words; sign 1 for upper bounds, -1 for lower ones."""
    if bound is None:
        return "unbounded"
    inclusive, exclusive = ("at most", "below") if sign > 0 else ("at least", "above")
    return f"{exclusive if bound[1] else inclusive} {bound[0]}"


def _text_changes(base: Plain, revision: Plain) -> Iterator[Delta]:
    lost, gained = sorted(base.patterns - revision.patterns), sorted(revision.patterns - base.patterns)
    if lost:
        what = "pattern-changed" if gained else "pattern-removed"
        yield Delta(what, (), brief(lost[0]), brief(gained[0]) if gained else None, f"need not match {quoted(lost[0])}")
    elif gained:
        yield Delta("pattern-added", (), None, brief(gained[0]), f"matches {quoted(gained[0])} now")
    for name, what in (("contentEncoding", "content-encoding"), ("contentMediaType", "content-media-type")):
        old, new = base.content.get(name), revision.content.get(name)
        if old != new and old is not None:
            yield Delta(f"{what}-changed", (), brief(old), brief(new), f"{name} was {quoted(old)}, now {quoted(new)}")


def _size_change(base: Plain, revision: Plain, name: str, loosened: str, unset: str) -> Iterator[Delta]:
    old, new = _size(base, name), _size(revision, name)
    if old == new:
        return
    sign = 1 if name.startswith("max") else -1
    message = f"`{name}` was {_shown(old)}, now {_shown(new)}"
    if old is not None and (new is None or _more(new, old, sign)):
        yield Delta(unset if new is None else loosened, (), brief(old), brief(new), message)
    else:
        yield Delta(_TIGHTENED.get(name, "constraint-tightened"), (), brief(old), brief(new), message)


def _size(plain: Plain, name: str) -> float | None:
    if name == "minContains" and "contains" in plain.single:
        return plain.sizes.get(name, 1)
    return plain.sizes.get(name)


def _shown(limit: float | None) -> str:
    return "not set" if limit is None else str(limit)


def same_values(one: Any, other: Any) -> bool:
    """Tell whether two JSON values are equal as JSON Schema means it."""
    return canonical(one) == canonical(other)
