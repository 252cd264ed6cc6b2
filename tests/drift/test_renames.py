"""Members taken for one under two names, or in two places; and members that are not."""

from __future__ import annotations

from typing import Any

import pytest

from monitors.drift.schema_diff import diff
from monitors.model import Level
from monitors.rules import judge

TEXT = {"type": "string"}
NUMBER = {"type": "integer"}
TIME = {"type": "string", "format": "date-time"}
TEAM = {"type": "object", "properties": {"handle": TEXT, "size": NUMBER}}


def members(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties}


@pytest.mark.parametrize(
    ("base", "revision", "expected"),
    [
        (members(x=TEXT, userId=TEXT), members(x=TEXT, user_id=NUMBER), {"$.userId": "user_id"}),
        (members(x=TEXT, created=NUMBER), members(x=TEXT, created_at=TIME), {"$.created": "created_at"}),
        (members(x=TEXT, mode={"enum": ["p", "q"]}), members(x=TEXT, y=TEXT, kind={"enum": ["p", "q"]}),
         {"$.mode": "kind"}),
        (members(x=TEXT, team=TEAM), members(x=TEXT, y=TEXT, group=TEAM), {"$.team": "group"}),
        (members(x=TEXT, teams={"type": "array", "items": TEAM}),
         members(x=TEXT, y=TEXT, groups={"type": "array", "items": TEAM}), {"$.teams": "groups"}),
        (members(x=TEXT, alias=TEXT), members(x=TEXT, nickname=TEXT), {"$.alias": "nickname"}),
        (members(x=TEXT, alias=TEXT), members(x=TEXT, nickname={}), {"$.alias": "nickname"}),
        (members(x=TEXT, alias=TEXT), members(x=TEXT, nickname=NUMBER), {}),
        (members(x=TEXT, alias=TEXT), members(x=TEXT, nickname=TEXT, city=TEXT), {}),
        (members(x=TEXT, at=TIME), members(x=TEXT, tier={"enum": ["p", "q"]}), {}),
        (members(x=TEXT, at=TIME), members(x=TEXT, day={"type": "string", "format": "date"}), {}),
        (members(x=TEXT, mode={"enum": ["p", "q"]}), members(x=TEXT, kind={"enum": ["r", "s"]}), {}),
        (members(x=TEXT, startTs=NUMBER), members(x=TEXT, y=TEXT, started_at=TIME), {"$.startTs": "started_at"}),
        (members(x=TEXT, created=TIME), members(x=TEXT, y=TEXT, create_time=NUMBER), {"$.created": "create_time"}),
        (members(x=TEXT, timestamp=TIME), members(x=TEXT, y=TEXT, epoch=NUMBER), {}),
        (members(x=TEXT, cost=NUMBER), members(x=TEXT, y=TEXT, cost_date=TIME), {}),
        (members(x=TEXT, updated={"type": "boolean"}), members(x=TEXT, y=TEXT, updated_at=TIME), {}),
        ({"type": "array", "items": members(x=TEXT, userId=TEXT)},
         {"type": "array", "items": members(x=TEXT, user_id=TEXT)}, {"$[*].userId": "user_id"}),
    ],
)  # fmt: skip
def test_renames(base: Any, revision: Any, expected: dict[str, str]) -> None:
    """A rename is one change, at the place of the old name; anything less likely stays a loss."""
    found = diff(base, revision)
    assert {c.location: c.revision for c in found if c.what == "property-renamed"} == expected
    lost = [change for change in found if change.what == "optional-property-removed"]
    assert len(lost) == (0 if expected else 1)


@pytest.mark.parametrize(
    ("base", "revision", "expected"),
    [
        (members(id=TEXT, name=TEXT), members(id=TEXT, attributes=members(name=TEXT)), {"$.name": "$.attributes.name"}),
        (members(id=TEXT, meta=members(name=TEXT)), members(id=TEXT, name=TEXT), {"$.meta.name": "$.name"}),
        (members(id=TEXT, page=members(total=NUMBER)), members(id=TEXT, meta=members(page=members(total=NUMBER))),
         {"$.page": "$.meta.page"}),
        (members(x=members(id=TEXT, kind=TEXT)),
         members(x=members(data={"type": "array", "items": members(id=TEXT, kind=TEXT)})),
         {"$.x.id": "$.x.data[*].id", "$.x.kind": "$.x.data[*].kind"}),
        (members(id=TEXT, a=members(team=TEAM)), members(id=TEXT, b=members(x=NUMBER, group=TEAM)),
         {"$.a.team": "$.b.group"}),
        (members(id=TEXT, owner=members(email=TEXT, handle=TEXT)),
         members(id=TEXT, owner_email=TEXT, ownerHandle=TEXT),
         {"$.owner.email": "$.owner_email", "$.owner.handle": "$.ownerHandle"}),
        (members(id=TEXT, pageSize=NUMBER, pageToken=TEXT), members(id=TEXT, page=members(size=NUMBER, token=TEXT)),
         {"$.pageSize": "$.page.size", "$.pageToken": "$.page.token"}),
        (members(id=TEXT, owner=members(email=TEXT, handle=TEXT)), members(id=TEXT, x=TEXT, owner_email=NUMBER), {}),
        (members(id=TEXT, attributes=members(team_id=TEXT)),
         members(id=TEXT, relationships=members(team=members(data=members(id=TEXT, type=TEXT)))),
         {"$.attributes.team_id": "$.relationships.team.data.id"}),
        (members(id=TEXT, name=TEXT), members(id=TEXT, owner=members(name=NUMBER)), {}),
    ],
)  # fmt: skip
def test_moves(base: Any, revision: Any, expected: dict[str, str]) -> None:
    """A move is one change, at the old place; what is inside a member moves along unsaid."""
    found = diff(base, revision)
    assert {c.base: c.revision for c in found if c.what == "property-moved"} == expected
    assert all(c.location == c.base for c in found if c.what == "property-moved")
    removed = {c.what for c in found} & {"optional-property-removed", "object-replaced"}
    assert bool(removed) == (not expected)


def test_a_write_only_member_is_no_part_of_answers() -> None:
    """What is only ever sent to the API neither comes nor goes."""
    secret = {"type": "string", "writeOnly": True}
    assert diff(members(x=TEXT, secret=secret), members(x=TEXT)) == []
    assert diff(members(x=TEXT), {**members(x=TEXT, secret=secret), "required": ["secret"]}) == []


@pytest.mark.parametrize("named", [{"properties": {"x1": NUMBER}}, {"patternProperties": {"^x": NUMBER}}])
def test_a_name_of_a_map_described_otherwise(named: dict[str, Any]) -> None:
    """Where every member was of one kind, a name or pattern that is of another kind breaks."""
    map_of_text = {"type": "object", "additionalProperties": TEXT}
    found = diff(map_of_text, {**map_of_text, **named})
    assert "type-changed" in {change.what for change in found}
    narrower = {**map_of_text, "additionalProperties": {"enum": ["a", "b"]}}
    assert max(finding.level for finding in judge(diff(map_of_text, narrower))) is Level.INFO


def test_values_too_large_to_divide_are_compared() -> None:
    """Steps and numbers beyond doubles do not make the comparison fail."""
    found = diff({"type": "integer", "multipleOf": 0.3}, {"type": "integer", "enum": [10**400]})
    assert "multiple-of-changed" in {change.what for change in found}
    assert diff({"type": "number", "multipleOf": 1}, NUMBER) == []


@pytest.mark.parametrize("variants", [60, 300])
def test_large_unions_are_compared_variant_by_variant(variants: int) -> None:
    """Of many variants told apart by a tag, the one that changed is named."""

    def union(size: int, **changed: Any) -> dict[str, Any]:
        return {
            "oneOf": [
                {"type": "object", "properties": {"kind": {"const": f"k{i}"}, "x": changed.get(f"k{i}", TEXT)}}
                for i in range(size)
            ]
        }

    found = diff(union(variants), union(variants + 1, k7=NUMBER))
    assert [(c.what, c.location) for c in found] == [("variant-added", "$"), ("type-changed", "$.x")]
    assert max(finding.level for finding in judge(found)) is Level.BREAKING
