"""Preparing the image of an algorithm."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from wrapper import __version__
from wrapper.errors import WrapperError
from wrapper.local.build.packing import BuildOptions, Packed, pack
from wrapper.local.source.source import open_algorithm


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path.resolve() / "green"
    made.mkdir()
    (made / "main.py").write_text("import torch\ndef start(args): pass\n")
    return made


def packed(path: Path, **options: object) -> Packed:
    with open_algorithm(path) as source:
        return pack(source, BuildOptions(**options))  # type: ignore[arg-type]


def test_plain_folder(folder: Path) -> None:
    found = packed(folder)
    assert (found.tag, found.image.base) == ("green:latest", f"hkube/python-wrapper:{__version__}")
    assert (found.image.installs, found.image.secret, found.remarks) == (False, False, ())


def test_description(folder: Path) -> None:
    (folder / "algorithm.yml").write_text(
        "name: eval-alg\nversion: 1.2.3\nbaseImage: team/base:1\nalgorithmEnv: {A: 1}\n"
        "code: {entryPoint: main}\n"
    )
    found = packed(folder)
    assert found.tag == "eval-alg:1.2.3"
    image = found.image
    assert (image.base, image.entry_point, image.version) == ("team/base:1", "main", "1.2.3")
    assert image.environ == {"A": "1"}
    found = packed(folder, tag="other", base="hkube/python-wrapper:2")
    assert (found.tag, found.image.base) == ("other", "hkube/python-wrapper:2")


def test_requirements(folder: Path, tmp_path: Path) -> None:
    (folder / "requirements.txt").write_text("# none\n")
    assert not packed(folder).image.installs
    (folder / "requirements.txt").write_text("numpy\n")
    assert packed(folder).image.installs
    (folder / "requirements.txt").write_text("./tool\n")
    found = packed(folder)
    assert found.image.installs_own_files
    assert found.remarks[0].startswith("requirements.txt lists files from the folder")


@pytest.mark.parametrize(
    "arguments", [["--secret", "id=pip-conf,src=x"], ["--secret=id=pip-conf,src=x"]]
)
def test_secret_in_the_engine_arguments(folder: Path, arguments: list[str]) -> None:
    assert packed(folder, engine_arguments=arguments).image.secret
    assert not packed(folder, engine_arguments=["--secret", "id=other,src=x"]).image.secret


def test_pip_conf(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "pip.conf").touch()
    assert packed(folder, pip_conf=tmp_path / "pip.conf").image.secret


def test_remarks(folder: Path) -> None:
    (folder / "Dockerfile").touch()
    with (folder / "data.bin").open("wb") as data:
        data.truncate(200_000_000)
    own, large = packed(folder).remarks
    assert own.startswith("the folder's Dockerfile is not used: this command writes its own")
    assert large.startswith("2 files, 200.0 MB for the image, the largest data.bin (200.0 MB)")


@pytest.mark.parametrize(
    ("files", "options", "text"),
    [
        ({"main.py": "def go(a): pass"}, {}, "main.py has no function 'start'"),
        ({"main.py": "def"}, {}, "main.py:1 is not valid Python"),
        ({"algorithm.yml": "code: {entryPoint: other.py}"}, {}, "no file other.py in"),
        ({"algorithm.yml": "a: ["}, {}, "is not valid YAML"),
        (
            {"algorithm.yml": "name: A B"},
            {},
            "'A B' is not a valid image name: choose one with --tag",
        ),
        ({"algorithm.yml": "baseImage: 'a\nRUN b'"}, {}, "the base 'a RUN b' is not a valid image"),
        (
            {"algorithm.yml": 'algorithmEnv: {A: "x\\ny"}'},
            {},
            "the value of A contains a line break",
        ),
        ({}, {"tag": "A"}, "'A' is not a valid image name"),
        ({}, {"tag": ""}, "'' is not a valid image name"),
        ({}, {"base": "a b"}, "the base 'a b' is not a valid image name"),
        (
            {},
            {"pip_conf": Path("/nowhere/pip.conf")},
            "the --pip-conf file /nowhere/pip.conf does not exist",
        ),
        ({"requirements.txt": "a=1"}, {}, "requirements.txt:1 is not valid: a=1"),
        (
            {"requirements.txt": "hkube-python-wrapper\n"},
            {},
            "requirements.txt:1 lists hkube-python-wrapper, which would replace",
        ),
        (
            {"main.py": "import test_data\ndef start(args): ...\n", "test_data.py": ""},
            {},
            "main.py:1 imports test_data.py, which is left out by .dockerignore",
        ),
        ({".dockerignore": "main.py"}, {}, "the algorithm's module main.py is left out by"),
        ({".dockerignore": "!"}, {}, "has an invalid pattern"),
    ],
)
def test_unpackable_algorithms(
    folder: Path, files: dict[str, str], options: dict[str, object], text: str
) -> None:
    for name, content in files.items():
        (folder / name).write_text(content)
    with pytest.raises(WrapperError, match=text) as caught:
        packed(folder, **options)
    assert "\n" not in str(caught.value)


def test_link_outside_the_folder(folder: Path) -> None:
    (folder / "data").symlink_to("/usr")
    with pytest.raises(WrapperError, match="data links outside the folder"):
        packed(folder)


def test_home_folder_is_refused(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(folder))
    with pytest.raises(WrapperError, match=f"all of {folder} would go into the image"):
        packed(folder / "main.py")


def test_install_command_replaces_requirements(folder: Path) -> None:
    (folder / "requirements.txt").write_text("numpy\n")
    (folder / "algorithm.yml").write_text(
        'dependencyInstallCmd: pip install "a b" && ./setup.sh\nmemmory: 1\n'
    )
    with open_algorithm(folder) as source:
        packed = pack(source, BuildOptions())
    [run] = [line for line in packed.dockerfile.splitlines() if line.startswith("RUN")]
    _, command, text = json.loads(run.removeprefix("RUN "))
    assert command == "-c"
    assert text == (
        'cd /hkube/algorithm-runner/algorithm_unique_folder && { pip install "a b" && ./setup.sh\n}'
    )
    assert packed.dockerfile.index("COPY code/") < packed.dockerfile.index("RUN")
    assert any("does not know the field memmory" in each for each in packed.remarks)
