"""Writes the Dockerfile of an algorithm's image."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field

from ... import __version__
from ...errors import WrapperError
from ..source.requirements import FILE_NAME

BASE_NAME = "hkube/python-wrapper"
DEFAULT_BASE = f"{BASE_NAME}:{__version__}"
VERSION_LABEL = "io.hkube.python-wrapper.version"
"""The label of the base image, which the algorithm's image inherits."""
WORKING_FOLDER = "/hkube/algorithm-runner"
CODE_FOLDER = "algorithm_unique_folder"
"""HKube's builder puts the user's code here, and the base image expects it here."""
REQUIREMENTS_FOLDER = "/hkube/requirements"
SECRET = "pip-conf"
"""The id of the build secret that holds a pip.conf; the base image's build uses it too."""

_UNPRINTABLE = ("Cc", "Cs", "Zl", "Zp")  # control characters, line breaks, broken text
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*")


class ImageError(WrapperError):
    """A Dockerfile cannot be written; the message names the invalid value."""

    code = "ImageError"


@dataclass(frozen=True)
class Image:
    """The description of an algorithm's image.

    Attributes:
        name: the algorithm's name.
        base: the image to build on, which contains the wrapper.
        entry_point: the algorithm's module, for ALGORITHM_ENTRY_POINT.
        version: the algorithm's version; empty if not given.
        environ: the algorithm's environment variables.
        install_command: the shell command that installs the packages; empty for pip.
        installs: whether requirements.txt is installed, and lists anything.
        installs_own_files: whether it lists files of the folder, so that these come first.
        secret: whether a build secret provides a pip.conf.
    """

    name: str
    base: str
    entry_point: str
    version: str = ""
    environ: Mapping[str, str] = field(default_factory=dict)
    install_command: str = ""
    installs: bool = False
    installs_own_files: bool = False
    secret: bool = False


def dockerfile(image: Image) -> str:
    """Return the text of the Dockerfile for the build context of `context.py`.

    Raises:
        ImageError: a name or a value cannot be written in a Dockerfile.
    """
    # Copy the folder itself: otherwise the engine chooses its mode.
    copy = [f"COPY code/ {WORKING_FOLDER}/"]
    variables = {**image.environ, "ALGORITHM_ENTRY_POINT": image.entry_point}
    labels = {"org.opencontainers.image.title": image.name}
    if image.version:
        labels["org.opencontainers.image.version"] = image.version
    lines = [
        f"# Made by hkube-wrapper build {__version__}.",
        f"FROM {image.base}",
        *_wrapper_check(image),
        *(copy if image.installs_own_files else []),
        *_install(image),
        *([] if image.installs_own_files else copy),
        *_command(image),
        _pairs("ENV", variables),
        _pairs("LABEL", labels),
    ]
    return "\n".join(lines) + "\n"


def _wrapper_check(image: Image) -> list[str]:
    if is_own_base(image.base):
        return []
    complaint = f"error: {image.base} does not contain the wrapper: build it on {DEFAULT_BASE}"
    return [f"RUN python -c 'import wrapper' || {{ echo '{complaint}' >&2; exit 1; }}"]


def is_own_base(base: str) -> bool:
    """Whether a base image is the wrapper's own, in any registry."""
    folder, _, name = base.partition("@")[0].rpartition("/")
    return f"/{folder}/{name.partition(':')[0]}".endswith(f"/{BASE_NAME}")


def _install(image: Image) -> list[str]:
    if not image.installs:
        return []
    run = f"RUN {_mount(image)}"
    if image.installs_own_files:
        return [
            f"{run}cd {WORKING_FOLDER}/{CODE_FOLDER} && pip install --no-cache-dir -r {FILE_NAME}"
        ]
    return [
        f"COPY requirements/ {REQUIREMENTS_FOLDER}/",
        f"{run}pip install --no-cache-dir -r {REQUIREMENTS_FOLDER}/{FILE_NAME}",
    ]


def _command(image: Image) -> list[str]:
    """Run dependencyInstallCmd where HKube's builder does: in the folder of the code."""
    if not image.install_command:
        return []
    command = f"cd {WORKING_FOLDER}/{CODE_FOLDER} && {{ {image.install_command}\n}}"
    return [f"RUN {_mount(image)}{json.dumps(['/bin/sh', '-c', command])}"]


def _mount(image: Image) -> str:
    mount = f"--mount=type=secret,id={SECRET},target=/etc/pip.conf,mode=0444 "
    return mount if image.secret else ""


def _pairs(instruction: str, values: Mapping[str, str]) -> str:
    pairs = []
    for name, value in values.items():
        if instruction == "ENV" and not _VARIABLE.fullmatch(name):
            raise ImageError(f"{name!r} in algorithmEnv is not a valid variable name")
        if any(unicodedata.category(character) in _UNPRINTABLE for character in value):
            raise ImageError(
                f"the value of {name} contains a line break or another control character, which "
                "an image cannot hold: set the variable on the algorithm in HKube"
            )
        pairs.append(f"{name}={_quoted(value)}")
    return f"{instruction} " + " \\\n    ".join(pairs)


def _quoted(value: str) -> str:
    escaped = re.sub(r'([\\"$])', r"\\\1", value)
    return f'"{escaped}"'
