"""A contract that cannot be used fails while it is loaded, with one clear line."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import jsonschema_rs
import pytest
from referencing import Registry
from referencing.exceptions import Unresolvable

import schemas
from schemas.loading import BASE, ContractError, load

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Edit = Callable[[str, Callable[[Any], Any]], Path]


@pytest.fixture
def edited(tmp_path: Path) -> Edit:
    """Copy the contract and change one of its files."""

    def edit(name: str, change: Callable[[Any], Any]) -> Path:
        folder = tmp_path / "schemas"
        folder.mkdir()
        for path in schemas.OPENAPI_PATH.parent.glob("*.json"):
            shutil.copy(path, folder)
        target = folder / f"{name}.json"
        target.write_text(json.dumps(change(json.loads(target.read_bytes()))))
        return folder

    return edit


def with_reference(place: str, reference: str) -> Callable[[Any], Any]:
    return lambda document: {**document, place: [{"a/b~c": {"$ref": reference}}]}


@pytest.mark.parametrize(
    ("name", "reference"),
    [
        ("openapi", "runn.json"),
        ("openapi", "#/components/schemas/Nobody"),
        ("openapi", "run.json#/$defs/nothing"),
        ("openapi", "https://example.com/run.json"),
        ("run", "#/$defs/nothing"),
        ("report", "#/$defs/findings"),
    ],
)
def test_a_reference_that_leads_nowhere_is_refused_while_loading(name: str, reference: str, edited: Edit) -> None:
    folder = edited(name, with_reference("examples", reference))
    with pytest.raises(ContractError) as refused:
        load(folder)
    assert str(refused.value) == (
        f"schemas/{name}.json: the reference {reference!r} at #/examples/0/a~1b~0c/$ref leads nowhere"
    )


def test_a_file_with_another_id_is_refused(edited: Edit) -> None:
    folder = edited("run", lambda document: {**document, "$id": "https://example.com/run.json"})
    with pytest.raises(ContractError, match=r"^schemas/run\.json: \$id must be 'https://model-lab-monitor\.invalid"):
        load(folder)


def test_a_file_in_another_dialect_is_refused(edited: Edit) -> None:
    folder = edited("run", lambda document: {**document, "$schema": "http://json-schema.org/draft-07/schema#"})
    with pytest.raises(ContractError, match=r"^schemas/run\.json: \$schema must be .*2020-12/schema', not "):
        load(folder)


def test_a_file_that_is_no_object_is_refused(edited: Edit) -> None:
    with pytest.raises(ContractError, match=r"^schemas/report\.json: must be a JSON object$"):
        load(edited("report", lambda document: [document]))


def test_a_missing_file_is_refused(edited: Edit) -> None:
    folder = edited("run", lambda document: document)
    folder.joinpath("jsonapi-error.json").unlink()
    with pytest.raises(ContractError, match=r"^schemas/jsonapi-error\.json: cannot be read as JSON: "):
        load(folder)


def test_a_file_that_is_no_json_is_refused(edited: Edit) -> None:
    folder = edited("run", lambda document: document)
    folder.joinpath("openapi.json").write_text("{")
    with pytest.raises(ContractError, match=r"^schemas/openapi\.json: cannot be read as JSON: "):
        load(folder)


def test_the_registry_knows_every_file_and_fetches_nothing() -> None:
    assert isinstance(schemas.REGISTRY, Registry)
    for name in ("run", "jsonapi-error", "rate-limit-error", "string-list-error", "report"):
        assert schemas.REGISTRY.contents(f"{BASE}{name}.json") is schemas.document(name)
    assert schemas.REGISTRY.contents(f"{BASE}openapi.json") is schemas.OPENAPI
    with pytest.raises(Unresolvable):
        schemas.REGISTRY.resolver(BASE).lookup("elsewhere.json")


@pytest.mark.parametrize(
    ("status", "name"),
    [(200, "run"), (400, "jsonapi-error"), (404, "jsonapi-error"), (500, "jsonapi-error"), (429, "rate-limit-error")],
)
def test_the_schema_of_a_status_is_its_file(status: int, name: str) -> None:
    assert schemas.schema_for(status) is schemas.document(name)


@pytest.mark.parametrize("status", [401, 403])
@pytest.mark.parametrize(
    ("errors", "expected"), [(["Forbidden"], True), ([{"title": "Forbidden"}], True), ([1], False), (None, False)]
)
def test_rejected_keys_may_take_either_error_form(status: int, errors: Any, *, expected: bool) -> None:
    schema = schemas.schema_for(status)
    assert schema is not None
    assert "$ref" not in json.dumps(schema)
    assert jsonschema_rs.is_valid(schema, {"errors": errors}) is expected


def test_an_undocumented_status_has_no_schema() -> None:
    assert schemas.schema_for(418) is None


def test_an_unknown_name_is_an_error() -> None:
    with pytest.raises(KeyError):
        schemas.document("runs")
    with pytest.raises(AttributeError, match="no attribute 'Registry'"):
        _ = schemas.Registry


def test_importing_the_package_loads_no_library() -> None:
    program = "import schemas, sys; sys.exit('referencing' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0  # noqa: S603 - a fixed program
