"""Whether HKube's builder can build an algorithm on a base image, and which wrapper will run it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ... import __version__
from ..source.requirements import read_requirements

OWN_BASE = f"hkube/python-wrapper:{__version__}"

_PYTHON = re.compile(r"(?:.*/)?python:(\d+)\.(\d+)(?:[.@-].*)?")
_WRAPPER = re.compile(r"(?<![\w-])hkube[-_.]wrapper(?![\w])", re.IGNORECASE)
_DEFAULT = "python:3.8"
_FIRST, _LAST = (3, 10), (3, 10)
"""Below the first, this wrapper cannot be installed; above the last, the one that the builder
installs before the user's packages cannot: an extension that it needs does not compile."""


@dataclass(frozen=True)
class BaseVerdict:
    """What follows from a base image.

    Attributes:
        problem: why the build would fail; empty if nothing is known to be wrong.
        note: what may surprise; empty if nothing.
    """

    problem: str = ""
    note: str = ""


def judge_base(document: Mapping[str, Any], folder: Path) -> BaseVerdict:
    """Judge the base image of an algorithm that HKube's builder will build.

    Args:
        document: the algorithm's description.
        folder: its code.
    """
    base = str(document.get("baseImage") or "")
    found = _PYTHON.fullmatch(base or _DEFAULT)
    if found is None:
        return BaseVerdict()  # ours, or made by somebody who knows what is in it
    version = (int(found[1]), int(found[2]))
    installs = _installs_wrapper(document, folder)
    shown = f"baseImage {base}" if base else f"no baseImage, so HKube's default ({_DEFAULT})"
    if version > _LAST:
        return BaseVerdict(
            f"{shown}: HKube's builder first installs the published wrapper, which cannot be "
            f"installed on Python {found[1]}.{found[2]}; use {OWN_BASE}"
            + (", or python:3.10" if installs else "")
        )
    if version < _FIRST and installs:
        return BaseVerdict(
            f"{shown}: hkube-wrapper needs Python 3.10 or newer; use {OWN_BASE}, or python:3.10"
        )
    if not installs:
        return BaseVerdict(
            note=f"{shown}: the published wrapper, hkube-python-wrapper, will run the algorithm; "
            f"for this one, use --base {OWN_BASE}"
        )
    return BaseVerdict()


def _installs_wrapper(document: Mapping[str, Any], folder: Path) -> bool:
    """Whether the user's own packages include this wrapper, from an index or from a wheel."""
    command = str(document.get("dependencyInstallCmd") or "")
    if command:  # it replaces requirements.txt, or reads it
        named = _WRAPPER.search(command) is not None
        return named or ("requirements" in command and _lists_wrapper(folder))
    return _lists_wrapper(folder)


def _lists_wrapper(folder: Path) -> bool:
    requirements = read_requirements(folder)
    return "hkube-wrapper" in requirements.names
