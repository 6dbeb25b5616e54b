"""Unpacking untrusted archives."""

from __future__ import annotations

import io
import os
import tarfile
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from wrapper.local.source import unpacking
from wrapper.local.source.archive import ArchiveError, is_archive, unpack


def tar(path: Path, *members: tarfile.TarInfo) -> Path:
    with tarfile.open(path, "w:gz" if path.name.endswith("gz") else "w") as opened:
        for member in members:
            opened.addfile(member, io.BytesIO(b"x" * member.size))
    return path


def member(
    name: str, size: int = 1, kind: bytes = tarfile.REGTYPE, link: str = ""
) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.size, info.type, info.linkname = size, kind, link
    return info


def zipped(path: Path, *names: str) -> Path:
    with zipfile.ZipFile(path, "w") as opened:
        for name in names:
            opened.writestr(name, "x")
    return path


@pytest.mark.parametrize(
    ("name", "answer"),
    [("a.tar.gz", True), ("A.TGZ", True), ("a.zip", True), ("a.tar", True), ("a.py", False)],
)
def test_archive_is_recognized_by_its_name(name: str, answer: bool) -> None:
    assert is_archive(Path(name)) is answer


@pytest.mark.parametrize(
    "make",
    [
        lambda folder: tar(folder / "a.tar.gz", member("main.py"), member("lib/b.py")),
        lambda folder: tar(folder / "a.tar", member("main.py"), member("lib/b.py")),
        lambda folder: zipped(folder / "a.zip", "main.py", "lib/b.py"),
    ],
)
def test_files_and_folders(tmp_path: Path, make: Callable[[Path], Path]) -> None:
    target = tmp_path / "to"
    target.mkdir()
    assert unpack(make(tmp_path), target) == target
    assert (target / "main.py").read_text() == (target / "lib" / "b.py").read_text() == "x"


def test_only_folder_of_an_archive_is_the_code(tmp_path: Path) -> None:
    target = tmp_path / "to"
    target.mkdir()
    assert unpack(zipped(tmp_path / "a.zip", "alg/main.py"), target) == target / "alg"


def test_extra_files_of_macos_are_skipped(tmp_path: Path) -> None:
    names = ["alg/main.py", "__MACOSX/alg/._main.py", "alg/._main.py", "._alg", ".DS_Store"]
    for number, path in enumerate(
        (zipped(tmp_path / "a.zip", *names), tar(tmp_path / "a.tar.gz", *map(member, names)))
    ):
        target = tmp_path / f"to{number}"
        target.mkdir()
        assert unpack(path, target) == target / "alg"
        assert [each.name for each in (target / "alg").iterdir()] == ["main.py"]


@pytest.mark.parametrize("name", ["../out.py", "a/../../out.py", "/out.py", "C:\\out.py", "..\\o"])
def test_entries_outside_the_folder_are_refused(tmp_path: Path, name: str) -> None:
    for number, path in enumerate(
        (tar(tmp_path / "a.tar.gz", member(name)), zipped(tmp_path / "a.zip", name))
    ):
        target = tmp_path / f"to{number}"
        target.mkdir()
        with pytest.raises(
            ArchiveError, match="is refused: its entry .* points outside the folder"
        ):
            unpack(path, target)
        assert list(target.iterdir()) == []
    assert not (tmp_path / "out.py").exists()


@pytest.mark.parametrize(
    "evil",
    [
        member("link", 0, tarfile.SYMTYPE, "/etc/passwd"),
        member("link", 0, tarfile.SYMTYPE, "../../out"),
        member("link", 0, tarfile.LNKTYPE, "/etc/passwd"),
        member("pipe", 0, tarfile.FIFOTYPE),
        member("device", 0, tarfile.CHRTYPE),
    ],
)
def test_links_outside_and_devices_are_refused(tmp_path: Path, evil: tarfile.TarInfo) -> None:
    with pytest.raises(ArchiveError, match="is refused"):
        unpack(tar(tmp_path / "a.tar.gz", evil), tmp_path)


def test_links_inside_the_folder_are_kept(tmp_path: Path) -> None:
    target = tmp_path / "to"
    target.mkdir()
    members = [
        member("lib/b.py"),
        member("same.py", 0, tarfile.LNKTYPE, "lib/b.py"),
        member("link.py", 0, tarfile.SYMTYPE, "lib/b.py"),
        member("lib/up", 0, tarfile.SYMTYPE, "../same.py"),
    ]
    unpack(tar(tmp_path / "a.tar.gz", *members), target)
    assert {(target / name).read_text() for name in ("same.py", "link.py", "lib/up")} == {"x"}
    assert (target / "link.py").is_symlink()


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE])
def test_link_that_leads_nowhere(tmp_path: Path, kind: bytes) -> None:
    with pytest.raises(ArchiveError, match="its link 'a' leads to 'gone', which does not exist"):
        unpack(tar(tmp_path / "a.tar.gz", member("a", 0, kind, "gone")), tmp_path)


def long_chain(depth: int) -> list[tarfile.TarInfo]:
    """The members of CVE-2025-4517: a path too long to follow hides where a link leads."""
    step, members, path = "d" * 247, [], ""
    for letter in "abcdefghijklmnop"[:depth]:
        members.append(member(f"{path}{step}", 0, tarfile.DIRTYPE))
        members.append(member(f"{path}{letter}", 0, tarfile.SYMTYPE, step))
        path += f"{step}/"
    short = "/".join("abcdefghijklmnop"[:depth])
    members.append(member(f"{short}/{'l' * 254}", 0, tarfile.SYMTYPE, "../" * depth))
    members.append(member("escape", 0, tarfile.SYMTYPE, f"{short}/{'l' * 254}/../../out"))
    return members


@pytest.mark.parametrize("depth", [1, 3, 16])
@pytest.mark.parametrize("last", ["escape", "escape/f"])
def test_nothing_is_written_through_links(tmp_path: Path, depth: int, last: str) -> None:
    target = tmp_path / "deep" / "to"
    target.mkdir(parents=True)
    (tmp_path / "out").write_text("mine")
    members = [*long_chain(depth), member("hard", 0, tarfile.LNKTYPE, "escape"), member("hard")]
    for name, more in (("a.tar", members), ("b.tar", [*long_chain(depth), member(last)])):
        with pytest.raises(ArchiveError):
            unpack(tar(tmp_path / name, *more), target)
    assert (tmp_path / "out").read_text() == "mine"
    assert {each.name for each in tmp_path.iterdir()} == {"out", "deep", "a.tar", "b.tar"}
    assert [each.name for each in (tmp_path / "deep").iterdir()] == ["to"]


LINKED_NAMES = st.sampled_from(["a", "b", "a/b", "b/a", "a/b/c"])
TARGETS = st.sampled_from(
    ["a", "b", "a/b", "..", "../..", "../out", "../../out", "a/..", "b/../.."]
)


@given(
    entries=st.lists(
        st.tuples(
            LINKED_NAMES,
            st.sampled_from([tarfile.REGTYPE, tarfile.DIRTYPE, tarfile.SYMTYPE, tarfile.LNKTYPE]),
            TARGETS,
        ),
        max_size=6,
    )
)
@example(entries=[("a", tarfile.SYMTYPE, ".."), ("a/b/c", tarfile.SYMTYPE, "a")])
def test_whatever_the_links_all_stays_in_the_folder(
    entries: list[tuple[str, bytes, str]],
) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        target = Path(scratch, "deep", "to")
        target.mkdir(parents=True)
        Path(scratch, "out").write_text("mine")
        members = [
            member(name, int(kind == tarfile.REGTYPE), kind, link) for name, kind, link in entries
        ]
        accepted = True
        try:
            unpack(tar(Path(scratch, "a.tar"), *members), target)
        except ArchiveError:
            accepted = False
        assert Path(scratch, "out").read_text() == "mine"
        assert {each.name for each in Path(scratch).iterdir()} == {"a.tar", "deep", "out"}
        assert [each.name for each in Path(scratch, "deep").iterdir()] == ["to"]
        if accepted:
            for each in target.rglob("*"):
                assert each.resolve().is_relative_to(target.resolve())


def test_zip_of_windows(tmp_path: Path) -> None:
    target = tmp_path / "to"
    target.mkdir()
    names = ["alg\\", "alg\\main.py", "alg\\pkg\\helper.py"]
    assert unpack(zipped(tmp_path / "a.zip", *names), target) == target / "alg"
    assert (target / "alg" / "pkg" / "helper.py").read_text() == "x"


def test_link_in_a_zip(tmp_path: Path) -> None:
    path, target = tmp_path / "a.zip", tmp_path / "to"
    target.mkdir()
    for aim, content in (("main.py", "x"), ("../../etc/passwd", "")):
        with zipfile.ZipFile(path, "w") as opened:
            opened.writestr("main.py", "x")
            info = zipfile.ZipInfo("link.py")
            info.external_attr = 0o120777 << 16
            opened.writestr(info, aim)
        if content:
            unpack(path, target)
            assert (target / "link.py").read_text() == content
        else:
            with pytest.raises(ArchiveError, match="its link 'link.py'"):
                unpack(path, target)


def test_header_that_is_too_large(tmp_path: Path) -> None:
    """A name of megabytes compresses to little, and tarfile would read it into memory."""
    path = tmp_path / "a.tar.gz"
    with tarfile.open(path, "w:gz", format=tarfile.PAX_FORMAT) as opened:
        info = member("main.py")
        info.pax_headers = {"comment": "x" * 2_000_000}
        opened.addfile(info, io.BytesIO(b"x"))
    with pytest.raises(ArchiveError, match="one of its headers is over 1,000,000 bytes"):
        unpack(path, tmp_path / "to")


def test_archive_that_is_too_large_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unpacking, "MAX_BYTES", 100)
    with pytest.raises(ArchiveError, match="it is over 100 bytes when unpacked"):
        unpack(tar(tmp_path / "a.tar.gz", member("big", 101)), tmp_path)
    monkeypatch.setattr(unpacking, "MAX_FILES", 1)
    with pytest.raises(ArchiveError, match="more than 1 files"):
        unpack(zipped(tmp_path / "a.zip", "a", "b"), tmp_path)


@pytest.mark.parametrize("name", ["a.zip", "a.tar.gz", "a.tar"])
@pytest.mark.parametrize("content", [b"", b"no archive at all" * 100])
def test_not_an_archive(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    target = tmp_path / "to"
    target.mkdir()
    if name.startswith("a.tar") and not content:  # some empty files are read as empty archives
        return
    with pytest.raises(ArchiveError, match=f"cannot unpack .*{name}: \\S"):
        unpack(tmp_path / name, target)


@pytest.mark.parametrize("name", ["a.zip", "a.tar.gz"])
def test_truncated_archive(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    noise = os.urandom(20_000)
    if name == "a.zip":
        with zipfile.ZipFile(path, "w") as opened:
            opened.writestr("a", noise)
    else:
        info = member("a", len(noise))
        with tarfile.open(path, "w:gz") as packed:
            packed.addfile(info, io.BytesIO(noise))
    path.write_bytes(path.read_bytes()[:10_000])
    with pytest.raises(ArchiveError, match="cannot unpack"):
        unpack(path, tmp_path)


def made(name: str) -> bytes:
    """A good archive of the kind that a name has."""
    stream, text = io.BytesIO(), b"def start(args, api): return 1\n" * 20
    if name.endswith(".zip"):
        kind = {"lzma.zip": zipfile.ZIP_LZMA, "bz2.zip": zipfile.ZIP_BZIP2}.get(name, 8)
        with zipfile.ZipFile(stream, "w", kind) as opened:
            opened.writestr("\u00e9/main.py", text)
        return stream.getvalue()
    kind_of_tar = {"xz.tar": "w:xz", "bz2.tar": "w:bz2", "gz.tar": "w:gz"}.get(name, "w")
    with tarfile.open(fileobj=stream, mode=kind_of_tar) as opened:  # type: ignore[call-overload]
        info = tarfile.TarInfo("main.py")
        info.size = len(text)
        opened.addfile(info, io.BytesIO(text))
    return stream.getvalue()


def broken(archive: bytes, place: int) -> bytes:
    return archive[:place] + b"\xff\xff" + archive[place + 2 :]


@given(
    name=st.sampled_from(["a.zip", "lzma.zip", "bz2.zip", "a.tar", "gz.tar", "xz.tar", "bz2.tar"]),
    changes=st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 255)), max_size=4),
    kept=st.floats(0, 1),
)
def test_any_damage_is_reported_in_one_sentence(
    name: str, changes: list[tuple[float, int]], kept: float
) -> None:
    data = bytearray(made(name))
    for place, value in changes:
        data[int(place * len(data))] = value
    with tempfile.TemporaryDirectory() as scratch:
        path, folder = Path(scratch, name), Path(scratch, "folder")
        path.write_bytes(data[: round(kept * len(data))])
        folder.mkdir()
        said = ""
        try:
            unpack(path, folder)
        except ArchiveError as error:
            said = str(error)
        assert "\n" not in said
        assert not said.endswith(": ")


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"path": "a\0b"}, r"(\w+: )?embedded null"),
    ],
)
def test_impossible_fields_of_a_tar(tmp_path: Path, fields: dict[str, str], reason: str) -> None:
    path, folder = tmp_path / "a.tar", tmp_path / "folder"
    folder.mkdir()
    with tarfile.open(path, "w", format=tarfile.PAX_FORMAT) as opened:
        info = member("main.py")
        info.pax_headers = fields
        opened.addfile(info, io.BytesIO(b"x"))
    with pytest.raises(ArchiveError, match=rf"cannot unpack .*a\.tar: {reason}"):
        unpack(path, folder)


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("a.zip", broken(made("lzma.zip"), 50), "orrupt input"),
        ("b.tar.gz", b"no archive", "it is not a tar archive"),
    ],
)
def test_broken_archives(tmp_path: Path, name: str, content: bytes, reason: str) -> None:
    (tmp_path / name).write_bytes(content)
    (tmp_path / "folder").mkdir()
    with pytest.raises(ArchiveError, match=reason):
        unpack(tmp_path / name, tmp_path / "folder")
