"""The fields of an algorithm's description in HKube, and which of them have no effect here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ...text.suggestions import did_you_mean, near_miss

FIELDS = (
    *("name", "kind", "env", "type", "image", "algorithmImage", "entryPoint", "code", "resources"),
    *("dependencyInstallCmd", "baseImage", "gitRepository", "cpu", "gpu", "mem", "reservedMemory"),
    *("applyCpuLimits", "algorithmEnv", "workerEnv", "mounts", "volumes", "volumeMounts"),
    *("securityContext", "sideCars", "options", "stateType", "minHotWorkers", "maxWorkers"),
    *("quotaGuarantee", "nodeSelector", "labels", "annotations", "downloadFileExt", "version"),
    *(
        "description",
        "created",
        "modified",
        "data",
        "auditTrail",
        "fileExt",
        "workerCustomResources",
    ),
    *("streamKind", "kaiObject", "errors", "unscheduledReason", "isPreferredImage", "devFolder"),
)
CODE_FIELDS = ("path", "entryPoint")
RESOURCE_FIELDS = ("cpu", "gpu", "mem")


def unused_fields(document: Mapping[str, Any]) -> Iterator[str]:
    """Yield a sentence for each field that HKube does not know, and for those without effect."""
    yield from _unknown(document, FIELDS, "")
    for name, known in (("code", CODE_FIELDS), ("resources", RESOURCE_FIELDS)):
        section = document.get(name)
        if isinstance(section, dict):
            yield from _unknown(section, known, f"{name}.")
    if document.get("gitRepository"):
        yield "gitRepository is not used here: the code is that of this folder"
    options = document.get("options")
    if isinstance(options, dict) and "debug" in options:
        yield "options.debug no longer exists in HKube: start the algorithm with debug instead"


def _unknown(section: Mapping[str, Any], known: tuple[str, ...], above: str) -> Iterator[str]:
    for name in section:
        if name not in known:
            alike = did_you_mean(near_miss(str(name), known, likeness=0.75))
            yield f"HKube does not know the field {above}{name}{alike}"
