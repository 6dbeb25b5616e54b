"""The Kubernetes files of deploy/ agree with the wrapper's settings."""

from __future__ import annotations

from typing import Any

import yaml

from tests.paths import ROOT
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


def test_caches_use_at_most_half_of_the_algorithms_memory() -> None:
    algorithm = document("algorithm.yml")
    config = Config.from_environ(algorithm["algorithmEnv"], "/")
    budgets = config.storage.max_cache_size + config.discovery.max_cache_size

    assert 0 < budgets * 1_000_000 <= bytes_of(algorithm["resources"]["mem"]) / 2
