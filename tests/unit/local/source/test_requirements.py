"""Reading a requirements.txt."""

from __future__ import annotations

import codecs
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from wrapper.local.source.requirements import Requirements, logical_lines, read_requirements


def read(folder: Path, text: str | bytes, **others: str) -> Requirements:
    data = text if isinstance(text, bytes) else text.encode()
    (folder / "requirements.txt").write_bytes(data)
    for name, content in others.items():
        (folder / f"{name}.txt").write_text(content)
    return read_requirements(folder)


def test_no_file(tmp_path: Path) -> None:
    assert read_requirements(tmp_path) == Requirements(present=False)


@pytest.mark.parametrize(
    ("line", "name", "specifier"),
    [
        ("numpy", "numpy", ""),
        ("Scikit_Learn >= 1.4,<2  # the model", "scikit-learn", "<2,>=1.4"),
        ("requests[socks,security]~=2.31", "requests", "~=2.31"),
        ("numpy==2.0 --hash=sha256:00 --hash=sha256:11", "numpy", "==2.0"),
        ("numpy==2.0 \\\n    --hash=sha256:00 \\\n    --hash=sha256:11", "numpy", "==2.0"),
        ("torch @ https://host/torch-2.0-py3-none-any.whl", "torch", ""),
        ("git+https://host/team/tool.git@v1#egg=My_Tool", "my-tool", ""),
        ("https://host/x/Pack_Age-1.0-py3-none-any.whl", "pack-age", ""),
        ("https://host/x/thing.zip", "", ""),
    ],
)
def test_lines(tmp_path: Path, line: str, name: str, specifier: str) -> None:
    found = read(tmp_path, f"# first\n\n{line}\n")
    (listed,) = found.listed
    assert (listed.name, str(listed.specifier)) == (name, specifier)
    assert (listed.place, listed.applies, listed.local) == ("requirements.txt:3", True, False)
    assert not found.problems
    assert not found.local


@pytest.mark.parametrize(
    "line", ["./wheels/tool.whl", "-e .", "--editable=./tool", "tool @ file:///alg/tool", "~/x.zip"]
)
def test_local_requirements(tmp_path: Path, line: str) -> None:
    found = read(tmp_path, line)
    assert found.local
    assert found.listed[0].local
    assert not found.problems


def test_markers(tmp_path: Path) -> None:
    text = "pywin32; sys_platform == 'never'\ntomli; python_version >= '3'\n"
    found = read(tmp_path, text)
    assert [each.applies for each in found.listed] == [False, True]
    assert found.names == {"tomli"}


def test_options(tmp_path: Path) -> None:
    text = (
        "-i https://host/simple\n--index-url=https://host\n--extra-index-url https://host\n"
        "--pre\n--no-binary :all:\n--trusted-host host\n--require-hashes\n-f https://host/links\n"
    )
    assert read(tmp_path, text) == Requirements(present=True, files=("requirements.txt",))
    assert read(tmp_path, "--find-links wheels\n").local


def test_includes(tmp_path: Path) -> None:
    found = read(
        tmp_path,
        "-r base.txt\n-c limits.txt\n--requirement=base.txt\nnumpy\n",
        base="pandas\n-r requirements.txt\n",
        limits="numpy<3\n",
    )
    assert [(each.name, each.place) for each in found.listed] == [
        ("pandas", "base.txt:1"),
        ("numpy", "requirements.txt:4"),
    ]
    assert [each.name for each in found.constraints] == ["numpy"]
    assert found.files == ("requirements.txt", "base.txt", "limits.txt")


def test_include_is_relative_to_its_file(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "a.txt").write_text("-r b.txt")
    (tmp_path / "sub" / "b.txt").write_text("numpy")
    assert read(tmp_path, "-r sub/a.txt").names == {"numpy"}


def test_link_keeps_the_name_that_pip_looks_for(tmp_path: Path) -> None:
    (tmp_path / "reqs").mkdir()
    (tmp_path / "reqs" / "prod.txt").write_text("-r common.txt\n-r reqs/../more.txt\n")
    (tmp_path / "reqs" / "base.txt").write_text("numpy\n")
    (tmp_path / "more.txt").write_text("pandas\n-r common.txt\n")
    (tmp_path / "common.txt").symlink_to("reqs/base.txt")
    (tmp_path / "requirements.txt").symlink_to("reqs/prod.txt")
    found = read_requirements(tmp_path)
    assert not found.problems
    assert found.files == (
        *("requirements.txt", "common.txt", "reqs/../more.txt"),
        "reqs/../common.txt",  # where pip looks from there
    )
    assert [each.place for each in found.listed] == ["common.txt:1", "reqs/../more.txt:1"]


def test_broken_link_and_link_outside_the_folder(tmp_path: Path) -> None:
    folder = tmp_path / "alg"
    folder.mkdir()
    (folder / "requirements.txt").symlink_to("none.txt")
    assert read_requirements(folder).problems == ("requirements.txt is a broken link",)
    (tmp_path / "secret.txt").write_text("numpy\n")
    (folder / "requirements.txt").unlink()
    (folder / "requirements.txt").symlink_to("../secret.txt")
    found = read_requirements(folder)
    assert found.problems == (
        "requirements.txt links outside the folder: put the file itself there",
    )
    assert (found.listed, found.files) == ((), ())


def test_include_whose_path_does_not_exist_in_the_image(tmp_path: Path) -> None:
    (tmp_path / "alg" / "sub" / "deep").mkdir(parents=True)
    (tmp_path / "alg" / "sub" / "base.txt").write_text("numpy\n")
    (tmp_path / "alg" / "link").symlink_to("sub/deep")
    lines = [tmp_path / "alg/sub/base.txt", "../alg/sub/base.txt", "link/../../../alg/sub/base.txt"]
    found = read(tmp_path / "alg", "".join(f"-r {line}\n" for line in lines))
    assert found.files == ("requirements.txt",)
    assert found.problems == tuple(
        f"requirements.txt:{number} includes {line}, a path that does not exist in the image: "
        "write sub/base.txt"
        for number, line in enumerate(lines, start=1)
    )


def test_endless_includes(tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to(".")
    (problem,) = read(tmp_path, "-r loop/requirements.txt\n").problems
    assert "Too many levels of symbolic links" in problem
    for number in range(400):
        (tmp_path / f"{number}.txt").write_text(f"-r {number + 1}.txt\n")
    (problem,) = read(tmp_path, "-r 0.txt\n").problems
    assert problem == "98.txt:1 includes 99.txt, which exceeds the limit of 100 files"


@pytest.mark.parametrize(
    "line",
    ["a{}b", "a{}# b", "./a" + "#egg" * 50_000, "-r{}b", "a --hash{}", "x;{}y", "-e{}x"],
)
def test_long_lines_are_read_fast(tmp_path: Path, line: str) -> None:
    began = time.process_time()
    found = read(tmp_path, line.format(" " * 200_000))
    assert time.process_time() - began < 10
    assert all(len(problem) < 1000 for problem in found.problems)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('a; platform_machine ~= "x"\n', "requirements.txt:1 is not valid: a; platform_machine ~="),
        (
            'a @ https://h/a ; os_name ~= "x"',
            "(its marker compares values that cannot be compared)",
        ),
        (f"a; {'(' * 100_000}", "requirements.txt:1 is not valid: a; ((((("),
        ("numpy=2\n", "requirements.txt:1 is not valid: numpy=2"),
        ("ok\nnot a name\n", "requirements.txt:2 is not valid: not a name"),
        ("--speed 5\n", "requirements.txt:1 has an option that pip does not know: --speed 5"),
        ("-r ../base.txt", "includes ../base.txt, which is outside the folder"),
        ("-r /etc/passwd", "includes /etc/passwd, which is outside the folder"),
        ("-r none.txt", "requirements.txt:1 includes none.txt, which does not exist"),
        ("-r a\0b", "requirements.txt:1 includes a\0b"),
        (b"\xff\xff", "requirements.txt cannot be read: it is not UTF-8 text"),
        (b"x" * 3_000_000, "requirements.txt cannot be read: it is over 2,000,000 bytes"),
    ],
)
def test_problems(tmp_path: Path, text: str | bytes, problem: str) -> None:
    (found,) = read(tmp_path, text).problems
    assert problem in found


def test_utf_16_file_of_powershell(tmp_path: Path) -> None:
    data = codecs.BOM_UTF16_LE + "numpy==2.0\r\n".encode("utf-16-le")
    assert read(tmp_path, data).names == {"numpy"}


def test_include_of_an_address(tmp_path: Path) -> None:
    (listed,) = read(tmp_path, "-r https://host/base.txt").listed
    assert listed.name == ""


def test_continued_lines() -> None:
    text = "a \\\n b # c\n# d \\\nd\\\n# e\nf\\"
    assert list(logical_lines(text)) == [(1, "a  b"), (4, "d"), (6, "f")]


PIECES = st.sampled_from(
    ["numpy", "==", "1.0", "-r ", "-c", "-e", "--hash=", "\\\n", "#", ";", "[x]", " ", "@", "://"]
)
LINES = st.lists(PIECES | st.text(max_size=5), max_size=15).map("".join)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(text=LINES | st.binary(max_size=40))
def test_any_text_is_read(tmp_path: Path, text: str | bytes) -> None:
    data = text if isinstance(text, bytes) else text.encode(errors="replace")
    found = read(tmp_path, data)
    assert found.present
    assert all("requirements.txt" in problem for problem in found.problems)
    assert all(each.place.startswith("requirements.txt:") for each in found.listed)
