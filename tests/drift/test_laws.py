"""Laws of the diff, on generated schemas and instances."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from monitors.drift.samples import judge_sample
from monitors.drift.schema_diff import diff
from monitors.model import Level
from monitors.rules import judge

if TYPE_CHECKING:
    from random import Random

KEYWORDS = (
    "type", "enum", "const", "properties", "required", "items", "prefixItems", "anyOf", "oneOf", "allOf", "not", "if",
    "then", "else", "$ref", "$defs", "additionalProperties", "patternProperties", "minimum", "exclusiveMaximum",
    "maxLength", "pattern", "format", "discriminator", "dependentRequired", "dependencies", "$id", "$anchor",
    "nullable", "default", "contains", "propertyNames", "multipleOf",
)  # fmt: skip
FEW = settings(max_examples=120, deadline=None, suppress_health_check=list(HealthCheck))
SEEDS = st.integers(0, 2**32)


def shuffled(value: Any, chance: Random) -> Any:
    if isinstance(value, dict):
        names = list(value)
        chance.shuffle(names)
        return {name: shuffled(value[name], chance) for name in names}
    return [shuffled(child, chance) for child in value] if isinstance(value, list) else value


def test_a_schema_does_not_differ_from_itself(laws: Any) -> None:
    """`diff(a, a)` is empty, also where the members of `a` stand in another order."""

    @FEW
    @given(laws.schemas, SEEDS)
    def law(schema: Any, seed: int) -> None:
        assert diff(schema, schema) == []
        assert diff(schema, shuffled(schema, laws.chance(seed))) == []

    law()


def test_the_order_of_members_does_not_matter(laws: Any) -> None:
    """Shuffling members on either side changes nothing of what is found."""

    @FEW
    @given(laws.pairs(), SEEDS)
    def law(pair: Any, seed: int) -> None:
        chance = laws.chance(seed)
        found = diff(*pair)
        again = diff(shuffled(pair[0], chance), shuffled(pair[1], chance))
        assert [(c.what, c.location) for c in again] == [(c.what, c.location) for c in found]

    law()


def test_what_came_in_is_said(laws: Any) -> None:
    """An instance of the revision that the base forbids implies a change at `warning` or above.

    Aside: a member the base did not allow at all. Who reads by name never sees it.
    """

    @settings(FEW, max_examples=300)
    @given(laws.pairs(), SEEDS)
    def law(pair: Any, seed: int) -> None:
        base, revision = pair
        if any(finding.level >= Level.WARNING for finding in judge(diff(base, revision))):
            return
        chance = laws.chance(seed)
        for _ in range(12):
            value = laws.instance(revision, revision, chance)
            if laws.valid(revision, value) and not laws.valid(base, value):
                assert laws.opened(base) != base
                assert laws.negates(base) or laws.valid(laws.opened(base), value)

    law()


def test_any_two_json_values_are_compared() -> None:
    """No pair of JSON values makes the diff fail, whatever stands where a keyword should."""
    keywords = st.sampled_from(KEYWORDS)
    odd = st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.sampled_from(["#", "#/x", "string", "(", "//["]),
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(keywords, inner, max_size=5),
        max_leaves=20,
    )

    @settings(FEW, max_examples=300)
    @given(odd, odd)
    def law(base: Any, revision: Any) -> None:
        assert all(finding.rule for finding in judge(diff(base, revision)))
        assert diff(base, base) == []

    law()


def test_any_body_is_judged(laws: Any) -> None:
    """No schema, earlier bodies and body make judging fail, and a body is no drift from itself."""

    @FEW
    @given(laws.schemas, laws.anything, laws.anything, laws.anything)
    def law(schema: Any, earlier: Any, other: Any, body: Any) -> None:
        assert all(finding.rule for finding in judge(judge_sample(schema, [earlier], [other], body)))
        assert judge_sample(None, [body], [body], body) == []

    law()


def test_a_body_that_keeps_its_schema_alarms_nobody(laws: Any) -> None:
    """Whatever is valid gives nothing at `warning` or above, but for a name in another spelling."""

    @settings(FEW, max_examples=200)
    @given(laws.schemas, SEEDS)
    def law(schema: Any, seed: int) -> None:
        value = laws.instance(schema, schema, laws.chance(seed))
        if laws.valid(schema, value):
            found = judge(judge_sample(schema, [], [], value))
            assert {f.rule for f in found if f.level >= Level.WARNING} <= {"response-property-renamed"}

    law()


def test_time_is_linear_in_size() -> None:
    """Twice the members take less than four times as long, also where every one is renamed."""

    def taken_s(size: int) -> float:
        base = {"type": "object", "properties": {f"name_{i}": {"type": "string"} for i in range(size)}}
        revision = {"type": "object", "properties": {f"other_{i}": {"type": "string"} for i in range(size)}}
        started = time.process_time()
        assert len(diff(base, revision)) >= size
        return time.process_time() - started

    small, large = (min(taken_s(size) for _ in range(2)) for size in (500, 1000))
    assert large < 4 * max(small, 0.01)


def test_recursive_schemas_end() -> None:
    """A tree is compared with a tree, and the change inside it is found once."""

    def tree(leaf: str) -> dict[str, Any]:
        node = {
            "type": "object",
            "properties": {"value": {"type": leaf}, "children": {"type": "array", "items": {"$ref": "#/$defs/node"}}},
        }
        return {"$defs": {"node": node}, "$ref": "#/$defs/node"}

    found = diff(tree("string"), tree("integer"))
    assert [(change.what, change.location) for change in found] == [("type-changed", "$.value")]


def test_what_is_too_tangled_is_said() -> None:
    """Where unions multiply beyond bounds, that they were not compared is a warning, not silence."""
    many = {"allOf": [{"oneOf": [{"required": [f"{i}{j}"]} for j in range(12)]} for i in range(4)]}
    other = {"allOf": [*many["allOf"][:3], {"oneOf": [{"required": ["x"]}, {"required": ["y"]}]}]}
    assert "schema-not-compared" in {change.what for change in diff(many, other)}
    assert diff(many, dict(many)) == []


def test_what_is_too_deep_is_said() -> None:
    """Below the depth that is compared, a difference is said without its place; equal depths are equal."""

    def nested(leaf: str) -> dict[str, Any]:
        schema: dict[str, Any] = {"type": leaf}
        for _ in range(80):
            schema = {"type": "object", "properties": {"a": schema}}
        return schema

    assert [change.what for change in diff(nested("string"), nested("integer"))] == ["schema-not-compared"]
    assert diff(nested("string"), nested("string")) == []
