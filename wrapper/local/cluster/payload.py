"""Turns an algorithm.yml into what HKube's API takes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ...errors import WrapperError
from ..source.algorithm_name import name_problem
from ..source.manifest import find_manifest, is_manifest, read_document
from ..source.manifest_fields import RESOURCE_FIELDS, unused_fields
from ..source.source import DEFAULT_ENTRY_POINT, AlgorithmSource
from .base_image import judge_base

_NOT_SENT = ("code", "resources", "image", "version", "created", "modified", "auditTrail")
"""Fields that only hkubectl reads, and those that the API sets itself."""


class PayloadError(WrapperError):
    """An algorithm cannot be sent as it is described; the message says what to change."""

    code = "PayloadError"


@dataclass(frozen=True)
class AlgorithmPayload:
    """What the API gets of an algorithm, besides its code.

    Attributes:
        document: its description in the API's form.
        notes: sentences about what has no effect.
        problem: why its image cannot be built; empty if nothing is known to be wrong.
    """

    document: Mapping[str, Any]
    notes: tuple[str, ...]
    problem: str = ""

    @property
    def name(self) -> str:
        """The algorithm's name."""
        return str(self.document["name"])


def codeless_description(path: Path) -> tuple[Path, dict[str, Any]] | None:
    """Return a description whose code is in a Git repository or an image, and its file.

    Args:
        path: what the user named: a description, or a folder that may hold one.

    Returns:
        None if the code is on this machine.

    Raises:
        ManifestError: the description cannot be read.
    """
    file = find_manifest(path) if path.is_dir() else path
    if file is None or not file.is_file() or not is_manifest(file):
        return None
    document = read_document(file)
    if not isinstance(document, dict) or document.get("code"):
        return None
    elsewhere = ("gitRepository", "algorithmImage", "image")
    return (file, document) if any(document.get(name) for name in elsewhere) else None


def payload_of_code(
    source: AlgorithmSource, name: str | None = None, base: str | None = None
) -> AlgorithmPayload:
    """Return the payload of an algorithm whose code is sent along.

    Args:
        source: the algorithm.
        name: a name in place of its own.
        base: a base image in place of that in its description.

    Raises:
        PayloadError: HKube would refuse it.
    """
    described = read_document(source.manifest) if source.manifest is not None else {}
    described = described if isinstance(described, dict) else {}
    notes = list(source.unused)
    for field in ("image", "algorithmImage"):
        if described.get(field):
            notes.append(f"{field} is not sent: the cluster builds the image from the code")
    document = _flat(described)
    document.pop("algorithmImage", None)
    document.pop("gitRepository", None)
    document |= {
        "name": name or source.name,
        "env": described.get("env") or "python",
        "type": "Code",
        "entryPoint": source.entry_point or DEFAULT_ENTRY_POINT,
    }
    if source.environ:  # as text: HKube makes variables of them
        document["algorithmEnv"] = {**described.get("algorithmEnv", {}), **source.environ}
    if base:
        document["baseImage"] = base
    verdict = judge_base(document, source.folder)
    notes += [verdict.note] if verdict.note else []
    return replace(_checked(document, described, notes), problem=verdict.problem)


def payload_without_code(
    file: Path, described: Mapping[str, Any], name: str | None = None
) -> AlgorithmPayload:
    """Return the payload of an algorithm whose code is in a Git repository or an image.

    Args:
        file: the description's file.
        described: its content.
        name: a name in place of its own.

    Raises:
        PayloadError: HKube would refuse it.
    """
    document = _flat(described)
    document["name"] = name or described.get("name") or file.resolve().parent.name
    if described.get("gitRepository"):
        document["type"] = "Git"
        document.setdefault("env", "python")
    else:
        document["type"] = "Image"
        document["algorithmImage"] = described.get("image") or described.get("algorithmImage")
    return _checked(document, described, [*_without_git(described)])


def _flat(described: Mapping[str, Any]) -> dict[str, Any]:
    """Return a description without hkubectl's sections: the API has their fields at the top."""
    document = {name: value for name, value in described.items() if name not in _NOT_SENT}
    resources = described.get("resources")
    for name in RESOURCE_FIELDS:
        if isinstance(resources, dict) and resources.get(name) is not None:
            document[name] = resources[name]
    return document


def _without_git(described: Mapping[str, Any]) -> list[str]:
    return [each for each in unused_fields(described) if not each.startswith("gitRepository")]


def _checked(
    document: dict[str, Any], described: Mapping[str, Any], notes: list[str]
) -> AlgorithmPayload:
    problem = name_problem(str(document["name"]))
    if problem:
        raise PayloadError(
            f"the name '{document['name']}' {problem}; --name NAME gives another name"
        )
    if described.get("version") is not None:
        notes.append("version is not sent: HKube numbers the versions of an algorithm itself")
    return AlgorithmPayload(document, tuple(notes))
