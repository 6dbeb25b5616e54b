"""A new algorithm from a template: files that work as they are."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ...errors import WrapperError
from ..source.algorithm_name import why_not_a_name

TEMPLATES = ("hello", "model", "subpipeline")
EXAMPLES = {
    "hello": """--input '["world"]'""",
    "model": """--input '[["good and fast", "bad"]]'""",
    "subpipeline": """--input '[["bolt", "nut"]]' --answers {folder}/answers.json""",
}
"""What to give `run` after the folder, to see the template work."""

_FOLDER = Path(__file__).with_name("templates")
_HIDDEN = ("gitignore", "dockerignore", "hkubeignore")
_SHARED_TEXT = "SHIPPING"


@dataclass(frozen=True)
class Scaffold:
    """What was made.

    Attributes:
        folder: as it was asked for.
        name: the algorithm's.
        files: their names, sorted.
    """

    folder: Path
    name: str
    files: tuple[str, ...]


class ScaffoldError(WrapperError):
    """An algorithm cannot be made there; the text says why."""

    code = "ScaffoldError"


def scaffold(folder: Path, template: str) -> Scaffold:
    """Make an algorithm in a folder that is not there yet, or empty.

    Args:
        folder: its last part is the algorithm's name.
        template: one of `TEMPLATES`.

    Raises:
        ScaffoldError: the name is none for HKube, something is there, or it cannot be written.
    """
    if "\0" in str(folder):
        raise ScaffoldError("the name holds a null byte")
    name = folder.resolve().name
    refusal = why_not_a_name(name)
    if refusal:
        raise ScaffoldError(f"'{name}' {refusal}")
    texts = dict(_texts(template, name))
    try:
        _check_free(folder)
        folder.mkdir(parents=True, exist_ok=True)
        for file, text in texts.items():
            with (folder / file).open("x", encoding="utf-8") as opened:  # x: never overwrites
                opened.write(text)
    except OSError as error:
        raise ScaffoldError(f"cannot make {folder}: {error.filename}: {error.strerror}") from error
    return Scaffold(folder, name, tuple(sorted(texts)))


def _check_free(folder: Path) -> None:
    if folder.exists() and not folder.is_dir():
        raise ScaffoldError(f"{folder} is there already, and is a file: nothing is overwritten")
    if folder.is_dir() and any(folder.iterdir()):
        raise ScaffoldError(
            f"{folder} is there already, and not empty: nothing is overwritten, choose another name"
        )


def _texts(template: str, name: str) -> Iterator[tuple[str, str]]:
    # The files end in .txt so that no tool takes them for modules of this package.
    shared = (_FOLDER / "common" / f"{_SHARED_TEXT}.txt").read_text(encoding="utf-8")
    for path in (*_FOLDER.joinpath("common").iterdir(), *_FOLDER.joinpath(template).iterdir()):
        file = path.name.removesuffix(".txt")
        if file == _SHARED_TEXT:
            continue
        text = path.read_text(encoding="utf-8")
        text = text.replace(f"{_SHARED_TEXT}\n", shared).replace("ALGORITHM_NAME", name)
        yield (f".{file}" if file in _HIDDEN else file), text
