"""Files are written completely or not at all."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from wrapper.errors import StorageError
from wrapper.storage.format.encoded import Encoded
from wrapper.storage.format.header import make_header
from wrapper.storage.stores.file_store import FileStore
from wrapper.storage.stores.store import Missing, Unavailable

HEADER = make_header(False, "msgpack")
PATH = "local-hkube/main:job/task"


def test_header_and_payload_share_a_file(tmp_path: Path) -> None:
    store = FileStore(str(tmp_path / "made"))
    store.write(PATH, Encoded(HEADER, memoryview(b"payload")))
    assert (tmp_path / "made" / PATH).read_bytes() == HEADER + b"payload"
    assert store.read(PATH) == Encoded(HEADER, b"payload")


def test_file_without_a_header(tmp_path: Path) -> None:
    store = FileStore(str(tmp_path))
    for payload in (b"", b"[1]", b"longer than a header is"):
        store.write(PATH, Encoded(b"", payload))
        assert store.read(PATH) == Encoded(b"", payload)


def test_rewrite_replaces_the_file_and_leaves_no_other(tmp_path: Path) -> None:
    store = FileStore(str(tmp_path))
    store.write(PATH, Encoded(HEADER, b"a long first value"))
    store.write(PATH, Encoded(HEADER, b"second"))
    assert store.read(PATH).payload == b"second"
    assert os.listdir((tmp_path / PATH).parent) == ["task"]


def test_failed_write_leaves_no_partial_file(tmp_path: Path) -> None:
    store = FileStore(str(tmp_path))
    (tmp_path / PATH).mkdir(parents=True)  # a folder cannot be replaced by a file
    with pytest.raises(StorageError, match="is a directory"):
        store.write(PATH, Encoded(HEADER, b"x"))
    assert os.listdir((tmp_path / PATH).parent) == ["task"]


def test_long_file_name(tmp_path: Path) -> None:
    store = FileStore(str(tmp_path))
    path = "local-hkube/j/" + "n" * 250
    store.write(path, Encoded(HEADER, b"x"))
    assert store.read(path).payload == b"x"


def test_file_errors(tmp_path: Path) -> None:
    store = FileStore(str(tmp_path))
    with pytest.raises(Missing, match="the file does not exist"):
        store.read(PATH)
    with pytest.raises(Unavailable, match="folder does not exist"):
        FileStore(str(tmp_path / "gone")).read(PATH)
    (tmp_path / "local-hkube").write_text("a file")
    with pytest.raises(StorageError, match=r"file exists|not a directory"):
        store.write(PATH, Encoded(HEADER, b"x"))


@pytest.mark.parametrize("code", ["ENOSPC", "EACCES", "ESTALE", "EIO"])
def test_simulated_file_errors(tmp_path: Path, code: str) -> None:
    import errno

    store = FileStore(str(tmp_path))
    number = getattr(errno, code)
    error = store._storage_error(OSError(number, os.strerror(number)))
    expected = {"ENOSPC": "no space is left", "EACCES": "no permission"}.get(code, "")
    assert expected in str(error) and "\n" not in str(error)
    assert isinstance(error, Unavailable) is (code in ("ESTALE", "EIO"))


def test_links_do_not_lead_out(tmp_path: Path) -> None:
    folder = tmp_path / "storage"
    (folder / "local-hkube" / "j").mkdir(parents=True)
    (tmp_path / "other").mkdir()
    (folder / "local-hkube" / "out").symlink_to(tmp_path / "other")
    store = FileStore(str(folder))
    for act in (
        lambda: store.read("local-hkube/out/x"),
        lambda: store.write("local-hkube/out/x", Encoded(b"", b"x")),
    ):
        with pytest.raises(StorageError, match="leads out"):
            act()
    assert os.listdir(tmp_path / "other") == []
    # The folder itself may be a link.
    (tmp_path / "link").symlink_to(folder)
    FileStore(str(tmp_path / "link")).write(PATH, Encoded(b"", b"x"))
    assert store.read(PATH).payload == b"x"


def test_a_fifo_is_refused_at_once(tmp_path: Path) -> None:
    store = FileStore(str(tmp_path))
    store.write(PATH, Encoded(b"", b"x"))
    (tmp_path / PATH).unlink()
    os.mkfifo(tmp_path / PATH)
    with pytest.raises(StorageError, match="is not a regular file"):
        store.read(PATH)


def test_folder_that_is_replaced_by_a_link_is_looked_at_again(tmp_path: Path) -> None:
    folder, other = tmp_path / "storage", tmp_path / "other"
    store = FileStore(str(folder))
    store.write(PATH, Encoded(HEADER, b"x"))
    assert store.read(PATH).payload == b"x"
    job = (folder / PATH).parent
    shutil.rmtree(job)
    other.mkdir()
    (other / "task").write_bytes(b"a secret")
    job.symlink_to(other)
    for act in (lambda: store.read(PATH), lambda: store.write(PATH, Encoded(HEADER, b"y"))):
        with pytest.raises(StorageError, match="leads out"):
            act()
    assert (other / "task").read_bytes() == b"a secret"


def test_removed_folder_is_made_again(tmp_path: Path) -> None:
    store = FileStore(str(tmp_path))
    for payload in (b"first", b"second"):
        store.write(PATH, Encoded(HEADER, payload))
        assert store.read(PATH).payload == payload
        shutil.rmtree(tmp_path / "local-hkube")


def test_link_to_a_file_is_followed_only_inside(tmp_path: Path) -> None:
    folder, secret = tmp_path / "storage", tmp_path / "secret"
    store = FileStore(str(folder))
    store.write(PATH, Encoded(HEADER, b"x"))
    secret.write_bytes(b"a secret")
    job = (folder / PATH).parent
    (job / "inside").symlink_to("task")
    (job / "outside").symlink_to(secret)
    for _ in range(2):
        assert store.read(PATH).payload == b"x"
        assert store.read("local-hkube/main:job/inside").payload == b"x"
        with pytest.raises(StorageError, match="leads out"):
            store.read("local-hkube/main:job/outside")
    # A write replaces a link and does not follow it.
    store.write("local-hkube/main:job/outside", Encoded(HEADER, b"y"))
    assert store.read("local-hkube/main:job/outside").payload == b"y"
    assert secret.read_bytes() == b"a secret"


def test_folder_outside_is_not_trusted_because_a_file_in_it_links_back(tmp_path: Path) -> None:
    folder, other = tmp_path / "storage", tmp_path / "other"
    store = FileStore(str(folder))
    store.write(PATH, Encoded(HEADER, b"x"))
    other.mkdir()
    (other / "back").symlink_to(folder / PATH)
    (other / "secret").write_bytes(b"a secret")
    (folder / "local-hkube" / "out").symlink_to(other)
    assert store.read("local-hkube/out/back").payload == b"x"
    with pytest.raises(StorageError, match="leads out"):
        store.read("local-hkube/out/secret")


@pytest.mark.parametrize("header", [b"", HEADER])
@pytest.mark.parametrize("size", [0, 1, 65_527, 65_528, 65_529, 65_536, 65_537, 1_000_000])
def test_values_of_any_size(tmp_path: Path, header: bytes, size: int) -> None:
    store = FileStore(str(tmp_path))
    payload = os.urandom(size)
    store.write(PATH, Encoded(header, memoryview(payload)))
    assert (tmp_path / PATH).read_bytes() == header + payload
    assert store.read(PATH) == Encoded(header, payload)
