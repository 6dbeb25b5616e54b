"""Reads the folders of a catalog, and names what it finds in them."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from ....errors import WrapperError
from ....text.suggestions import did_you_mean, near_miss
from ...source.manifest import ManifestError, read_document

_LISTED = 8


class CatalogError(WrapperError):
    """A folder or map of algorithms, or a folder of pipelines, is unusable; the text says why."""

    code = "CatalogError"


def is_folder(path: Path) -> bool:
    """Return whether a path is a folder.

    Raises:
        CatalogError: the system does not accept the path.
    """
    try:
        return path.is_dir()
    except (OSError, ValueError) as error:  # the name is too long, or contains a null byte
        raise unreadable(path, error) from error


def entries(folder: Path) -> list[Path]:
    """Return the entries of a folder, sorted.

    Raises:
        CatalogError: the folder cannot be read.
    """
    try:
        return sorted(folder.iterdir())
    except OSError as error:
        raise unreadable(folder, error) from error


def unreadable(path: Path, error: OSError | ValueError) -> CatalogError:
    """Return the error for a path that cannot be read."""
    reason = getattr(error, "strerror", None) or str(error)
    name = str(path)
    return CatalogError(f"cannot read {name if len(name) < 200 else name[:200] + '…'}: {reason}")


def read_or_none(file: Path) -> Any:
    """Return the content of a YAML or JSON file, or None if it is not valid."""
    try:
        return read_document(file)
    except ManifestError:
        return None


def declared_name(file: Path) -> str | None:
    """Return the `name` in a YAML or JSON file, even if the rest of it is invalid."""
    document = read_or_none(file)
    name = document.get("name") if isinstance(document, dict) else None
    return name if isinstance(name, str) and name else None


def alternatives(name: str, names: Iterable[str]) -> str:
    """Return the end of a sentence that suggests other names than the one that does not exist."""
    names = sorted(names)
    alike = near_miss(name, names)
    if alike is not None:
        return did_you_mean(alike)
    more = f" and {len(names) - _LISTED} more" if len(names) > _LISTED else ""
    return f"; available: {', '.join(names[:_LISTED])}{more}"
