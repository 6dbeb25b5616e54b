"""Fields of a description that HKube does not know, or that have no effect."""

from __future__ import annotations

from typing import Any

import pytest

from wrapper.local.source.manifest_fields import unused_fields


@pytest.mark.parametrize(
    ("document", "sentences"),
    [
        ({"name": "a", "code": {"path": "."}, "mem": "1Gi", "mounts": []}, []),
        ({"entrypoint": "a.py"}, ["HKube does not know the field entrypoint: did you mean"]),
        ({"code": {"entrypoint": 1}}, ["HKube does not know the field code.entrypoint: did you"]),
        ({"resources": {"memory": 1}}, ["HKube does not know the field resources.memory"]),
        ({"gitRepository": {"url": "x"}}, ["gitRepository is not used here"]),
        ({"options": {"debug": True}}, ["options.debug no longer exists in HKube"]),
        ({"x": 1, "y": 2}, ["HKube does not know the field x", "HKube does not know the field y"]),
    ],
)
def test_fields_without_effect_are_named(document: dict[str, Any], sentences: list[str]) -> None:
    found = list(unused_fields(document))
    assert len(found) == len(sentences)
    assert all(map(str.startswith, found, sentences))
