"""The libraries of the page are those of their table."""

from __future__ import annotations

import hashlib
import json

from wrapper.local.web.server.static_files import STATIC

FOLDER = STATIC / "vendor"
TABLE = json.loads((FOLDER / "vendor.json").read_text())


def test_each_library_has_the_hash_of_its_table() -> None:
    for entry in TABLE:
        content = (FOLDER / entry["file"]).read_bytes()
        assert hashlib.sha256(content).hexdigest() == entry["sha256"], "run `make vendor`"


def test_no_library_is_missing_in_the_table() -> None:
    own = {"vendor.json", "LICENSES.txt", *(file.name for file in FOLDER.glob("*.d.ts"))}
    files = {file.name for file in FOLDER.iterdir()} - own
    assert files == {entry["file"] for entry in TABLE}


def test_each_library_has_its_licence() -> None:
    licences = (FOLDER / "LICENSES.txt").read_text()
    for entry in TABLE:
        assert f"{entry['package']}@{entry['version']}\n" in licences


def test_the_page_is_small() -> None:
    assert sum(file.stat().st_size for file in STATIC.rglob("*") if file.is_file()) < 600_000
