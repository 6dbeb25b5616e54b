"""New algorithms from templates."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from wrapper import __version__
from wrapper.local.init.scaffold import EXAMPLES, TEMPLATES, ScaffoldError, scaffold
from wrapper.local.source.manifest import read_manifest

ALL = {
    *(".dockerignore", ".gitignore", ".hkubeignore", "README.md", "algorithm.yml", "main.py"),
    *("requirements.txt", "test_main.py"),
}


@pytest.mark.parametrize("template", TEMPLATES)
def test_template(tmp_path: Path, template: str) -> None:
    made = scaffold(tmp_path / "deep" / "my-alg", template)
    assert (made.name, made.folder) == ("my-alg", tmp_path / "deep" / "my-alg")
    assert set(made.files) >= ALL
    assert sorted(os.listdir(made.folder)) == list(made.files)
    texts = {name: (made.folder / name).read_text() for name in made.files}
    for placeholder in ("ALGORITHM_NAME", "SHIPPING", "WRAPPER_VERSION"):
        assert not any(placeholder in text for text in texts.values())
    assert texts["README.md"].startswith("# my-alg\n")
    assert "hkubectl algorithm apply" in texts["README.md"]
    for file in ("README.md", "algorithm.yml"):
        assert f"baseImage: hkube/python-wrapper:{__version__}" in texts[file]
    manifest = read_manifest(made.folder / "algorithm.yml")
    assert (manifest.name, manifest.entry_point) == ("my-alg", "main.py")


def test_each_template_has_an_example() -> None:
    assert set(EXAMPLES) == set(TEMPLATES)


def test_empty_folder_is_filled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "alg").mkdir()
    monkeypatch.chdir(tmp_path / "alg")
    assert scaffold(Path("."), "hello").name == "alg"


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("full", "full already exists and is not empty"),
        ("file", "file already exists and is a file"),
        ("file/alg", "cannot create .*file/alg"),
        ("My_Alg", "'My_Alg' is not a valid HKube name.* how about 'my-alg'"),
        ("x" * 64, "has 64 characters"),
        ("a\0b", "null byte"),
    ],
)
def test_refused_names_and_folders(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "precious").write_text("mine")
    (tmp_path / "file").write_text("mine")
    with pytest.raises(ScaffoldError, match=text):
        scaffold(tmp_path / name, "hello")
    assert os.listdir(tmp_path / "full") == ["precious"]
    assert sorted(os.listdir(tmp_path)) == ["file", "full"]
