"""The image: read by BuildKit's own parser and by a linter; no root, no key, nothing in it but the program."""

from __future__ import annotations

import re
import sys
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import dockerfile
import pytest
import yaml

from monitors.config.alerting import WatchSettings

if TYPE_CHECKING:
    from conftest import Run

ROOT = Path(__file__).parents[2]
DOCKER = ROOT / "deploy" / "docker"
DOCKERFILE = DOCKER / "Dockerfile"
COMPOSE = DOCKER / "compose.yaml"
IGNORED = (DOCKER / "Dockerfile.dockerignore").read_text("utf-8").splitlines()
STEPS = dockerfile.parse_file(str(DOCKERFILE))
LAST_STAGE = STEPS[max(index for index, step in enumerate(STEPS) if step.cmd == "FROM") :]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
BIN = Path(sys.executable).parent


def values(name: str) -> tuple[str, ...]:
    """Return the words of the one step of the last stage that has this name."""
    (step,) = (step for step in LAST_STAGE if step.cmd == name)
    return tuple(step.value)


def pairs(name: str) -> dict[str, str]:
    words = values(name)
    return dict(zip(words[::2], words[1::2], strict=True))


def service() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(COMPOSE.read_text("utf-8"))["services"]["monitor"]
    return found


def test_the_linter_finds_nothing(run: Run) -> None:
    done = run(BIN / "hadolint", DOCKERFILE)
    assert (done.code, done.said) == (0, "")


def test_the_linter_would_have_found_a_mistake(run: Run, tmp_path: Path) -> None:
    broken = tmp_path / "Dockerfile"
    broken.write_text(DOCKERFILE.read_text("utf-8").replace("USER 10001:10001", "USER root"))
    assert "DL3002" in run(BIN / "hadolint", broken).said


def test_it_runs_as_a_user_with_a_number_who_owns_the_volume_alone() -> None:
    user, group = values("USER")[0].split(":")
    made = next(step.value[0] for step in LAST_STAGE if step.cmd == "RUN")
    assert int(user) > 0
    assert f"--owner={user} --group={group} --mode=0700 {values('VOLUME')[0]}" in made
    assert pairs("ENV")["MODEL_LAB_MONITOR_STATE_DIR"] == values("VOLUME")[0]


def test_signals_reach_the_program_itself() -> None:
    """In the shell form, the shell would be process 1 and keep SIGTERM to itself."""
    assert [step.json for step in LAST_STAGE if step.cmd in {"ENTRYPOINT", "CMD"}] == [True, True]
    assert values("ENTRYPOINT") == ("model-lab-monitor",)
    assert values("STOPSIGNAL") == ("SIGTERM",)


def test_no_key_is_built_in() -> None:
    given = [word for step in STEPS if step.cmd in {"ARG", "ENV"} for word in step.value]
    assert [word for word in given if re.search(r"KEY|TOKEN|SECRET|PASSW", word, re.IGNORECASE)] == []


def test_nothing_of_the_build_is_left_but_the_program() -> None:
    copied = [step for step in LAST_STAGE if step.cmd in {"COPY", "ADD"}]
    assert [(step.flags, step.value) for step in copied] == [
        (("--from=build",), ("/opt/model-lab-monitor", "/opt/model-lab-monitor"))
    ]


def test_what_is_copied_is_there_is_let_through_and_is_the_whole_program() -> None:
    copied = {name for step in STEPS if step.cmd == "COPY" and not step.flags for name in step.value[:-1]}
    allowed = {line[1:] for line in IGNORED if line.startswith("!")}
    packages = set(PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"])
    project = PROJECT["project"]
    assert copied == packages | {"pyproject.toml", project["readme"], *project["license-files"]}
    assert copied == allowed
    assert all((ROOT / name).exists() for name in copied)


def test_everything_else_stays_outside_the_build() -> None:
    """The last pattern that fits decides, so what shuts all out comes first."""
    assert next(line for line in IGNORED if line and not line.startswith("#")) == "*"


def test_its_python_and_its_extras_are_ones_the_project_has() -> None:
    (version,) = (re.match(r"PYTHON=(\d+\.\d+)-", step.value[0])[1] for step in STEPS if step.cmd == "ARG")  # type: ignore[index]  # else the file is wrong
    assert f"Programming Language :: Python :: {version}" in PROJECT["project"]["classifiers"]
    (extras,) = re.findall(r"\.\[(\w+)\]", DOCKERFILE.read_text("utf-8"))
    assert extras in PROJECT["project"]["optional-dependencies"]


def test_compose_keeps_its_schema(run: Run) -> None:
    done = run(sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec", COMPOSE)
    assert done.code == 0, done.said


def test_compose_builds_this_image_from_the_checkout() -> None:
    build = service()["build"]
    assert (DOCKER / build["context"]).resolve() == ROOT
    assert (DOCKER / build["context"] / build["dockerfile"]).resolve() == DOCKERFILE


def test_compose_lets_it_write_its_store_and_nothing_else() -> None:
    mounts = {mount["target"]: mount.get("read_only", False) for mount in service()["volumes"]}
    config = str(Path(pairs("ENV")["MODEL_LAB_MONITOR_CONFIG"]).parent)
    assert mounts == {config: True, values("VOLUME")[0]: False}
    assert service()["read_only"] is True
    assert service()["cap_drop"] == ["ALL"]
    assert service()["security_opt"] == ["no-new-privileges:true"]


def test_compose_waits_for_it_to_end_and_starts_it_again() -> None:
    assert int(service()["stop_grace_period"].removesuffix("s")) > 2 * WatchSettings().stop_s
    assert service()["restart"] == "unless-stopped"


def test_logs_do_not_grow_for_ever() -> None:
    assert set(service()["logging"]["options"]) == {"max-size", "max-file"}


@pytest.mark.parametrize("text", [COMPOSE.read_text("utf-8"), DOCKERFILE.read_text("utf-8")], ids=["compose", "build"])
def test_the_image_has_the_project_s_version(text: str) -> None:
    assert set(re.findall(r"model-lab-monitor:(\d[\w.]*)", text)) == {PROJECT["project"]["version"]}
