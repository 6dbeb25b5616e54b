"""Descriptions of algorithms, as hkubectl takes them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from wrapper.local.source.manifest import ManifestError, find_manifest, is_manifest, read_manifest

WHOLE = """\
name: eval-alg
env: python
resources:
  cpu: 0.5
  gpu: 1
  mem: 512Mi
code:
  path: ./code
  entryPoint: src/main.py
algorithmEnv:
  SIZE: 3
  FAST: true
  NAME: text
  SECRET: {secretKeyRef: {name: s, key: k}}
baseImage: my/base
"""


def write(folder: Path, content: Any, name: str = "algorithm.yml") -> Path:
    path = folder / name
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


def test_complete_description(tmp_path: Path) -> None:
    (tmp_path / "code").mkdir()
    read = read_manifest(write(tmp_path, WHOLE))
    assert read.name == "eval-alg"
    assert read.code == tmp_path / "code"
    assert read.entry_point == "src/main.py"
    assert read.environ == {"SIZE": "3", "FAST": "true", "NAME": "text"}
    assert (read.memory, read.base_image) == (512 * 1024**2, "my/base")
    assert len(read.remarks) == 1 and "algorithmEnv.SECRET" in read.remarks[0]


def test_fields_that_only_a_cluster_fulfils_are_named(tmp_path: Path) -> None:
    document: dict[str, Any] = {
        "reservedMemory": "128Mi",
        "mounts": [{"pvcName": "data", "path": "/data"}, {"pvcName": "no path"}, "no object"],
        "volumeMounts": [{"name": "v", "mountPath": "/v"}],
        "workerEnv": {"A": "1"},
    }
    read = read_manifest(write(tmp_path, document))
    assert read.peer_memory == 128 * 1024**2
    about = [remark.partition(": ")[0] for remark in read.remarks]
    assert about == ["mounts", "volumeMounts", "workerEnv is for HKube's worker"]
    assert "docker run --volume DIR:/data" in read.remarks[0]


def test_minimal_description(tmp_path: Path) -> None:
    read = read_manifest(write(tmp_path, {"env": "python"}, "algorithm.json"))
    assert (read.name, read.code, read.entry_point) == (tmp_path.name, tmp_path, None)
    assert (read.environ, read.memory, read.remarks) == ({}, None, ())


def test_entry_point_at_the_top_level(tmp_path: Path) -> None:
    path = write(tmp_path, {"name": "a", "entryPoint": "alg.py"})
    assert read_manifest(path).entry_point == "alg.py"


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("512Mi", 512 * 1024**2),
        ("1.5Gi", 3 * 1024**3 // 2),
        ("256M", 256_000_000),
        ("128k", 128_000),
        (1024, 1024),
        ("4000m", 4),
    ],
)
def test_amounts_of_memory(tmp_path: Path, text: Any, amount: int) -> None:
    assert read_manifest(write(tmp_path, {"resources": {"mem": text}})).memory == amount
    assert read_manifest(write(tmp_path, {"mem": text})).memory == amount


BOMB = "\n".join(
    ["a0: &a0 [x]", *(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 30))]
)
"""A few lines that expand to more values than fit in memory."""


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ("", "must be an object with a name and code, but is empty"),
        ("- a", "must be an object with a name and code, but is a list"),
        ("name: [", r"is not valid YAML: .*<stream end>' \(line 1, column 8\)$"),
        ("a: " + "[" * 5000, "is not valid YAML: it is nested too deep"),
        ({"name": "p", "nodes": []}, "is a pipeline: run it with hkube-wrapper pipeline run .*"),
        ({"name": 3}, "name must be text, but is 3"),
        ({"env": "nodejs"}, "env is 'nodejs', but this wrapper runs python algorithms only"),
        ({"env": {"A": "b"}}, "environment variables go into algorithmEnv"),
        ({"code": "./code"}, "code must be an object, but is text"),
        ({"code": {"path": "none"}}, "code.path is none, but .*none does not exist"),
        ({"code": {"entryPoint": []}}, "code.entryPoint must be text, but is a list"),
        (
            {"resources": {"mem": "lots"}},
            "resources.mem is 'lots', but must be a Kubernetes quantity",
        ),
        ({"resources": {"mem": True}}, "resources.mem is True"),
        ({"reservedMemory": "much"}, "reservedMemory is 'much', but must be a Kubernetes quantity"),
        ({"algorithmEnv": {"A": [1]}}, "algorithmEnv.A must be text, but is a list"),
        ({"algorithmImage": "x/y"}, "names an image but no code: add code.path"),
        ({"code": {"path": "a\0b"}}, "code.path holds a null byte"),
        ({"algorithmEnv": {"A=B": "x"}}, "algorithmEnv: 'A=B' is not a valid variable name"),
        ({"algorithmEnv": {"": "x"}}, "algorithmEnv: '' is not a valid variable name"),
        ({"algorithmEnv": {"a\0b": "x"}}, "in algorithmEnv holds a null byte"),
        ({"algorithmEnv": {"A": "a\0b"}}, "algorithmEnv.A holds a null byte"),
        ({"algorithmEnv": {"A": "\ud800"}}, "algorithmEnv.A contains an invalid character"),
        ({"code": {"entryPoint": "\ud800"}}, "code.entryPoint contains an invalid character"),
        ("env: &a [*a]", "an alias refers to the value that contains it"),
        (f"{BOMB}\nname: *a29", "its aliases expand to more than"),
    ],
)
def test_mistakes_are_named_with_their_place(tmp_path: Path, content: Any, text: str) -> None:
    path = write(tmp_path, content)
    with pytest.raises(ManifestError, match=text) as raised:
        read_manifest(path)
    assert str(path) in str(raised.value)


def test_unreadable_files(tmp_path: Path) -> None:
    with pytest.raises(ManifestError, match="cannot read .*: No such file"):
        read_manifest(tmp_path / "none.yml")
    (tmp_path / "a.yml").write_bytes(b"\xff\xfe\xfd")
    with pytest.raises(ManifestError, match="not UTF-8"):
        read_manifest(tmp_path / "a.yml")
    with pytest.raises(ManifestError, match="is not valid JSON: Expecting"):
        read_manifest(write(tmp_path, "{", "a.json"))


def test_nested_merges_do_not_grow(tmp_path: Path) -> None:
    lines = ["name: a", "x0: &x0 {k: 1}"]
    lines += [f"x{n}: &x{n} {{<<: [*x{n - 1}, *x{n - 1}]}}" for n in range(1, 60)]
    assert read_manifest(write(tmp_path, "\n".join(lines))).name == "a"


def test_description_is_recognized_by_its_name(tmp_path: Path) -> None:
    assert is_manifest(Path("a.YML")) and is_manifest(Path("a.json"))
    assert not is_manifest(Path("a.py"))
    assert find_manifest(tmp_path) is None
    path = write(tmp_path, {}, "algorithm.json")
    assert find_manifest(tmp_path) == path


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=8,
)
KEYS = st.sampled_from(["name", "env", "code", "resources", "algorithmEnv", "baseImage", "mem"])


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(document=st.dictionaries(KEYS, JSON, max_size=4) | JSON)
def test_any_document_is_accepted_or_refused(tmp_path: Path, document: Any) -> None:
    path = write(tmp_path, document, "algorithm.json")
    text = ""
    try:
        assert read_manifest(path).code.exists()
    except ManifestError as error:
        text = str(error)
    assert not text or str(path) in text
