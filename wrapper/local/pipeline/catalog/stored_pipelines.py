"""The stored pipelines that algorithms may start by name."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...source.manifest import ManifestError, is_manifest, read_document
from ..descriptor.descriptor import Pipeline
from ..descriptor.fields import DescriptorError
from ..descriptor.parsing import parse_pipeline
from .folders import CatalogError, alternatives, declared_name, entries, is_folder


@dataclass(frozen=True)
class UnusablePipeline:
    """A stored pipeline that cannot be used, which is an error only when something asks for it."""

    reason: str


StoredPipelines = Mapping[str, Pipeline | UnusablePipeline]
"""Stored pipelines by name."""


def load_pipelines(folder: Path | None) -> dict[str, Pipeline | UnusablePipeline]:
    """Return the stored pipelines of a folder of JSON or YAML files, by name.

    A pipeline without a `name` is named after its file. Unusable pipelines are included.

    Raises:
        CatalogError: the folder does not exist, or two pipelines have the same name.
    """
    if folder is None:
        return {}
    if not is_folder(folder):
        raise CatalogError(f"{folder} is not a folder of stored pipelines")
    found: dict[str, Pipeline | UnusablePipeline] = {}
    files: dict[str, Path] = {}
    for file in entries(folder):
        if not file.is_file() or not is_manifest(file):
            continue
        pipeline: Pipeline | UnusablePipeline
        try:
            pipeline = read_pipeline(file)
            name = pipeline.name
        except DescriptorError as error:
            pipeline = UnusablePipeline(str(error))
            name = declared_name(file) or file.stem
        if name in found:
            raise CatalogError(f"{file} and {files[name]} are both named '{name}'")
        found[name], files[name] = pipeline, file
    return found


def stored_pipeline(name: str, stored: StoredPipelines) -> Pipeline:
    """Return a stored pipeline, which must be among the stored ones.

    Raises:
        DescriptorError: it cannot be used.
    """
    pipeline = stored[name]
    if isinstance(pipeline, UnusablePipeline):
        raise DescriptorError(pipeline.reason)
    return pipeline


def read_pipeline(file: Path) -> Pipeline:
    """Return the pipeline that a JSON or YAML file describes.

    Raises:
        DescriptorError: it cannot be used.
    """
    return parse_pipeline(read_descriptor(file), str(file), name=file.stem)


def read_descriptor(file: Path) -> Any:
    """Return the JSON value in a pipeline's JSON or YAML file.

    Raises:
        DescriptorError: it cannot be used.
    """
    if file.suffix == ".py":
        raise DescriptorError(
            f"{file} is an algorithm, not a pipeline: run it with `hkube-wrapper run {file}`"
        )
    if os.path.isdir(file):  # Path.is_dir raises for some names
        raise DescriptorError(f"{file} is a folder; give the pipeline's JSON or YAML file")
    try:
        return read_document(file)
    except ManifestError as error:
        raise DescriptorError(str(error)) from error


def missing_pipeline(name: str, pipelines: StoredPipelines) -> str:
    """Return a sentence that says that a stored pipeline does not exist, and which ones do."""
    if not pipelines:
        return f"there is no stored pipeline '{name}'; give a folder of them with --pipelines"
    return f"there is no stored pipeline '{name}'{alternatives(name, pipelines)}"
