"""The manifests: valid for Kubernetes, with the least rights there are, one monitor for one store."""

from __future__ import annotations

import copy
import re
import tomllib
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import dockerfile
import kubernetes_validate
import pytest
import yaml
from cronsim import CronSim

from monitors.config.alerting import WatchSettings

ROOT = Path(__file__).parents[2]
MANIFESTS = sorted((ROOT / "deploy" / "kubernetes").glob("*.yaml"))
VERSIONS = ("1.29", "1.32", kubernetes_validate.__version__.rpartition(".")[0])
"""ReadWriteOncePod is stable since 1.29; the last is the newest there is a schema of."""
WORKLOADS = ("deployment", "cronjob")
IMAGE = {step.cmd: step.value for step in dockerfile.parse_file(str(ROOT / "deploy" / "docker" / "Dockerfile"))}

each_workload = pytest.mark.parametrize("name", WORKLOADS)


def read(name: str) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((ROOT / "deploy" / "kubernetes" / f"{name}.yaml").read_text("utf-8"))
    return found


def pod(name: str) -> dict[str, Any]:
    spec = read(name)["spec"]
    found: dict[str, Any] = spec.get("jobTemplate", {}).get("spec", spec)["template"]["spec"]
    return found


def container(name: str) -> dict[str, Any]:
    (found,) = pod(name)["containers"]
    assert isinstance(found, dict)
    return found


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("path", MANIFESTS, ids=lambda path: path.stem)
def test_kubernetes_knows_every_field_of_a_manifest(path: Path, version: str) -> None:
    (manifest,) = yaml.safe_load_all(path.read_text("utf-8"))
    kubernetes_validate.validate(manifest, version, strict=True)


@pytest.mark.parametrize(
    ("at", "name", "value"),
    [("spec", "replica", 1), ("spec", "replicas", "one"), ("metadata", "labels", ["a"])],
    ids=["unknown", "type", "list"],
)
def test_a_mistake_would_have_been_found(at: str, name: str, value: object) -> None:
    manifest = copy.deepcopy(read("deployment"))
    manifest[at][name] = value
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(manifest, VERSIONS[-1], strict=True)


def test_all_live_in_one_namespace_that_admits_no_rights() -> None:
    names = {read(path.stem)["metadata"].get("namespace", "") for path in MANIFESTS if path.stem != "namespace"}
    namespace = read("namespace")["metadata"]
    assert names == {namespace["name"]}
    assert namespace["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"


@each_workload
def test_a_pod_has_no_rights(name: str) -> None:
    """What the Pod Security Standard "restricted" asks for, and a root file system that cannot be written."""
    given, user = pod(name)["securityContext"], int(IMAGE["USER"][0].partition(":")[0])
    assert given["runAsNonRoot"] is True
    assert (given["runAsUser"], given["runAsGroup"], given["fsGroup"]) == (user, user, user)
    assert given["seccompProfile"] == {"type": "RuntimeDefault"}
    assert container(name)["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert pod(name)["automountServiceAccountToken"] is False


@each_workload
def test_keys_are_files_that_only_the_monitor_can_read(name: str) -> None:
    volumes = {volume["name"]: volume for volume in pod(name)["volumes"]}
    assert volumes["keys"]["secret"]["defaultMode"] == 0o440
    assert "env" not in container(name)
    assert "envFrom" not in container(name)


@each_workload
def test_what_is_mounted_is_where_the_image_looks(name: str) -> None:
    environ = dict(zip(IMAGE["ENV"][::2], IMAGE["ENV"][1::2], strict=True))
    mounts = {mount["name"]: mount for mount in container(name)["volumeMounts"]}
    assert set(mounts) == {volume["name"] for volume in pod(name)["volumes"]}
    assert mounts["config"]["mountPath"] == str(Path(environ["MODEL_LAB_MONITOR_CONFIG"]).parent)
    assert mounts["store"]["mountPath"] == environ["MODEL_LAB_MONITOR_STATE_DIR"]
    assert mounts["tmp"]["mountPath"] == environ["HOME"]
    assert [mount["name"] for mount in mounts.values() if not mount.get("readOnly")] == ["store", "tmp"]
    # A file mounted by subPath never changes again: the monitor would not see an edit.
    assert [mount for mount in mounts.values() if "subPath" in mount] == []


@each_workload
def test_what_a_pod_names_is_among_the_manifests(name: str) -> None:
    volumes = {volume["name"]: volume for volume in pod(name)["volumes"]}
    config, store = read("config"), read("store")
    environ = dict(zip(IMAGE["ENV"][::2], IMAGE["ENV"][1::2], strict=True))
    assert volumes["config"]["configMap"]["name"] == config["metadata"]["name"]
    assert set(config["data"]) == {Path(environ["MODEL_LAB_MONITOR_CONFIG"]).name}
    assert volumes["store"]["persistentVolumeClaim"]["claimName"] == store["metadata"]["name"]


@each_workload
def test_the_key_files_of_the_configuration_are_where_the_secret_is_mounted(name: str) -> None:
    (text,) = read("config")["data"].values()
    (where,) = (mount["mountPath"] for mount in container(name)["volumeMounts"] if mount["name"] == "keys")
    named = re.findall(r'_file = "(.*)"', text)
    assert named
    assert {str(Path(file).parent) for file in named} == {where}
    assert tomllib.loads(text)["watch"]["vantage"]


def test_one_store_has_one_monitor() -> None:
    deployment, cronjob = read("deployment")["spec"], read("cronjob")["spec"]
    assert (deployment["replicas"], deployment["strategy"]) == (1, {"type": "Recreate"})
    assert cronjob["concurrencyPolicy"] == "Forbid"
    assert read("store")["spec"]["accessModes"] == ["ReadWriteOncePod"]


@each_workload
def test_stopping_has_longer_than_the_monitor_takes(name: str) -> None:
    assert pod(name)["terminationGracePeriodSeconds"] > 2 * WatchSettings().stop_s


def test_a_pass_is_over_before_the_next_begins_and_is_not_tried_twice() -> None:
    spec = read("cronjob")["spec"]
    passes = CronSim(spec["schedule"], datetime(2026, 1, 1, tzinfo=UTC))
    pause = -(next(passes) - next(passes))
    job = spec["jobTemplate"]["spec"]
    assert job["activeDeadlineSeconds"] < pause.total_seconds()
    assert job["backoffLimit"] == 0
    assert spec["timeZone"] == "Etc/UTC"


def test_a_monitor_is_given_longer_to_come_alive_than_systemd_gives_it() -> None:
    """A migration may come first; and one slow look is no reason to end it."""
    startup, liveness = container("deployment")["startupProbe"], container("deployment")["livenessProbe"]
    assert startup["periodSeconds"] * startup["failureThreshold"] >= 600
    assert liveness["failureThreshold"] > 1
    assert startup["exec"] == liveness["exec"]


@each_workload
def test_memory_is_bounded_and_time_is_not(name: str) -> None:
    assert set(container(name)["resources"]["limits"]) == {"memory"}


@each_workload
def test_the_image_is_one_version(name: str) -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["version"]
    assert container(name)["image"] == f"model-lab-monitor:{version}"
