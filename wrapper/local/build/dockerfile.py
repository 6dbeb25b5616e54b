"""The Dockerfile of an algorithm's image."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field

from ... import __version__
from ...errors import WrapperError
from ..source.requirements import FILE_NAME

DEFAULT_BASE = "hkube/python-wrapper"
WORKING_FOLDER = "/hkube/algorithm-runner"
CODE_FOLDER = "algorithm_unique_folder"
"""Where HKube's builder has the user's code; the base image looks for it there."""
REQUIREMENTS_FOLDER = "/hkube/requirements"
SECRET = "pip-conf"
"""The id of the build secret that holds a pip.conf, here as in the base image's own build."""

_UNPRINTABLE = ("Cc", "Cs", "Zl", "Zp")  # control characters, line breaks, broken text
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*")


class ImageError(WrapperError):
    """An image cannot be described; the text names what cannot be in it."""

    code = "ImageError"


@dataclass(frozen=True)
class Image:
    """What an algorithm's image is made of.

    Attributes:
        name: the algorithm's.
        base: the image to build on, which has the wrapper in it.
        entry_point: the algorithm's module, as ALGORITHM_ENTRY_POINT.
        version: the algorithm's; empty: not said.
        environ: variables of the algorithm's.
        installs: there is a requirements.txt with something in it.
        installs_own_files: it names files of the folder, which must be there before.
        secret: a pip.conf is given as a build secret.
    """

    name: str
    base: str
    entry_point: str
    version: str = ""
    environ: Mapping[str, str] = field(default_factory=dict)
    installs: bool = False
    installs_own_files: bool = False
    secret: bool = False


def dockerfile(image: Image) -> str:
    """Write the Dockerfile; its build context is that of `context.py`.

    Raises:
        ImageError: a variable's name or a value cannot be in one.
    """
    # With the folder itself, whose mode would else be what the engine chooses.
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
        _pairs("ENV", variables),
        _pairs("LABEL", labels),
    ]
    return "\n".join(lines) + "\n"


def _wrapper_check(image: Image) -> list[str]:
    folder, _, name = image.base.partition("@")[0].rpartition("/")
    if f"/{folder}/{name.partition(':')[0]}".endswith(f"/{DEFAULT_BASE}"):
        return []
    complaint = f"error: {image.base} does not have the wrapper in it: build it on {DEFAULT_BASE}"
    return [f"RUN python -c 'import wrapper' || {{ echo '{complaint}' >&2; exit 1; }}"]


def _install(image: Image) -> list[str]:
    if not image.installs:
        return []
    mount = f"--mount=type=secret,id={SECRET},target=/etc/pip.conf,mode=0444 "
    run = f"RUN {mount if image.secret else ''}"
    if image.installs_own_files:
        return [
            f"{run}cd {WORKING_FOLDER}/{CODE_FOLDER} && pip install --no-cache-dir -r {FILE_NAME}"
        ]
    return [
        f"COPY requirements/ {REQUIREMENTS_FOLDER}/",
        f"{run}pip install --no-cache-dir -r {REQUIREMENTS_FOLDER}/{FILE_NAME}",
    ]


def _pairs(instruction: str, values: Mapping[str, str]) -> str:
    pairs = []
    for name, value in values.items():
        if instruction == "ENV" and not _VARIABLE.fullmatch(name):
            raise ImageError(f"{name!r} in algorithmEnv cannot be the name of a variable")
        if any(unicodedata.category(character) in _UNPRINTABLE for character in value):
            raise ImageError(
                f"the value of {name} has a line break or another control character in it, which "
                "cannot be set in an image: set it where the algorithm is stored in HKube"
            )
        pairs.append(f"{name}={_quoted(value)}")
    return f"{instruction} " + " \\\n    ".join(pairs)


def _quoted(value: str) -> str:
    escaped = re.sub(r'([\\"$])', r"\\\1", value)
    return f'"{escaped}"'
