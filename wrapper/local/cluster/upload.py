"""Packs an algorithm's code for the cluster, and the form that carries it."""

from __future__ import annotations

import gzip
import json
import os
import secrets
import stat
import tarfile
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import IO, Any

from ...errors import WrapperError
from ..source.file_tree import Tree
from .http_client import Body

ARCHIVE_NAME = "code.tar.gz"
_LONG_AGO = 315_532_800
"""1980, in seconds since 1970: the first moment that all archive formats can hold."""
_PIECE = 1 << 20


class UploadError(WrapperError):
    """An algorithm's code cannot be packed; the message says why."""

    code = "UploadError"


def write_archive(tree: Tree, target: IO[bytes]) -> None:
    """Write an algorithm's code as a .tar.gz.

    The same code gives the same bytes, whenever and by whomever it is packed: HKube builds an
    image only if the checksum has changed.

    Raises:
        UploadError: a file cannot be read.
    """
    path = ""
    try:
        with (
            gzip.GzipFile("", "wb", mtime=0, fileobj=target) as packed,
            tarfile.open(fileobj=packed, mode="w|", format=tarfile.PAX_FORMAT) as archive,
        ):
            for file in tree.files:
                path = os.path.join(tree.folder, file.path)
                _add(archive, path, file.path)
    except (OSError, tarfile.TarError) as error:
        raise UploadError(f"cannot pack {path}: {getattr(error, 'strerror', None) or error}") from (
            error
        )


@contextmanager
def apply_form(
    payload: Mapping[str, Any], options: Mapping[str, Any], tree: Tree | None
) -> Iterator[Body]:
    """Make the form that creates or changes an algorithm; it is deleted at the end.

    Args:
        payload: the algorithm's description.
        options: options of the API, such as `forceBuild`.
        tree: the algorithm's files; None if its code is not sent.

    Raises:
        UploadError: a file cannot be read.
    """
    boundary = f"hkube-{secrets.token_hex(16)}"
    with tempfile.TemporaryFile(prefix="hkube-") as file:
        for name, value in (("payload", payload), ("options", options)):
            text = json.dumps(value, default=str)
            file.write(_part(boundary, f'name="{name}"') + text.encode() + b"\r\n")
        if tree is not None:
            described = f'name="file"; filename="{ARCHIVE_NAME}"'
            file.write(_part(boundary, described, "application/gzip"))
            write_archive(tree, file)
            file.write(b"\r\n")
        file.write(f"--{boundary}--\r\n".encode())
        yield Body(file, f"multipart/form-data; boundary={boundary}", file.tell())


def _part(boundary: str, disposition: str, kind: str = "") -> bytes:
    header = f"Content-Type: {kind}\r\n" if kind else ""
    lines = f"--{boundary}\r\nContent-Disposition: form-data; {disposition}\r\n{header}\r\n"
    return lines.encode()


def _add(archive: tarfile.TarFile, path: str, name: str) -> None:
    entry = tarfile.TarInfo(name)
    entry.mtime = _LONG_AGO
    if os.path.islink(path):
        entry.type, entry.linkname, entry.mode = tarfile.SYMTYPE, os.readlink(path), 0o777
        archive.addfile(entry)
        return
    with open(path, "rb") as content:
        status = os.fstat(content.fileno())
        entry.size = status.st_size
        entry.mode = 0o755 if status.st_mode & stat.S_IXUSR else 0o644
        archive.addfile(entry, content)
