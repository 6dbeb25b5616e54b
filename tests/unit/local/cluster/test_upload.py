"""The archive of an algorithm's code, and the form that carries it."""

from __future__ import annotations

import io
import os
import tarfile
from pathlib import Path

import pytest

from tests.cluster_server import Asked
from wrapper.local.cluster.upload import UploadError, apply_form, write_archive
from wrapper.local.source.archive import unpack
from wrapper.local.source.file_tree import read_tree


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "green"
    (made / "pkg").mkdir(parents=True)
    (made / "main.py").write_text("def start(args): pass\n")
    (made / "pkg" / "run.sh").write_text("#!/bin/sh\n")
    (made / "pkg" / "run.sh").chmod(0o700)
    (made / "link.py").symlink_to("main.py")
    (made / ".env").write_text("SECRET=1")
    return made


def archive(folder: Path) -> bytes:
    target = io.BytesIO()
    write_archive(read_tree(folder), target)
    return target.getvalue()


def test_what_build_leaves_out_is_not_sent(folder: Path, tmp_path: Path) -> None:
    packed = tmp_path / "code.tar.gz"
    packed.write_bytes(archive(folder))
    (tmp_path / "out").mkdir()
    unpacked = unpack(packed, tmp_path / "out")
    found = sorted(p.relative_to(unpacked).as_posix() for p in unpacked.rglob("*"))
    assert found == ["link.py", "main.py", "pkg", "pkg/run.sh"]
    assert os.readlink(unpacked / "link.py") == "main.py"
    assert os.access(unpacked / "pkg" / "run.sh", os.X_OK)
    assert not os.access(unpacked / "main.py", os.X_OK)


def test_same_code_gives_the_same_bytes(folder: Path) -> None:
    before = archive(folder)
    os.utime(folder / "main.py", (5, 5))
    (folder / "main.py").chmod(0o600)
    (folder / ".env").write_text("SECRET=2")
    assert archive(folder) == before
    assert before[4:8] == bytes(4), "the time in the header of gzip"
    (folder / "main.py").write_text("def start(args): return\n")
    assert archive(folder) != before


def test_archive_does_not_say_who_packed_it(folder: Path) -> None:
    with tarfile.open(fileobj=io.BytesIO(archive(folder))) as opened:
        for entry in opened:
            assert (entry.uid, entry.gid, entry.uname, entry.gname) == (0, 0, "", "")


def test_form_holds_three_parts(folder: Path) -> None:
    with apply_form({"name": "grün"}, {"forceBuild": True}, read_tree(folder)) as form:
        assert not isinstance(form.content, bytes)
        form.content.seek(0)
        body = form.content.read()
    asked = Asked("POST", "", {"content-type": form.kind}, body)
    assert len(body) == form.size
    assert asked.form["payload"] == b'{"name": "gr\\u00fcn"}'
    assert asked.form["options"] == b'{"forceBuild": true}'
    assert asked.code["main.py"] == b"def start(args): pass\n"


def test_form_without_code_has_no_file() -> None:
    with apply_form({"name": "a"}, {}, None) as form:
        assert not isinstance(form.content, bytes)
        form.content.seek(0)
        asked = Asked("POST", "", {"content-type": form.kind}, form.content.read())
    assert set(asked.form) == {"payload", "options"}


def test_file_that_vanishes_is_named(folder: Path) -> None:
    tree = read_tree(folder)
    (folder / "main.py").unlink()
    with pytest.raises(UploadError, match=r"cannot pack .*/main\.py: No such file"):
        write_archive(tree, io.BytesIO())
