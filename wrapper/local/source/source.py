"""Finds the algorithm at a PATH: a file, a folder, a module, a description or an archive."""

from __future__ import annotations

import importlib.util
import re
import sysconfig
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from ...algorithm.loading.entry_point import EntryPoint, find_file
from ...errors import LoadError, WrapperError
from ...text.suggestions import near_miss
from ..scratch import ScratchFolder
from .archive import is_archive, unpack
from .import_root import import_root
from .manifest import find_manifest, is_manifest, read_manifest

DEFAULT_ENTRY_POINT = "main.py"

_DOTTED_NAME = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)+")
_MAX_LISTED = 6


@dataclass(frozen=True)
class AlgorithmSource:
    """An algorithm on this machine.

    Attributes:
        name: the algorithm's name.
        folder: absolute path of the folder with its code.
        entry_point: the module that has `start`: a file in the folder or a dotted name.
        environ: environment variables that its description sets.
        memory: bytes that it may use in HKube; None if not given.
        manifest: its description; None if it has none.
        base_image: the image that its image is built on; None if not given.
        archive: the archive that its code was unpacked from; None if there was no archive.
        install_command: the shell command that installs its packages in place of
            requirements.txt; empty if there is none.
        state_type: `stateful` or `stateless`, in a streaming pipeline; None if not given.
        peer_memory: bytes for results that other algorithms read; None for the default.
        remarks: sentences about what is not available on this machine.
        unused: sentences about fields of its description that have no effect.
    """

    name: str
    folder: Path
    entry_point: str = DEFAULT_ENTRY_POINT
    environ: Mapping[str, str] = field(default_factory=dict)
    memory: int | None = None
    manifest: Path | None = None
    base_image: str | None = None
    archive: Path | None = None
    install_command: str = ""
    state_type: str | None = None
    peer_memory: int | None = None
    remarks: tuple[str, ...] = ()
    unused: tuple[str, ...] = ()


class SourceError(WrapperError):
    """There is no algorithm at a path; the message says what is there instead."""

    code = "SourceError"


@contextmanager
def open_algorithm(path: str | Path, whole: bool = True) -> Iterator[AlgorithmSource]:
    """Find the algorithm at a path.

    An archive is unpacked into a folder that exists only inside the context.

    Args:
        path: a Python file; a folder with an algorithm.yml or a main.py; the dotted name of a
            module that is below the working directory or installed; a description (.yml, .yaml
            or .json) for hkubectl; or an archive of code.
        whole: whether the module that its description names must exist.

    Raises:
        SourceError: there is no algorithm, or it cannot be read.
        LoadError: the module that its description names does not exist.
        ManifestError: its description cannot be used.
        ArchiveError: its archive cannot be unpacked.
    """
    with ScratchFolder() as scratch:
        try:
            source = _find(Path(path), Path(scratch))
            if whole and source.manifest is not None:
                find_module(source)
        except OSError as error:  # the name is too long, or access is denied
            raise SourceError(f"cannot read {path}: {error.strerror or error}") from error
        yield source


def find_module(source: AlgorithmSource) -> Path:
    """Find the algorithm's module.

    Returns:
        Its absolute path.

    Raises:
        LoadError: there is no such file; the message says what there is.
    """
    try:
        return Path(find_file(EntryPoint(source.folder, source.entry_point)))
    except LoadError as error:
        message = str(error)
        if source.archive is not None:
            message = _naming_archive(source.archive, source.folder, message)
        if source.manifest is not None:
            # In a container a variable names the entry point; here the description does.
            message = message.replace("set ALGORITHM_ENTRY_POINT", "set code.entryPoint")
            message = message.replace("ALGORITHM_PATH", "code.path")
            message = f"{source.manifest.name}: {message}"
        raise LoadError(message) from None


def is_shared_folder(folder: Path) -> bool:
    """Whether a folder is the root, a home or where packages are installed: not one algorithm."""
    installed = {Path(sysconfig.get_path(name)).resolve() for name in ("purelib", "platlib")}
    return folder in installed or folder in (Path(folder.anchor), Path.home())


def _find(path: Path, scratch: Path) -> AlgorithmSource:
    if "\0" in str(path):
        raise SourceError("the path holds a null byte")
    if path.is_dir():
        return _in_folder(path, scratch)
    if not path.exists():
        return _module(str(path))
    if is_archive(path):
        return _in_archive(path, scratch)
    if is_manifest(path):
        return _described(path, scratch)
    if path.suffix != ".py":
        raise SourceError(
            f"{path} is neither a folder, a .py file, an algorithm.yml or .json, nor an archive "
            "(.tar.gz, .zip)"
        )
    return source_of_file(path.resolve(), path.stem)


def source_of_file(file: Path, name: str) -> AlgorithmSource:
    """Return the algorithm in a file.

    Its folder is the file's, or the one above that the file's imports start from.

    Args:
        file: absolute path of the module.
        name: the algorithm's name.
    """
    folder = import_root(file, Path.cwd().resolve())
    if is_shared_folder(folder):
        folder = file.parent
    return AlgorithmSource(name, folder, file.relative_to(folder).as_posix())


def _in_folder(path: Path, scratch: Path) -> AlgorithmSource:
    description = find_manifest(path)
    if description is not None:
        return _described(description, scratch)
    if not (path / DEFAULT_ENTRY_POINT).is_file():
        raise SourceError(f"{path} has no main.py{_what_instead(path)}")
    return source_of_file(path.resolve() / DEFAULT_ENTRY_POINT, path.resolve().name)


def _in_archive(archive: Path, scratch: Path) -> AlgorithmSource:
    folder = unpack(archive, scratch)
    if find_manifest(folder) is None and not (folder / DEFAULT_ENTRY_POINT).is_file():
        names = sorted(entry.name for entry in folder.iterdir())
        holds = f"it holds {_listed(names)}" if names else "it is empty"
        raise SourceError(f"{archive} has no main.py and no algorithm.yml; {holds}")
    try:
        source = _in_folder(folder, scratch)
    except WrapperError as error:  # the folder is deleted before the user reads this
        raise SourceError(_naming_archive(archive, folder, str(error))) from error
    name = archive.name.partition(".")[0] if source.manifest is None else source.name
    return replace(source, name=name, archive=archive)


def _naming_archive(archive: Path, folder: Path, message: str) -> str:
    """Name the archive in a message instead of the folder that it was unpacked into."""
    for path in (folder.resolve(), folder):
        message = message.replace(str(path), str(archive))
    return message


def _described(path: Path, scratch: Path) -> AlgorithmSource:
    described = read_manifest(path)
    folder, archive = described.code, None
    is_unpacked = path.resolve().is_relative_to(scratch.resolve())
    if is_unpacked and not folder.resolve().is_relative_to(scratch.resolve()):
        # The archive is untrusted: `build` could put any file of this machine into the image.
        raise SourceError(f"{path.name} in the archive: code.path points outside the archive")
    if folder.is_file():
        if not is_archive(folder):
            raise SourceError(
                f"{path}: code.path must be a folder or an archive (.tar.gz, .zip), not {folder}"
            )
        archive = folder
        folder = unpack(archive, Path(tempfile.mkdtemp(dir=scratch)))
    return AlgorithmSource(
        name=described.name,
        folder=folder.resolve(),
        entry_point=described.entry_point or DEFAULT_ENTRY_POINT,
        environ=described.environ,
        memory=described.memory,
        manifest=path.resolve(),
        base_image=described.base_image,
        archive=archive,
        install_command=described.install_command,
        state_type=described.state_type,
        peer_memory=described.peer_memory,
        remarks=described.remarks,
        unused=described.unused,
    )


def _module(name: str) -> AlgorithmSource:
    """Find `pkg.module` without importing anything."""
    if not _DOTTED_NAME.fullmatch(name):
        raise SourceError(f"{name} does not exist{_meant(Path(name))}")
    top, _, rest = name.partition(".")
    relative = Path(*rest.split("."))
    for root in (Path.cwd(), *_roots(top)):
        for candidate in (root / top / relative.with_suffix(".py"), root / top / relative):
            if candidate.is_file() or (candidate / "__init__.py").is_file():
                return AlgorithmSource(name.rpartition(".")[2], root, name)
    raise SourceError(
        f"{name} does not exist: there is no such file, and no module of this name below "
        f"{Path.cwd()} or installed{_meant(Path(name), '; ')}"
    )


def _meant(path: Path, lead: str = ": ") -> str:
    """Suggest what the user may have meant, as the end of a sentence."""
    try:
        names = [entry.name for entry in path.parent.iterdir() if not entry.name.startswith(".")]
    except OSError:
        return ""
    name = f"{path.name}.py" if f"{path.name}.py" in names else near_miss(path.name, names)
    return f"{lead}did you mean '{path.with_name(name)}'?" if name else ""


def _roots(package: str) -> list[Path]:
    """Return the folders that contain an installed package."""
    try:
        spec = importlib.util.find_spec(package)  # imports nothing if the name has no dots
    except (ImportError, ValueError):
        return []
    locations = spec.submodule_search_locations if spec is not None else None
    return [Path(location).parent for location in locations or ()]


def _what_instead(folder: Path) -> str:
    names = sorted(entry.name for entry in folder.glob("*.py"))
    if not names:
        return " or any other Python file: pass the folder or file that has `start`"
    return f": pass the file that has `start`; found {_listed(names)}"


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - _MAX_LISTED} more" if len(names) > _MAX_LISTED else ""
    return ", ".join(names[:_MAX_LISTED]) + more
