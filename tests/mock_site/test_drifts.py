"""Drifts change exactly what they say, and a judge who knows the contract alone says what their row promises."""

from __future__ import annotations

import copy
import json
from typing import TYPE_CHECKING, Any

import jsonschema_rs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import schemas
from mock_site import mutations
from mock_site.answers import canned
from mock_site.catalogue import NAMED_RUNS, run_document
from mock_site.drifts import DRIFTS, DriftAt, applicable_locations, apply, dump, parse_drift
from mock_site.mistakes import MockUsageError
from mock_site.spots import EACH, contract_locations, location, parse_location, walk
from monitors.contract import judge
from monitors.model import Observation
from monitors.rules import RULES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mock_site.spots import Path

SMALL = [name for name in NAMED_RUNS if name not in {"huge", "long-text", "typical", "unicode"}]
# Drifts that touch what is beside the location too: names there, or the object above it.
AROUND = {"moved": 2, "renamed": 1, "case-changed": 1, "flattened": 1}


def documents() -> Iterator[tuple[str, int, int, Any]]:
    """Yield a name, status, id asked for and document of each kind of answer."""
    for name in SMALL:
        yield name, 200, NAMED_RUNS[name], run_document("US1", NAMED_RUNS[name])
    for name in ("400", "404", "500"):
        yield name, int(name), 1, json.loads(canned(None)[name].body)
    yield "429", 429, 1, {"errors": ["Rate limit reached."]}
    source = {"parameter": "run_id", "pointer": "/data", "header": "Prefer"}
    yield "full-400", 400, 1, {"errors": [{"status": "400", "title": "t", "source": source, "meta": {"a": 1}}]}


DOCUMENTS = {name: rest for name, *rest in documents()}


def differences(before: Any, after: Any, path: Path = ()) -> Iterator[Path]:
    """Yield the paths at which two documents differ, deepest common ones."""
    if isinstance(before, dict) and isinstance(after, dict) and type(before) is type(after):
        for name in [*before, *(n for n in after if n not in before)]:
            if name not in before or name not in after:
                yield (*path, name)
            else:
                yield from differences(before[name], after[name], (*path, name))
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        for index, (one, other) in enumerate(zip(before, after, strict=True)):
            yield from differences(one, other, (*path, index))
    elif type(before) is not type(after) or before != after:
        yield path


def matches(pattern: Path, path: Path) -> bool:
    return all(w == s or (w is EACH and isinstance(s, int)) for w, s in zip(pattern, path, strict=False))


def observed(status: int, run_id: int, document: Any) -> Observation:
    """Make the observation of a recording: it is held to the contract, not to what a check must get."""
    return Observation(
        site="US1", check=None, at=None, method="GET", url="", run_id=str(run_id), with_keys=True, status=status,
        headers=(("content-type", "application/json"),), body=dump(document),
    )  # fmt: skip


@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_drift_changes_exactly_its_location_and_never_the_given_document(name: str) -> None:
    status, _, document = DOCUMENTS[name]
    kept = copy.deepcopy(document)
    for drift in DRIFTS.values():
        around = max((levels for word, levels in AROUND.items() if drift.name.endswith(word)), default=0)
        for where in applicable_locations(document, drift, status):
            drifted = apply(document, drift, where, status)
            assert document == kept
            pattern = parse_location(where)
            reach = pattern[: max(0, len(pattern) - around)] if drift.name != "members-case-changed" else pattern
            changed = list(differences(document, drifted))
            assert changed, (drift.name, where)
            assert all(len(path) >= len(reach) and matches(reach, path) for path in changed), (drift.name, where)
            assert dump(drifted) == dump(apply(document, drift, where, status))


@pytest.mark.parametrize("name", DOCUMENTS)
def test_the_contract_alone_judges_every_drift_at_every_location_as_its_row_says(name: str) -> None:
    status, run_id, document = DOCUMENTS[name]
    known = {finding.rule for finding in judge(observed(status, run_id, document))}
    for drift in DRIFTS.values():
        for where in applicable_locations(document, drift, status):
            findings = judge(observed(status, run_id, apply(document, drift, where, status)))
            new = [finding for finding in findings if finding.rule not in known]
            worst = max(new, key=lambda finding: finding.level, default=None)
            assert (str(worst.level) if worst else "none") == drift.level, (drift.name, where, new)
            assert not drift.rule or drift.rule in {finding.rule for finding in new}, (drift.name, where, new)


def test_validation_alone_sees_no_violation_in_harmless_drifts() -> None:
    validator = jsonschema_rs.Draft202012Validator(schemas.document("run"), validate_formats=True)
    for name in SMALL:
        document = DOCUMENTS[name][2]
        for drift in DRIFTS.values():
            if drift.level in {"info", "none"}:
                for where in applicable_locations(document, drift):
                    assert validator.is_valid(apply(document, drift, where)), (drift.name, where)


def test_every_drift_applies_somewhere_and_its_default_fits_some_run() -> None:
    for drift in DRIFTS.values():
        fitting = [n for n, (status, _, document) in DOCUMENTS.items() if applicable_locations(document, drift, status)]
        assert fitting, drift.name
        assert drift.default in contract_locations()
        kind = [d for s, _, d in DOCUMENTS.values() if (s == 200) == (drift.on == "run")]
        status = 200 if drift.on == "run" else 400
        assert (
            any(drift.default in applicable_locations(document, drift, status) for document in kind)
            or drift.on == "error"
        )


def test_every_drift_names_a_rule_of_the_table_at_its_level() -> None:
    for drift in DRIFTS.values():
        if drift.level == "none":
            assert drift.rule == ""
        else:
            assert str(RULES[drift.rule].level) == drift.level, drift.name


def test_every_run_drift_that_breaks_or_warns_fits_the_typical_run() -> None:
    typical = run_document("US1", NAMED_RUNS["typical"])
    for drift in DRIFTS.values():
        if drift.level in {"breaking", "warning", "info"} and drift.on == "run":
            assert drift.default in applicable_locations(typical, drift) or DriftAt(drift).apply_if_it_fits(
                typical, 200
            )


@given(st.integers(1, 1_000_000), st.sampled_from([d for d in DRIFTS.values() if d.on == "run"]), st.data())
@settings(max_examples=60, deadline=None)
def test_an_index_drifts_one_item_only(run_id: int, drift: Any, data: Any) -> None:
    document = run_document("EU1", run_id)
    paths = [spot.path for spot in walk(document) if drift.applies(spot)]
    if not paths:
        with pytest.raises(MockUsageError, match="does not apply at any place of this answer"):
            apply(document, drift)
        return
    path = data.draw(st.sampled_from(paths))
    changed = list(differences(document, apply(document, drift, location(path))))
    indexes = [step for step in path if isinstance(step, int)]
    for found in changed:
        assert [step for step in found if isinstance(step, int)][: len(indexes)] == indexes


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["data", "attributes", "errors", "key", "id", "type", "x"]), inner, max_size=4
        )
    ),
    max_leaves=20,
)


@given(JSON_VALUES, st.sampled_from([200, 400, 404, 429, 401, 418]))
@settings(max_examples=80, deadline=None)
def test_no_document_whatsoever_crashes_a_drift(document: Any, status: int) -> None:
    for drift in DRIFTS.values():
        for where in applicable_locations(document, drift, status):
            assert dump(apply(document, drift, where, status))


def test_a_drift_that_fits_nowhere_is_refused_with_the_place() -> None:
    with pytest.raises(MockUsageError, match=r"the drift nulled does not apply at \$\.data\.id of this answer\."):
        apply({}, DRIFTS["nulled"], "$.data.id")


def test_a_member_named_twice_shows_in_the_bytes_only() -> None:
    drifted = apply({"data": {"id": "7"}}, DRIFTS["member-duplicated"], "$.data")
    assert dump(drifted) == b'{"data":{"id":"7","id":"7"}}'
    assert drifted == {"data": {"id": "7"}}


def test_what_json_libraries_refuse_is_written_all_the_same() -> None:
    assert dump({"a": 2**63, "b": "\ud83d"}) == b'{"a":9223372036854775808,"b":"\\ud83d"}'
    assert dump({"a": "é"}) == '{"a":"é"}'.encode()


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("$", ()),
        ("$.data.id", ("data", "id")),
        ("$.a[*].b[12]", ("a", EACH, "b", 12)),
        ("$['a.b']['it\\'s']['*']", ("a.b", "it's", "*")),
        ("$['\\\\']", ("\\",)),
    ],
)
def test_locations_are_read_and_written_as_jsonpath(text: str, path: Path) -> None:
    assert parse_location(text) == path
    assert location(path) == text


@given(st.lists(st.text(max_size=8) | st.integers(0, 10**8) | st.just(EACH), max_size=6).map(tuple))
def test_a_location_reads_back_as_it_was_written(path: Path) -> None:
    assert parse_location(location(path)) == path


@pytest.mark.parametrize("text", ["", "data", "$data", "$.", "$..a", "$[", "$[x]", "$.a b", "$['a]", "$[-1]"])
def test_what_is_no_location_is_refused(text: str) -> None:
    with pytest.raises(MockUsageError, match="is no location; write one like"):
        parse_location(text)


def test_a_drift_is_written_with_or_without_a_location() -> None:
    assert parse_drift("nulled") == DriftAt(DRIFTS["nulled"], None)
    assert parse_drift("nulled@$.data.attributes.tags[3]").location == "$.data.attributes.tags[3]"


def test_moved_members_never_overwrite_others() -> None:
    assert mutations.free_name({"id": 1, "id_": 2}, "id") == "id__"
    keyed = mutations.as_keyed_object([{"key": "a"}, {"key": "a"}, {"key": 5}, "text"])
    assert keyed == {"a": {"key": "a"}, "a_": {"key": "a"}, "2": {"key": 5}, "3": "text"}


@pytest.mark.parametrize(
    ("text", "zulu"),
    [
        ("2026-05-18T15:55:50.38705Z", True),
        ("2026-05-18T15:55:50Z", True),
        ("2026-05-18T15:55:50+02:00", False),
        ("9999-12-31T23:59:59Z", False),
        ("0001-01-01T00:00:00Z", False),
        ("Z", False),
        ("soonZ", False),
    ],
)
def test_only_date_times_in_utc_are_changed(text: str, *, zulu: bool) -> None:
    assert mutations.is_zulu(text) == zulu


def test_a_moment_without_zone_is_no_moment() -> None:
    with pytest.raises(ValueError, match="no zone"):
        mutations.moment("2026-05-18T15:55:50")


def test_timestamps_keep_their_instant_where_the_drift_says_so() -> None:
    text = "2026-05-18T23:55:50.38705Z"
    assert mutations.with_offset(text) == "2026-05-19T01:55:50.38705+02:00"
    assert mutations.moment(mutations.with_offset(text)) == mutations.moment(text)
    assert mutations.nine_digits(text) == "2026-05-18T23:55:50.387050000Z"
    assert mutations.nine_digits("2026-05-18T23:55:50Z") == "2026-05-18T23:55:50.000000000Z"
    assert mutations.epoch_ms("1970-01-01T00:00:01.5Z") == 1500
    assert mutations.http_date(text) == "Mon, 18 May 2026 23:55:50 GMT"
