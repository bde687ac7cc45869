"""The RayJob for KubeRay: its pods against the published schema, its command against the command line."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from rfdn_video.cli.main import _command
from rfdn_video.cluster.connect import share_of

MANIFEST = Path(__file__).parents[2] / "deploy" / "rayjob.yaml"


@pytest.fixture
def spec() -> dict[str, Any]:
    document = yaml.safe_load(MANIFEST.read_text())
    assert (document["apiVersion"], document["kind"]) == ("ray.io/v1", "RayJob")
    return document["spec"]


@pytest.fixture
def pods(spec: dict[str, Any]) -> list[dict[str, Any]]:
    cluster = spec["rayClusterSpec"]
    return [group["template"] for group in (cluster["headGroupSpec"], *cluster["workerGroupSpecs"])]


def test_pods_are_of_the_published_schema(pods: list[dict[str, Any]]) -> None:
    for template in pods:
        document = {"apiVersion": "v1", "kind": "PodTemplate", "metadata": {"name": "pod"}, "template": template}
        kubernetes_validate.validate(document, kubernetes_validate.latest_version(), strict=True)


def test_names_are_those_of_the_operator(spec: dict[str, Any]) -> None:
    """Of the custom resource ray.io/v1, as far as they are used; its own schema comes with no package."""
    assert set(spec) == {
        "backoffLimit", "entrypoint", "rayClusterSpec", "shutdownAfterJobFinishes", "ttlSecondsAfterFinished"
    }  # fmt: skip
    cluster = spec["rayClusterSpec"]
    assert set(cluster["headGroupSpec"]) == {"rayStartParams", "template"}
    for group in cluster["workerGroupSpecs"]:
        assert set(group) == {"groupName", "maxReplicas", "minReplicas", "rayStartParams", "replicas", "template"}


def test_its_command_is_one_of_ours(spec: dict[str, Any]) -> None:
    program, *arguments = shlex.split(spec["entrypoint"])
    parser, _, rest = _command(arguments)
    args = parser.parse_args(rest)
    assert (program, args.ray, args.device) == ("rfdn-video", "auto", "cuda")


def test_a_worker_has_room_for_a_segment(spec: dict[str, Any], pods: list[dict[str, Any]]) -> None:
    """The driver's machine takes none; all see the same folders."""
    head, worker = (pod["spec"]["containers"][0] for pod in pods)
    limits = worker["resources"]["limits"]
    resources = {"CPU": float(limits["cpu"]), "GPU": float(limits["nvidia.com/gpu"])}
    share = share_of("cuda", [{"Alive": True, "Resources": resources}])
    assert share.cpus <= resources["CPU"]
    assert spec["rayClusterSpec"]["headGroupSpec"]["rayStartParams"]["num-cpus"] == "0"
    assert head["volumeMounts"] == worker["volumeMounts"]
    assert re.search(r"EXTRAS=\S*\bray\b", MANIFEST.read_text())
