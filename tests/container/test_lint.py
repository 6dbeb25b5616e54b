"""The Dockerfile, shell scripts, Kubernetes files and workflows pass their linters."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from .conftest import REQUIRED, ROOT

SCRIPTS = [ROOT / "entrypoint.sh", *sorted((ROOT / "image").glob("*.sh"))]
REQUIREMENTS = "tests/container/requirements.txt is not installed"


def linter(name: str) -> str:
    """Find a program next to this interpreter or in PATH, or skip the test."""
    beside = Path(sys.executable).parent / name
    found = str(beside) if beside.exists() else shutil.which(name)
    if found is None:
        (pytest.fail if REQUIRED else pytest.skip)(f"{name}: {REQUIREMENTS}")
    return found


def lint(*command: object) -> str:
    """Return a linter's complaints; empty if there are none."""
    done = subprocess.run([*map(str, command)], capture_output=True, text=True, check=False)
    return (done.stdout + done.stderr) if done.returncode else ""


def test_dockerfile() -> None:
    assert lint(linter("hadolint"), ROOT / "Dockerfile") == ""


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.name)
def test_scripts(script: Path) -> None:
    assert script.read_text().startswith("#!/bin/sh\n")
    assert lint(linter("shellcheck"), "--shell=sh", script) == ""


def test_workflows() -> None:
    files = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
    assert len(files) == 3
    assert lint(linter("actionlint"), *files) == ""


def test_entrypoint_replaces_itself() -> None:
    last = (ROOT / "entrypoint.sh").read_text().splitlines()[-1]

    assert last.startswith("exec ")


# ------------------------------------------------------------------------------ Kubernetes --
def documents(name: str) -> list[dict]:  # type: ignore[type-arg]
    """Return the documents of a YAML file in deploy/."""
    return [each for each in yaml.safe_load_all((ROOT / "deploy" / name).read_text()) if each]


@pytest.mark.parametrize("version", ["1.27", "1.33"])
def test_pod_matches_the_kubernetes_schema(version: str) -> None:
    validate = linter("kubernetes-validate")

    assert lint(validate, "--strict", "-k", version, ROOT / "deploy" / "pod.yaml") == ""


def test_pod_is_restricted() -> None:
    """Check each rule of the Pod Security Standard `restricted`."""
    [pod] = documents("pod.yaml")
    spec = pod["spec"]
    assert spec["securityContext"]["runAsNonRoot"] is True
    assert spec["securityContext"]["seccompProfile"]["type"] == "RuntimeDefault"
    assert not {"hostNetwork", "hostPID", "hostIPC"} & set(spec)
    assert all(set(volume) <= {"name", "emptyDir", "configMap"} for volume in spec["volumes"])
    for container in spec["containers"]:
        context = container["securityContext"]
        assert context["allowPrivilegeEscalation"] is False
        assert context["capabilities"] == {"drop": ["ALL"]}
        assert context["readOnlyRootFilesystem"] is True
        assert set(container["resources"]) == {"requests", "limits"}


def test_algorithm_matches_hkubes_schema() -> None:
    """Check the properties and types that hkubectl and HKube's API accept."""
    [algorithm] = documents("algorithm.yml")
    types = {
        "name": str,
        "image": str,
        "resources": dict,
        "options": dict,
        "minHotWorkers": int,
        "algorithmEnv": dict,
    }
    assert set(algorithm) <= set(types)
    for name, value in algorithm.items():
        assert isinstance(value, types[name]), name
    assert set(algorithm["resources"]) == {"cpu", "gpu", "mem"}
    assert all(isinstance(value, str) for value in algorithm["algorithmEnv"].values())
    [pod] = documents("pod.yaml")
    assert algorithm["image"] == pod["spec"]["containers"][1]["image"]
