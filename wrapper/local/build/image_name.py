"""Checks the names of images by the rules of docker, podman and buildah."""

from __future__ import annotations

import re

from ...errors import WrapperError

_COMPONENT = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_REGISTRY = r"(?:[A-Za-z0-9][A-Za-z0-9.-]*(?::\d{1,5})?|\[[0-9a-fA-F:]+\](?::\d{1,5})?)"
_VERSION = r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}"
_NAME = rf"(?:{_REGISTRY}/)?{_COMPONENT}(?:/{_COMPONENT})*"
_TAG = re.compile(rf"{_NAME}(?::{_VERSION})?")
_BASE = re.compile(rf"{_NAME}(?::{_VERSION})?(?:@sha256:[0-9a-f]{{64}})?")
_MAX_LENGTH = 255


class ImageNameError(WrapperError):
    """A text is not a valid image name."""

    code = "ImageNameError"


def check_tag(tag: str) -> str:
    """Check and return the name of an image to build, such as `registry:5000/team/alg:1.0`.

    Raises:
        ImageNameError: the name is invalid.
    """
    if len(tag) > _MAX_LENGTH or not _TAG.fullmatch(tag):
        raise ImageNameError(
            f"{_shown(tag)} is not a valid image name: use lowercase letters and digits, with "
            "'.', '_' or '-' between them, as in team/my-alg:1.0"
        )
    return tag


def check_base(base: str) -> str:
    """Check and return the name of an image to build on; it may have a digest.

    Raises:
        ImageNameError: the name is invalid.
    """
    if len(base) > _MAX_LENGTH or not _BASE.fullmatch(base):
        raise ImageNameError(
            f"the base {_shown(base)} is not a valid image name, such as hkube/python-wrapper:1.0"
        )
    return base


def default_tag(name: str, version: str) -> str:
    """Return `name:version`, or `name:latest` if there is no version.

    Raises:
        ImageNameError: the algorithm's name or its version cannot be in an image's name.
    """
    try:
        return check_tag(f"{name}:{version or 'latest'}")
    except ImageNameError:
        what = f"{name}:{version}" if version else name
        raise ImageNameError(
            f"{_shown(what)} is not a valid image name: choose one with --tag"
        ) from None


def has_registry(name: str) -> bool:
    """Whether an image's name begins with a registry; podman may not find it otherwise."""
    first, slash, _ = name.partition("/")
    return bool(slash) and ("." in first or ":" in first or first == "localhost")


def _shown(text: str) -> str:
    return repr(text if len(text) <= _MAX_LENGTH else f"{text[:_MAX_LENGTH]}…")
