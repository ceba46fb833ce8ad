"""The manifest of the cluster page against the fields of KubeRay's definitions."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest

from serenade.distributed.job import read_job

if TYPE_CHECKING:
    from pathlib import Path

yaml = pytest.importorskip("yaml")

TEXT = {"type": "string"}
NUMBER = {"type": "integer", "minimum": 0}
YES_OR_NO = {"type": "boolean"}
TEXTS = {"type": "object", "additionalProperties": TEXT}


def _only(required: tuple[str, ...], **properties: object) -> dict[str, object]:
    return {
        "type": "object",
        "additionalProperties": False,
        "required": list(required),
        "properties": properties,
    }


QUANTITY = {"type": "string", "pattern": r"^[0-9]+(\.[0-9]+)?(m|[KMGT]i?)?$"}
NAMED = _only(("name",), name=TEXT)
RESOURCES = {"type": "object", "additionalProperties": QUANTITY}


def _list_of(items: object) -> dict[str, object]:
    return {"type": "array", "minItems": 1, "items": items}


_CONTAINER = _only(
    ("name", "image", "resources"),
    name=TEXT,
    image=TEXT,
    env=_list_of(_only(("name", "value"), name=TEXT, value=TEXT)),
    envFrom=_list_of(_only(("secretRef",), secretRef=NAMED)),
    resources=_only(("requests", "limits"), requests=RESOURCES, limits=RESOURCES),
    volumeMounts=_list_of(_only(("name", "mountPath"), name=TEXT, mountPath=TEXT)),
)
_POD = _only(
    ("spec",),
    spec=_only(
        ("containers",),
        containers=_list_of(_CONTAINER),
        volumes=_list_of(_only(("name", "configMap"), name=TEXT, configMap=NAMED)),
    ),
)
"""What the manifest uses of a PodTemplateSpec of Kubernetes."""

RAY_JOB = _only(
    ("apiVersion", "kind", "metadata", "spec"),
    apiVersion={"const": "ray.io/v1"},
    kind={"const": "RayJob"},
    metadata={"type": "object"},
    spec=_only(
        ("entrypoint", "rayClusterSpec"),
        entrypoint=TEXT,
        activeDeadlineSeconds=NUMBER,
        backoffLimit=NUMBER,
        shutdownAfterJobFinishes=YES_OR_NO,
        ttlSecondsAfterFinished=NUMBER,
        runtimeEnvYAML=TEXT,
        submissionMode={"enum": ["K8sJobMode", "HTTPMode", "InteractiveMode"]},
        suspend=YES_OR_NO,
        rayClusterSpec=_only(
            ("headGroupSpec",),
            rayVersion=TEXT,
            enableInTreeAutoscaling=YES_OR_NO,
            autoscalerOptions={"type": "object"},
            headGroupSpec=_only(
                ("template",), rayStartParams=TEXTS, serviceType=TEXT, template=_POD
            ),
            workerGroupSpecs={
                "type": "array",
                "items": _only(
                    ("groupName", "template"),
                    groupName=TEXT,
                    replicas=NUMBER,
                    minReplicas=NUMBER,
                    maxReplicas=NUMBER,
                    numOfHosts=NUMBER,
                    rayStartParams=TEXTS,
                    suspend=YES_OR_NO,
                    template=_POD,
                ),
            },
        ),
    ),
)
"""Fields of ray.io/v1 that a batch job may want; from KubeRay's API reference."""


@pytest.fixture
def documents(repository: Path) -> dict[str, Any]:
    """The objects of the manifest by their kind."""
    text = (repository / "docs" / "cluster" / "rayjob.yaml").read_text()
    return {document["kind"]: document for document in yaml.safe_load_all(text)}


def test_the_ray_job_has_only_fields_that_kuberay_knows(documents: dict[str, Any]) -> None:
    jsonschema.validate(documents["RayJob"], RAY_JOB)


def test_a_field_that_kuberay_does_not_know_would_be_found(documents: dict[str, Any]) -> None:
    documents["RayJob"]["spec"]["replicas"] = 3
    with pytest.raises(jsonschema.ValidationError, match="'replicas' was unexpected"):
        jsonschema.validate(documents["RayJob"], RAY_JOB)


def test_the_job_of_the_manifest_is_one(documents: dict[str, Any], tmp_path: Path) -> None:
    (tmp_path / "job.toml").write_text(documents["ConfigMap"]["data"]["job.toml"])
    assert read_job(tmp_path / "job.toml").output == "s3://results/calls-2026"


def test_the_script_of_the_manifest_is_the_entry_point_and_mounted_where_it_runs(
    documents: dict[str, Any],
) -> None:
    shell, script = shlex.split(documents["RayJob"]["spec"]["entrypoint"])
    assert shell == "bash"
    head = documents["RayJob"]["spec"]["rayClusterSpec"]["headGroupSpec"]["template"]["spec"]
    (mount,) = head["containers"][0]["volumeMounts"]
    (volume,) = head["volumes"]
    assert mount["name"] == volume["name"]
    assert volume["configMap"]["name"] == documents["ConfigMap"]["metadata"]["name"]
    folder, _, name = script.rpartition("/")
    assert folder == mount["mountPath"]
    assert name in documents["ConfigMap"]["data"]
    assert f"{folder}/job.toml" in _script(documents)


def test_the_command_of_the_manifest_is_understood(
    documents: dict[str, Any], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from serenade.cli.main import run

    (line,) = (line for line in _script(documents).splitlines() if not line.startswith("#"))
    arguments = shlex.split(line.partition(" || ")[0])
    monkeypatch.setattr(sys, "argv", [*arguments, "--help"])
    with pytest.raises(SystemExit) as exit_info:
        run()
    assert exit_info.value.code == 0
    known = capsys.readouterr().out
    assert all(argument in known for argument in arguments if argument.startswith("--"))


@pytest.mark.parametrize(("code", "wanted"), [(0, 0), (1, 0), (2, 1), (130, 1)])
def test_only_recordings_that_failed_are_no_failure_of_the_job(
    documents: dict[str, Any], tmp_path: Path, code: int, wanted: int
) -> None:
    stand_in = tmp_path / "serenade"
    stand_in.write_text(f"#!/bin/sh\nexit {code}\n")
    stand_in.chmod(0o755)
    (tmp_path / "run.sh").write_text(_script(documents))
    environment = {"PATH": f"{tmp_path}:{os.environ['PATH']}"}
    ended = subprocess.run(["bash", str(tmp_path / "run.sh")], env=environment, check=False)
    assert ended.returncode == wanted


def test_there_is_room_for_the_workers_that_are_asked_for(documents: dict[str, Any]) -> None:
    spec = documents["RayJob"]["spec"]
    (group,) = spec["rayClusterSpec"]["workerGroupSpecs"]
    (worker,) = group["template"]["spec"]["containers"]
    most = group["maxReplicas"] * int(worker["resources"]["requests"]["cpu"])
    assert f"--workers {most} " in _script(documents)


def _script(documents: dict[str, Any]) -> str:
    script: str = documents["ConfigMap"]["data"]["run.sh"]
    return script
