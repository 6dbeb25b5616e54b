"""Creates an algorithm from a template; its files work unchanged."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ... import __version__
from ...errors import WrapperError
from ..source.algorithm_name import name_problem

TEMPLATES = ("hello", "model", "subpipeline")
EXAMPLES = {
    "hello": """--input '["world"]'""",
    "model": """--input '[["good and fast", "bad"]]'""",
    "subpipeline": """--input '[["bolt", "nut"]]' --answers {folder}/answers.json""",
}
"""Arguments for `run`, after the folder, to try the template."""

_FOLDER = Path(__file__).with_name("templates")
_HIDDEN = ("gitignore", "dockerignore", "hkubeignore")
_SHARED_TEXT = "SHIPPING"


@dataclass(frozen=True)
class Scaffold:
    """A new algorithm.

    Attributes:
        folder: its folder, as the user wrote it.
        name: its name.
        files: the names of its files, sorted.
    """

    folder: Path
    name: str
    files: tuple[str, ...]


class ScaffoldError(WrapperError):
    """An algorithm cannot be created; the message says why."""

    code = "ScaffoldError"


def scaffold(folder: Path, template: str) -> Scaffold:
    """Create an algorithm in a new or empty folder.

    Args:
        folder: the folder; its last part is the algorithm's name.
        template: one of `TEMPLATES`.

    Raises:
        ScaffoldError: the name is invalid, or the folder is not empty or cannot be written.
    """
    if "\0" in str(folder):
        raise ScaffoldError("the name holds a null byte")
    name = folder.resolve().name
    problem = name_problem(name)
    if problem:
        raise ScaffoldError(f"'{name}' {problem}")
    texts = dict(_texts(template, name))
    try:
        _check_free(folder)
        folder.mkdir(parents=True, exist_ok=True)
        for file, text in texts.items():
            with (folder / file).open("x", encoding="utf-8") as opened:  # x: never overwrites
                opened.write(text)
    except OSError as error:
        raise ScaffoldError(
            f"cannot create {folder}: {error.filename}: {error.strerror}"
        ) from error
    return Scaffold(folder, name, tuple(sorted(texts)))


def _check_free(folder: Path) -> None:
    if folder.exists() and not folder.is_dir():
        raise ScaffoldError(f"{folder} already exists and is a file: choose another name")
    if folder.is_dir() and any(folder.iterdir()):
        raise ScaffoldError(f"{folder} already exists and is not empty: choose another name")


def _texts(template: str, name: str) -> Iterator[tuple[str, str]]:
    # The suffix .txt keeps tools from taking the files for modules of this package.
    shared = (_FOLDER / "common" / f"{_SHARED_TEXT}.txt").read_text(encoding="utf-8")
    for path in (*_FOLDER.joinpath("common").iterdir(), *_FOLDER.joinpath(template).iterdir()):
        file = path.name.removesuffix(".txt")
        if file == _SHARED_TEXT:
            continue
        text = path.read_text(encoding="utf-8")
        text = text.replace(f"{_SHARED_TEXT}\n", shared).replace("ALGORITHM_NAME", name)
        text = text.replace("WRAPPER_VERSION", __version__)
        yield (f".{file}" if file in _HIDDEN else file), text
