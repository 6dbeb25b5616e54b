"""What HKube's API gets of an algorithm.yml."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from wrapper import __version__
from wrapper.local.cluster.payload import (
    AlgorithmPayload,
    PayloadError,
    codeless_description,
    payload_of_code,
    payload_without_code,
)
from wrapper.local.source.source import open_algorithm


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "green"
    made.mkdir()
    (made / "main.py").write_text("def start(args): pass\n")
    return made


def described(folder: Path, **fields: Any) -> AlgorithmPayload:
    document = {"name": "green", "code": {"path": "."}, "baseImage": "b", **fields}
    (folder / "algorithm.json").write_text(json.dumps(document))
    with open_algorithm(folder) as source:
        return payload_of_code(source)


def test_folder_without_a_description(folder: Path) -> None:
    with open_algorithm(folder) as source:
        payload = payload_of_code(source, base="hkube/python-wrapper:1")
    assert payload.document == {
        "name": "green",
        "env": "python",
        "type": "Code",
        "entryPoint": "main.py",
        "baseImage": "hkube/python-wrapper:1",
    }
    assert payload.notes == ()


def test_missing_base_image_is_noted_with_this_wrapper_s(folder: Path) -> None:
    payload = described(folder, baseImage=None)
    assert f"--base hkube/python-wrapper:{__version__}" in "".join(payload.notes)
    assert described(folder, baseImage="python:3.12").problem


def test_sections_of_hkubectl_are_flattened(folder: Path) -> None:
    (folder / "other.py").write_text("def start(args): pass\n")
    payload = described(
        folder,
        code={"path": ".", "entryPoint": "other.py"},
        resources={"cpu": 0.5, "gpu": 1, "mem": "512Mi"},
    )
    sent = payload.document
    assert (sent["cpu"], sent["gpu"], sent["mem"]) == (0.5, 1, "512Mi")
    assert sent["entryPoint"] == "other.py"
    assert not {"code", "resources"} & set(sent)


def test_all_other_fields_go_as_they_are(folder: Path) -> None:
    fields: dict[str, Any] = {
        "kind": "stream",
        "dependencyInstallCmd": "./install.sh",
        "reservedMemory": "100Mi",
        "applyCpuLimits": True,
        "workerEnv": {"WORKER_ALGORITHM_PROTOCOL": "socket"},
        "mounts": [{"pvcName": "data", "path": "/data"}],
        "volumes": [{"name": "v", "emptyDir": {}}],
        "volumeMounts": [{"name": "v", "mountPath": "/v"}],
        "securityContext": {"runAsUser": 1},
        "sideCars": [],
        "options": {"devMode": False},
        "stateType": "stateful",
        "minHotWorkers": 1,
        "maxWorkers": 4,
        "quotaGuarantee": 1,
        "nodeSelector": {"zone": ["a"]},
        "labels": {"team": "x"},
        "annotations": {"a": "b"},
        "downloadFileExt": "png",
        "streamKind": "x",
    }
    payload = described(folder, **fields)
    assert {name: payload.document[name] for name in fields} == fields
    assert payload.notes == ()


def test_variables_become_text_and_secrets_stay_references(folder: Path) -> None:
    secret = {"secretKeyRef": {"name": "s", "key": "k"}}
    payload = described(folder, algorithmEnv={"N": 5, "ON": True, "KEY": secret})
    assert payload.document["algorithmEnv"] == {"N": "5", "ON": "true", "KEY": secret}


@pytest.mark.parametrize(
    "field, value, note",
    [
        ("version", "1.2", "version is not sent: HKube numbers"),
        ("image", "r/i", "image is not sent: the cluster builds"),
        ("algorithmImage", "r/i", "algorithmImage is not sent"),
        ("gitRepository", {"url": "u"}, "gitRepository is not used here"),
        ("minHotworkers", 1, "HKube does not know the field minHotworkers"),
    ],
)
def test_field_without_effect_is_named(folder: Path, field: str, value: Any, note: str) -> None:
    payload = described(folder, **{field: value})
    assert note in "".join(payload.notes)
    if field != "minHotworkers":
        assert field not in payload.document


def test_name_that_hkube_refuses(folder: Path) -> None:
    with pytest.raises(PayloadError, match=r"33 characters, but HKube allows at most 32; --name"):
        described(folder, name="a" * 33)
    with open_algorithm(folder) as source:
        assert payload_of_code(source, name="other").document["name"] == "other"
        with pytest.raises(PayloadError, match="'My Alg' is not a valid HKube name"):
            payload_of_code(source, name="My Alg")


@pytest.mark.parametrize(
    "fields, kind",
    [
        ({"gitRepository": {"url": "https://h/r.git", "branchName": "main"}}, "Git"),
        ({"image": "registry/team/green:1"}, "Image"),
        ({"algorithmImage": "registry/team/green:1"}, "Image"),
    ],
)
def test_algorithm_whose_code_is_elsewhere(folder: Path, fields: dict[str, Any], kind: str) -> None:
    file = folder / "algorithm.json"
    file.write_text(json.dumps({"resources": {"mem": "1Gi"}, **fields}))
    for path in (folder, file):
        found = codeless_description(path)
        assert found is not None
        payload = payload_without_code(*found)
        assert payload.document["type"] == kind
        assert (payload.document["name"], payload.document["mem"]) == ("green", "1Gi")
        assert payload.notes == ()
    if kind == "Image":
        assert payload.document["algorithmImage"] == "registry/team/green:1"
    else:
        assert payload.document["gitRepository"] == fields["gitRepository"]


@pytest.mark.parametrize("text", ['{"code": {"path": "."}, "image": "i"}', "{}", "[]", "5"])
def test_algorithm_whose_code_is_here(folder: Path, text: str) -> None:
    (folder / "algorithm.json").write_text(text)
    assert codeless_description(folder) is None


def test_path_without_a_description(folder: Path) -> None:
    assert codeless_description(folder) is None
    assert codeless_description(folder / "main.py") is None
    assert codeless_description(folder / "missing.yml") is None
