"""compose.yaml and the Kubernetes Job, against the published schemas and against the image that they run."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from rfdn_video.cli.batch import add_arguments
from rfdn_video.cli.environment import PREFIX, options_from
from rfdn_video.cli.main import _command
from rfdn_video.cli.parser import Parser
from rfdn_video.settings import load_preset
from tests.container.dockerfile import ROOT, assigned, command, said

JOB = ROOT / "deploy" / "job.yaml"


def documents(text: str) -> list[dict[str, Any]]:
    return list(yaml.safe_load_all(text))


def without_gpu() -> str:
    return "".join(line for line in JOB.read_text().splitlines(keepends=True) if "# GPU" not in line)


def of_kind(kind: str, text: str | None = None) -> dict[str, Any]:
    (found,) = (doc for doc in documents(text or JOB.read_text()) if doc["kind"] == kind)
    return found


@pytest.fixture
def pod() -> dict[str, Any]:
    return of_kind("Job")["spec"]["template"]["spec"]


@pytest.fixture
def container(pod: dict[str, Any]) -> dict[str, Any]:
    (only,) = pod["containers"]
    return only


@pytest.fixture
def services() -> dict[str, Any]:
    return yaml.safe_load((ROOT / "compose.yaml").read_text())["services"]


def compose_check(path: Path) -> subprocess.CompletedProcess[str]:
    check = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec", str(path)]
    return subprocess.run(check, capture_output=True, text=True, check=False)


def test_compose_is_of_the_published_schema(tmp_path: Path) -> None:
    done = compose_check(ROOT / "compose.yaml")
    assert done.returncode == 0, done.stdout
    wrong = tmp_path / "compose.yaml"
    wrong.write_text((ROOT / "compose.yaml").read_text().replace("stop_grace_period", "stop_grace"))
    assert compose_check(wrong).returncode == 1


def test_compose_has_a_service_with_and_one_without_a_gpu(services: dict[str, Any]) -> None:
    assert {name: service["profiles"] for name, service in services.items()} == {"gpu": ["gpu"], "cpu": ["cpu"]}
    (device,) = services["gpu"]["deploy"]["resources"]["reservations"]["devices"]
    assert (device["driver"], device["capabilities"]) == ("nvidia", ["gpu"])
    assert services["gpu"]["environment"]["RFDN_REQUIRE_GPU"] == "1"
    assert "RFDN_REQUIRE_GPU" not in services["cpu"]["environment"]
    assert "deploy" not in services["cpu"]
    assert set(services["cpu"]["build"]["args"]) <= set(assigned("ARG", 1))


@pytest.mark.parametrize("name", ["cpu", "gpu"])
def test_compose_services_have_no_rights_and_write_to_out_only(services: dict[str, Any], name: str) -> None:
    service = services[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["user"] == f"${{RFDN_USER:-{said('USER')[0]}}}"
    assert service["tmpfs"] == ["/tmp"]  # noqa: S108
    assert {volume.split(":", 1)[1] for volume in service["volumes"]} == {"/in:ro", "/out", "/presets:ro"}


@pytest.mark.parametrize("name", ["cpu", "gpu"])
def test_compose_shows_the_status_to_this_machine_only(services: dict[str, Any], name: str) -> None:
    service, (port,) = services[name], said("EXPOSE")
    assert service["ports"] == [f"127.0.0.1:{port}:{port}"]
    assert service["environment"][f"{PREFIX}SERVE"] == f"0.0.0.0:{port}"
    assert "serve" in service["build"]["args"]["EXTRAS"] if name == "cpu" else service["build"] == "."


@pytest.mark.parametrize("version", ["1.31", kubernetes_validate.latest_version()])
@pytest.mark.parametrize("text", [JOB.read_text(), without_gpu()], ids=["gpu", "cpu"])
def test_the_job_is_of_the_published_schema(version: str, text: str) -> None:
    for document in documents(text):
        kubernetes_validate.validate(document, version, strict=True)


def test_the_schema_would_refuse_a_slip_of_the_pen() -> None:
    wrong = of_kind("Job", JOB.read_text().replace("readOnlyRootFilesystem", "readOnlyRootFileSystem"))
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(wrong, kubernetes_validate.latest_version(), strict=True)


def test_the_lines_of_the_gpu_are_marked(container: dict[str, Any]) -> None:
    assert container["resources"]["limits"]["nvidia.com/gpu"] == 1
    assert {"name": "RFDN_REQUIRE_GPU", "value": "1"} in container["env"]
    left = yaml.safe_dump(list(documents(without_gpu()))).lower()
    assert "nvidia" not in left
    assert "require_gpu" not in left


def test_the_job_has_no_rights_and_limits(pod: dict[str, Any], container: dict[str, Any]) -> None:
    user, group = said("USER")[0].split(":")
    rights = pod["securityContext"]
    assert (rights["runAsNonRoot"], rights["runAsUser"], rights["runAsGroup"]) == (True, int(user), int(group))
    assert rights["seccompProfile"] == {"type": "RuntimeDefault"}
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert {"cpu", "memory"} <= set(container["resources"]["requests"])
    assert "memory" in container["resources"]["limits"]
    assert pod["automountServiceAccountToken"] is False


def test_what_the_job_writes_to_is_a_volume(pod: dict[str, Any], container: dict[str, Any]) -> None:
    mounts = {mount["mountPath"]: mount for mount in container["volumeMounts"]}
    assert {path for path, mount in mounts.items() if not mount.get("readOnly")} == {"/out", "/tmp"}  # noqa: S108
    assert {mount["name"] for mount in mounts.values()} == {volume["name"] for volume in pod["volumes"]}


def test_the_job_ends_and_is_watched(pod: dict[str, Any], container: dict[str, Any]) -> None:
    parser, _, rest = _command(container["args"])
    given = parser.parse_args(rest)
    assert (given.sources, given.output, given.watch) == ([Path("/in")], Path("/out"), False)
    assert container["livenessProbe"]["exec"]["command"] == command("HEALTHCHECK")
    assert pod["restartPolicy"] == "Never"  # podFailurePolicy wants it


def test_the_jobs_settings_are_settings(container: dict[str, Any], tmp_path: Path) -> None:
    variables = {item["name"]: item["value"] for item in container["env"]}
    parser = Parser(prog="batch")
    add_arguments(parser)
    assert options_from(variables, parser, ("SRC", "-o", "DST")) == [
        "--preset=/presets/job.toml",
        f"--serve=0.0.0.0:{container['ports'][0]['containerPort']}",
    ]
    (name,) = of_kind("ConfigMap")["data"]
    assert variables[f"{PREFIX}PRESET"] == f"/presets/{name}"
    preset = tmp_path / name
    preset.write_text(of_kind("ConfigMap")["data"][name])
    assert load_preset(str(preset))["encoder"] == "hevc"
