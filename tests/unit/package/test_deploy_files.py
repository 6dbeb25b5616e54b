"""The Kubernetes files of deploy/ agree with the wrapper's settings."""

from __future__ import annotations

from typing import Any

import yaml

from tests.paths import ROOT
from wrapper import __version__
from wrapper.config.settings import Config

DEPLOY = ROOT / "deploy"
UNITS = {"Mi": 1024**2, "Gi": 1024**3}


def document(name: str) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((DEPLOY / name).read_text())
    return found


def bytes_of(quantity: str) -> int:
    return int(quantity[:-2]) * UNITS[quantity[-2:]]


def test_log_file_limit_is_well_below_the_volume_limit() -> None:
    [logs] = [each for each in document("pod.yaml")["spec"]["volumes"] if each["name"] == "logs"]
    limit = Config.from_environ({}, "/").log_file_limit * 1_000_000

    assert bytes_of(logs["emptyDir"]["sizeLimit"]) >= 2 * limit


def test_every_volume_has_a_limit_and_the_containers_leave_room_for_them() -> None:
    spec = document("pod.yaml")["spec"]
    sizes = {each["name"]: bytes_of(each["emptyDir"]["sizeLimit"]) for each in spec["volumes"]}
    for container in spec["containers"]:
        room = bytes_of(container["resources"]["limits"]["ephemeral-storage"])
        asked = bytes_of(container["resources"]["requests"]["ephemeral-storage"])
        mounted = sum(sizes[each["name"]] for each in container["volumeMounts"])
        assert 0 < asked <= mounted < room


def test_images_of_the_pod_have_tags() -> None:
    worker, algorithm = (each["image"] for each in document("pod.yaml")["spec"]["containers"])

    assert worker == f"hkube/python-wrapper:{__version__}"
    assert ":" in algorithm.rpartition("/")[2]


def test_caches_use_at_most_half_of_the_algorithms_memory() -> None:
    algorithm = document("algorithm.yml")
    config = Config.from_environ(algorithm["algorithmEnv"], "/")
    budgets = config.storage.max_cache_size + config.discovery.max_cache_size

    assert 0 < budgets * 1_000_000 <= bytes_of(algorithm["resources"]["mem"]) / 2
