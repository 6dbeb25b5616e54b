"""Reads an algorithm.yml or .json: the description that `hkubectl algorithm apply` takes."""

from __future__ import annotations

import os
import re
import reprlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from ...errors import WrapperError
from .manifest_fields import unused_fields
from .yaml_aliases import alias_problem

SUFFIXES = (".yml", ".yaml", ".json")
JSON_MANIFEST = "algorithm.json"
FILE_NAMES = ("algorithm.yml", "algorithm.yaml", JSON_MANIFEST)

_PYTHON = re.compile(r"python[\d.]*(:.*)?", re.IGNORECASE)
_QUANTITY = re.compile(r"(\d+(?:\.\d+)?)\s*([KMGTPE]i?|m|k)?")
_UNITS = {
    "": 1,
    "m": Decimal("0.001"),
    **{unit: 1000**power for power, unit in enumerate("KMGTPE", start=1)},
    **{f"{unit}i": 1024**power for power, unit in enumerate("KMGTPE", start=1)},
    "k": 1000,
}


@dataclass(frozen=True)
class Manifest:
    """The parts of a description that matter on this machine.

    Attributes:
        path: the file.
        name: the algorithm's name.
        code: absolute path of a folder or an archive.
        entry_point: the module that has `start`; None for HKube's default.
        environ: the variables of `algorithmEnv` that are plain values.
        memory: bytes of `resources.mem`; None if not given.
        base_image: the image to build on; None if not given.
        image: a complete image that HKube would run; None if not given.
        install_command: the shell command that installs its packages in place of
            requirements.txt; empty if not given.
        state_type: `stateful` or `stateless`, in a streaming pipeline; None if not given.
        peer_memory: bytes of `reservedMemory`, for results that peers read; None if not given.
        remarks: sentences about what is not available on this machine.
        unused: sentences about fields that have no effect, for `check` and `build`.
    """

    path: Path
    name: str
    code: Path
    entry_point: str | None
    environ: Mapping[str, str]
    memory: int | None
    base_image: str | None
    image: str | None
    install_command: str
    state_type: str | None
    peer_memory: int | None
    remarks: tuple[str, ...]
    unused: tuple[str, ...]


class ManifestError(WrapperError):
    """A description cannot be used; the message names the file and the place in it."""

    code = "ManifestError"


def is_manifest(path: Path) -> bool:
    """Whether a path names a description, by its suffix."""
    return path.name.lower().endswith(SUFFIXES)


def is_python(document: Mapping[str, Any]) -> bool:
    """Whether a description is that of an algorithm in Python; without `env` it is."""
    env = document.get("env", "python")
    return isinstance(env, dict) or bool(isinstance(env, str) and _PYTHON.fullmatch(env))


def find_manifest(folder: Path) -> Path | None:
    """Return the description in a folder; None if there is none."""
    return next((folder / name for name in FILE_NAMES if (folder / name).is_file()), None)


def read_manifest(path: Path) -> Manifest:
    """Read a description; `code.path` is relative to its folder, as for hkubectl.

    Raises:
        ManifestError: it cannot be read, or HKube would not accept it.
    """
    document = read_document(path)
    if not isinstance(document, dict):
        raise ManifestError(f"{path} must be an object with a name and code, {_is(document)}")
    if "nodes" in document and "code" not in document:
        raise ManifestError(f"{path} is a pipeline: run it with hkube-wrapper pipeline run {path}")
    _check_language(path, document)
    code = _section(path, document, "code")
    resources = _section(path, document, "resources")
    remarks = list(_cluster_only(document))
    return Manifest(
        path=path,
        name=_text(path, document, "name") or path.resolve().parent.name,
        code=_code_path(path, document, code),
        entry_point=_text(path, code, "entryPoint", "code.") or _text(path, document, "entryPoint"),
        environ=_environ(path, document, remarks),
        memory=_memory(path, "resources.mem", resources.get("mem", document.get("mem"))),
        base_image=_text(path, document, "baseImage"),
        image=_text(path, document, "image") or _text(path, document, "algorithmImage"),
        install_command=_text(path, document, "dependencyInstallCmd") or "",
        state_type=_state_type(path, document),
        peer_memory=_memory(path, "reservedMemory", document.get("reservedMemory")),
        remarks=tuple(remarks),
        unused=tuple(unused_fields(document)),
    )


def _state_type(path: Path, document: Mapping[str, Any]) -> str | None:
    value = _text(path, document, "stateType")
    if value not in (None, "stateful", "stateless"):
        raise ManifestError(f"{path}: stateType must be stateful or stateless, not '{value}'")
    return value


def read_document(path: Path) -> Any:
    """Read a YAML or JSON file that holds one document of plain values.

    Raises:
        ManifestError: it cannot be read, is invalid, or its aliases expand too far.
    """
    import yaml

    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise ManifestError(f"cannot read {path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ManifestError(f"cannot read {path}: it is not UTF-8 text") from error
    kind = "JSON" if path.suffix.lower() == ".json" else "YAML"
    try:
        # JSON is valid YAML, except for tabs, but a JSON parser gives better messages.
        document = _loads_json(text) if kind == "JSON" else yaml.safe_load(text)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise ManifestError(f"{path} is not valid {kind}: {_reason(error)}") from error
    wrong = alias_problem(document)
    if wrong is not None:
        raise ManifestError(f"{path}: {wrong}")
    return document


def _reason(error: Exception) -> str:
    """Turn a parser's error into one clause that ends with the place."""
    if isinstance(error, RecursionError):
        return "it is nested too deep"
    problem, mark = getattr(error, "problem", None), getattr(error, "problem_mark", None)
    if problem and mark:  # the text of a YAML error spans lines and names no file
        return f"{problem} (line {mark.line + 1}, column {mark.column + 1})"
    return " ".join(str(error).split()) or type(error).__name__


def _loads_json(text: str) -> Any:
    import json

    return json.loads(text)


def _check_language(path: Path, document: Mapping[str, Any]) -> None:
    env = document.get("env", "python")
    if isinstance(env, dict):
        raise ManifestError(
            f"{path}: env names the language, python; environment variables go into algorithmEnv"
        )
    if not isinstance(env, str) or not _PYTHON.fullmatch(env):
        raise ManifestError(
            f"{path}: env is {_short(env)}, but this wrapper runs python algorithms only"
        )


def _code_path(path: Path, document: Mapping[str, Any], code: Mapping[str, Any]) -> Path:
    given = _text(path, code, "path", "code.")
    if given is None and not code and (document.get("image") or document.get("algorithmImage")):
        raise ManifestError(
            f"{path} names an image but no code: add code.path, the folder that the image is "
            "built from"
        )
    try:
        location = Path(given or ".").expanduser()
    except RuntimeError:  # "~nobody"
        location = Path(given or ".")
    found = path.resolve().parent / location
    if not found.exists():
        raise ManifestError(f"{path}: code.path is {given}, but {found} does not exist")
    return found


def _environ(path: Path, document: Mapping[str, Any], remarks: list[str]) -> dict[str, str]:
    values: dict[str, str] = {}
    for given, value in _section(path, document, "algorithmEnv").items():
        name = str(given)
        if not name or "=" in name:
            raise ManifestError(f"{path}: algorithmEnv: {name!r} is not a valid variable name")
        _check_text(path, f"the name {name!r} in algorithmEnv", name)
        if isinstance(value, bool):
            values[name] = "true" if value else "false"
        elif isinstance(value, (str, int, float)):
            values[name] = _check_text(path, f"algorithmEnv.{name}", str(value))
        elif isinstance(value, dict):
            remarks.append(
                f"algorithmEnv.{name} comes from the cluster ({', '.join(map(str, value))}): "
                "here its value comes from this shell, if set"
            )
        else:
            raise ManifestError(f"{path}: algorithmEnv.{name} must be text, {_is(value)}")
    return values


def _cluster_only(document: Mapping[str, Any]) -> Iterator[str]:
    """Yield a sentence for each field that only a cluster can fulfil."""
    for field, key in (("mounts", "path"), ("volumeMounts", "mountPath")):
        entries = document.get(field)
        for entry in entries if isinstance(entries, list) else ():
            place = entry.get(key) if isinstance(entry, dict) else None
            if isinstance(place, str):
                yield (
                    f"{field}: {place} comes from the cluster: here it is this machine's {place}; "
                    f"in the image, docker run --volume DIR:{place} puts a folder there"
                )
    if document.get("workerEnv"):
        yield "workerEnv is for HKube's worker: it has no effect here"


def _memory(path: Path, name: str, given: Any) -> int | None:
    if given is None:
        return None
    is_plain = isinstance(given, (str, int, float)) and not isinstance(given, bool)
    match = _QUANTITY.fullmatch(str(given).strip()) if is_plain else None
    if match is None:
        raise ManifestError(
            f"{path}: {name} is {_short(given)}, but must be a Kubernetes quantity, "
            "for example 512Mi"
        )
    return int(Decimal(match[1]) * _UNITS[match[2] or ""])


def _section(path: Path, document: Mapping[str, Any], name: str) -> dict[str, Any]:
    value = document.get(name)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise ManifestError(f"{path}: {name} must be an object, {_is(value)}")
    return value


def _text(path: Path, document: Mapping[str, Any], name: str, above: str = "") -> str | None:
    value = document.get(name)
    if value is None or value == "":
        return None
    if not isinstance(value, str):
        raise ManifestError(f"{path}: {above}{name} must be text, {_is(value)}")
    return _check_text(path, f"{above}{name}", value)


def _check_text(path: Path, place: str, text: str) -> str:
    """Return a text if a file name or an environment variable can hold it."""
    if "\0" in text:
        raise ManifestError(f"{path}: {place} holds a null byte")
    try:
        os.fsencode(text)
    except UnicodeEncodeError:
        raise ManifestError(f"{path}: {place} contains an invalid character") from None
    return text


def _is(value: object) -> str:
    kinds = {dict: "an object", list: "a list", str: "text", bool: "true or false"}
    return "but is " + ("empty" if value is None else kinds.get(type(value)) or _short(value))


def _short(value: object) -> str:
    return reprlib.repr(value)
