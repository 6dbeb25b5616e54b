"""Names of images, as docker, podman and buildah take them."""

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
    """A text cannot name an image."""

    code = "ImageNameError"


def check_tag(tag: str) -> str:
    """Return a name for an image to be made, such as `registry:5000/team/alg:1.0`.

    Raises:
        ImageNameError: it is none.
    """
    if len(tag) > _MAX_LENGTH or not _TAG.fullmatch(tag):
        raise ImageNameError(
            f"{_shown(tag)} cannot name an image: small letters, digits and . _ - between them, "
            "as in team/my-alg:1.0"
        )
    return tag


def check_base(base: str) -> str:
    """Return the name of an image to build on; it may have a digest.

    Raises:
        ImageNameError: it is none.
    """
    if len(base) > _MAX_LENGTH or not _BASE.fullmatch(base):
        raise ImageNameError(
            f"the base {_shown(base)} cannot be an image's name, such as hkube/python-wrapper:1.0"
        )
    return base


def default_tag(name: str, version: str) -> str:
    """Return `name:version`, or `name:latest` where there is no version.

    Raises:
        ImageNameError: the algorithm's name or its version cannot be in an image's name.
    """
    try:
        return check_tag(f"{name}:{version or 'latest'}")
    except ImageNameError:
        what = f"{name}:{version}" if version else name
        raise ImageNameError(
            f"{_shown(what)} cannot name an image: give a name with --tag"
        ) from None


def has_registry(name: str) -> bool:
    """Tell whether an image's name begins with a registry; podman may not find one without."""
    first, slash, _ = name.partition("/")
    return bool(slash) and ("." in first or ":" in first or first == "localhost")


def _shown(text: str) -> str:
    return repr(text if len(text) <= _MAX_LENGTH else f"{text[:_MAX_LENGTH]}…")
